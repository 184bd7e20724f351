//! What programs are run with: aggregators, selectors, and kernels of the `ai.onnx` operators on the CPU.
//!
//! The kernels register themselves; a program that uses an aggregator of this crate has them linked, another says
//! `use bb_components as _;`.
//!
//! Which aggregator: [`FedAvg`] where all clients are trusted; [`FedAvgM`] and [`FedAdam`] move faster or steadier on the same
//! mean. Where some may lie or be broken: [`Median`], [`TrimmedMean`], [`MultiKrum`] and [`Krum`] leave out what lies apart,
//! [`NormClipping`] bounds how far one client can move the model. `examples/federated-digits` compares them.
//!
//! ```
//! use bb::Tensor;
//! use bb_components::FedAvg;
//! let average = FedAvg::new(Tensor::from_vec(&[2], vec![0.0, 0.0]).unwrap());
//! assert_eq!(average.model().as_slice(), [0.0, 0.0]);
//! ```

mod aggregate;
pub mod cpu;
mod select;
#[cfg(feature = "tract")]
pub mod tract;

pub use aggregate::{
    AdamSettings, FedAdam, FedAvg, FedAvgM, Krum, Median, MultiKrum, NormClipping, OutOfRange, TrimmedMean,
};
pub use select::{All, Random};
