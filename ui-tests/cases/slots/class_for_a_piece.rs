#[derive(bb::Peer)]
pub struct Server;
fn main() {
    let _ = bb::Node::builder().start(Server);
}
