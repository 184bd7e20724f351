//! The program under a network at its worst.

use crate::graph::{Trainer, round};
use bb::{Peers, Tensor};
use bb_components::FedAvg;
use bb_sim::Link;
use std::time::Duration;

/// Knows the answer: training is not what is tested.
struct Knows(f32);
impl Trainer for Knows {
    fn train(&mut self, _: Tensor) -> (Tensor, u64) {
        (Tensor::from([self.0]), 1)
    }
}

#[test]
fn a_round_is_the_mean_whatever_the_network_does() {
    bb_sim::random(50, |world| {
        world.set_link(Link::default().drop(0.3).duplicate(0.2).reorder(0.5));
        let server = world.host(|| round::Server { average: FedAvg::new(Tensor::from([0.0])) });
        let clients = [1.0, 2.0, 6.0].map(|v| world.host(move || round::Client { trainer: Knows(v) }));
        clients.iter().for_each(|client| world.connect(server.ix, client.ix));
        let asked = world.ask(server, (Peers::all(), 1.0), Duration::from_secs(60));
        world.run(Duration::from_secs(60));
        assert_eq!(world.answer(asked), Some(Ok(Tensor::from([3.0]))));
    });
}
