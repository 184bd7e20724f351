//! Models on the CPU, by [tract](https://github.com/sonos/tract): a region of a program whole, and operators one by one.
//!
//! A region whose shapes are all known is optimised at install; another one when it meets sizes for the first time.

mod operator;
mod plan;
mod tensors;

pub use operator::KERNELS;

use bb::OpError;
use bb::ir::backend::Backend;
use bb::ir::component::{Kernel, KernelEntry};
use bb::ir::keys::BACKEND_SUBGRAPH_OP;
use bb::ir::ops::BACKEND_DOMAIN;
use bb::ir::proto::onnx::{GraphProto, NodeProto};
use bb::ir::value::Value;
use plan::{Plans, Region};

/// tract as a backend.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tract;

impl Backend for Tract {
    fn dispatch(&self, region: &GraphProto) -> Result<Box<dyn Kernel>, OpError> {
        let plans = Plans::of(Region::read(region)?)?;
        Ok(Box::new(move |inputs: &mut [Value], outputs: &mut Vec<Value>| plans.run(inputs, outputs)))
    }
}

/// What runs the carriers of a program that links this crate.
const CARRIER: KernelEntry = KernelEntry { domain: BACKEND_DOMAIN, op: BACKEND_SUBGRAPH_OP, build: carrier };
bb::__private::inventory::submit! { bb::__private::RegisteredKernel(CARRIER) }

fn carrier(node: &NodeProto) -> Result<Box<dyn Kernel>, OpError> {
    let region = bb::ir::backend::region(node).ok_or_else(|| OpError::new("it carries no region"))?;
    Tract.dispatch(region)
}
