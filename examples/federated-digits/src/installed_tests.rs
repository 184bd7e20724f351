//! A piece that comes while its node runs.

use crate::graph::{Client, Server, Trainer, round};
use bb::node::StartError;
use bb::{Node, Peers, Tensor};
use bb_components::FedAvg;

/// Knows the answer: training is not what is tested.
struct Knows(f32);
impl Trainer for Knows {
    fn train(&mut self, _: Tensor) -> (Tensor, u64) {
        (Tensor::from([self.0]), 1)
    }
}

#[tokio::test]
async fn a_server_takes_a_shard_of_its_own_while_it_runs() {
    let piece = || round::Server { average: FedAvg::new(Tensor::from([0.0])) };
    let first = Node::builder().listen("/ip4/127.0.0.1/tcp/0").start(piece()).await.expect("starts");
    let address = first.address().expect("it listens");
    let second = Node::builder().dial(&address).start(piece()).await.expect("starts");
    assert!(second.wait_for::<Server>(1).await, "they are connected");
    let client = first.install(round::Client { trainer: Knows(4.0) }).await.expect("it runs here");
    assert_eq!(client.peer_id(), first.peer_id());
    assert!(first.hosted::<round::Client<Knows>>().is_some());
    assert!(second.wait_for::<Client>(1).await);
    let params = second.call((Peers::all(), 1.0)).await;
    assert_eq!(params, Ok(Tensor::from([4.0])));
    let again = first.install(round::Client { trainer: Knows(5.0) }).await;
    assert!(matches!(again, Err(StartError::Install(_))));
    assert_eq!(first.call((Peers::all().and_self(), 1.0)).await, Ok(Tensor::from([4.0])), "by the one that is there");
}
