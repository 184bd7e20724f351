//! Federated averaging with momentum on the server.

use super::model::Model;
use super::settings::{OutOfRange, above_zero, below_one};
use super::updates::{all_sound, weighted_mean};
use bb::prelude::*;

/// Federated averaging with server momentum (Hsu et al., "Measuring the Effects of Non-Identical Data Distribution for
/// Federated Visual Classification", 2019): with the mean change Δ of a round, v ← `momentum` · v + Δ and
/// w ← w + `rate` · v, from v = 0. Without momentum and at the rate 1 it is [`crate::FedAvg`], whose weights and refusals it has.
#[derive(Clone, Debug)]
pub struct FedAvgM {
    model: Model,
    velocity: Model,
    momentum: f64,
    rate: f64,
}

impl FedAvgM {
    /// An average that starts from these parameters, at the rate 1.
    ///
    /// # Errors
    /// Where `momentum` is not from 0 to below 1.
    pub fn new(start: Tensor, momentum: f64) -> Result<Self, OutOfRange> {
        let model = Model::new(start);
        let velocity = model.all(0.0);
        Ok(FedAvgM { model, velocity, momentum: below_one("momentum", momentum)?, rate: 1.0 })
    }
    /// Another rate.
    ///
    /// # Errors
    /// Where it is not above 0 and finite.
    pub fn rate(self, rate: f64) -> Result<Self, OutOfRange> {
        Ok(FedAvgM { rate: above_zero("rate", rate)?, ..self })
    }
    /// The parameters as they are now.
    pub fn model(&self) -> &Tensor {
        self.model.tensor()
    }
}

impl Aggregator for FedAvgM {
    fn params(&mut self) -> Tensor {
        self.model().clone()
    }
    fn fold(&mut self, updates: Partial<(Tensor, u64)>) -> Result<Tensor, OpError> {
        let updates = all_sound(updates, self.model.shape())?;
        let mean = weighted_mean(&updates, self.model.values().len())?;
        let change = mean.into_iter().zip(self.model.values()).map(|(mean, old)| mean - f64::from(*old));
        let velocity = change.zip(self.velocity.values()).map(|(change, v)| self.momentum * f64::from(*v) + change);
        let velocity = self.velocity.with(velocity)?;
        let moved = self.model.values().iter().zip(velocity.values());
        self.model = self.model.with(moved.map(|(old, v)| f64::from(*old) + self.rate * f64::from(*v)))?;
        self.velocity = velocity;
        Ok(self.model().clone())
    }
    fn checkpoint(&self) -> Option<Vec<u8>> {
        Some(Model::written_all(&[&self.model, &self.velocity]))
    }
    fn restore(&mut self, state: &[u8]) -> Result<(), OpError> {
        [self.model, self.velocity] = self.model.read_all(state)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::updates::tests::{tensor, updates};

    #[test]
    fn what_moved_goes_on_moving() {
        let mut it = FedAvgM::new(tensor(&[0.0]), 0.5).expect("in range").rate(2.0).expect("in range");
        assert_eq!(it.fold(updates(&[[1.0]])).expect("one").as_slice(), [2.0]);
        // No client changes anything, and half of the velocity is left.
        assert_eq!(it.fold(updates(&[[2.0]])).expect("one").as_slice(), [3.0]);
    }
    #[test]
    fn what_would_not_be_finite_changes_nothing() {
        let mut it = FedAvgM::new(tensor(&[0.0]), 0.9).expect("in range").rate(1e9).expect("in range");
        let before = it.checkpoint();
        let error = it.fold(updates(&[[1e30]])).expect_err("too far").to_string();
        assert!(error.contains("parameter 0 would not be finite"), "{error}");
        assert_eq!(it.checkpoint(), before);
    }
    #[test]
    fn settings_have_ranges() {
        assert_eq!(FedAvgM::new(tensor(&[0.0]), 1.0).expect_err("too much").setting, "momentum");
        let it = FedAvgM::new(tensor(&[0.0]), 0.0).expect("in range");
        let error = it.rate(-1.0).expect_err("backwards").to_string();
        assert_eq!(error, "rate is -1, and has to be above 0 and finite");
    }
}
