//! A client that does harm.

use crate::graph::Trainer;
use crate::trainer::Sgd;
use bb::Tensor;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// How far it goes the wrong way, in lengths of what it learned.
const BACKWARDS: f32 = 10.0;

/// What a client sends instead of what it learned.
enum Attack {
    /// The opposite of it, scaled up: the model is led uphill.
    Backwards,
    /// Noise of the size of the parameters themselves, another in each round.
    Noise { seed: u64 },
}

impl Attack {
    fn strike(&mut self, before: &[f32], learned: &[f32]) -> Vec<f32> {
        match self {
            Attack::Backwards => {
                before.iter().zip(learned).map(|(before, learned)| before - BACKWARDS * (learned - before)).collect()
            }
            Attack::Noise { seed } => {
                *seed += 1;
                let rng = ChaCha8Rng::seed_from_u64(*seed);
                before.iter().zip(rng.sample_iter::<f32, _>(StandardNormal)).map(|(old, noise)| old + noise).collect()
            }
        }
    }
}

/// What a client runs.
pub struct Member {
    trainer: Sgd,
    attack: Option<Attack>,
}

impl Member {
    pub fn honest(trainer: Sgd) -> Self {
        Member { trainer, attack: None }
    }
    /// The `number`th client as a hostile one: odd ones go backwards, even ones send noise.
    pub fn hostile(trainer: Sgd, number: usize) -> Self {
        let attack = if number % 2 == 1 { Attack::Backwards } else { Attack::Noise { seed: (number as u64) << 32 } };
        Member { trainer, attack: Some(attack) }
    }
}

impl Trainer for Member {
    fn train(&mut self, params: Tensor) -> (Tensor, u64) {
        let (learned, samples) = self.trainer.train(params.clone());
        let Some(attack) = &mut self.attack else { return (learned, samples) };
        let mut before = params.to_vec();
        before.resize(learned.as_slice().len(), 0.0);
        let sent = attack.strike(&before, learned.as_slice());
        (Tensor::from_vec(learned.shape(), sent).expect("a number for each of the model's"), samples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Data;
    use crate::network;

    #[test]
    fn what_is_sent_leads_away_from_what_was_learned() {
        let rows: Vec<usize> = (0..100).collect();
        let data = Data::load(None).expect("built in").rows(&rows);
        let start = Tensor::from_vec(&[network::PARAMS as u64], network::initial(1)).expect("as many");
        let sgd = || Sgd::new(data.clone(), 1, 1, 1);
        let loss = |mut member: Member| network::score(member.train(start.clone()).0.as_slice(), &data).loss;
        let honest = loss(Member::honest(sgd()));
        assert!(honest < network::score(start.as_slice(), &data).loss);
        for number in [1, 2] {
            assert!(loss(Member::hostile(sgd(), number)) > 2.0 * honest, "client {number}");
        }
    }
}
