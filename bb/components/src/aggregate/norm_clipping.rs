//! The mean of updates that are cut to a length.

use super::model::{Model, holds_its_model};
use super::settings::{OutOfRange, above_zero};
use super::updates::Sorted;
use bb::prelude::*;

/// Norm clipping (Sun et al., "Can You Really Backdoor Federated Learning?", 2019; McMahan et al., "Learning
/// Differentially Private Recurrent Language Models", 2018): what a client changes is cut to the length `norm_max`, in
/// Euclid's norm, before the mean is taken. A client can so move the model by `norm_max` over their number and no
/// further. Samples do not count, since they are the client's word.
///
/// What is no update (another shape, a number that is not finite) is set aside; where all are none the call fails.
#[derive(Clone, Debug)]
pub struct NormClipping {
    model: Model,
    norm_max: f64,
}

impl NormClipping {
    /// A mean that starts from these parameters.
    ///
    /// # Errors
    /// Where `norm_max` is not above 0 and finite.
    pub fn new(start: Tensor, norm_max: f64) -> Result<Self, OutOfRange> {
        Ok(NormClipping { model: Model::new(start), norm_max: above_zero("norm_max", norm_max)? })
    }
    /// The parameters as they are now.
    pub fn model(&self) -> &Tensor {
        self.model.tensor()
    }
}

impl Aggregator for NormClipping {
    fn fold(&mut self, updates: Partial<(Tensor, u64)>) -> Result<Tensor, OpError> {
        let sorted = Sorted::new(updates, self.model.shape())?;
        let mut next: Vec<f64> = self.model.values().iter().map(|v| f64::from(*v)).collect();
        for update in &sorted.sound {
            let change = || {
                let pairs = update.as_slice().iter().zip(self.model.values());
                pairs.map(|(new, old)| f64::from(*new) - f64::from(*old))
            };
            let norm = change().map(|c| c * c).sum::<f64>().sqrt();
            let scale = if norm > self.norm_max { self.norm_max / norm } else { 1.0 } / sorted.sound.len() as f64;
            next.iter_mut().zip(change()).for_each(|(next, change)| *next += scale * change);
        }
        self.model.replace(next)
    }
    holds_its_model!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::updates::tests::{tensor, updates};

    #[test]
    fn no_change_is_longer_than_said() {
        let mut it = NormClipping::new(tensor(&[1.0, 1.0]), 5.0).expect("in range");
        // The changes are (3, 4) and (0, -8e30): the first is as long as may be, the second becomes (0, -5).
        let next = it.fold(updates(&[[4.0, 5.0], [1.0, -8e30]])).expect("two");
        assert_eq!(next.as_slice(), [2.5, 0.5]);
        assert_eq!(it.fold(updates(&[[f32::NAN; 2], [2.5, 1.5]])).expect("one of two").as_slice(), [2.5, 1.5]);
    }
    #[test]
    fn a_length_is_above_zero() {
        for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let error = NormClipping::new(tensor(&[0.0]), wrong).expect_err("out of range");
            assert_eq!((error.setting, error.range), ("norm_max", "above 0 and finite"));
        }
    }
}
