//! How much of a model something may have changed since it was verified, and whether that is true.

use super::program::key_of_function;
use super::said::Kind;
use crate::index::{FunctionIndex, NodeIx};
use crate::proto::onnx::{FunctionProto, ModelProto, NodeProto, OperatorSetIdProto, ValueInfoProto};
use rustc_hash::FxHashMap as HashMap;

/// How much of a model something may have changed since it was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Anything.
    All,
    /// Sends, Recvs, Gathers and gates, what they give, and the nodes that read that. Every other node is there as it was,
    /// behind those that were before it; functions have lost no operator set, and nothing else is another.
    Wires,
}

impl Part {
    /// Whether a model that was `before` and is `after` has been changed in no more than this.
    ///
    /// # Errors
    /// Says what else is another.
    pub fn is_all_between(self, before: &ModelProto, after: &ModelProto) -> Result<(), String> {
        if self == Part::All {
            return Ok(());
        }
        if !holds_all(&before.opset_import, &after.opset_import) || frame_of_model(before) != frame_of_model(after) {
            return Err("what stands on the model".into());
        }
        if before.functions.len() != after.functions.len() {
            return Err("which functions there are".into());
        }
        let mut pairs = before.functions.iter().zip(&after.functions);
        pairs.try_for_each(|(before, after)| function_but_wires(before, after))
    }
}

fn function_but_wires(before: &FunctionProto, after: &FunctionProto) -> Result<(), String> {
    let name = key_of_function(after).1;
    if !holds_all(&before.opset_import, &after.opset_import) || frame_of_function(before) != frame_of_function(after) {
        return Err(format!("what stands on `{name}`"));
    }
    let (is, was) = (FunctionIndex::new(after), FunctionIndex::new(before));
    let others = |index: &FunctionIndex<'_>| -> Vec<NodeIx> {
        index.nodes().filter(|(_, node)| !is_of_wire(node)).map(|(at, _)| at).collect()
    };
    let (now, then) = (others(&is), others(&was));
    if now.len() != then.len() {
        return Err(format!("how many other nodes `{name}` has"));
    }
    for (now, then) in now.into_iter().zip(then) {
        let (node, old) = (is.node(now), was.node(then));
        let makers = is.inputs(now).iter().flatten().filter_map(|value| is.producer(*value));
        let reads_of_wires = makers.into_iter().any(|maker| is_of_wire(is.node(maker)));
        if node != old && (!reads_of_wires || node.name != old.name || node.output != old.output) {
            return Err(format!("the node `{}` of `{name}`", node.name()));
        }
    }
    let declared: HashMap<&str, &ValueInfoProto> = before.value_info.iter().map(|info| (info.name(), info)).collect();
    let of_others = |info: &&ValueInfoProto| {
        let maker = is.value(info.name()).and_then(|value| is.producer(value));
        maker.is_none_or(|maker| !is_of_wire(is.node(maker)))
    };
    match after.value_info.iter().filter(of_others).find(|info| declared.get(info.name()) != Some(info)) {
        Some(info) => Err(format!("the value `{}` of `{name}`", info.name())),
        None => Ok(()),
    }
}

/// Whether a node is part of a wire.
fn is_of_wire(node: &NodeProto) -> bool {
    Kind::of(node).is_of_wire()
}

fn frame_of_model(model: &ModelProto) -> ModelProto {
    ModelProto { functions: Vec::new(), opset_import: Vec::new(), ..model.clone() }
}

fn frame_of_function(function: &FunctionProto) -> FunctionProto {
    let (node, value_info, opset_import) = (Vec::new(), Vec::new(), Vec::new());
    FunctionProto { node, value_info, opset_import, ..function.clone() }
}

fn holds_all(before: &[OperatorSetIdProto], after: &[OperatorSetIdProto]) -> bool {
    before.iter().all(|set| after.contains(set))
}

