//! What peer values point at: followed through what only hands them on.

use super::places::PlaceIx;
use super::refusals;
use super::walk::{Target, Walk};
use crate::index::{FunctionIndex, NodeIx, ValueIx};
use bb_ir::ops;
use bb_ir::proto::onnx::{FunctionProto, ModelProto, NodeProto};
use bb_ir::views::FunctionKey;
use bb_ir::wire_shape::Gather;
use rustc_hash::FxHashMap;

impl Walk<'_> {
    /// Follows peer values through what only hands them on; everything else makes new ones.
    pub(super) fn trace(&mut self, at: NodeIx, node: &NodeProto) {
        if node.domain() == ops::SYSCALL_DOMAIN && node.op_type() == ops::SYSCALL_ORIGIN {
            return self.origin(at, node);
        }
        if let Some(gather) = Gather::cast(node) {
            self.members(at, gather);
        }
        let handed_on = handed_on(node, &self.forwards);
        for (i, output) in self.index.outputs(at).to_vec().into_iter().enumerate() {
            let Some(output) = output else { continue };
            let from = handed_on.get(i).copied().flatten().and_then(|from| self.index.inputs(at)[from]);
            match from.and_then(|from| Some((from, self.targets[from.at()]?))) {
                Some((from, target)) => self.same_peer(from, output, target),
                None => self.anchor_here(output),
            }
        }
    }

    pub(super) fn same_peer(&mut self, from: ValueIx, to: ValueIx, target: Target) {
        self.targets[to.at()] = Some(target);
        if self.peer_classes[to.at()].is_none() {
            self.peer_classes[to.at()] = self.peer_classes[from.at()].clone();
        }
    }

    pub(super) fn origin(&mut self, at: NodeIx, node: &NodeProto) {
        let entry = self.places.get(PlaceIx::ENTRY).class.clone();
        for value in self.index.outputs(at).iter().copied().flatten() {
            if let Some(asked) = self.peer_classes[value.at()].as_deref().filter(|asked| *asked != entry) {
                self.faults.push(refusals::wrong_origin(node, self.root.name(), &entry, asked));
            }
            self.targets[value.at()] = Some(Target::Place(PlaceIx::ENTRY));
            self.peer_classes[value.at()] = Some(entry.clone());
        }
    }

    /// Who answered is of the class of the cohort.
    pub(super) fn members(&mut self, at: NodeIx, gather: Gather<'_>) {
        let members = self.index.outputs(at).get(gather.values().len()).copied().flatten();
        let cohort = gather.lane().and_then(|lane| self.cohort_of_lane.get(&lane));
        if let (Some(members), Some(cohort)) = (members, cohort) {
            self.peer_classes[members.at()] = Some(self.places.get(*cohort).class.clone());
        }
    }
}

/// By function: which input each output is, where it only hands one through. `callees_first` are positions, each behind
/// all it calls.
pub(super) fn forwards(model: &ModelProto, callees_first: &[usize]) -> FxHashMap<FunctionKey, Vec<Option<usize>>> {
    let mut known: FxHashMap<FunctionKey, Vec<Option<usize>>> = FxHashMap::default();
    // The root comes last, and nobody calls it.
    for function in callees_first.iter().map(|position| &model.functions[*position]).filter(|f| !is_root(model, f)) {
        let index = FunctionIndex::new(function);
        let mut from: Vec<Option<usize>> = (0..function.input.len()).map(Some).collect();
        from.resize(index.values(), None);
        for (at, node) in index.nodes() {
            for (output, input) in index.outputs(at).iter().zip(handed_on(node, &known)) {
                let input = input.and_then(|i| index.inputs(at).get(i).copied().flatten());
                if let (Some(output), Some(input)) = (output, input) {
                    from[output.at()] = from[input.at()];
                }
            }
        }
        let outputs = function.output.iter().map(|name| index.value(name).and_then(|v| from[v.at()])).collect();
        known.insert(FunctionKey::of_function(function), outputs);
    }
    known
}

fn is_root(model: &ModelProto, function: &FunctionProto) -> bool {
    std::ptr::eq(&model.functions[0], function)
}

/// By output: the input that a node hands on as it is.
fn handed_on(node: &NodeProto, forwards: &FxHashMap<FunctionKey, Vec<Option<usize>>>) -> Vec<Option<usize>> {
    match (node.domain(), node.op_type()) {
        (ops::ONNX_DOMAIN, "Identity") | (ops::SYSCALL_DOMAIN, ops::SYSCALL_PASS_THROUGH) => vec![Some(0)],
        (ops::MODULE_DOMAIN, _) => forwards.get(&FunctionKey::of_node(node)).cloned().unwrap_or_default(),
        _ => Vec::new(),
    }
}
