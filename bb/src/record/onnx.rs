//! Calls of existing ONNX models: a stage of one is a function like a module's, its weights are inputs of it.

use super::{Function, Node, Recorder, Site, SiteRef, Source, TOLD, source_place, value_info, with};
use crate::onnx::{Fault, Model, Stage};
use crate::place::{PeerClass as _, Place};
use crate::typed::ValueInfo;
use bb_ir::diagnostics::Diagnostic;
use bb_ir::keys;
use bb_ir::names::{self, Names};
use bb_ir::ops::{MODULE_DOMAIN, ONNX_DOMAIN};
use bb_ir::proto::onnx::{FunctionProto, NodeProto, TensorProto};
use bb_ir::types::ValueType;
use bb_ir::views::{Metadata, attribute};
use bb_ir::weights;
use std::collections::BTreeMap;
use std::panic::Location;
use std::rc::Rc;

/// The models of a program, and their weights.
#[derive(Default)]
pub(super) struct Models {
    /// By path; `None` where something has been said about it.
    read: BTreeMap<String, Option<Rc<Model>>>,
    pub(super) weights: Vec<TensorProto>,
    weight_of: BTreeMap<(String, String), usize>,
}

impl Models {
    /// The paths of all, those that could not be read among them.
    pub(super) fn paths(&self) -> Vec<String> {
        self.read.keys().cloned().collect()
    }
    /// The number of a weight, and its name in the program.
    fn weight(&mut self, model: &Model, tensor: &TensorProto) -> (usize, String) {
        let key = (model.path.clone(), tensor.name().to_owned());
        let weights = &mut self.weights;
        let number = *self.weight_of.entry(key).or_insert_with(|| {
            let plain = names::weight(&model.name, tensor.name());
            let taken = |name: &String| weights.iter().any(|other| other.name() == name);
            let mut numbered = (1..).map(|n| names::instance(&plain, n));
            let name = if taken(&plain) { numbered.find(|name| !taken(name)) } else { Some(plain) };
            weights.push(TensorProto { name, ..tensor.clone() });
            weights.len() - 1
        });
        (number, self.weights[number].name().to_owned())
    }
}

/// The model at `path`, read once in a recording; what is wrong with it is said at each place that names it.
#[track_caller]
pub(crate) fn model(path: &str, read: impl FnOnce() -> Result<Model, Fault>) -> Option<Rc<Model>> {
    let at = Location::caller();
    let known = with(|r| r.models.read.get(path).cloned());
    if let Some(Some(model)) = known {
        return Some(model);
    }
    let found = read().map(Rc::new);
    with(|r| {
        r.models.read.insert(path.to_owned(), found.as_ref().ok().cloned());
        found.map_err(|fault| r.fail(at, *fault)).ok()
    })
}

/// Something is wrong with what is said there.
#[track_caller]
pub(crate) fn fail(fault: Diagnostic) {
    let at = Location::caller();
    with(|r| r.fail(at, fault));
}

/// A call of a stage; without one, values of which something has been said.
#[track_caller]
pub(crate) fn call_model<P: Place>(stage: Option<&Stage>, inputs: &[SiteRef], outputs: &[ValueType]) -> Source {
    let at = Location::caller();
    let infos: Vec<Vec<ValueInfo>> = outputs.iter().map(|ty| vec![ty.clone().into()]).collect();
    with(|r| {
        let sites: Vec<Site> = inputs.iter().map(|s| r.get(at, *s)).collect();
        let fault = stage.and_then(|stage| misfit(stage, &sites, outputs.len()));
        let stage = stage.filter(|_| fault.is_none());
        if let Some(fault) = fault {
            r.fail(at, fault);
        }
        let Some(stage) = stage else {
            let told = |infos: Vec<ValueInfo>| {
                let values = vec![super::model::START.to_owned(); infos.len()];
                Site { points_to: TOLD, ..Site::new(P::Class::NAME, P::MANY, TOLD, values, infos) }
            };
            return Source::new(infos.into_iter().map(told).collect());
        };
        let index = match r.by_key.get(&stage.key()) {
            Some(index) => *index,
            None => {
                let function = r.stage(at, stage);
                r.functions.push(function);
                r.by_key.insert(stage.key(), r.functions.len() - 1);
                r.functions.len() - 1
            }
        };
        let callee = &r.functions[index];
        let (name, overload) = (callee.proto.name().to_owned(), callee.proto.overload.clone());
        let handed = callee.weights.clone();
        let mut values: Vec<String> = sites.iter().filter_map(|s| s.values.first().cloned()).collect();
        values.extend(r.hand_in(at, &handed));
        let node = Node { domain: MODULE_DOMAIN.into(), op: name.into(), overload, inputs: values, ..Node::default() };
        r.op_at::<P>(at, &sites, node, &infos)
    })
}

