//! The graph of a model: a call of its main function.
//!
//! ONNX's checker wants a shape of every tensor at a graph's border. One of unknown rank is a sequence of one tensor there,
//! which is taken apart before the call, or made behind it: inside, the value is what its type says.

use crate::names;
use crate::ops::ONNX_DOMAIN;
use crate::proto::onnx::{FunctionProto, GraphProto, NodeProto, TensorProto, ValueInfoProto};
use crate::types::{ElementKind, ValueType};
use crate::views::{Attributes, attribute};
use rustc_hash::{FxHashMap, FxHashSet};

/// A call of `main`, by its name, with typed inputs and outputs; those of `weights` that it takes come with the graph.
pub fn graph(main: &FunctionProto, weights: &[TensorProto]) -> GraphProto {
    let taken: FxHashSet<&str> = main.input.iter().map(String::as_str).collect();
    let initializer: Vec<TensorProto> = weights.iter().filter(|w| taken.contains(w.name())).cloned().collect();
    let is_weight: FxHashSet<&str> = initializer.iter().map(TensorProto::name).collect();
    let infos: FxHashMap<&str, &ValueInfoProto> = main.value_info.iter().map(|i| (i.name(), i)).collect();
    let at_border = |name: &String| infos.get(name.as_str()).map(|info| boxed(info));
    let arguments = main.input.iter().filter(|name| !is_weight.contains(name.as_str()));
    let mut graph = GraphProto {
        name: main.name.clone(),
        input: arguments.filter_map(at_border).collect(),
        output: main.output.iter().filter_map(at_border).collect(),
        initializer: initializer.clone(),
        ..GraphProto::default()
    };
    let unshaped = |name: &str| infos.get(name).is_some_and(|info| is_unshaped(info));
    let is_boxed = |name: &&String| !is_weight.contains(name.as_str()) && unshaped(name);
    let inside = |name: &String| if is_boxed(&name) { names::inside(name) } else { name.clone() };
    let call = NodeProto {
        name: main.name.clone(),
        domain: main.domain.clone(),
        op_type: main.name.clone(),
        overload: main.overload.clone(),
        input: main.input.iter().map(inside).collect(),
        output: main.output.iter().map(inside).collect(),
        ..NodeProto::default()
    };
    for name in main.input.iter().filter(is_boxed) {
        if graph.node.is_empty() {
            graph.node.push(first());
        }
        graph.node.push(onnx("SequenceAt", vec![name.clone(), names::first()], names::inside(name)));
    }
    graph.node.push(call);
    for name in main.output.iter().filter(is_boxed) {
        // What makes a sequence has to know of what, and the call may say nothing.
        let info = infos.get(name.as_str()).map(|info| (*info).clone());
        graph.value_info.extend(info.map(|info| ValueInfoProto { name: Some(names::inside(name)), ..info }));
        graph.node.push(onnx("SequenceConstruct", vec![names::inside(name)], name.clone()));
    }
    graph
}

/// Whether a node of a graph only takes a sequence of the border apart, or makes one.
pub fn is_of_border(node: &NodeProto) -> bool {
    node.domain() == ONNX_DOMAIN && ["Constant", "SequenceAt", "SequenceConstruct"].contains(&node.op_type())
}

/// Whether a value is a tensor of which nothing but the element type is known.
pub fn is_unshaped(info: &ValueInfoProto) -> bool {
    matches!(info.r#type.as_ref().and_then(ValueType::from_proto), Some(ValueType::Tensor { shape: None, .. }))
}

fn boxed(info: &ValueInfoProto) -> ValueInfoProto {
    let mut info = info.clone();
    if let Some(of) = info.r#type.as_ref().and_then(ValueType::from_proto).filter(|_| is_unshaped(&info)) {
        info.r#type = Some(ValueType::Seq(Box::new(of)).to_proto());
    }
    info
}

/// The position of the one tensor.
fn first() -> NodeProto {
    let mut node = onnx("Constant", Vec::new(), names::first());
    let position = TensorProto {
        data_type: Some(ElementKind::I64 as i32),
        raw_data: Some(vec![0; 8].into()),
        ..TensorProto::default()
    };
    node.set_attr(attribute::tensor("value", position));
    node
}

fn onnx(op: &str, input: Vec<String>, output: String) -> NodeProto {
    NodeProto {
        name: Some(output.clone()),
        op_type: Some(op.to_owned()),
        domain: Some(ONNX_DOMAIN.into()),
        input,
        output: vec![output],
        ..NodeProto::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_rank_is_boxed_at_the_border_alone() {
        let info = |name: &str, of: ValueType| ValueInfoProto {
            name: Some(name.into()),
            r#type: Some(of.to_proto()),
            ..ValueInfoProto::default()
        };
        let main = FunctionProto {
            name: Some("main".into()),
            input: ["a", "n", "b"].map(str::to_owned).into(),
            output: vec!["y".into()],
            value_info: vec![
                info("a", ValueType::tensor(ElementKind::F32)),
                info("n", ValueType::scalar(ElementKind::F32)),
                info("b", ValueType::tensor(ElementKind::I64)),
                info("y", ValueType::tensor(ElementKind::F32)),
            ],
            ..FunctionProto::default()
        };
        let graph = graph(&main, &[]);
        let ops: Vec<_> = graph.node.iter().map(|n| n.op_type()).collect();
        assert_eq!(ops, ["Constant", "SequenceAt", "SequenceAt", "main", "SequenceConstruct"]);
        assert_eq!(graph.node.iter().filter(|n| !is_of_border(n)).count(), 1);
        assert_eq!(graph.node[3].input, ["a~inside", "n", "b~inside"]);
        assert_eq!((&graph.node[3].output, &graph.node[4].output), (&vec!["y~inside".into()], &vec!["y".into()]));
        assert!(!graph.input.iter().chain(&graph.output).any(is_unshaped));
        assert_eq!(graph.input[1], main.value_info[1]);
        let [made] = &graph.value_info[..] else { panic!("what a sequence is made of is declared") };
        assert_eq!((made.name(), is_unshaped(made)), ("y~inside", true));
    }
}
