//! The median of the updates, number by number.

use super::model::{Model, holds_its_model};
use super::updates::{Sorted, columns};
use bb::prelude::*;

/// The coordinate-wise median of the clients' parameters (Yin et al., "Byzantine-Robust Distributed Learning: Towards
/// Optimal Statistical Rates", 2018, definition 1): a minority of clients cannot move it beyond the others. Of an even
/// number it is the mean of the middle two. Samples do not count.
///
/// What is no update (another shape, a number that is not finite) is set aside; where half of them are none the call fails.
#[derive(Clone, Debug)]
pub struct Median {
    model: Model,
}

impl Median {
    /// A median that starts from these parameters.
    pub fn new(start: Tensor) -> Self {
        Median { model: Model::new(start) }
    }
    /// The parameters as they are now.
    pub fn model(&self) -> &Tensor {
        self.model.tensor()
    }
}

impl Aggregator for Median {
    fn fold(&mut self, updates: Partial<(Tensor, u64)>) -> Result<Tensor, OpError> {
        let sorted = Sorted::new(updates, self.model.shape())?;
        let minority = (sorted.sound.len() + sorted.unsound - 1) / 2;
        if sorted.unsound > minority {
            return Err(sorted.too_many(minority));
        }
        let mut median = Vec::with_capacity(self.model.values().len());
        columns(&sorted.sound, |column| {
            let middle = column.len() / 2;
            let (low, high) = (column[(column.len() - 1) / 2], column[middle]);
            median.push((f64::from(low) + f64::from(high)) / 2.0);
        });
        self.model.replace(median)
    }
    holds_its_model!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::updates::tests::{tensor, updates};

    #[test]
    fn one_liar_among_three_does_not_move_it() {
        let mut it = Median::new(tensor(&[0.0, 0.0]));
        let three = [[1.0, 4.0], [2.0, 5.0], [1e30, -1e30]];
        assert_eq!(it.fold(updates(&three)).expect("three").as_slice(), [2.0, 4.0]);
        assert_eq!(it.fold(updates(&three[..2])).expect("two").as_slice(), [1.5, 4.5]);
    }
    #[test]
    fn nor_does_one_without_numbers_but_half_of_them_do() {
        let mut it = Median::new(tensor(&[0.0]));
        assert_eq!(it.fold(updates(&[[1.0], [f32::NAN], [3.0]])).expect("two of three").as_slice(), [2.0]);
        let error = it.fold(updates(&[[1.0], [f32::NAN]])).expect_err("one of two");
        assert!(error.to_string().contains("1 of 2 updates are none, and 0 can be borne"), "{error}");
        assert_eq!(it.params().as_slice(), [2.0]);
    }
}
