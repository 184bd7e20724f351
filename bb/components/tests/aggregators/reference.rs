//! What numpy makes of the papers' formulas.

use bb::PeerId;
use bb::prelude::*;
use bb_components::{
    AdamSettings, FedAdam, FedAvg, FedAvgM, Krum, Median, MultiKrum, NormClipping, OutOfRange, TrimmedMean,
};
use std::num::NonZeroUsize;

pub const CLIENTS: usize = 7;
pub const LIARS: usize = 2;
pub const PARAMS: usize = 5;

pub type Rows = Vec<(PeerId, (Tensor, u64))>;
type Rounds = [[f32; PARAMS]; 3];
/// A name, an aggregator, its models.
type Case = (&'static str, Box<dyn Aggregator>, Rounds);

pub fn tensor(values: Vec<f32>) -> Tensor {
    Tensor::from_vec(&[values.len() as u64], values).expect("as many")
}
/// `row = ((31·r + 17·i + 7·j) % 23 − 11) / 8` of client `i` in round `r`, −20 times that of the last two, who lie; from
/// `3·(i + 1)` samples. All of it is exact in f32.
pub fn rows(round: usize) -> Rows {
    let value = |i: usize, j: usize| ((31 * round + 17 * i + 7 * j) % 23) as f32 / 8.0 - 11.0 / 8.0;
    let row = |i: usize| {
        let scale = if i >= CLIENTS - LIARS { -20.0 } else { 1.0 };
        let values = (0..PARAMS).map(|j| scale * value(i, j)).collect();
        (PeerId::from_bytes(vec![i as u8 + 1]).expect("short"), (tensor(values), 3 * (i as u64 + 1)))
    };
    (0..CLIENTS).map(row).collect()
}
pub fn partial(rows: Rows) -> Partial<(Tensor, u64)> {
    Partial::new(rows, Vec::new())
}

/// Every aggregator from the model 0, its name, and its model after each of three rounds, made by numpy 2.4.6 in float64:
///
/// ```python
/// avg    = lambda x: np.average(x, axis=0, weights=samples)
/// score  = lambda x: np.sort(((x[:,None]-x[None])**2).sum(-1), axis=1)[:,1:N-F-1].sum(axis=1)
/// median = np.median(x, axis=0)
/// trim   = np.sort(x, axis=0)[F:N-F].mean(axis=0)
/// krum   = x[score(x).argmin()]
/// multi  = x[np.argsort(score(x), kind="stable")[:m]].mean(axis=0)        # m = N-F, then 3
/// clip   = w + ((x-w) * np.minimum(1, 2.5/np.linalg.norm(x-w, axis=1, keepdims=True))).mean(axis=0)
/// avgm   : v = 0.9*v + avg(x) - w; w = w + 0.5*v
/// adam   : d = avg(x) - w; m = 0.9*m + 0.1*d; s = 0.99*s + 0.01*d*d; w = w + 0.03*m/(np.sqrt(s) + 1e-3)   # s = 1e-6 first
/// ```
fn all() -> Result<Vec<Case>, OutOfRange> {
    let start = || tensor(vec![0.0; PARAMS]);
    let three = NonZeroUsize::MIN.saturating_add(2);
    Ok(vec![
        (
            "FedAvg",
            Box::new(FedAvg::new(start())),
            [
                [-1.9107143, 2.0357144, 8.446428, 0.3794643, -7.892857],
                [0.94196427, 7.352679, -0.71428573, -9.191964, 9.540178],
                [6.258929, -1.9107143, 2.0357144, 8.446428, 0.3794643],
            ],
        ),
        (
            "Median",
            Box::new(Median::new(start())),
            [[0.0, -0.5, 0.375, 0.5, -0.75], [-0.375, 0.5, 0.625, -0.75, 0.25], [0.625, 0.0, -0.5, 0.375, 0.5]],
        ),
        (
            "TrimmedMean",
            Box::new(TrimmedMean::new(start(), LIARS)),
            [
                [0.0, -0.33333334, 0.5416667, 0.45833334, -0.5833333],
                [-0.20833333, 0.6666667, 0.5833333, -0.9166667, 0.41666666],
                [0.7916667, 0.0, -0.33333334, 0.5416667, 0.45833334],
            ],
        ),
        (
            "Krum",
            Box::new(Krum::new(start(), LIARS)),
            [[0.0, 0.875, -1.125, -0.25, 0.625], [-0.5, 0.375, 1.25, -0.75, 0.125], [-0.125, 0.75, -1.25, -0.375, 0.5]],
        ),
        (
            "MultiKrum",
            Box::new(MultiKrum::new(start(), LIARS)),
            [[0.0, -0.275, 0.025, 0.325, 0.05], [-0.15, 0.15, 0.45, -0.4, -0.1], [0.275, 0.0, -0.275, 0.025, 0.325]],
        ),
        (
            "MultiKrum of three",
            Box::new(MultiKrum::new(start(), LIARS).choosing(three)),
            [
                [0.0, -0.083333336, -0.16666667, -0.25, 0.625],
                [-0.6666667, 0.20833333, 1.0833334, -0.9166667, -0.041666668],
                [0.33333334, 0.25, -0.7916667, 0.083333336, 0.9583333],
            ],
        ),
        (
            "NormClipping",
            Box::new(NormClipping::new(start(), 2.5)?),
            [
                [-0.08041462, -0.1261436, 0.3852346, 0.25123757, -0.29347372],
                [-0.06249338, 0.32858387, 0.38144764, -0.5604908, 0.19043191],
                [0.42035422, -0.016986096, 0.057114996, 0.21075918, 0.28170493],
            ],
        ),
        (
            "FedAvgM",
            Box::new(FedAvgM::new(start(), 0.9)?.rate(0.5)?),
            [
                [-0.95535713, 1.0178572, 4.223214, 0.18973215, -3.9464285],
                [-0.86651784, 5.1013393, 5.555357, -4.330357, -0.7549107],
                [2.7761607, 5.2704463, 4.9944644, -2.0100446, 2.6846428],
            ],
        ),
        (
            "FedAdam",
            Box::new(FedAdam::new(start(), AdamSettings { rate: 0.03, beta1: 0.9, beta2: 0.99, tau: 1e-3 })?),
            [
                [-0.029843405, 0.029852998, 0.029964503, 0.029219925, -0.029962014],
                [-0.04030195, 0.06595398, 0.054319467, 0.00038645754, -0.023989644],
                [-0.014950513, 0.089968204, 0.08264432, 0.0014780802, -0.017609062],
            ],
        ),
    ])
}
/// Every aggregator.
pub fn every() -> Vec<Case> {
    all().expect("the settings are in range")
}
