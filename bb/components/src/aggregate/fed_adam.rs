//! Federated averaging with Adam on the server.

use super::model::Model;
use super::settings::{OutOfRange, above_zero, below_one};
use super::updates::{all_sound, weighted_mean};
use bb::prelude::*;

/// How [`FedAdam`] moves. The defaults of β₁, β₂ and τ are the paper's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamSettings {
    /// η: about how far a parameter moves in a round.
    pub rate: f64,
    /// β₁: how much of the mean change is the rounds' before.
    pub beta1: f64,
    /// β₂: how much of the mean square of the change is the rounds' before.
    pub beta2: f64,
    /// τ: changes much smaller than this do not count in full.
    pub tau: f64,
}

impl Default for AdamSettings {
    fn default() -> Self {
        AdamSettings { rate: 0.03, beta1: 0.9, beta2: 0.99, tau: 1e-3 }
    }
}

/// FedAdam (Reddi et al., "Adaptive Federated Optimization", 2021, algorithm 2): with the mean change Δ of a round,
/// m ← β₁ · m + (1 − β₁) · Δ, v ← β₂ · v + (1 − β₂) · Δ² and w ← w + η · m / (√v + τ), number by number, from m = 0 and
/// v = τ². Its weights and refusals are [`crate::FedAvg`]'s.
#[derive(Clone, Debug)]
pub struct FedAdam {
    model: Model,
    /// m.
    mean: Model,
    /// v.
    square: Model,
    settings: AdamSettings,
}

impl FedAdam {
    /// An optimiser that starts from these parameters.
    ///
    /// # Errors
    /// Where a β is not from 0 to below 1, or η or τ not above 0 and finite.
    pub fn new(start: Tensor, settings: AdamSettings) -> Result<Self, OutOfRange> {
        above_zero("rate", settings.rate)?;
        below_one("beta1", settings.beta1)?;
        below_one("beta2", settings.beta2)?;
        above_zero("tau", settings.tau)?;
        let model = Model::new(start);
        let (mean, square) = (model.all(0.0), model.all((settings.tau * settings.tau) as f32));
        Ok(FedAdam { model, mean, square, settings })
    }
    /// The parameters as they are now.
    pub fn model(&self) -> &Tensor {
        self.model.tensor()
    }
}

impl Aggregator for FedAdam {
    fn params(&mut self) -> Tensor {
        self.model().clone()
    }
    fn fold(&mut self, updates: Partial<(Tensor, u64)>) -> Result<Tensor, OpError> {
        let AdamSettings { rate, beta1, beta2, tau } = self.settings;
        let updates = all_sound(updates, self.model.shape())?;
        let mut change = weighted_mean(&updates, self.model.values().len())?;
        change.iter_mut().zip(self.model.values()).for_each(|(change, old)| *change -= f64::from(*old));
        let blend = |kept: &Model, beta: f64, new: &dyn Fn(f64) -> f64| {
            let pairs = kept.values().iter().zip(&change);
            kept.with(pairs.map(|(kept, change)| beta * f64::from(*kept) + (1.0 - beta) * new(*change)))
        };
        let mean = blend(&self.mean, beta1, &|change| change)?;
        let square = blend(&self.square, beta2, &|change| change * change)?;
        let step = mean.values().iter().zip(square.values()).map(|(m, v)| f64::from(*m) / (f64::from(*v).sqrt() + tau));
        let moved = self.model.values().iter().zip(step).map(|(old, step)| f64::from(*old) + rate * step);
        self.model = self.model.with(moved)?;
        (self.mean, self.square) = (mean, square);
        Ok(self.model().clone())
    }
    fn checkpoint(&self) -> Option<Vec<u8>> {
        Some(Model::written_all(&[&self.model, &self.mean, &self.square]))
    }
    fn restore(&mut self, state: &[u8]) -> Result<(), OpError> {
        let [model, mean, square] = self.model.read_all(state)?;
        if square.values().iter().any(|v| *v < 0.0) {
            return Err(OpError::new("a mean square is below 0"));
        }
        (self.model, self.mean, self.square) = (model, mean, square);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::updates::tests::{tensor, updates};

    fn adam() -> FedAdam {
        FedAdam::new(tensor(&[0.0, 0.0]), AdamSettings::default()).expect("in range")
    }

    #[test]
    fn steps_do_not_grow_with_the_changes() {
        let mut it = adam();
        let next = it.fold(updates(&[[1.0, 1e6]])).expect("one").to_vec();
        assert!(next.iter().all(|v| (0.028..0.031).contains(v)), "{next:?}");
    }
    #[test]
    fn what_would_not_be_finite_changes_nothing() {
        let mut it = adam();
        let before = it.checkpoint();
        it.fold(updates(&[[0.0, 1e30]])).expect_err("its square is none");
        assert_eq!(it.checkpoint(), before);
    }
    #[test]
    fn no_mean_square_is_below_zero() {
        let mut it = adam();
        let state = Model::written_all(&[&it.model, &it.mean, &it.model.all(-1.0)]);
        it.restore(&state).expect_err("below zero");
    }
    #[test]
    fn settings_have_ranges() {
        let fine = AdamSettings::default();
        for (settings, wrong) in [
            (AdamSettings { rate: 0.0, ..fine }, "rate"),
            (AdamSettings { beta1: 1.0, ..fine }, "beta1"),
            (AdamSettings { beta2: f64::NAN, ..fine }, "beta2"),
            (AdamSettings { tau: -1.0, ..fine }, "tau"),
        ] {
            assert_eq!(FedAdam::new(tensor(&[0.0]), settings).expect_err(wrong).setting, wrong);
        }
    }
}
