//! A model's file, checked: whatever it holds, the answer is a model or what is wrong with it.

use super::operators::{accept, operator_set, refuse_unknown, without_unread_outputs};
use super::{Fault, constants};
use bb_ir::artifact::{self, ArtifactError};
use bb_ir::diagnostics::Diagnostic;
use bb_ir::ops::ONNX_DOMAIN;
use bb_ir::order::{Cycle, in_order};
use bb_ir::proto::onnx::{GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto};
use bb_ir::types::{Dim, ValueType};
use bb_ir::value::Dims;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A model whose operators are bb's, in an order in which values are made before they are read.
#[derive(Debug)]
pub struct Model {
    /// As the program names it.
    pub path: String,
    /// What its functions are called.
    pub name: String,
    /// What it takes and gives.
    pub inputs: Vec<String>,
    pub outputs: Vec<String>,
    /// What it says of its values. Names of dimensions mean something in it alone, so they are left out.
    pub types: BTreeMap<String, ValueType>,
    /// Its tensors, as raw bytes.
    pub constants: BTreeMap<String, TensorProto>,
    pub nodes: Vec<NodeProto>,
    /// The node that makes a value.
    pub makers: BTreeMap<String, usize>,
}

impl Model {
    /// The model in `file`, which the program calls `path`.
    pub fn read(file: &Path, path: &str) -> Result<Model, Fault> {
        let bytes = std::fs::read(file).map_err(|error| {
            Diagnostic::new("BB0801", format!("`{path}` cannot be read: {error}"))
                .note(format!("it is looked for at {}", file.display()))
                .help("the path of a model is one below the package, beside its Cargo.toml")
        })?;
        Model::parse(&bytes, path)
    }

    /// The model in these bytes.
    pub fn parse(bytes: &[u8], path: &str) -> Result<Model, Fault> {
        let wrong = |what: String| malformed(path, &what);
        let proto = artifact::decode_any(bytes).map_err(|error| match error {
            ArtifactError::Empty => wrong("the file is empty".into()),
            ArtifactError::Malformed(error) => wrong(format!("{error}")),
            error => wrong(error.to_string()),
        })?;
        let opset = operator_set(&proto, path)?;
        let ModelProto { graph: Some(mut graph), .. } = proto else {
            return Err(wrong("it has no graph".into()).into());
        };
        if !graph.sparse_initializer.is_empty() {
            return Err(wrong("it has sparse weights".into()).help("save it with dense ones").into());
        }
        let mut model = Model::border(&graph, path)?;
        for tensor in &graph.initializer {
            let raw = constants::raw(tensor).map_err(|what| {
                let fault = wrong(format!("its weight `{}` is none: {what}", tensor.name()));
                let alone =
                    "save it as one file, of 32-bit floats: `onnx.save(model, path, save_as_external_data=False)`";
                fault.help(alone)
            })?;
            if raw.name().is_empty() || model.constants.insert(raw.name().to_owned(), raw).is_some() {
                return Err(wrong(format!("it has the weight `{}` twice", tensor.name())).into());
            }
        }
        let mut nodes = Vec::new();
        refuse_unknown(&graph.node, path)?;
        without_unread_outputs(&mut graph.node, &model.outputs);
        for mut node in graph.node {
            if [ONNX_DOMAIN, "ai.onnx"].contains(&node.domain()) && node.op_type() == "Constant" {
                let mut raw = constants::value(&node).map_err(&wrong)?;
                let name = node.output.first().cloned().unwrap_or_default();
                // The tensor of a Constant has no name, as a rule, or one that others have too.
                raw.name = Some(name.clone());
                if name.is_empty() || model.constants.insert(name.clone(), raw).is_some() {
                    return Err(wrong(format!("it makes `{name}` twice")).into());
                }
                continue;
            }
            accept(&mut node, opset, &model.constants, path)?;
            nodes.push(node);
        }
        model.order(nodes).map_err(wrong)?;
        Ok(model)
    }

    /// Whether a stage can begin or end at a value of that name.
    pub fn has(&self, value: &str) -> bool {
        self.makers.contains_key(value) || self.inputs.iter().any(|input| input == value)
    }

    /// That it has no value of that name.
    pub fn no_value(&self, value: &str) -> Diagnostic {
        let names = || self.inputs.iter().chain(self.makers.keys());
        let fault = Diagnostic::new("BB0805", format!("`{}` has no value `{value}`", self.path));
        let near =
            names().map(|name| (distance(name, value), name)).min().filter(|(far, _)| *far <= 1 + value.len() / 3);
        let some: Vec<String> = names().take(12).map(|name| format!("`{name}`")).collect();
        let more = if names().count() > some.len() { " and more" } else { "" };
        let fault = fault.note(format!("it has {}{more}", some.join(", ")));
        match near {
            Some((_, near)) => fault.help(format!("`{near}` is one of its values")),
            None => fault.help("a model's viewer, such as Netron, shows the names of its values"),
        }
    }

