//! Aggregators: one of many.

mod fed_adam;
mod fed_avg;
mod fed_avg_m;
mod krum;
mod median;
mod model;
mod norm_clipping;
mod settings;
mod trimmed_mean;
mod updates;

pub use fed_adam::{AdamSettings, FedAdam};
pub use fed_avg::FedAvg;
pub use fed_avg_m::FedAvgM;
pub use krum::{Krum, MultiKrum};
pub use median::Median;
pub use norm_clipping::NormClipping;
pub use settings::OutOfRange;
pub use trimmed_mean::TrimmedMean;
