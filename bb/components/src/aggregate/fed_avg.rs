//! The mean of the updates, weighted by samples.

use super::model::{Model, holds_its_model};
use super::updates::{all_sound, weighted_mean};
use bb::prelude::*;

/// Federated averaging: the mean of the clients' parameters, weighted by their number of samples (McMahan et al.,
/// "Communication-Efficient Learning of Deep Networks from Decentralized Data", 2017, algorithm 1).
///
/// Sums are taken in f64 and in the order of lanes, so the same updates give the same bytes. An update of another shape,
/// one that holds a number that is not finite, and updates without a sample are refused: the call fails and says which.
/// One client can move it anywhere, by its numbers or by the samples that it claims: where clients are not trusted, take
/// another.
#[derive(Clone, Debug)]
pub struct FedAvg {
    model: Model,
}

impl FedAvg {
    /// An average that starts from these parameters.
    pub fn new(start: Tensor) -> Self {
        FedAvg { model: Model::new(start) }
    }
    /// The parameters as they are now.
    pub fn model(&self) -> &Tensor {
        self.model.tensor()
    }
}

/// Of no parameters, for a program that names one, `AggregatorAt::<Server>::concrete::<FedAvg>("average")`: whoever starts the
/// server binds one that starts from the model's, or the first updates are refused as being of another shape.
impl Default for FedAvg {
    fn default() -> Self {
        FedAvg::new(Tensor::default())
    }
}

#[bb::component]
impl Aggregator for FedAvg {
    fn fold(&mut self, updates: Partial<(Tensor, u64)>) -> Result<Tensor, OpError> {
        let updates = all_sound(updates, self.model.shape())?;
        let mean = weighted_mean(&updates, self.model.values().len())?;
        self.model.replace(mean)
    }
    holds_its_model!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use bb::PeerId;

    fn updates(rows: &[(&[f32], u64)]) -> Partial<(Tensor, u64)> {
        let row = |(i, (values, samples)): (usize, &(&[f32], u64))| {
            let peer = PeerId::from_bytes(vec![i as u8 + 1]).expect("short");
            (peer, (Tensor::from_vec(&[values.len() as u64], values.to_vec()).expect("as many"), *samples))
        };
        Partial::new(rows.iter().enumerate().map(row).collect(), Vec::new())
    }
    fn average() -> FedAvg {
        FedAvg::new(Tensor::from_vec(&[2], vec![0.0, 0.0]).expect("two"))
    }

    #[test]
    fn samples_are_weights() {
        let mut it = average();
        let mean = it.fold(updates(&[(&[1.0, 0.0], 1), (&[5.0, 8.0], 3)])).expect("two updates");
        assert_eq!(mean.as_slice(), [4.0, 6.0]);
        assert_eq!(it.params(), mean);
    }

    #[test]
    fn what_is_no_whole_is_refused_and_changes_nothing() {
        for (rows, says) in [
            (&[][..], "no update"),
            (&[(&[1.0, 2.0][..], 0)][..], "no update was trained"),
            (&[(&[1.0][..], 1)][..], "has the shape [1], the model [2]"),
            (&[(&[1.0, f32::NAN][..], 1)][..], "not finite"),
        ] {
            let mut it = average();
            let error = it.fold(updates(rows)).expect_err(says);
            assert!(error.to_string().contains(says), "{error}");
            assert_eq!(it.params().as_slice(), [0.0, 0.0]);
        }
    }
}
