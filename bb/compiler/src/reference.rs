//! A program as ONNX's own tools read it: every op of bb's beside a function that says in operators of `ai.onnx` what it
//! means, so that a checker, an inliner and a runtime that know nothing of bb take it.
//!
//! [`Reference::whole`] is the whole program as one graph, an oracle for what the sliced one must compute: a wire is an
//! Identity per payload, a gather a sequence of its lanes. A cohort has one member, or as many as
//! [`Compiler::with_unrolled`](crate::Compiler::with_unrolled) says, whose lanes are then nodes of their own. Nobody fails
//! and nothing is late.
//! [`Reference::view`] is one class's piece, its wires being inputs and outputs of the graph.

mod bodies;
mod lanes;
mod view;

use crate::driver::Output;
use crate::imports::import_what_is_used;
use bb_ir::bindings::is_bootstrap;
use bb_ir::ops;
use bb_ir::peer::PeerId;
use bb_ir::proto::onnx::{FunctionProto, ModelProto, ValueInfoProto};
use bb_ir::version::ONNX_IR_VERSION;
use bb_ir::views::{FunctionKey, border};
use std::collections::{BTreeMap, BTreeSet};

/// What plays the parts that a program leaves to others: methods of roles, `#[bb::op]` and the caller.
#[derive(Clone, Debug, Default)]
pub struct Reference {
    bodies: BTreeMap<(String, String), Vec<FunctionProto>>,
    caller: Vec<u8>,
    leaves_unplayed: bool,
}

/// A main function without lanes, and for each of its nodes in which lane it was.
struct Main {
    function: FunctionProto,
    lanes: Vec<usize>,
}

/// Something that ONNX has no words for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{node}` has no reference meaning: {why}")]
pub struct NoReference {
    /// The node.
    pub node: String,
    /// What is not there.
    pub why: String,
}

impl Reference {
    /// Nobody plays anything yet.
    pub fn new() -> Self {
        Reference::default()
    }
    /// This function of operators of ONNX plays `domain`'s op `name`: data inputs in, all outputs out.
    pub fn with_body(self, domain: &str, name: &str, body: FunctionProto) -> Self {
        self.with_bodies(domain, name, vec![body])
    }
    /// As many functions play the op, one per lane; lanes behind the last are played by that.
    pub fn with_bodies(mut self, domain: &str, name: &str, bodies: Vec<FunctionProto>) -> Self {
        self.bodies.insert((domain.to_owned(), name.to_owned()), bodies);
        self
    }
    /// Who makes the call.
    pub fn with_caller(mut self, caller: &PeerId) -> Self {
        self.caller = caller.to_bytes().to_vec();
        self
    }
    /// Ops that nobody plays stay what they are: for who looks at the model, not for who runs it.
    pub fn leave_unplayed(self) -> Self {
        Reference { leaves_unplayed: true, ..self }
    }

    /// The whole program. Beside what it gives, its graph has as outputs what every wire brings, under the names of the
    /// values.
    ///
    /// # Errors
    /// An op that nobody plays; a gather of the first of fewer members than there are.
    pub fn whole(&self, output: &Output) -> Result<ModelProto, NoReference> {
        let root = lanes::unrolled(&output.program, &output.unrolled, &self.caller)?;
        self.model(root, &output.program)
    }

    /// The piece of `class`, every cohort being of one member. What its wires bring are inputs of the graph, what they
    /// take are outputs: the name that it has over there, and [`bb_ir::names::sent`]. What a wire brings and the program
    /// gives is one by [`bb_ir::names::given`].
    ///
    /// # Errors
    /// A class that has no piece; an op that nobody plays.
    pub fn view(&self, output: &Output, class: &str) -> Result<ModelProto, NoReference> {
        let missing = || NoReference { node: class.to_owned(), why: "the program has no piece of that class".into() };
        let partition = output.partitions.iter().find(|p| p.class == class).ok_or_else(missing)?;
        self.model(view::pure(partition, &output.program)?, &partition.model)
    }

    /// The model of a main function and of what it calls of `of`'s.
    fn model(&self, main: Main, of: &ModelProto) -> Result<ModelProto, NoReference> {
        let modules = of.functions[1..].iter().filter(|f| f.domain() == ops::MODULE_DOMAIN && !is_bootstrap(f));
        let mut functions: Vec<FunctionProto> = std::iter::once(main.function).chain(modules.cloned()).collect();
        let modules: BTreeSet<FunctionKey> = functions.iter().map(FunctionKey::of_function).collect();
        let mut written = bodies::Written::default();
        for (number, function) in functions.iter_mut().enumerate() {
            for (at, node) in function.node.iter_mut().enumerate() {
                if !node.domain().is_empty() && !modules.contains(&FunctionKey::of_node(node)) {
                    // A module that is called in several lanes is one function.
                    let lane = (number == 0).then(|| main.lanes[at]);
                    written.play(node, lane, self)?;
                }
            }
        }
        functions.extend(written.functions());
        let mut model = ModelProto {
            ir_version: Some(ONNX_IR_VERSION),
            producer_name: Some("bb".into()),
            graph: Some(border::graph(&functions[0], bb_ir::weights::of(of))),
            functions,
            ..ModelProto::default()
        };
        import_what_is_used(&mut model);
        Ok(model)
    }
}

/// The same value under another name.
fn renamed(info: &ValueInfoProto, name: &str) -> ValueInfoProto {
    ValueInfoProto { name: Some(name.to_owned()), ..info.clone() }
}
