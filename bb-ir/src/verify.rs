//! Whether a model keeps the contract, at its level.
//!
//! [`verify`] runs after every pass and reports everything it finds. It is linear in the number of ops and total: any
//! model that decodes is answered with a list. Checks are rows of one table, each with the levels at which it holds.

mod body;
mod bootstrap;
mod carriers;
mod flow;
mod guards;
mod keys;
mod offers;
mod ops;
mod part;
mod places;
mod program;
mod said;
mod sealed;
mod types;
mod wires;

use crate::index::NodeIx;
use crate::proto::onnx::{ModelProto, NodeProto};
use crate::workers::in_parts;
use body::Body;
pub use part::Part;
use program::Program;
use said::Kind;
use std::fmt;
use std::ops::Range;

/// How far a model has come. It only rises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// As the recorder makes it.
    Recorded,
    /// Every value has an element type.
    Typed,
    /// Every node of the root has a class and a place.
    Placed,
    /// Every wire is a Send and a Recv.
    Cut,
    /// What the engine installs.
    Sealed,
}

macro_rules! rules { ($($(#[doc = $doc:literal])* $name:ident;)*) => {
    /// What a violation violates.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    #[non_exhaustive]
    pub enum Rule { $($(#[doc = $doc])* $name),* }
    impl Rule {
        /// Every rule.
        pub const ALL: &[Rule] = &[$(Rule::$name),*];

        /// What holds where it is kept.
        pub const fn meaning(self) -> &'static str {
            match self { $(Rule::$name => concat!($($doc),*).trim_ascii_start()),* }
        }
    }
} }
rules! {
    /// The model states the versions of ONNX and of the operator sets that bb writes.
    Versions;
    /// The first function is the root module.
    Root;
    /// The graph is one call of the root.
    Graph;
    /// A weight is an initialiser of the graph that the root takes, whole and of the type the root says.
    Weight;
    /// Functions differ in domain, name or overload.
    DuplicateFunction;
    /// Every key in bb's namespace is in the table of keys.
    UnknownKey;
    /// Keys stand only where the table says.
    MisplacedKey;
    /// What stands under a key has its form.
    MalformedKey;
    /// No key and no attribute stands twice on one thing.
    DuplicateKey;
    /// Every op is known.
    UnknownOp;
    /// Every operator set in use is imported.
    OpsetNotImported;
    /// Ops have as many inputs and outputs as they take and give.
    Arity;
    /// A carrier stands in a root from *cut* on, and its region is a whole graph of operators with its inputs and outputs.
    Carrier;
    /// Every call has a callee.
    MissingCallee;
    /// A sealed partition holds no function that nobody calls, but its main and its bootstrap.
    Uncalled;
    /// A role op says which slot or component serves it.
    UnservedRole;
    /// Every value that is read is made.
    DanglingInput;
    /// Values are made before they are read.
    NotTopological;
    /// Every value is made once.
    DuplicateValue;
    /// Every output of a function is made.
    DanglingOutput;
    /// Every node has a name.
    MissingNodeName;
    /// Names of nodes are unique in their function.
    DuplicateNodeName;
    /// A node has as many inputs as it says it waits for, and ops only wait for triggers.
    ControlCount;
    /// Every value of a module has a type.
    MissingType;
    /// Types are those of the contract.
    UnknownType;
    /// From *typed* on, element types are known.
    UnresolvedType;
    /// From *typed* on, a constant is of the type that it says.
    ConstantType;
    /// A Send has the shape of its level.
    SendShape;
    /// A Recv has its shape, and stands in no model before *cut*.
    RecvShape;
    /// A Gather has its shape and closes a lane.
    GatherShape;
    /// Every half of a wire has an id, which no other half on its side has.
    WireId;
    /// What two halves in one model say of their wire agrees.
    WireHalves;
    /// Rows of the table of places have their form, and place 0 is the entry.
    PlaceTable;
    /// Every node of the root stands at a place of the table, whose class is its own.
    Unplaced;
    /// All inputs of a node are at its place.
    TwoPlaces;
    /// A wire leaves the place of its Send and arrives at that of its Recv, where the peers are that it is sent to.
    WirePlaces;
    /// A gate or a check has the shape of its op and the number or time of what it guards, and stands in no model before *cut*.
    GateShape;
    /// From *cut* on, a Send says how far its path back is and how long it may take.
    Deadline;
    /// The model carries the passport of its compilation.
    Passport;
    /// Rows of the binding table have their form, one per slot, and every slot in use has one, for its role.
    BindingTable;
    /// A Send names the sites it fills.
    Destination;
    /// Both halves say what their wire carries, and values are read of one that carries data alone.
    Transport;
    /// Every wire is one of the program's, between the same classes and with payloads of the same types; of those that leave
    /// or reach a partition's class none is missing.
    ProgramWire;
    /// A value the program gives is read by no node.
    OutputRead;
    /// There is at most one bootstrap: it takes its start first, gives and sends nothing, and is sealed for one class.
    Bootstrap;
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// Which rule it violates.
    pub rule: Rule,
    /// The function it stands in, with its overload behind a colon; none for the model itself.
    pub function: Option<String>,
    /// The node.
    pub node: Option<String>,
    /// The value.
    pub value: Option<String>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.rule)?;
        let places = [("function", &self.function), ("node", &self.node), ("value", &self.value)];
        for (what, name) in places.iter().filter_map(|(what, name)| Some((what, name.as_ref()?))) {
            write!(f, " {what} `{name}`")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// A check, by what it looks at.
#[derive(Clone, Copy)]
enum Look {
    Model(fn(&Program<'_>, &mut Report)),
    Body(fn(&Program<'_>, &Body<'_>, &mut Report)),
    Node(fn(&Program<'_>, &Body<'_>, &NodeProto, &mut Report)),
    /// At the nodes of a kind alone.
    Of(Kind, fn(&Program<'_>, &Body<'_>, &NodeProto, &mut Report)),
    /// At a node, by its number: what it reads, who makes that and where it lives.
    Edges(fn(&Program<'_>, &Body<'_>, NodeIx, &mut Report)),
}

struct Check {
    since: Level,
    look: Look,
}

const CHECKS: &[Check] = &[
    Check { since: Level::Recorded, look: Look::Model(program::versions) },
    Check { since: Level::Recorded, look: Look::Model(program::root) },
    Check { since: Level::Recorded, look: Look::Model(program::graph) },
    Check { since: Level::Recorded, look: Look::Model(program::weights) },
    Check { since: Level::Recorded, look: Look::Model(program::duplicate_functions) },
    Check { since: Level::Recorded, look: Look::Model(bootstrap::one) },
    Check { since: Level::Recorded, look: Look::Body(bootstrap::border) },
    Check { since: Level::Recorded, look: Look::Body(bootstrap::nodes) },
    Check { since: Level::Recorded, look: Look::Model(keys::model) },
    Check { since: Level::Recorded, look: Look::Body(keys::body) },
    Check { since: Level::Recorded, look: Look::Edges(keys::node) },
    Check { since: Level::Recorded, look: Look::Edges(ops::known) },
    Check { since: Level::Recorded, look: Look::Edges(ops::imported) },
    Check { since: Level::Recorded, look: Look::Of(Kind::Role, ops::served) },
    Check { since: Level::Recorded, look: Look::Body(flow::border) },
    Check { since: Level::Recorded, look: Look::Edges(flow::values) },
    Check { since: Level::Recorded, look: Look::Edges(flow::node_names) },
    Check { since: Level::Recorded, look: Look::Edges(flow::control) },
    Check { since: Level::Typed, look: Look::Edges(flow::triggers) },
    Check { since: Level::Recorded, look: Look::Body(types::present) },
    Check { since: Level::Typed, look: Look::Body(types::resolved) },
    Check { since: Level::Typed, look: Look::Of(Kind::Onnx, types::constant) },
    Check { since: Level::Recorded, look: Look::Of(Kind::Wire, wires::shape) },
    Check { since: Level::Recorded, look: Look::Of(Kind::Gate, wires::gates) },
    Check { since: Level::Cut, look: Look::Of(Kind::Wire, wires::deadlines) },
    Check { since: Level::Recorded, look: Look::Body(wires::ids) },
    Check { since: Level::Cut, look: Look::Body(wires::halves) },
    Check { since: Level::Placed, look: Look::Model(places::table) },
    Check { since: Level::Placed, look: Look::Edges(places::placed) },
    Check { since: Level::Placed, look: Look::Edges(places::one_place) },
    Check { since: Level::Cut, look: Look::Of(Kind::Wire, places::wires) },
    Check { since: Level::Cut, look: Look::Of(Kind::Wire, places::peers) },
    Check { since: Level::Cut, look: Look::Body(places::awaited) },
    Check { since: Level::Sealed, look: Look::Model(sealed::passport) },
    Check { since: Level::Sealed, look: Look::Model(sealed::bindings) },
    Check { since: Level::Sealed, look: Look::Node(sealed::bound) },
    Check { since: Level::Sealed, look: Look::Of(Kind::Role, sealed::named) },
    Check { since: Level::Sealed, look: Look::Of(Kind::Wire, sealed::destinations) },
    Check { since: Level::Sealed, look: Look::Of(Kind::Wire, sealed::transport) },
    Check { since: Level::Sealed, look: Look::Body(offers::wires) },
    Check { since: Level::Sealed, look: Look::Body(offers::halves) },
    Check { since: Level::Sealed, look: Look::Body(offers::transport) },
    Check { since: Level::Sealed, look: Look::Body(guards::numbers) },
    Check { since: Level::Sealed, look: Look::Model(sealed::border) },
    Check { since: Level::Sealed, look: Look::Model(sealed::called) },
    Check { since: Level::Sealed, look: Look::Body(sealed::outputs_unread) },
];

/// Everything that is wrong with `model` at `level`, in the order of the table of checks and of the model.
pub fn verify(model: &ModelProto, level: Level) -> Vec<Violation> {
    verify_part(model, level, Part::All)
}

/// The same, of a model without violations at *placed* or above of which no more than `part` has been changed since: of
/// nodes that are as they were, and read what they read, nothing is looked at again but their names and the order of
/// values. Checks of models and functions look at all there is.
pub fn verify_part(model: &ModelProto, level: Level, part: Part) -> Vec<Violation> {
    verify_with(model, level, part, 1)
}

/// The same, large functions by so many threads, of which the caller's is one.
pub fn verify_with(model: &ModelProto, level: Level, part: Part, workers: usize) -> Vec<Violation> {
    let program = Program::new(model, level, part, workers);
    let checks: Vec<(usize, Look)> =
        (0..).zip(CHECKS).filter(|(_, check)| check.since <= level).map(|(row, check)| (row, check.look)).collect();
    let mut report = Report::default();
    let mut of_nodes = Vec::with_capacity(checks.len());
    for (row, look) in checks {
        report.row = row;
        match look {
            Look::Model(look) => look(&program, &mut report),
            Look::Body(look) => program.bodies.iter().for_each(|body| look(&program, body, &mut report)),
            Look::Node(_) | Look::Of(..) | Look::Edges(_) => of_nodes.push((row, look)),
        }
    }
    let of_kinds = Kind::ALL.map(|kind| {
        let of_kind = of_nodes.iter().filter(|(_, look)| !matches!(look, Look::Of(other, _) if *other != kind));
        of_kind.copied().collect::<Vec<_>>()
    });
    for body in &program.bodies {
        let of_part = |nodes| look_at_nodes(&program, body, nodes, &of_kinds);
        report.violations.extend(in_parts(workers, body.function.node.len(), of_part));
    }
    report.in_order()
}

/// One walk for all checks of nodes, those of each kind of node in a list: each node is fetched from memory once.
fn look_at_nodes(
    program: &Program<'_>,
    body: &Body<'_>,
    nodes: Range<usize>,
    checks: &[Vec<(usize, Look)>],
) -> Vec<(usize, Violation)> {
    let mut found = Report::default();
    let report = &mut found;
    for at in nodes.map(NodeIx::new).filter(|at| body.looks_at(*at)) {
        let node = body.index.node(at);
        for (row, look) in checks[body.kind(at) as usize].iter().copied() {
            report.row = row;
            match look {
                Look::Node(look) | Look::Of(_, look) => look(program, body, node, report),
                Look::Edges(look) => look(program, body, at, report),
                Look::Model(_) | Look::Body(_) => {}
            }
        }
    }
    found.violations
}

/// What is wrong with the wires of `model` at `level`.
pub fn wire_shape(model: &ModelProto, level: Level) -> Vec<Violation> {
    const WIRES: &[Rule] = &[
        Rule::SendShape,
        Rule::RecvShape,
        Rule::GatherShape,
        Rule::WireId,
        Rule::WireHalves,
        Rule::WirePlaces,
        Rule::GateShape,
        Rule::Deadline,
        Rule::Destination,
        Rule::Transport,
        Rule::ProgramWire,
    ];
    let mut violations = verify(model, level);
    violations.retain(|violation| WIRES.contains(&violation.rule));
    violations
}

/// What has been found so far, by the rows of the checks that found it.
#[derive(Default)]
struct Report {
    row: usize,
    violations: Vec<(usize, Violation)>,
}

impl Report {
    fn in_order(mut self) -> Vec<Violation> {
        self.violations.sort_by_key(|(row, _)| *row);
        self.violations.into_iter().map(|(_, violation)| violation).collect()
    }
    fn push(&mut self, violation: Violation) {
        self.violations.push((self.row, violation));
    }
    fn model(&mut self, rule: Rule, message: impl Into<String>) {
        self.push(Violation { rule, function: None, node: None, value: None, message: message.into() });
    }
    fn body(&mut self, body: &Body<'_>, rule: Rule, message: impl Into<String>) {
        let function = Some(body.name());
        self.push(Violation { rule, function, node: None, value: None, message: message.into() });
    }
    fn value(&mut self, body: &Body<'_>, value: &str, rule: Rule, message: impl Into<String>) {
        let (function, value) = (Some(body.name()), Some(value.to_owned()));
        self.push(Violation { rule, function, node: None, value, message: message.into() });
    }
    fn node(&mut self, body: &Body<'_>, node: &NodeProto, rule: Rule, message: impl Into<String>) {
        let (function, node) = (Some(body.name()), Some(node.name().to_owned()));
        self.push(Violation { rule, function, node, value: None, message: message.into() });
    }
    fn input(&mut self, body: &Body<'_>, node: &NodeProto, value: &str, rule: Rule, message: impl Into<String>) {
        let (function, node) = (Some(body.name()), Some(node.name().to_owned()));
        let value = Some(value.to_owned());
        self.push(Violation { rule, function, node, value, message: message.into() });
    }
}

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
