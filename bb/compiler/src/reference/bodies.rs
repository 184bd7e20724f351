//! What ops of bb's mean in operators of `ai.onnx`.

use super::{NoReference, Reference};
use bb_ir::ops;
use bb_ir::proto::onnx::{FunctionProto, NodeProto, TensorProto};
use bb_ir::types::ElementKind;
use bb_ir::views::{Attributes, FunctionKey, attribute, control_inputs, data_inputs};
use bb_ir::wire_shape::{is_gather, is_send};
use std::collections::BTreeMap;

/// The functions that nodes call by now.
#[derive(Default)]
pub(super) struct Written(BTreeMap<FunctionKey, FunctionProto>);

impl Written {
    pub(super) fn functions(self) -> impl Iterator<Item = FunctionProto> {
        self.0.into_values()
    }

    /// Makes `node` a call of a function that says what it means, by an overload for as many values as it has.
    pub(super) fn play(
        &mut self,
        node: &mut NodeProto,
        lane: Option<usize>,
        reference: &Reference,
    ) -> Result<(), NoReference> {
        if node.domain() == ops::SYSCALL_DOMAIN && node.op_type() == ops::SYSCALL_CONSTANT {
            // It is one of ONNX's under another name.
            node.domain = Some(ops::ONNX_DOMAIN.into());
            node.op_type = Some("Constant".into());
            return Ok(());
        }
        let mut overload = format!("{}_{}", node.input.len(), node.output.len());
        let own = reference.bodies.get(&(node.domain().to_owned(), node.op_type().to_owned()));
        let mut body = match own {
            Some(lanes) => {
                let at = match lane {
                    None if lanes.len() > 1 => return Err(refused(node, "in a module it is one for all lanes")),
                    lane => lane.unwrap_or(0).min(lanes.len().saturating_sub(1)),
                };
                if lanes.len() > 1 {
                    overload = format!("{overload}_{at}");
                }
                played(node, lanes.get(at))?
            }
            None => match meaning(node, &reference.caller) {
                Err(_) if reference.leaves_unplayed => return Ok(()),
                meaning => meaning?,
            },
        };
        node.overload = Some(overload);
        // What they say is part of the body.
        node.attribute.clear();
        body.domain.clone_from(&node.domain);
        body.name.clone_from(&node.op_type);
        body.overload.clone_from(&node.overload);
        self.0.insert(FunctionKey::of_node(node), body);
        Ok(())
    }
}

fn refused(node: &NodeProto, why: &str) -> NoReference {
    NoReference { node: node.name().to_owned(), why: why.to_owned() }
}

/// A body that was given: what the node only waits for are inputs that nobody reads.
fn played(node: &NodeProto, body: Option<&FunctionProto>) -> Result<FunctionProto, NoReference> {
    let mut body = body.ok_or_else(|| refused(node, "no body was given for its op"))?.clone();
    if (body.input.len(), body.output.len()) != (data_inputs(node).len(), node.output.len()) {
        return Err(refused(node, "the body that was given has other inputs or outputs"));
    }
    body.input.extend((0..control_inputs(node)).map(|i| format!("control.{i}")));
    Ok(body)
}

fn meaning(node: &NodeProto, caller: &[u8]) -> Result<FunctionProto, NoReference> {
    let input: Vec<String> = (0..node.input.len()).map(|i| format!("in.{i}")).collect();
    let output: Vec<String> = (0..node.output.len()).map(|i| format!("out.{i}")).collect();
    let nodes = match (node.domain(), node.op_type()) {
        // Payloads, the peer, and who sends; payloads, who sends, and that it was sent.
        _ if is_send(node) => {
            let [payloads @ .., sender, handle] = &output[..] else { return Err(refused(node, "it is no Send")) };
            let Some(me) = input.last() else { return Err(refused(node, "it is no Send")) };
            let mut nodes: Vec<NodeProto> = payloads.iter().zip(&input).map(|(to, from)| identity(from, to)).collect();
            nodes.extend([identity(me, sender), bytes(&[], handle)]);
            nodes
        }
        // The lanes of one value after the other, the senders behind them; a sequence of each, and nobody missing.
        _ if is_gather(node) => {
            let Some((missing, sequences)) = output.split_last() else { return Err(refused(node, "it is no Gather")) };
            let lanes = input.len() / sequences.len().max(1);
            let mut nodes: Vec<NodeProto> = sequences
                .iter()
                .enumerate()
                .map(|(i, to)| onnx("SequenceConstruct", &input[i * lanes..(i + 1) * lanes], to))
                .collect();
            let mut none = onnx("SequenceEmpty", &[], missing);
            none.set_attr(attribute::int("dtype", ElementKind::U8 as i64));
            nodes.push(none);
            nodes
        }
        (ops::SYSCALL_DOMAIN, ops::SYSCALL_ORIGIN) => vec![bytes(caller, &output[0])],
        (ops::SYSCALL_DOMAIN, ops::SYSCALL_EMIT | ops::SYSCALL_METRIC) => {
            output.iter().map(|to| bytes(&[], to)).collect()
        }
        // Everything is there at once.
        (
            ops::SYSCALL_DOMAIN,
            ops::SYSCALL_PASS_THROUGH | ops::SYSCALL_AFTER | ops::SYSCALL_ANY | ops::SYSCALL_LIMIT,
        ) => vec![identity(&input[0], &output[0])],
        _ => return Err(refused(node, "no body was given for its op")),
    };
    Ok(FunctionProto { input, output, node: nodes, ..FunctionProto::default() })
}

fn onnx(op: &str, inputs: &[String], output: &str) -> NodeProto {
    NodeProto {
        name: Some(output.to_owned()),
        op_type: Some(op.to_owned()),
        domain: Some(ops::ONNX_DOMAIN.into()),
        input: inputs.to_vec(),
        output: vec![output.to_owned()],
        ..NodeProto::default()
    }
}
/// The same under another name.
pub(super) fn identity(from: &str, to: &str) -> NodeProto {
    onnx("Identity", &[from.to_owned()], to)
}
/// A constant of bytes: a peer, or a trigger where there are none.
pub(super) fn bytes(value: &[u8], to: &str) -> NodeProto {
    constant(ElementKind::U8, vec![value.len() as i64], value.to_vec(), to)
}
/// A constant number, for a position.
pub(super) fn number(value: i64, to: &str) -> NodeProto {
    constant(ElementKind::I64, vec![], value.to_le_bytes().to_vec(), to)
}
fn constant(element: ElementKind, dims: Vec<i64>, raw: Vec<u8>, to: &str) -> NodeProto {
    let mut node = onnx("Constant", &[], to);
    let (data_type, raw_data) = (Some(element as i32), Some(raw.into()));
    node.set_attr(attribute::tensor("value", TensorProto { data_type, dims, raw_data, ..TensorProto::default() }));
    node
}
/// The `at`th of a sequence; `position` is a name that nobody has.
pub(super) fn element(sequence: &str, at: usize, position: &str, to: &str) -> [NodeProto; 2] {
    let inputs = [sequence.to_owned(), position.to_owned()];
    [number(at as i64, position), onnx("SequenceAt", &inputs, to)]
}
