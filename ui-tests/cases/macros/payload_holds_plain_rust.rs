#[derive(bb::WireType)]
pub struct Counted {
    pub name: String,
    pub count: usize,
}
fn main() {}
