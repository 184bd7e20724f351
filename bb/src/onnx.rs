//! Existing ONNX models, called in a module as if they were one.

mod calls;
mod constants;
mod model;
mod operators;
mod stage;

pub use calls::{OnnxInputs, OnnxOutputs};
pub(crate) use constants::is_small;
pub(crate) use model::Model;
pub(crate) use stage::Stage;

use crate::record;
use bb_ir::diagnostics::Diagnostic;
use std::path::Path;
use std::rc::Rc;

/// What is wrong with a model or a stage of one.
pub(crate) type Fault = Box<Diagnostic>;

/// An existing ONNX model, from a file of this package: `bb::onnx!("model.onnx")`.
///
/// It is read while the module is recorded. Called, it becomes a module of its own; its weights are kept once in each
/// artifact that uses them. It runs where its inputs live. To run it on several peers, take stages of it and wire what is
/// between them:
///
/// ```ignore
/// let model = bb::onnx!("digits.onnx");
/// let features: On<Edge, Tensor> = model.until("features").call(image);
/// let features = graph.wire(features, near);
/// let scores: On<Near, Tensor> = model.after("features").call(features);
/// ```
///
/// What does not fit is an error on the token: a file that is missing or malformed, an operator or an operator set that
/// bb does not have, a value that the model does not name, a type that is not the model's.
#[macro_export]
macro_rules! onnx {
    ($path:literal) => {
        $crate::__private::onnx(env!("CARGO_MANIFEST_DIR"), $path)
    };
}

/// An ONNX model, or a stage of one: see [`onnx!`](crate::onnx!).
#[derive(Clone)]
pub struct Onnx {
    /// `None`: something has been said about it.
    model: Option<Rc<Model>>,
    after: Option<Vec<String>>,
    until: Option<Vec<String>>,
}

/// The model of a file below a package's directory.
#[track_caller]
pub fn open(package: &str, path: &str) -> Onnx {
    let read = || Model::read(&Path::new(package).join(path), path);
    Onnx { model: record::model(path, read), after: None, until: None }
}

/// Names of values inside a model: one, or an array of them.
pub trait ValueNames {
    #[doc(hidden)]
    fn names(self) -> Vec<String>;
}
impl ValueNames for &str {
    fn names(self) -> Vec<String> {
        vec![self.to_owned()]
    }
}
impl<const N: usize> ValueNames for [&str; N] {
    fn names(self) -> Vec<String> {
        self.map(str::to_owned).to_vec()
    }
}

impl Onnx {
    /// The stage that gives these values of the model, and computes no more than that.
    #[track_caller]
    pub fn until(&self, values: impl ValueNames) -> Onnx {
        let values = self.known(values.names());
        Onnx { until: values.clone(), model: values.and(self.model.clone()), ..self.clone() }
    }

    /// The stage that takes these values of the model instead of its inputs.
    #[track_caller]
    pub fn after(&self, values: impl ValueNames) -> Onnx {
        let values = self.known(values.names());
        Onnx { after: values.clone(), model: values.and(self.model.clone()), ..self.clone() }
    }

    /// Runs it where `inputs` live: a value, or a tuple in the order of what it takes. What it gives is what the left
    /// side says, `On<_, Tensor<_>>` or a tuple of them; the build checks both.
    #[track_caller]
    pub fn call<I: OnnxInputs, O: OnnxOutputs<I::Place>>(&self, inputs: I) -> O {
        let stage = self.model.as_ref().and_then(|model| {
            let stage = Stage::of(model, self.after.as_deref(), self.until.as_deref());
            stage.map_err(|fault| record::fail(*fault)).ok()
        });
        let mut source = record::call_model::<I::Place>(stage.as_ref(), &inputs.sites(), &O::types());
        O::emit(&mut source)
    }

    /// The names, if the model has them all; else that is said.
    #[track_caller]
    fn known(&self, names: Vec<String>) -> Option<Vec<String>> {
        let model = self.model.as_ref()?;
        let fault = match names.iter().find(|name| !model.has(name)) {
            Some(name) => model.no_value(name),
            None if names.is_empty() => Diagnostic::new("BB0805", "a stage of a model begins and ends at values")
                .help("name one: `.until(\"features\")`"),
            None => return Some(names),
        };
        record::fail(fault);
        None
    }
}
