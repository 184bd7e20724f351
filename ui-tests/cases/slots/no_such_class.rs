use bb::{Node, Peers, Tensor};
use mounted::graph::{self, FedAvg, Sgd};
async fn run(_: (FedAvg, Sgd, Peers<graph::Client>, Tensor)) -> Result<(), bb::node::Error> {
    let _x = graph::round::Node { average: FedAvg::new(Tensor::default()) };
    Ok(())
}
fn main() { let _ = run; let _ = Node::builder(); }
