use bb::{Node, Peers, Tensor};
use mounted::graph::{self, FedAvg, Sgd};
async fn run(_: (FedAvg, Sgd, Peers<graph::Client>, Tensor)) -> Result<(), bb::node::Error> {
    let server = Node::builder().start(graph::halves::Server).await?;
    server.call((Tensor::<f32>::default(), Tensor::<f32>::default())).await?;
    Ok(())
}
fn main() { let _ = run; let _ = Node::builder(); }
