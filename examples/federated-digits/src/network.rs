//! The network: 64 pixels, 32 rectified units, 10 digits. Its parameters are one flat vector, so that they travel as one
//! tensor. The gradient is written out; the arrays are ndarray's.

use crate::data::{CLASSES, Data, PIXELS};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, ArrayViewMut1, ArrayViewMut2, Axis};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};

const HIDDEN: usize = 32;
/// How many parameters: two layers of weights and biases.
pub const PARAMS: usize = PIXELS * HIDDEN + HIDDEN + HIDDEN * CLASSES + CLASSES;
const RATE: f32 = 0.2;
const BATCH: usize = 32;

/// The layers of a parameter vector.
struct Layers<'a> {
    w1: ArrayView2<'a, f32>,
    b1: ArrayView1<'a, f32>,
    w2: ArrayView2<'a, f32>,
    b2: ArrayView1<'a, f32>,
}
/// The layers of a parameter vector, to be changed.
struct LayersMut<'a> {
    w1: ArrayViewMut2<'a, f32>,
    b1: ArrayViewMut1<'a, f32>,
    w2: ArrayViewMut2<'a, f32>,
    b2: ArrayViewMut1<'a, f32>,
}

const SIZES: &str = "PARAMS is the sum of the layers";

fn layers(params: &[f32]) -> Layers<'_> {
    let (w1, rest) = params.split_at(PIXELS * HIDDEN);
    let (b1, rest) = rest.split_at(HIDDEN);
    let (w2, b2) = rest.split_at(HIDDEN * CLASSES);
    Layers {
        w1: ArrayView2::from_shape((PIXELS, HIDDEN), w1).expect(SIZES),
        b1: ArrayView1::from(b1),
        w2: ArrayView2::from_shape((HIDDEN, CLASSES), w2).expect(SIZES),
        b2: ArrayView1::from(b2),
    }
}
fn layers_mut(params: &mut [f32]) -> LayersMut<'_> {
    let (w1, rest) = params.split_at_mut(PIXELS * HIDDEN);
    let (b1, rest) = rest.split_at_mut(HIDDEN);
    let (w2, b2) = rest.split_at_mut(HIDDEN * CLASSES);
    LayersMut {
        w1: ArrayViewMut2::from_shape((PIXELS, HIDDEN), w1).expect(SIZES),
        b1: ArrayViewMut1::from(b1),
        w2: ArrayViewMut2::from_shape((HIDDEN, CLASSES), w2).expect(SIZES),
        b2: ArrayViewMut1::from(b2),
    }
}

/// Random parameters (He et al., "Delving Deep into Rectifiers", 2015: variance 2 over the inputs of a layer).
pub fn initial(seed: u64) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut params = vec![0.0; PARAMS];
    let mut it = layers_mut(&mut params);
    for (weights, inputs) in [(&mut it.w1, PIXELS), (&mut it.w2, HIDDEN)] {
        let normal = Normal::new(0.0, (2.0 / inputs as f32).sqrt()).expect("the deviation is positive");
        weights.mapv_inplace(|_| normal.sample(&mut rng));
    }
    params
}

/// The hidden layer, and the probability of each digit.
fn forward(it: &Layers, images: &ArrayView2<f32>) -> (Array2<f32>, Array2<f32>) {
    let hidden = (images.dot(&it.w1) + it.b1).mapv(|v| v.max(0.0));
    let mut digits = hidden.dot(&it.w2) + it.b2;
    for mut row in digits.rows_mut() {
        let max = row.fold(f32::NEG_INFINITY, |a, b| a.max(*b));
        row.mapv_inplace(|v| (v - max).exp());
        let sum = row.sum();
        row /= sum;
    }
    (hidden, digits)
}

/// One step of gradient descent on the mean cross-entropy of a batch.
fn step(params: &mut [f32], images: &Array2<f32>, labels: &Array1<usize>) {
    let (hidden, mut error) = forward(&layers(params), &images.view());
    // The derivative of cross-entropy behind softmax: probability minus truth.
    for (mut row, label) in error.rows_mut().into_iter().zip(labels) {
        row[*label] -= 1.0;
    }
    error /= labels.len() as f32;
    let mut behind = error.dot(&layers(params).w2.t());
    behind.zip_mut_with(&hidden, |e, h| {
        if *h <= 0.0 {
            *e = 0.0;
        }
    });
    let mut it = layers_mut(params);
    it.w1.scaled_add(-RATE, &images.t().dot(&behind));
    it.b1.scaled_add(-RATE, &behind.sum_axis(Axis(0)));
    it.w2.scaled_add(-RATE, &hidden.t().dot(&error));
    it.b2.scaled_add(-RATE, &error.sum_axis(Axis(0)));
}

/// So many passes over the data, in batches whose order `seed` says.
pub fn train(params: &mut [f32], data: &Data, passes: usize, seed: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut order: Vec<usize> = (0..data.len()).collect();
    for _ in 0..passes {
        order.shuffle(&mut rng);
        for rows in order.chunks(BATCH) {
            let batch = data.rows(rows);
            step(params, &batch.images, &batch.labels);
        }
    }
}

/// How good parameters are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// The part of the images that is told right.
    pub accuracy: f64,
    /// The mean cross-entropy, in nats.
    pub loss: f64,
}

/// How good parameters are on this data.
pub fn score(params: &[f32], data: &Data) -> Score {
    let (_, digits) = forward(&layers(params), &data.images.view());
    let (mut right, mut loss) = (0usize, 0.0f64);
    for (row, label) in digits.rows().into_iter().zip(&data.labels) {
        let best = row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(i, _)| i);
        right += usize::from(best == *label);
        loss -= f64::from(row[*label].max(f32::MIN_POSITIVE)).ln();
    }
    Score { accuracy: right as f64 / data.len() as f64, loss: loss / data.len() as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::split::Split;

    #[test]
    fn the_gradient_is_the_slope() {
        let data = Data::load(None).expect("built in").rows(&(0..16).collect::<Vec<_>>());
        let params = initial(3);
        let mut stepped = params.clone();
        step(&mut stepped, &data.images, &data.labels);
        for i in (0..PARAMS).step_by(97) {
            let slope = f64::from(params[i] - stepped[i]) / f64::from(RATE);
            let at = |by: f32| {
                let mut moved = params.clone();
                moved[i] += by;
                score(&moved, &data).loss
            };
            let measured = (at(1e-3) - at(-1e-3)) / 2e-3;
            assert!((slope - measured).abs() < 3e-3, "parameter {i}: {slope} and {measured}");
        }
    }

    /// Federated averaging without a network, so that a miss of the targets is known to be the maths.
    #[test]
    fn averaging_reaches_what_it_should() {
        let (seed, shards, rounds, epochs) = (1, 8, 20, 2);
        let split = Split::new(&Data::load(None).expect("built in"), seed, 0.3, shards);
        let mut global = initial(seed);
        for round in 0..rounds {
            let mut sum = vec![0.0f64; PARAMS];
            let total: usize = split.shards.iter().map(Data::len).sum();
            for (i, shard) in split.shards.iter().enumerate() {
                let mut local = global.clone();
                train(&mut local, shard, epochs, seed + 1000 * round + i as u64);
                let weight = shard.len() as f64 / total as f64;
                sum.iter_mut().zip(&local).for_each(|(s, v)| *s += weight * f64::from(*v));
            }
            global = sum.into_iter().map(|v| v as f32).collect();
        }
        let accuracy = score(&global, &split.test).accuracy;
        assert!(accuracy > 0.9, "{accuracy}");
    }
}
