//! A client's component: its shard, and how it trains on it.

use crate::data::Data;
use crate::graph::Trainer;
use crate::network;
use bb::Tensor;

/// Plain stochastic gradient descent on a private shard.
pub struct Sgd {
    shard: Data,
    epochs: usize,
    /// Each call draws its own batches.
    seed: u64,
}

impl Sgd {
    /// A trainer of this shard, the `number`th.
    pub fn new(shard: Data, epochs: u32, seed: u64, number: usize) -> Self {
        Sgd { shard, epochs: epochs as usize, seed: seed.wrapping_mul(1_000_003).wrapping_add(number as u64 * 7919) }
    }
}

impl Trainer for Sgd {
    fn train(&mut self, params: Tensor) -> (Tensor, u64) {
        let mut local = params.to_vec();
        local.resize(network::PARAMS, 0.0);
        self.seed = self.seed.wrapping_add(1);
        network::train(&mut local, &self.shard, self.epochs, self.seed);
        let trained = Tensor::from_vec(&[network::PARAMS as u64], local).expect("the vector was made that long");
        (trained, self.shard.len() as u64)
    }
}
