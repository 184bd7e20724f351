//! Which aggregator the server runs.

use crate::server::Failure;
use bb::Tensor;
use bb::prelude::*;
use bb_components::{AdamSettings, FedAdam, FedAvg, FedAvgM, Krum, Median, MultiKrum, NormClipping, TrimmedMean};
use clap::ValueEnum;

/// The shorter a client's change may be, the less harm one does, and the slower the model learns.
const NORM_MAX: f64 = 1.0;
const MOMENTUM: f64 = 0.5;
const ADAM_RATE: f64 = 0.03;

/// The aggregators of bb-components.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Aggregation {
    /// The mean, weighted by samples.
    #[default]
    #[value(name = "fedavg")]
    FedAvg,
    /// The mean, with momentum.
    #[value(name = "fedavgm")]
    FedAvgM,
    /// The mean, with Adam.
    #[value(name = "fedadam")]
    FedAdam,
    /// The mean of changes that are cut to a length.
    NormClipping,
    /// Of each parameter the median.
    Median,
    /// Of each parameter the mean without the outermost, as many each way as clients are hostile.
    TrimmedMean,
    /// The one client's parameters that lie closest to the others'.
    Krum,
    /// The mean of those that lie closest to the others, as many as are not hostile.
    MultiKrum,
}

impl Aggregation {
    /// As it is called on the command line.
    pub fn name(self) -> String {
        self.to_possible_value().map(|v| v.get_name().to_owned()).unwrap_or_default()
    }
    /// One that starts from these parameters, where so many clients are hostile.
    pub fn start(self, params: Tensor, hostile: usize) -> Result<Box<dyn Aggregator + Send>, Failure> {
        Ok(match self {
            Self::FedAvg => Box::new(FedAvg::new(params)),
            Self::FedAvgM => Box::new(FedAvgM::new(params, MOMENTUM)?),
            Self::FedAdam => {
                Box::new(FedAdam::new(params, AdamSettings { rate: ADAM_RATE, ..AdamSettings::default() })?)
            }
            Self::NormClipping => Box::new(NormClipping::new(params, NORM_MAX)?),
            Self::Median => Box::new(Median::new(params)),
            Self::TrimmedMean => Box::new(TrimmedMean::new(params, hostile)),
            Self::Krum => Box::new(Krum::new(params, hostile)),
            Self::MultiKrum => Box::new(MultiKrum::new(params, hostile)),
        })
    }
}