    /// What it takes and gives.
    fn border(graph: &GraphProto, path: &str) -> Result<Model, Fault> {
        let given: BTreeSet<&str> = graph.initializer.iter().map(TensorProto::name).collect();
        // Up to IR version 3 weights are inputs as well, that may be given another value.
        let inputs: Vec<&ValueInfoProto> = graph.input.iter().filter(|i| !given.contains(i.name())).collect();
        let mut types = BTreeMap::new();
        for info in graph.value_info.iter().chain(&graph.output).chain(inputs.iter().copied()) {
            match tensor_type(info) {
                Some(ty) => drop(types.insert(info.name().to_owned(), ty)),
                // What is said of values inside is a help, no more.
                None if graph.value_info.contains(info) => {}
                None => {
                    let text = format!("its input or output `{}` is no tensor of elements that bb has", info.name());
                    return Err(malformed(path, &text).into());
                }
            }
        }
        let names = |infos: &mut dyn Iterator<Item = &ValueInfoProto>| infos.map(|i| i.name().to_owned()).collect();
        let model = Model {
            path: path.to_owned(),
            name: identifier(path),
            inputs: names(&mut inputs.iter().copied()),
            outputs: names(&mut graph.output.iter()),
            types,
            constants: BTreeMap::new(),
            nodes: Vec::new(),
            makers: BTreeMap::new(),
        };
        let unique: BTreeSet<&String> = model.inputs.iter().collect();
        if unique.len() != model.inputs.len() || model.inputs.iter().any(String::is_empty) {
            return Err(malformed(path, "it has an input twice, or one without a name").into());
        }
        if model.outputs.is_empty() || model.inputs.is_empty() {
            return Err(malformed(path, "it takes nothing, or gives nothing").into());
        }
        Ok(model)
    }

    /// Takes the nodes, each behind those whose values it reads.
    fn order(&mut self, nodes: Vec<NodeProto>) -> Result<(), String> {
        let mut makers: BTreeSet<&String> = BTreeSet::new();
        for node in &nodes {
            for output in node.output.iter().filter(|o| !o.is_empty()) {
                let known = self.constants.contains_key(output) || self.inputs.contains(output);
                if known || !makers.insert(output) {
                    return Err(format!("it makes `{output}` twice"));
                }
            }
        }
        for node in &nodes {
            let given = |i: &String| self.constants.contains_key(i) || self.inputs.contains(i);
            let known = |i: &String| i.is_empty() || makers.contains(i) || given(i);
            if let Some(input) = node.input.iter().find(|i| !known(i)) {
                return Err(format!("`{}` reads `{input}`, which nothing makes", node.op_type()));
            }
        }
        let circular = |Cycle(node)| format!("values of it need themselves: `{}` is part of a cycle", node.op_type());
        self.nodes = in_order(nodes).map_err(circular)?;
        for (at, node) in self.nodes.iter().enumerate() {
            self.makers.extend(node.output.iter().filter(|o| !o.is_empty()).map(|output| (output.clone(), at)));
        }
        match self.outputs.iter().find(|o| !self.has(o) && !self.constants.contains_key(*o)) {
            Some(missing) => Err(format!("nothing makes its output `{missing}`")),
            None => Ok(()),
        }
    }
}

/// That the file is not what it should be.
pub fn malformed(path: &str, what: &str) -> Diagnostic {
    let help = "`onnx.checker.check_model(path, full_check=True)` says more, if it is meant to be a model";
    Diagnostic::new("BB0802", format!("`{path}` is no model that bb can run: {what}")).help(help)
}

/// The type of a tensor of bb's elements and ranks.
fn tensor_type(info: &ValueInfoProto) -> Option<ValueType> {
    let plain = |dim: Dim| if let Dim::Size(_) = dim { dim } else { Dim::Unknown };
    match ValueType::from_proto(info.r#type.as_ref()?)? {
        ValueType::Tensor { element: element @ Some(_), shape } => {
            let shape: Option<Vec<Dim>> = shape.map(|dims| dims.into_iter().map(plain).collect());
            let sizes: Vec<u64> = shape.iter().flatten().map(|d| if let Dim::Size(n) = d { *n } else { 1 }).collect();
            Dims::new(&sizes).map(|_| ValueType::Tensor { element, shape })
        }
        _ => None,
    }
}

/// `models/digits-8.onnx` → `digits_8_onnx`.
fn identifier(path: &str) -> String {
    let stem = Path::new(path).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    format!("{}_onnx", stem.chars().map(plain).collect::<String>())
}

/// How many letters apart two names are.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let change = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = change.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