/// Why a stage cannot be called so.
fn misfit(stage: &Stage, sites: &[Site], outputs: usize) -> Option<Diagnostic> {
    let path = &stage.model.path;
    let list = |names: &[String]| names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
    if sites.len() != stage.inputs.len() {
        let text = format!("this stage of `{path}` takes {}: {}", stage.inputs.len(), list(&stage.inputs));
        return Some(Diagnostic::new("BB0806", text).help(format!("it is given {}", sites.len())));
    }
    if outputs != stage.outputs.len() {
        let text = format!("this stage of `{path}` gives {}: {}", stage.outputs.len(), list(&stage.outputs));
        return Some(
            Diagnostic::new("BB0806", text).help(format!("{outputs} are taken: say so many on the left side")),
        );
    }
    let element = |ty: &ValueType| if let ValueType::Tensor { element, .. } = ty { *element } else { None };
    stage.inputs.iter().zip(sites).find_map(|(name, site)| {
        let takes = element(stage.model.types.get(name)?)?;
        let given = element(&site.infos.first()?.ty)?;
        (takes != given).then(|| {
            let text = format!("`{name}` of `{path}` holds {}, and is given {}", takes.name(), given.name());
            Diagnostic::new("BB0806", text).help(format!("convert it: `.cast::<{}>()`", takes.name()))
        })
    })
}

impl Recorder {
    /// Weights that a callee takes, as values of the function that is being recorded: its inputs.
    pub(super) fn hand_in(&mut self, at: &'static Location<'static>, weights: &[usize]) -> Vec<String> {
        if self.scope().bootstrap && !weights.is_empty() {
            let text = "a bootstrap calls no model: each peer starts by itself, and has only what it is bound with";
            self.fail(at, Diagnostic::new("BB0807", text).help("call it in the module, or let a component do it"));
        }
        let mut names = Vec::with_capacity(weights.len());
        for number in weights {
            let info = weight_info(&self.models.weights[*number]);
            let scope = self.scope();
            if scope.weights.insert(*number) {
                scope.function.input.push(info.name().to_owned());
                scope.function.value_info.push(info.clone());
            }
            names.push(info.name().to_owned());
        }
        names
    }

    /// Records a stage as a function of its inputs and of the weights it reads.
    fn stage(&mut self, at: &'static Location<'static>, stage: &Stage) -> Function {
        let model = &stage.model;
        let mut function = FunctionProto {
            name: Some(model.name.clone()),
            domain: Some(MODULE_DOMAIN.to_owned()),
            ..FunctionProto::default()
        };
        let unknown = ValueType::Tensor { element: None, shape: None };
        let declared = |name: &str| model.types.get(name).unwrap_or(&unknown).clone();
        // The name of each of the model's values here.
        let mut known: BTreeMap<&str, String> = BTreeMap::new();
        for (i, name) in stage.inputs.iter().enumerate() {
            let here = names::output("input", i, stage.inputs.len());
            function.value_info.push(value_info(&here, &declared(name).into()));
            function.input.push(here.clone());
            known.insert(name, here);
        }
        let mut minted = Names::default();
        let mut handed = Vec::new();
        let mut nodes = Vec::new();
        for name in &stage.constants {
            let tensor = &model.constants[name];
            if crate::onnx::is_small(tensor) {
                let here = minted.node("Constant");
                let value = attribute::tensor("value", TensorProto { name: None, ..tensor.clone() });
                nodes.push(("Constant", here.clone(), Vec::new(), vec![here.clone()], vec![value]));
                function
                    .value_info
                    .push(value_info(&here, &weights::type_of(tensor).unwrap_or(unknown.clone()).into()));
                known.insert(name, here);
            } else {
                let (number, here) = self.models.weight(model, tensor);
                function.value_info.push(weight_info(&self.models.weights[number]));
                function.input.push(here.clone());
                handed.push(number);
                known.insert(name, here);
            }
        }
        for node in stage.nodes.iter().map(|at| &model.nodes[*at]) {
            let here = minted.node(node.op_type());
            let read = |name: &String| known.get(name.as_str()).cloned().unwrap_or_default();
            let inputs = node.input.iter().map(read).collect();
            let mut outputs = Vec::new();
            for (i, name) in node.output.iter().enumerate() {
                let output = names::output(&here, i, node.output.len());
                function.value_info.push(value_info(&output, &declared(name).into()));
                outputs.push(output.clone());
                known.insert(name, output);
            }
            nodes.push((node.op_type(), here, inputs, outputs, node.attribute.clone()));
        }
        let module = self.scope().module;
        for (op, name, input, output, attribute) in nodes {
            let mut node = NodeProto {
                input,
                output,
                name: Some(name),
                op_type: Some(op.to_owned()),
                domain: Some(ONNX_DOMAIN.to_owned()),
                attribute,
                ..NodeProto::default()
            };
            // What is wrong inside is shown where the model is called.
            node.set_metadata(keys::MODULE_INSTANCE_KEY, module);
            node.set_metadata(keys::SOURCE_KEY, source_place(at).to_string());
            function.node.push(node);
        }
        function.output = stage.outputs.iter().map(|name| known[name.as_str()].clone()).collect();
        bb_ir::bindings::stamp_function_module_phase(&mut function, keys::MODULE_PHASE_BODY);
        self.overload(&mut function);
        Function::of_stage(function, handed)
    }
}

fn weight_info(tensor: &TensorProto) -> bb_ir::proto::onnx::ValueInfoProto {
    let ty = weights::type_of(tensor).expect("a weight was read as a tensor of bb's");
    value_info(tensor.name(), &ty.into())
}
