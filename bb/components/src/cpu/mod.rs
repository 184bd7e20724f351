//! Kernels of the `ai.onnx` operators that programs are written with, opset 21, on the CPU; those that only models have are
//! in `tract`, behind the feature of that name.
//!
//! Whatever a kernel is given, it answers with a value or with one sentence that names what does not fit. Integers wrap
//! as in numpy; dividing them by zero is an error.

mod array;
mod cast;
mod compare;
mod elementwise;
mod matmul;
mod number;
pub(crate) mod reduce;
mod sequence;
mod shape;

use bb::OpError;
use bb::ir::component::{Kernel, KernelEntry};
use bb::ir::proto::onnx::NodeProto;
use bb::ir::value::Value;

type Built = Result<Box<dyn Kernel>, OpError>;

macro_rules! kernels { ($($op:literal $build:path;)*) => {
    /// One kernel per operator, sorted by name.
    pub const KERNELS: &[KernelEntry] = &[$(KernelEntry { domain: "", op: $op, build: $build }),*];
    $(bb::__private::inventory::submit! {
        bb::__private::RegisteredKernel(KernelEntry { domain: "", op: $op, build: $build })
    })*
} }
kernels! {
    "Add" elementwise::add;
    "ArgMax" reduce::arg_max;
    "Cast" cast::cast;
    "Concat" shape::concat;
    "ConcatFromSequence" sequence::concat;
    "Constant" shape::constant;
    "Div" elementwise::div;
    "Equal" compare::equal;
    "Exp" elementwise::exp;
    "Gather" shape::gather;
    "Gemm" matmul::gemm;
    "Identity" shape::identity;
    "Log" elementwise::log;
    "MatMul" matmul::matmul;
    "Mul" elementwise::mul;
    "Neg" elementwise::neg;
    "ReduceMax" reduce::max;
    "ReduceMean" reduce::mean;
    "ReduceSum" reduce::sum;
    "Relu" elementwise::relu;
    "Reshape" shape::reshape;
    "SequenceAt" sequence::at;
    "SequenceConstruct" sequence::construct;
    "SequenceLength" sequence::length;
    "Sigmoid" elementwise::sigmoid;
    "Slice" shape::slice;
    "Softmax" reduce::softmax;
    "Sqrt" elementwise::sqrt;
    "Sub" elementwise::sub;
    "Tanh" elementwise::tanh;
    "Transpose" shape::transpose;
}

/// A kernel of this function over the node's inputs.
fn kernel(run: impl Fn(&mut [Value]) -> Result<Value, OpError> + Send + Sync + 'static) -> Built {
    let run = move |inputs: &mut [Value], outputs: &mut Vec<Value>| {
        outputs.push(run(inputs)?);
        Ok(())
    };
    Ok(Box::new(run))
}

/// What an operator's node is called in errors.
fn op(node: &NodeProto) -> String {
    node.op_type().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(feature = "tract")]
    fn there_is_a_kernel_for_every_operator_of_the_contract() {
        let mut ours: Vec<&str> = KERNELS.iter().chain(crate::tract::KERNELS).map(|k| k.op).collect();
        ours.sort_unstable();
        let theirs: Vec<&str> = bb::ir::ops::ONNX_OPS.iter().map(|o| o.name).collect();
        assert_eq!(ours, theirs);
    }

    #[test]
    fn a_program_that_links_this_crate_finds_them() {
        let linked = bb::kernels();
        assert!(KERNELS.iter().all(|k| linked.iter().any(|l| (l.domain, l.op) == (k.domain, k.op))));
    }
}
