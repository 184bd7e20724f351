//! The update, or the updates, that lie closest to the others.

use super::model::{Model, holds_its_model};
use super::updates::{Sorted, mean};
use bb::prelude::*;
use std::num::NonZeroUsize;

/// Krum (Blanchard et al., "Machine Learning with Adversaries: Byzantine Tolerant Gradient Descent", 2017): the
/// parameters of the one client whose are closest to its n − `liars` − 2 closest neighbours', in squared distances. Of
/// equals the first lane's. It bears `liars` of at least 2 · `liars` + 3 clients. Samples do not count.
///
/// What is no update (another shape, a number that is not finite) is set aside as one of the lies; where there are more
/// than `liars` of these, or too few clients, the call fails.
#[derive(Clone, Debug)]
pub struct Krum {
    model: Model,
    liars: usize,
}

impl Krum {
    /// A choice that starts from these parameters and bears so many liars.
    pub fn new(start: Tensor, liars: usize) -> Self {
        Krum { model: Model::new(start), liars }
    }
    /// The parameters as they are now.
    pub fn model(&self) -> &Tensor {
        self.model.tensor()
    }
}

impl Aggregator for Krum {
    fn fold(&mut self, updates: Partial<(Tensor, u64)>) -> Result<Tensor, OpError> {
        let sorted = Sorted::new(updates, self.model.shape())?;
        let best = ranked(&sorted, self.liars)?[0];
        self.model.replace(sorted.sound[best].as_slice().iter().map(|v| f64::from(*v)))
    }
    holds_its_model!();
}

/// Multi-Krum (the same paper): the mean of the clients' parameters that Krum's score puts first; all but
/// `liars` of them, unless said otherwise.
#[derive(Clone, Debug)]
pub struct MultiKrum {
    model: Model,
    liars: usize,
    chosen: Option<NonZeroUsize>,
}

impl MultiKrum {
    /// A choice that starts from these parameters and bears so many liars.
    pub fn new(start: Tensor, liars: usize) -> Self {
        MultiKrum { model: Model::new(start), liars, chosen: None }
    }
    /// The mean of so many; the call fails where there are not as many beside the liars.
    pub fn choosing(self, chosen: NonZeroUsize) -> Self {
        MultiKrum { chosen: Some(chosen), ..self }
    }
    /// The parameters as they are now.
    pub fn model(&self) -> &Tensor {
        self.model.tensor()
    }
}

impl Aggregator for MultiKrum {
    fn fold(&mut self, updates: Partial<(Tensor, u64)>) -> Result<Tensor, OpError> {
        let sorted = Sorted::new(updates, self.model.shape())?;
        let mut chosen = ranked(&sorted, self.liars)?;
        let others = sorted.sound.len() + sorted.unsound - self.liars;
        let wanted = self.chosen.map_or(others, NonZeroUsize::get);
        if wanted > others {
            return Err(OpError::new(format!("{wanted} updates are to be chosen, and {others} are no liars'")));
        }
        chosen.truncate(wanted);
        // Sums are taken in the order of lanes.
        chosen.sort_unstable();
        let rows = chosen.iter().map(|i| sorted.sound[*i].as_slice());
        self.model.replace(mean(rows, self.model.values().len()))
    }
    holds_its_model!();
}

/// The sound updates, that with the lowest score first: there is at least one.
fn ranked(sorted: &Sorted, liars: usize) -> Result<Vec<usize>, OpError> {
    let left = sorted.liars_left(liars)?;
    let rows = &sorted.sound;
    let neighbours = rows.len().checked_sub(left.saturating_add(2)).filter(|n| *n > left);
    let neighbours = neighbours.ok_or_else(|| sorted.too_few(liars, liars.saturating_mul(2).saturating_add(3)))?;
    let mut distances = vec![vec![0.0f64; rows.len()]; rows.len()];
    for i in 0..rows.len() {
        for j in 0..i {
            let apart = rows[i].as_slice().iter().zip(rows[j].as_slice());
            let squared = apart.map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
            (distances[i][j], distances[j][i]) = (squared, squared);
        }
    }
    let score = |(i, mut to): (usize, Vec<f64>)| {
        to.remove(i);
        to.sort_unstable_by(f64::total_cmp);
        to[..neighbours].iter().sum::<f64>()
    };
    let scores: Vec<f64> = distances.into_iter().enumerate().map(score).collect();
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::updates::tests::{tensor, updates};

    const ROWS: [[f32; 1]; 5] = [[1.0], [1.5], [2.5], [3.0], [1e30]];

    #[test]
    fn the_one_amid_the_others_is_taken() {
        // Two neighbours each: the scores of 1, 1.5, 2.5 and 3 are 2.5, 1.25, 1.25 and 2.5.
        assert_eq!(Krum::new(tensor(&[0.0]), 1).fold(updates(&ROWS)).expect("five").as_slice(), [1.5]);
    }
    #[test]
    fn the_mean_is_of_those_amid_the_others() {
        let mut it = MultiKrum::new(tensor(&[0.0]), 1);
        assert_eq!(it.fold(updates(&ROWS)).expect("four of five").as_slice(), [2.0]);
        let mut two = it.clone().choosing(NonZeroUsize::MIN.saturating_add(1));
        assert_eq!(two.fold(updates(&ROWS)).expect("two of five").as_slice(), [2.0]);
        let error = it.choosing(NonZeroUsize::MAX).fold(updates(&ROWS)).expect_err("there are five");
        assert!(error.to_string().contains("and 4 are no liars'"), "{error}");
    }
    #[test]
    fn it_takes_enough_of_them() {
        let mut it = Krum::new(tensor(&[0.0]), 1);
        let rows = [[1.0], [f32::NAN], [2.0], [1.0], [1.0]];
        assert_eq!(it.fold(updates(&rows)).expect("four of five").as_slice(), [1.0]);
        for (rows, liars, says) in [
            (&ROWS[..4], 1, "4 updates came; with 1 liars among them it takes 5"),
            (&ROWS[..2], 0, "2 updates came; with 0 liars among them it takes 3"),
            (&[[f32::NAN], [f32::NAN], [1.0], [1.0], [1.0]][..], 1, "2 of 5 updates are none"),
            (&ROWS[..], usize::MAX, "5 updates came"),
        ] {
            let error = Krum::new(tensor(&[0.0]), liars).fold(updates(rows)).expect_err(says).to_string();
            assert!(error.contains(says), "{error}");
            MultiKrum::new(tensor(&[0.0]), liars).fold(updates(rows)).expect_err(says);
        }
    }
}
