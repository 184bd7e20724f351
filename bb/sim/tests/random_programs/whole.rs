//! A program without engines: its reference model, walked from the inputs to the outputs, operator by operator.

use bb::ir::proto::onnx::{FunctionProto, ModelProto, NodeProto};
use bb::ir::value::Value;
use bb::ir::views::FunctionKey;
use bb_components::cpu::KERNELS;
use std::collections::BTreeMap;

type Functions<'a> = BTreeMap<FunctionKey, &'a FunctionProto>;

/// The first outputs of the main function, as many as the program has.
pub fn outputs(model: &ModelProto, args: Vec<Value>, outputs: usize) -> Vec<Value> {
    let functions = model.functions.iter().map(|f| (FunctionKey::of_function(f), f)).collect();
    let mut given = call(&functions, &model.functions[0], args);
    given.truncate(outputs);
    given
}

fn call(functions: &Functions, function: &FunctionProto, args: Vec<Value>) -> Vec<Value> {
    assert_eq!(function.input.len(), args.len(), "{}", function.name());
    let mut values: BTreeMap<&str, Value> = function.input.iter().map(String::as_str).zip(args).collect();
    for node in &function.node {
        let inputs = node.input.iter().map(|name| values[name.as_str()].clone()).collect();
        let outputs = match functions.get(&FunctionKey::of_node(node)) {
            Some(callee) => call(functions, callee, inputs),
            None => operator(node, inputs),
        };
        values.extend(node.output.iter().map(String::as_str).zip(outputs));
    }
    function.output.iter().map(|name| values[name.as_str()].clone()).collect()
}

fn operator(node: &NodeProto, mut inputs: Vec<Value>) -> Vec<Value> {
    if node.op_type() == "SequenceEmpty" {
        return vec![Value::Seq(Vec::new().into())];
    }
    let entry = KERNELS.iter().find(|kernel| kernel.op == node.op_type());
    let entry = entry.unwrap_or_else(|| panic!("nobody has {}", node.op_type()));
    let kernel = (entry.build)(node).unwrap_or_else(|e| panic!("{}: {e:?}", node.name()));
    let mut outputs = Vec::new();
    kernel.run(&mut inputs, &mut outputs).unwrap_or_else(|e| panic!("{}: {e:?}", node.name()));
    outputs
}
