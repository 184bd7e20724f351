//! Models on the CPU, by [tract](https://github.com/sonos/tract): a region of a program whole, and operators one by one.
//!
//! A region whose shapes are all known is optimised at install; another one when it meets sizes for the first time.

mod meanings;
mod operator;
mod plan;
mod refusals;
mod steps;
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
use std::sync::atomic::{AtomicBool, Ordering};
use steps::Steps;

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

/// What each operator does alone it also does in a region: where tract does not take the whole, it is run in steps.
fn carrier(node: &NodeProto) -> Result<Box<dyn Kernel>, OpError> {
    let region = bb::ir::backend::region(node).ok_or_else(|| OpError::new("it carries no region"))?;
    let steps = Steps::of(region);
    let (whole, steps) = match (Tract.dispatch(region), steps) {
        (whole, Err(_)) => return whole,
        (Err(_), Ok(steps)) => {
            return Ok(Box::new(move |inputs: &mut [Value], outputs: &mut Vec<Value>| steps.run(inputs, outputs)));
        }
        (Ok(whole), Ok(steps)) => (whole, steps),
    };
    // A plan that was in vain once is not made for each run.
    let in_steps = AtomicBool::new(false);
    Ok(Box::new(move |inputs: &mut [Value], outputs: &mut Vec<Value>| {
        if !in_steps.load(Ordering::Relaxed) {
            let before = outputs.len();
            if whole.run(&mut inputs.to_vec(), outputs).is_ok() {
                return Ok(());
            }
            outputs.truncate(before);
        }
        steps.run(inputs, outputs)?;
        in_steps.store(true, Ordering::Relaxed);
        Ok(())
    }))
}
