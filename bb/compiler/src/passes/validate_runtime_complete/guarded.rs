//! Whether nothing gets round a gate.

use crate::error::at_node;
use crate::gate_contract::{GATE_CONTRACTS, GateContract, Stands};
use crate::index::{Consumers, FunctionIndex, NodeIx, ValueIx};
use bb_ir::diagnostics::Diagnostic;
use bb_ir::proto::onnx::{FunctionProto, NodeProto};
use bb_ir::views::{control_inputs, data_inputs};

/// Every node that a contract speaks of has that contract's gate, and bb's own stand in their order.
pub fn check(function: &FunctionProto, contracts: &[&GateContract], faults: &mut Vec<Diagnostic>) {
    let index = FunctionIndex::new(function);
    let mut given = vec![false; index.values()];
    index.function_outputs().for_each(|output| given[output.at()] = true);
    let look = Look { contracts, consumers: index.consumers(), given, index };
    for (at, node) in look.index.nodes() {
        let mut runs: [Option<Vec<&NodeProto>>; 3] = [None, None, None];
        for contract in contracts.iter().filter(|contract| (contract.guards)(node)) {
            let run = runs[contract.stands as usize].get_or_insert_with(|| look.run(at, contract.stands));
            if !run.iter().any(|gate| contract.is(gate)) {
                let text =
                    format!("nothing may pass `{}` but through a `{}`, and something does", node.name(), contract.op);
                faults.push(at_node(node, "BB0405", text));
            }
        }
        for run in runs.iter().flatten() {
            let order = |gate: &&NodeProto| GATE_CONTRACTS.iter().position(|contract| contract.is(gate));
            if !run.iter().filter_map(order).is_sorted_by(|a, b| a < b) {
                faults.push(at_node(node, "BB0405", format!("the gates of `{}` stand in another order", node.name())));
            }
        }
    }
}

/// A gate, and what is on its other side.
type Step<'s> = Option<(NodeIx, &'s [Option<ValueIx>])>;

struct Look<'a> {
    contracts: &'a [&'a GateContract],
    consumers: Consumers,
    /// Whether a value is an output.
    given: Vec<bool>,
    index: FunctionIndex<'a>,
}

impl<'a> Look<'a> {
    /// The gates that all values of a node pass, in the order in which they do.
    fn run(&self, at: NodeIx, stands: Stands) -> Vec<&'a NodeProto> {
        let mut found: Vec<&NodeProto> = match stands {
            Stands::Behind => self.follow(self.index.outputs(at), |look, values| look.reader(values)),
            Stands::Before => {
                let data = &self.index.inputs(at)[..data_inputs(self.index.node(at)).len()];
                self.follow(data, |look, values| look.writer(values))
            }
            Stands::Beside => {
                let inputs = self.index.inputs(at);
                let controls = &inputs[inputs.len() - control_inputs(self.index.node(at))..];
                let writers = controls.iter().flatten().filter_map(|value| self.index.producer(*value));
                writers.map(|writer| self.index.node(writer)).collect()
            }
        };
        if stands == Stands::Before {
            found.reverse();
        }
        found
    }

    fn follow<'s>(
        &'s self,
        mut values: &'s [Option<ValueIx>],
        next: fn(&'s Self, &'s [Option<ValueIx>]) -> Step<'s>,
    ) -> Vec<&'a NodeProto> {
        let mut found = Vec::new();
        while let Some((gate, further)) = next(self, values)
            && self.contracts.iter().any(|contract| contract.is(self.index.node(gate)))
            && found.len() < self.contracts.len()
        {
            found.push(self.index.node(gate));
            values = further;
        }
        found
    }
    /// The one node that reads these values, and nobody else reads any of them.
    fn reader<'s>(&'s self, values: &[Option<ValueIx>]) -> Step<'s> {
        let mut readers = values.iter().flatten().flat_map(|value| self.consumers.of(*value));
        let first = *readers.next()?;
        let given = values.iter().flatten().any(|value| self.given[value.at()]);
        let only = !given && readers.all(|reader| *reader == first);
        (only && self.index.inputs(first) == values).then(|| (first, self.index.outputs(first)))
    }
    /// The one node that gives these values.
    fn writer<'s>(&'s self, values: &[Option<ValueIx>]) -> Step<'s> {
        let mut writers = values.iter().map(|value| value.and_then(|value| self.index.producer(value)));
        let first = writers.next()??;
        let only = writers.all(|writer| writer == Some(first));
        (only && self.index.outputs(first) == values).then(|| (first, self.index.inputs(first)))
    }
}
