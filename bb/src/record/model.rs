//! From a recording to an ONNX model.

use super::{Graph, RECORDER, Recorder, Site, bootstrap, value_info, with};
use crate::module::{Given, OutputInfo, ParamInfo};
use bb_ir::component::ComponentDecl;
use bb_ir::diagnostics::Diagnostic;
use bb_ir::keys;
use bb_ir::ops::ONNX_DOMAIN;
use bb_ir::proto::onnx::{FunctionProto, ModelProto, OperatorSetIdProto};
use bb_ir::types::ValueType;
use bb_ir::version::{BB_OPSET, FRAMEWORK_IR_VERSION, ONNX_IR_VERSION, ONNX_OPSET};
use bb_ir::views::{Metadata, border};
use std::collections::BTreeSet;

/// The name of the value that opening the entry frame writes.
pub(super) const START: &str = "start";
/// The module around a program that is a plain function or a closure.
const MAIN: &str = "main";

/// A module as it was recorded.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The root module's name.
    pub name: String,
    /// The program: see the contract's level *recorded*.
    pub model: ModelProto,
    /// What its parameters are.
    pub params: Vec<ParamInfo>,
    /// What it gives back.
    pub outputs: Vec<OutputInfo>,
    /// Every class of peers that takes part, sorted.
    pub classes: Vec<&'static str>,
    /// What is wrong with it so far, sorted.
    pub diagnostics: Vec<Diagnostic>,
    /// The models that are called, by their paths below the package.
    pub models: Vec<String>,
    /// The types of components that the program names.
    pub components: Vec<ComponentDecl>,
    /// The name of the type of the root module's function, where the program is one.
    pub root: Option<String>,
}

impl Recorded {
    /// The class a call starts on: the one all value inputs live on. A module without one is a fragment.
    pub fn entry(&self) -> Option<&'static str> {
        crate::module::entry(&self.params)
    }
}

impl Recorder {
    /// Declares `start`, the first input.
    pub(super) fn start(&mut self) {
        let scope = self.scope();
        let mut info = value_info(START, &ValueType::Trigger.into());
        if let Some(entry) = scope.entry {
            info.set_metadata(keys::HOME_CLASS_KEY, entry);
        }
        scope.function.value_info.push(info);
        scope.function.input.push(START.into());
    }
}

/// Records what `body` does. `declare` gives it its parameters.
pub(crate) fn record_main<A, R>(
    params: Vec<ParamInfo>,
    declare: impl FnOnce() -> A,
    given: &Given<R>,
    body: impl FnOnce(&Graph, A) -> R,
) -> Recorded {
    let before = RECORDER.replace(Some(Recorder::default()));
    let restore = Restore(before);
    with(|r| {
        r.push(MAIN, true, crate::module::entry(&params));
        r.start();
    });
    let args = declare();
    let mut sites = Vec::new();
    (given.sites)(&body(&Graph { start: None }, args), &mut sites);
    let outputs = with(|r| {
        let outputs: Vec<Site> = sites.into_iter().map(|s| r.get(std::panic::Location::caller(), s)).collect();
        r.scope().function.output = outputs.iter().flat_map(|s| s.values.clone()).collect();
        outputs
    });
    let root = with(|r| r.root());
    if let Some((key, root)) = &root {
        bootstrap::of_root(key, root, crate::module::entry(&params).is_some());
    }
    let recorder = with(std::mem::take);
    drop(restore);
    let mut infos = (given.infos)();
    for (info, site) in infos.iter_mut().zip(outputs) {
        info.at_entry = site.instance == super::ORIGIN;
    }
    finish(recorder, params, infos, root.map(|(key, _)| key))
}

/// Puts back what the thread was recording before, also when a body panics.
struct Restore(Option<Recorder>);
impl Drop for Restore {
    fn drop(&mut self) {
        RECORDER.replace(self.0.take());
    }
}

/// Records a module, or any function or closure of a graph and parameters.
pub fn record<Args>(program: impl crate::module::Program<Args>) -> Recorded {
    program.record()
}

fn finish(mut r: Recorder, params: Vec<ParamInfo>, outputs: Vec<OutputInfo>, root: Option<String>) -> Recorded {
    let main = r.scopes.pop().expect("pushed above").function;
    let mut functions: Vec<FunctionProto> = r.functions.into_iter().map(|f| f.proto).collect();
    let bootstrap = r.bootstrap.map(|b| (functions.split_off(b.functions_before), b.function));
    // Callees are finished before their callers: the root comes first, then what it calls.
    functions.reverse();
    if let Some((called, function)) = bootstrap {
        functions.push(function);
        functions.extend(called.into_iter().rev());
    }
    if root.is_none() {
        let mut main = main;
        bb_ir::bindings::stamp_function_module_phase(&mut main, keys::MODULE_PHASE_BODY);
        functions.insert(0, main);
    }
    for function in &mut functions {
        function.opset_import = opsets(std::slice::from_ref(function));
    }
    let two_of_one_name = r.components.stamp(&mut functions[0]);
    r.diagnostics.extend(two_of_one_name);
    let name = functions[0].name().to_owned();
    let mut model = ModelProto {
        ir_version: Some(ONNX_IR_VERSION),
        producer_name: Some("bb".into()),
        opset_import: opsets(&functions),
        graph: Some(border::graph(&functions[0], &r.models.weights)),
        functions,
        ..ModelProto::default()
    };
    model.set_metadata(keys::FRAMEWORK_IR_VERSION_KEY, FRAMEWORK_IR_VERSION);
    model.set_metadata(keys::PROGRAM_NAME_KEY, name.clone());
    let mut diagnostics = r.diagnostics;
    diagnostics.sort();
    diagnostics.dedup();
    let models = r.models.paths();
    let components = r.components.declarations();
    let classes = r.classes.into_iter().filter(|c| !c.is_empty()).collect();
    Recorded { name, model, params, outputs, classes, diagnostics, models, components, root }
}

/// The operator sets of all domains that these functions use and are.
fn opsets(functions: &[FunctionProto]) -> Vec<OperatorSetIdProto> {
    let mut domains = BTreeSet::from([ONNX_DOMAIN]);
    for function in functions {
        domains.extend(bb_ir::ops::domains(&function.node));
        domains.insert(function.domain());
    }
    let version = |d: &str| if d == ONNX_DOMAIN { ONNX_OPSET } else { BB_OPSET };
    domains.into_iter().map(|d| OperatorSetIdProto { domain: Some(d.to_owned()), version: Some(version(d)) }).collect()
}