#[cfg(test)]
mod tests {
    use super::super::sample::model;
    use super::*;
    use crate::keys;
    use crate::verify::{CHECKS, Level, Look, Rule, verify, verify_part};
    use crate::views::Metadata;
    use std::collections::BTreeSet;

    type Change = fn(&mut ModelProto);

    fn node(model: &mut ModelProto, is: fn(&NodeProto) -> bool) -> &mut NodeProto {
        model.functions[0].node.iter_mut().find(|node| is(node)).expect("the sample has it")
    }
    fn send(model: &mut ModelProto) -> &mut NodeProto {
        node(model, crate::wire_shape::is_send)
    }
    fn recv(model: &mut ModelProto) -> &mut NodeProto {
        node(model, crate::wire_shape::is_recv)
    }

    /// What stands in a wire's nodes, what they give, and who reads it.
    const OF_WIRES: &[Change] = &[
        |m| send(m).remove_metadata(keys::WIRE_ID_KEY),
        |m| send(m).set_metadata(keys::PLACE_KEY, "9"),
        |m| send(m).name = Some(String::new()),
        |m| send(m).input.push("nobody's".into()),
        |m| recv(m).output[0] = "another".into(),
        |m| recv(m).input.push("start".into()),
        |m| send(m).set_metadata("ai.bytesandbrains.what", "is this"),
        |m| {
            let first = m.functions[0].node[0].name.clone();
            recv(m).name = first;
        },
        |m| {
            let first = m.functions[0].node[0].output.clone();
            recv(m).output.extend(first);
        },
        |m| {
            let recv = recv(m).clone();
            m.functions[0].node.retain(|node| *node != recv);
            m.functions[0].node.push(recv);
        },
    ];

    #[test]
    fn what_breaks_at_a_wire_is_seen_by_who_looks_at_wires_alone() {
        let mut seen = BTreeSet::new();
        for (number, change) in OF_WIRES.iter().enumerate() {
            let mut model = model(Level::Cut);
            change(&mut model);
            let part = verify_part(&model, Level::Cut, Part::Wires);
            assert_eq!(part, verify(&model, Level::Cut), "{number}");
            assert_ne!(part, [], "{number}");
            seen.extend(part.into_iter().map(|violation| violation.rule));
        }
        for rule in [Rule::DanglingInput, Rule::NotTopological, Rule::DuplicateValue, Rule::DuplicateNodeName] {
            assert!(seen.contains(&rule), "{rule:?}");
        }
    }

    #[test]
    fn a_change_elsewhere_is_none_of_wires_alone() {
        let elsewhere: &[Change] = &[
            |m| m.set_metadata(keys::PROGRAM_NAME_KEY, "another"),
            |m| m.opset_import.clear(),
            |m| m.functions.clear(),
            |m| m.functions[0].input.push("more".into()),
            |m| m.functions[0].opset_import.clear(),
            |m| node(m, |node| !is_of_wire(node)).set_metadata(keys::PLACE_KEY, "9"),
            |m| m.functions[0].node.retain(is_of_wire),
            |m| m.functions[0].value_info[0].r#type = None,
        ];
        let before = model(Level::Cut);
        for (number, change) in elsewhere.iter().enumerate() {
            let mut after = before.clone();
            change(&mut after);
            assert!(Part::Wires.is_all_between(&before, &after).is_err(), "{number}");
            assert_eq!(Part::All.is_all_between(&before, &after), Ok(()), "{number}");
        }
        let mut after = before.clone();
        send(&mut after).set_metadata(keys::PLACE_KEY, "9");
        assert_eq!(Part::Wires.is_all_between(&before, &after), Ok(()));
    }

    /// A program gets to *cut* by changes of its wires alone: what is new there is nothing that other nodes are asked.
    #[test]
    fn what_holds_from_cut_on_is_about_wires() {
        for check in CHECKS.iter().filter(|check| check.since == Level::Cut) {
            assert!(matches!(check.look, Look::Of(Kind::Wire | Kind::Gate, _) | Look::Body(_)));
        }
    }
}
