//! What the federated model is held against: the same network trained centrally, and by each client alone.

use crate::data::Data;
use crate::network;
use crate::split::Split;

/// Accuracies on the held-out fifth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Baseline {
    /// Of one model over all shards' rows.
    pub central: f64,
    /// The mean over models that each saw one shard.
    pub alone: f64,
}

/// Trains the models to compare with: as many passes as the clients make in all rounds.
pub fn baseline(data: &Data, split: &Split, passes: usize, seed: u64) -> Baseline {
    let accuracy = |train: &Data, seed: u64| {
        let mut params = network::initial(seed);
        network::train(&mut params, train, passes, seed);
        network::score(&params, &split.test).accuracy
    };
    let alone: f64 = split.shards.iter().map(|shard| accuracy(shard, seed)).sum();
    Baseline { central: accuracy(&Split::train(data, seed), seed), alone: alone / split.shards.len() as f64 }
}
