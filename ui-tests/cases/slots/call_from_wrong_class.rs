use bb::{Node, Peers, Tensor};
use mounted::graph::{self, FedAvg, Sgd};
async fn run(_: (FedAvg, Sgd, Peers<graph::Client>, Tensor)) -> Result<(), bb::node::Error> {
    let client = Node::builder().start(graph::round::Client { trainer: Sgd }).await?;
    client.call((Peers::all(), 0.75)).await?;
    Ok(())
}
fn main() { let _ = run; let _ = Node::builder(); }
