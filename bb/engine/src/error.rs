//! Why an artifact cannot be installed, and why a value cannot be staged.

/// Why an artifact cannot be installed. Nothing of it is kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// The bytes are no model.
    #[error("this is not an artifact: {0}\n  help: pass what the build wrote for this class, `graph::module::Class`")]
    NotAnArtifact(String),
    /// A model without the compiler's passport.
    #[error("the model is not compiled\n  help: install what the compiler gives, not what was recorded")]
    NotCompiled,
    /// A passport of another version.
    #[error("the artifact was compiled as `{0}`, this engine reads `{expected}`\n  help: build program and engine with one version of bb", expected = bb_ir::keys::COMPILED_CURRENT_VERSION)]
    IncompatibleCompiledVersion(String),
    /// The binding table cannot be read.
    #[error("the artifact's binding table has the row `{0}`, which is none\n  help: build the program again")]
    InvalidBindingTable(String),
    /// The binding table is another partition's.
    #[error("the artifact binds slots of `{0}`, which it does not hold\n  help: build the program again")]
    UnknownTarget(String),
    /// A slot without a component.
    #[error("the slot `{slot}` (a `{role}`) is not bound\n  help: give the handle's field `{slot}` a component")]
    UnboundSlot {
        /// The slot.
        slot: String,
        /// The role it needs.
        role: String,
    },
    /// A component that the program names, of a type that this binary does not have.
    #[error(
        "no component of the type `{component}` is linked into this binary, and `{slot}` is one\n  help: link the crate whose `#[bb::component]` it is, or bind another: `Node::builder().bind(\"{slot}\", …)`"
    )]
    UnlinkedComponent {
        /// What the program calls it.
        slot: String,
        /// Its type.
        component: String,
    },
    /// Two types of components of one name.
    #[error(
        "two types of components in this binary are called `{component}`\n  help: call one of them otherwise: `#[bb::component(name = \"…\")]`"
    )]
    AmbiguousComponent {
        /// The name.
        component: String,
    },
    /// A component needs one that the program does not have on this class.
    #[error(
        "the component `{slot}` needs a `{role}` called `{needs}`, and there is {there} of that name on this class\n  help: give the program a `{needs}` that plays `{role}`, or `{slot}` a component that does without"
    )]
    UnmetNeed {
        /// What the program calls it.
        slot: String,
        /// The name it asks for.
        needs: String,
        /// And the role.
        role: String,
        /// What there is.
        there: String,
    },
    /// Components need each other.
    #[error(
        "the component `{slot}` needs itself, by way of what it needs\n  help: take one of the `needs(…)` out: what both use may be a component of its own"
    )]
    NeedsItself {
        /// What the program calls it.
        slot: String,
    },
    /// An op that nothing in this binary runs.
    #[error("no kernel for `{op}` of `{domain}` is linked into this binary\n  help: {help}")]
    UnknownOp {
        /// The op's domain; empty = `ai.onnx`.
        domain: String,
        /// The op.
        op: String,
        /// What to do.
        help: &'static str,
    },
    /// An op whose kernel does not take its attributes.
    #[error("the node `{node}` cannot run: {reason}")]
    BadNode {
        /// The node.
        node: String,
        /// Why.
        reason: String,
    },
    /// The artifact breaks a rule of the IR.
    #[error("the artifact breaks the rule {0}\n  help: build the program again")]
    Broken(bb_ir::verify::Violation),
    /// The artifact contradicts itself.
    #[error("the artifact is malformed: {0}\n  help: build the program again")]
    Malformed(String),
    /// The class is hosted for this program already.
    #[error("the class `{class}` of `{program}` is hosted by this node already")]
    AlreadyHosted {
        /// The program.
        program: String,
        /// The class.
        class: String,
    },
    /// Two sites have one address.
    #[error("two wires of the installed programs share an address\n  help: rename one of the programs")]
    AddressCollision,
    /// It has more nodes than an engine holds.
    #[error("the program has more than {max} nodes when its sub-modules are spread out")]
    TooLarge {
        /// The bound.
        max: usize,
    },
    /// A Hello could not tell it any more.
    #[error("with this the node hosts more than it can tell its peers: {0}\n  help: host it on a node of its own")]
    TooMuchHosted(String),
}

/// Why a value cannot be staged for a bootstrap. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StageError {
    /// The bootstrap does not take it, or there is none.
    #[error("the bootstrap of `{program}` takes no `{name}` here\n  help: it takes {}", listed(.takes))]
    NoSuchInput {
        /// The program.
        program: String,
        /// The value's name.
        name: String,
        /// What its part on this class takes.
        takes: Vec<String>,
    },
    /// It is of another type, or contradicts what is staged already.
    #[error("`{name}` does not fit: {expected}")]
    WrongType {
        /// The value's name.
        name: String,
        /// What it should be, and what it is.
        expected: String,
    },
    /// There is one of that name.
    #[error("`{0}` is staged already, and the bootstrap waits for other values")]
    AlreadyStaged(String),
    /// The bootstrap has begun: nothing can be changed any more. A durable node that was started again may have begun it
    /// before.
    #[error("the bootstrap of `{0}` has begun with what was staged before")]
    Begun(String),
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        "nothing".to_owned()
    } else {
        names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
    }
}
