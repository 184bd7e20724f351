//! Weights: tensors that a kernel has at hand, so that frames neither hold them nor are charged for them.

use super::place::At;
use bb_ir::component::{Kernel, OpError};
use bb_ir::proto::onnx::NodeProto;
use bb_ir::value::Value;
use bb_ir::views::data_inputs;
use rustc_hash::FxHashSet;

/// A kernel of which some inputs are the same in every run.
struct Bound {
    kernel: Box<dyn Kernel>,
    /// By position, rising.
    weights: Vec<(usize, Value)>,
}

impl Kernel for Bound {
    fn run(&self, inputs: &mut [Value], outputs: &mut Vec<Value>) -> Result<(), OpError> {
        let mut given = inputs.iter_mut().map(|input| std::mem::replace(input, Value::Absent));
        let mut weights = self.weights.iter().peekable();
        let mut all = Vec::with_capacity(given.len() + self.weights.len());
        loop {
            let next = match weights.next_if(|(position, _)| *position == all.len()) {
                Some((_, weight)) => Some(weight.clone()),
                None => given.next(),
            };
            match next {
                Some(value) => all.push(value),
                None => break,
            }
        }
        self.kernel.run(&mut all, outputs)
    }
}

/// `kernel`, with these weights among its inputs.
pub(super) fn bind(kernel: Box<dyn Kernel>, weights: Vec<(usize, Value)>) -> Box<dyn Kernel> {
    if weights.is_empty() { kernel } else { Box::new(Bound { kernel, weights }) }
}

impl At<'_> {
    /// The weights that `node` reads and its kernel will have at hand, by position.
    pub(super) fn weights(&self, node: &NodeProto) -> Vec<(usize, Value)> {
        if !self.has_kernel(node) {
            return Vec::new();
        }
        let weight = |name: &String| self.loaded.weights.get(name).map(|tensor| Value::Tensor(tensor.clone()));
        data_inputs(node).iter().enumerate().filter_map(|(i, name)| Some((i, weight(name)?))).collect()
    }

    /// The weights that something else than a kernel reads: those are values of the place.
    pub(super) fn weights_as_values<'n>(&self, nodes: &[&'n NodeProto]) -> Vec<(&'n str, Value)> {
        let read = nodes.iter().filter(|node| !self.has_kernel(node)).flat_map(|node| &node.input);
        let mut seen = FxHashSet::default();
        let weight = |name: &'n String| Some((name.as_str(), Value::Tensor(self.loaded.weights.get(name)?.clone())));
        read.filter_map(weight).filter(|(name, _)| seen.insert(*name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_stand_where_the_node_reads_them() {
        let joined = |inputs: &mut [Value], outputs: &mut Vec<Value>| {
            outputs.extend(inputs.iter().cloned());
            Ok(())
        };
        let weights = [1, 2, 4].map(|at| (at, Value::scalar(at as u64)));
        let kernel = bind(Box::new(joined), weights.to_vec());
        let mut outputs = Vec::new();
        kernel.run(&mut [0u64, 3].map(Value::scalar), &mut outputs).expect("it only copies");
        assert_eq!(outputs, [0u64, 1, 2, 3, 4].map(Value::scalar));
    }
}
