//! The median of the updates, number by number.

use bb::prelude::*;

/// The coordinate-wise median of the clients' parameters (Yin et al., "Byzantine-Robust Distributed Learning: Towards
/// Optimal Statistical Rates", 2018, definition 1): a minority of clients cannot move it beyond the others. Of an even
/// number it is the mean of the middle two. Samples do not count. It refuses what [`crate::FedAvg`] refuses.
#[derive(Clone, Debug)]
pub struct Median {
    model: Tensor,
}

impl Median {
    /// A median that starts from these parameters.
    pub fn new(start: Tensor) -> Self {
        Median { model: start }
    }
    /// The parameters as they are now.
    pub fn model(&self) -> &Tensor {
        &self.model
    }
}

impl Aggregator for Median {
    fn params(&mut self) -> Tensor {
        self.model.clone()
    }
    fn fold(&mut self, updates: Partial<(Tensor, u64)>) -> Result<Tensor, OpError> {
        let updates = super::checked(updates, self.model.shape())?;
        let mut column = vec![0.0f32; updates.len()];
        let median = (0..self.model.elements() as usize).map(|i| {
            for (value, (update, _)) in column.iter_mut().zip(&updates) {
                *value = update.as_slice()[i];
            }
            column.sort_by(f32::total_cmp);
            let middle = column.len() / 2;
            if column.len() % 2 == 1 {
                column[middle]
            } else {
                ((f64::from(column[middle - 1]) + f64::from(column[middle])) / 2.0) as f32
            }
        });
        let median = median.collect();
        self.model = Tensor::from_vec(self.model.shape(), median)
            .ok_or_else(|| OpError::new("the model has changed its size"))?;
        Ok(self.model.clone())
    }
    fn checkpoint(&self) -> Option<Vec<u8>> {
        Some(super::written(&self.model))
    }
    fn restore(&mut self, state: &[u8]) -> Result<(), OpError> {
        self.model = super::read(state, self.model.shape())?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bb::PeerId;

    #[test]
    fn one_liar_among_three_does_not_move_it() {
        let row = |i: u8, values: [f32; 2]| {
            let peer = PeerId::from_bytes(vec![i]).expect("short");
            (peer, (Tensor::from_vec(&[2], values.to_vec()).expect("two"), 1u64))
        };
        let mut it = Median::new(Tensor::from_vec(&[2], vec![0.0, 0.0]).expect("two"));
        let three = vec![row(1, [1.0, 4.0]), row(2, [2.0, 5.0]), row(3, [1e30, -1e30])];
        assert_eq!(it.fold(Partial::new(three.clone(), Vec::new())).expect("three").as_slice(), [2.0, 4.0]);
        let two = three[..2].to_vec();
        assert_eq!(it.fold(Partial::new(two, Vec::new())).expect("two").as_slice(), [1.5, 4.5]);
    }
}
