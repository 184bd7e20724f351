//! Models in print: ONNX's text syntax, and behind it, as comments, what the syntax has no room for.
//!
//! A comment holds the types of a node's outputs, then bb's metadata, sorted by key and without its namespace. Source
//! locations, documentation and the contents of large tensors are left out, so that two models that mean the same
//! print the same, and a snapshot shows what a pass changed.

mod atoms;

use crate::canonical::canonical;
use crate::proto::onnx::{
    AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, StringStringEntryProto,
    TensorProto, ValueInfoProto,
};
use atoms::{attribute_value, metadata, name, names, quoted, tensor_type, type_text};
use std::collections::HashMap;
use std::fmt::Write;

/// The printed form of a model.
pub fn print(model: &ModelProto) -> String {
    let model = canonical(model);
    let mut out = Printer::default();
    out.line(&format!("<ir_version: {}, {}>", model.ir_version(), imports(&model.opset_import)));
    out.comments(&model.metadata_props);
    if let Some(graph) = &model.graph {
        out.line("");
        out.graph(graph);
    }
    for function in &model.functions {
        out.line("");
        out.function(function);
    }
    out.text
}

/// The printed form of an attribute's value.
pub(crate) fn attribute_text(attribute: &AttributeProto) -> String {
    attribute_value(attribute)
}

/// The printed form of a function alone.
pub fn print_function(function: &FunctionProto) -> String {
    let model = ModelProto { functions: vec![function.clone()], ..ModelProto::default() };
    let mut out = Printer::default();
    out.function(&canonical(&model).functions[0]);
    out.text
}

fn imports(sets: &[OperatorSetIdProto]) -> String {
    let mut sets: Vec<String> = sets.iter().map(|s| format!("{} : {}", quoted(s.domain()), s.version())).collect();
    sets.sort();
    format!("opset_import: [{}]", sets.join(", "))
}

type Types<'a> = HashMap<&'a str, &'a ValueInfoProto>;

#[derive(Default)]
struct Printer {
    text: String,
    depth: usize,
}

impl Printer {
    fn line(&mut self, text: &str) {
        if !text.is_empty() {
            let _ = write!(self.text, "{:1$}{text}", "", self.depth * 2);
        }
        self.text.push('\n');
    }

    /// Each entry on a line of its own.
    fn comments(&mut self, props: &[StringStringEntryProto]) {
        for entry in metadata(props) {
            self.line(&format!("# {entry}"));
        }
    }

    fn function(&mut self, function: &FunctionProto) {
        let overload = match function.overload() {
            "" => String::new(),
            overload => format!(", overload: {}", quoted(overload)),
        };
        self.line(&format!("<domain: {}{overload}, {}>", quoted(function.domain()), imports(&function.opset_import)));
        self.line(&format!("{} ({}) => ({})", name(function.name()), names(&function.input), names(&function.output)));
        self.comments(&function.metadata_props);
        let types: Types<'_> = function.value_info.iter().map(|info| (info.name(), info)).collect();
        for info in function.input.iter().filter_map(|input| types.get(input.as_str())) {
            self.line(&format!("# {}: {}", name(info.name()), typed(info)));
        }
        self.body(&function.node, &[], &types);
    }

    fn graph(&mut self, graph: &GraphProto) {
        let border = |values: &[ValueInfoProto]| {
            let value = |info: &ValueInfoProto| match &info.r#type {
                Some(ty) => format!("{} {}", type_text(ty), name(info.name())),
                None => name(info.name()),
            };
            values.iter().map(value).collect::<Vec<_>>().join(", ")
        };
        self.line(&format!("{} ({}) => ({})", name(graph.name()), border(&graph.input), border(&graph.output)));
        self.comments(&graph.metadata_props);
        let types: Types<'_> = graph.value_info.iter().map(|info| (info.name(), info)).collect();
        self.body(&graph.node, &graph.initializer, &types);
    }

    fn body(&mut self, nodes: &[NodeProto], initializers: &[TensorProto], types: &Types<'_>) {
        self.line("{");
        self.depth += 1;
        for tensor in initializers {
            self.line(&format!("{} {} = {{…}}", tensor_type(tensor), name(tensor.name())));
        }
        for node in nodes {
            self.node(node, types);
        }
        self.depth -= 1;
        self.line("}");
    }

    fn node(&mut self, node: &NodeProto, types: &Types<'_>) {
        let mut text = String::new();
        if !node.output.is_empty() {
            let _ = write!(text, "{} = ", names(&node.output));
        }
        if !node.domain().is_empty() {
            let _ = write!(text, "{}.", node.domain());
        }
        text.push_str(&name(node.op_type()));
        if !node.overload().is_empty() {
            let _ = write!(text, ":{}", name(node.overload()));
        }
        let plain: Vec<String> = node.attribute.iter().filter(|a| graphs(a).next().is_none()).map(attribute).collect();
        if !plain.is_empty() {
            let _ = write!(text, " <{}>", plain.join(", "));
        }
        let _ = write!(text, " ({})", names(&node.input));
        let comment = self::comment(node, types);
        if !comment.is_empty() {
            let _ = write!(text, "  # {comment}");
        }
        self.line(&text);
        self.depth += 1;
        for attribute in &node.attribute {
            for graph in graphs(attribute) {
                self.line(&format!("{} =", name(attribute.name())));
                self.graph(graph);
            }
        }
        self.depth -= 1;
    }
}

fn graphs(attribute: &AttributeProto) -> impl Iterator<Item = &GraphProto> {
    attribute.g.iter().chain(&attribute.graphs)
}

fn attribute(attribute: &AttributeProto) -> String {
    format!("{} = {}", name(attribute.name()), attribute_value(attribute))
}

/// The node's name where it is not its first output's, the types of its outputs, its metadata.
fn comment(node: &NodeProto, types: &Types<'_>) -> String {
    let mut parts = Vec::new();
    let derived = (0..node.output.len().max(1))
        .any(|i| node.output.get(i).is_some_and(|o| *o == crate::names::output(node.name(), i, node.output.len())));
    if !node.name().is_empty() && !derived {
        parts.push(format!("{}:", name(node.name())));
    }
    let outputs = node.output.iter().filter_map(|output| types.get(output.as_str()));
    let outputs: Vec<String> = outputs.map(|info| typed(info)).collect();
    if !outputs.is_empty() {
        parts.push(outputs.join(", "));
    }
    let metadata: Vec<String> = metadata(&node.metadata_props).collect();
    if !metadata.is_empty() {
        parts.push(format!("| {}", metadata.join(" ")));
    }
    parts.join(" ")
}

/// A value's type and metadata.
fn typed(info: &ValueInfoProto) -> String {
    let ty = info.r#type.as_ref().map_or_else(|| "?".to_owned(), type_text);
    let metadata: Vec<String> = metadata(&info.metadata_props).collect();
    if metadata.is_empty() { ty } else { format!("{ty} {{{}}}", metadata.join(" ")) }
}

#[cfg(test)]
mod tests;
