//! The mean of the updates without the outermost, number by number.

use super::model::{Model, holds_its_model};
use super::updates::{Sorted, columns};
use bb::prelude::*;

/// The coordinate-wise trimmed mean of the clients' parameters (Yin et al., "Byzantine-Robust Distributed Learning: Towards
/// Optimal Statistical Rates", 2018, definition 2): of every parameter the `liars` smallest and largest numbers are left
/// out, so that many clients that lie, of more than twice as many, cannot move it beyond the others. Samples do not count.
///
/// What is no update (another shape, a number that is not finite) is set aside as one of the lies; where there are more
/// than `liars` of these, or too few clients, the call fails.
#[derive(Clone, Debug)]
pub struct TrimmedMean {
    model: Model,
    liars: usize,
}

impl TrimmedMean {
    /// A mean that starts from these parameters and bears so many liars.
    pub fn new(start: Tensor, liars: usize) -> Self {
        TrimmedMean { model: Model::new(start), liars }
    }
    /// The parameters as they are now.
    pub fn model(&self) -> &Tensor {
        self.model.tensor()
    }
}

impl Aggregator for TrimmedMean {
    fn fold(&mut self, updates: Partial<(Tensor, u64)>) -> Result<Tensor, OpError> {
        let sorted = Sorted::new(updates, self.model.shape())?;
        let trim = sorted.liars_left(self.liars)?;
        let left = sorted.sound.len().checked_sub(trim.saturating_mul(2)).filter(|left| *left > 0);
        let left = left.ok_or_else(|| sorted.too_few(self.liars, self.liars.saturating_mul(2).saturating_add(1)))?;
        let mut mean = Vec::with_capacity(self.model.values().len());
        columns(&sorted.sound, |column| {
            let sum: f64 = column[trim..trim + left].iter().map(|v| f64::from(*v)).sum();
            mean.push(sum / left as f64);
        });
        self.model.replace(mean)
    }
    holds_its_model!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::updates::tests::{tensor, updates};

    #[test]
    fn the_outermost_do_not_count() {
        let mut it = TrimmedMean::new(tensor(&[0.0, 0.0]), 1);
        let rows = [[9e30, 1.0], [1.0, 2.0], [2.0, 4.0], [3.0, -9e30]];
        assert_eq!(it.fold(updates(&rows)).expect("four").as_slice(), [2.5, 1.5]);
    }
    #[test]
    fn one_that_is_none_takes_a_liars_place() {
        let mut it = TrimmedMean::new(tensor(&[0.0]), 1);
        assert_eq!(it.fold(updates(&[[1.0], [f32::INFINITY], [5.0]])).expect("two of three").as_slice(), [3.0]);
        for (rows, says) in [
            (&[[1.0], [f32::NAN], [f32::NAN], [2.0]][..], "2 of 4 updates are none, and 1 can be borne"),
            (&[[1.0], [2.0]][..], "2 updates came; with 1 liars among them it takes 3"),
        ] {
            let error = it.fold(updates(rows)).expect_err(says).to_string();
            assert!(error.contains(says), "{error}");
            assert_eq!(it.params().as_slice(), [3.0]);
        }
        let mut all = TrimmedMean::new(tensor(&[0.0]), usize::MAX);
        all.fold(updates(&[[1.0], [2.0]])).expect_err("nothing is left");
    }
}
