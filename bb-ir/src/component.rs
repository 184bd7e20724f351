//! What an engine calls: kernels of stateless ops, and components that play roles.

use crate::needs::Need;
use crate::proto::onnx::NodeProto;
use crate::types::ElementKind;
use crate::value::Value;
use std::fmt;

/// A component depends on another slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DependencyDecl {
    /// The role it needs.
    pub role: &'static str,
    /// The slot that serves it.
    pub slot: &'static str,
}

/// What a type of components says of itself while a program is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComponentDecl {
    /// Its `Storage::TYPE`: package and name.
    pub ty: &'static str,
    /// The role it plays.
    pub role: &'static str,
    /// What its tensors of any element hold.
    pub element: Option<ElementKind>,
    /// The components it needs.
    pub dependencies: &'static [DependencyDecl],
}

/// A type of components that a binary can build by itself.
#[derive(Clone, Copy)]
pub struct ComponentEntry {
    /// Its `Storage::TYPE`.
    pub ty: &'static str,
    /// The components it needs.
    pub needs: &'static [DependencyDecl],
    /// Builds one by `Default`.
    pub make: fn() -> Box<dyn Component>,
}

/// Builds a component of the type that a program names, where it names one and that is among these.
pub fn built(entries: &[ComponentEntry], ty: Option<&str>) -> Option<Box<dyn Component>> {
    let entry = entries.iter().find(|entry| Some(entry.ty) == ty)?;
    Some((entry.make)())
}

/// Why an op failed: one sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpError(pub String);
impl OpError {
    /// An error with this text.
    pub fn new(text: impl Into<String>) -> Self {
        OpError(text.into())
    }
}
impl fmt::Display for OpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for OpError {}

/// A stateless op, made once per node at install.
pub trait Kernel: Send + Sync {
    /// Reads `inputs`, in the node's order and without its control inputs (they may be taken out), and pushes the
    /// node's outputs.
    fn run(&self, inputs: &mut [Value], outputs: &mut Vec<Value>) -> Result<(), OpError>;
}
impl<F: Fn(&mut [Value], &mut Vec<Value>) -> Result<(), OpError> + Send + Sync> Kernel for F {
    fn run(&self, inputs: &mut [Value], outputs: &mut Vec<Value>) -> Result<(), OpError> {
        self(inputs, outputs)
    }
}

/// Which op a binary can run, and how its kernel is made.
#[derive(Clone, Copy)]
pub struct KernelEntry {
    /// The op's domain; empty = `ai.onnx`.
    pub domain: &'static str,
    /// The op type.
    pub op: &'static str,
    /// Makes the kernel of one node; reads its attributes, and says what is wrong with them.
    pub build: fn(&NodeProto) -> Result<Box<dyn Kernel>, OpError>,
}

/// Why a component's method has no results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ComponentFailure {
    /// It says so.
    Error(String),
    /// It panicked; the component takes no more calls.
    Panicked(String),
    /// It panicked before.
    Refused,
}

/// A component bound to a slot: its methods by name.
pub trait Component: Send {
    /// Runs one method. `inputs` are the method's arguments.
    fn run(&mut self, method: &str, inputs: Vec<Value>) -> Result<Vec<Value>, OpError>;
    /// Whether this method is cheap enough to run within `poll`.
    fn inline(&self, _method: &str) -> bool {
        false
    }
    /// What it holds, for a node that survives a crash; `None` where that is nothing.
    fn checkpoint(&self) -> Option<Vec<u8>> {
        None
    }
    /// Puts back what [`Component::checkpoint`] gave.
    ///
    /// # Errors
    /// Says what is wrong with the bytes.
    fn restore(&mut self, _state: &[u8]) -> Result<(), OpError> {
        Err(OpError::new("it keeps no state"))
    }
    /// The components it needs, each with where its host puts it before any method runs.
    fn needs(&mut self) -> Vec<Need<'_>> {
        Vec::new()
    }
}

impl<C: Component + ?Sized> Component for Box<C> {
    fn run(&mut self, method: &str, inputs: Vec<Value>) -> Result<Vec<Value>, OpError> {
        (**self).run(method, inputs)
    }
    fn inline(&self, method: &str) -> bool {
        (**self).inline(method)
    }
    fn checkpoint(&self) -> Option<Vec<u8>> {
        (**self).checkpoint()
    }
    fn restore(&mut self, state: &[u8]) -> Result<(), OpError> {
        (**self).restore(state)
    }
    fn needs(&mut self) -> Vec<Need<'_>> {
        (**self).needs()
    }
}
