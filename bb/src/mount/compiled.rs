//! A module, compiled in process: for build scripts, tests and tools.

use super::{Options, dump};
use crate::module::Program;
use crate::record::{Recorded, record};
use bb_compiler::{Gates, NoReference, Output, Picture, Reference};
use bb_ir::diagnostics::Diagnostic;
use bb_ir::difference::Difference;
use bb_ir::proto::onnx::ModelProto;

/// One class's piece of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// The class.
    pub class: String,
    /// What an engine installs.
    pub bytes: Vec<u8>,
}

/// A module as it was recorded and, if nothing is wrong with it and calls can start it, compiled.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The recording.
    pub recorded: Recorded,
    /// The compiler's output. A fragment, and a program with faults, has none.
    pub output: Option<Output>,
    /// One per class of peers.
    pub artifacts: Vec<Artifact>,
    /// Everything that is wrong.
    pub diagnostics: Vec<Diagnostic>,
    /// What somebody should look at, though nothing is wrong. Of a program with faults nothing is said here.
    pub warnings: Vec<Diagnostic>,
}

/// Records and compiles a module, or any function of a graph, values and components.
pub fn compile<Args>(program: impl Program<Args>) -> Compiled {
    compile_with(program, &Options::default())
}

/// The same, with options.
pub fn compile_with<Args>(program: impl Program<Args>, options: &Options) -> Compiled {
    Compiled::of(record(program), options)
}

/// Whether the compiler says something else than a recorder that has refused a program: that is about places (`BB02nn`)
/// and parameters, from which unbound slots and malformed IR follow, and about ONNX models (`BB08nn`), of whose values no
/// type is known (`BB03nn`) and whose call reads nothing (`BB04nn`). What serves what is not settled where a name is of two
/// components (`BB0407`). What options say (`BB0412`) is no part of a recording.
fn is_news(fault: &Diagnostic, recorder: &[Diagnostic]) -> bool {
    let no_model = recorder.iter().any(|told| told.code.starts_with("BB08"));
    let of_models = no_model && ["BB03", "BB04"].iter().any(|kind| fault.code.starts_with(kind));
    let misnamed = recorder.iter().any(|told| told.code == "BB0407") && fault.code.starts_with("BB04");
    let of_options = fault.code == "BB0412";
    of_options
        || !of_models && !misnamed && !fault.code.starts_with("BB02") && !["BB0403", "BB0901"].contains(&fault.code)
}

impl Compiled {
    pub(super) fn of(recorded: Recorded, options: &Options) -> Self {
        let model = recorded.model.clone();
        Compiled::made(recorded, model, options)
    }

    /// For who does not look at the recorded model again: it is used up.
    pub(super) fn using_up(mut recorded: Recorded, options: &Options) -> Self {
        let model = std::mem::take(&mut recorded.model);
        Compiled::made(recorded, model, options)
    }

    fn made(recorded: Recorded, model: ModelProto, options: &Options) -> Self {
        let mut compiled = Compiled {
            diagnostics: recorded.diagnostics.clone(),
            recorded,
            output: None,
            artifacts: Vec::new(),
            warnings: Vec::new(),
        };
        if compiled.recorded.entry().is_none() {
            return compiled;
        }
        match options.compiler(&compiled.recorded).compile_owned(model) {
            // What the recorder refuses is no program, whatever the compiler makes of it.
            Ok(_) if !compiled.diagnostics.is_empty() => {}
            Ok(output) => {
                let classes = output.partitions.iter().map(|partition| partition.class.clone());
                compiled.artifacts =
                    classes.zip(output.artifacts()).map(|(class, bytes)| Artifact { class, bytes }).collect();
                compiled.warnings.clone_from(&output.warnings);
                compiled.output = Some(output);
            }
            Err(error) => {
                let mut found: Vec<Diagnostic> = error.into();
                let recorder = &compiled.recorded.diagnostics;
                found.retain(|fault| recorder.is_empty() || is_news(fault, recorder));
                compiled.diagnostics.extend(found);
            }
        }
        if let Some(directory) = options.dump_directory(&compiled.recorded.name) {
            dump::whole(&directory, compiled.output.as_ref());
        }
        compiled
    }

    /// What the program looks like, if it compiles: to be written as Mermaid, Graphviz or SVG.
    pub fn picture(&self, gates: Gates) -> Option<Picture> {
        let output = self.output.as_ref()?;
        Some(Picture::of(output.partitions.iter().map(|p| &p.model), gates))
    }

    /// The whole program as one graph of ONNX's own operators, if it compiles: what its pieces together have to compute.
    /// `played` says what the methods of roles and `#[bb::op]` functions mean. Cohorts have as many members as
    /// [`Options::unroll`] says, or one.
    ///
    /// ```
    /// use bb::prelude::*;
    /// use bb::{Options, Reference};
    ///
    /// #[derive(bb::Peer)]
    /// pub struct Server;
    /// #[derive(bb::Peer)]
    /// pub struct Client;
    ///
    /// let halves = |graph: &Graph, x: On<Server, Tensor>, to: On<Server, Peers<Client>>| -> On<Server, Tensor> {
    ///     let there = graph.wire(x, to);
    ///     graph.wire(there * 0.5, there.sender::<Server>()).mean()
    /// };
    /// let of_three = bb::compile_with(halves, &Options::default().unroll::<Client>(3));
    /// let model = of_three.whole(&Reference::new()).expect("it compiles").expect("it has no roles");
    /// let halved = model.functions[0].node.iter().filter(|node| node.op_type() == "Mul");
    /// assert_eq!(halved.count(), 3);
    /// assert_eq!(of_three.artifacts, bb::compile(halves).artifacts);
    /// ```
    ///
    /// # Errors
    /// An op that nobody plays; a gather of the first of fewer members than there are.
    pub fn whole(&self, played: &Reference) -> Option<Result<ModelProto, NoReference>> {
        Some(played.whole(self.output.as_ref()?))
    }

    /// What is different in `other`, which this has become, in words. Of a program that does not compile nothing is there.
    ///
    /// ```
    /// use bb::prelude::*;
    ///
    /// #[derive(bb::Peer)]
    /// pub struct Server;
    /// #[derive(bb::Peer)]
    /// pub struct Client;
    ///
    /// let before = bb::compile(|graph: &Graph, x: On<Server, Tensor>, to: On<Server, Peer<Client>>| -> On<Client, Tensor> {
    ///     graph.wire(x, to)
    /// });
    /// let after = bb::compile(|graph: &Graph, x: On<Server, Tensor>, to: On<Server, Peer<Client>>| -> On<Client, Tensor> {
    ///     graph.wire(x, to).exp()
    /// });
    /// let difference = before.difference(&after);
    /// assert!(difference.changes[0].text.starts_with("`Exp` on `Client` is new"));
    /// ```
    pub fn difference(&self, other: &Compiled) -> Difference {
        Difference::of(self.models(), other.models())
    }

    fn models(&self) -> impl Iterator<Item = &ModelProto> {
        self.output.iter().flat_map(|output| &output.partitions).map(|p| &p.model)
    }

    /// The piece of that class.
    pub fn artifact(&self, class: &str) -> Option<&Artifact> {
        self.artifacts.iter().find(|a| a.class == class)
    }
}
