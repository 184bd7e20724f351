//! What programs are run with: aggregators, selectors, and kernels of the `ai.onnx` operators on the CPU.
//!
//! The kernels register themselves; a program that uses an aggregator of this crate has them linked, another says
//! `use bb_components as _;`.
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

pub use aggregate::{FedAvg, Median};
pub use select::{All, Random};
