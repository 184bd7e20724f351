//! The recorder: while a module's function runs, every op, wire and call it makes becomes a node of an ONNX function.
//!
//! There is one per thread, because operators have no room for a `graph` argument. What a Rust type cannot say about a
//! place (which of two peers of one class it is) is kept here as an *instance* number per value, and checked where
//! values meet.

mod bootstrap;
mod call;
mod concrete;
mod gather;
mod meet;
mod model;
mod onnx;
mod op;
mod syscall;
mod wire;

#[cfg(feature = "build")]
pub(crate) use bootstrap::panicked_in;
pub use bootstrap::{Bootstrap, bootstrap, here};
pub use call::{call, declare, declare_slot, parameters_at};
use concrete::Concrete;
pub use concrete::concrete;
pub use gather::Policy;
pub(crate) use gather::{close_lane, closed, open_lane, policy};
pub(crate) use meet::starts;
pub(crate) use model::record_main;
pub use model::{Recorded, record};
pub(crate) use onnx::{call_model, fail, model};
pub use op::{Source, method, own_op};
pub(crate) use op::{Yields, cast_node, constant, onnx};
pub(crate) use syscall::{Gives, syscall};
pub(crate) use wire::{origin, sender, wire};

use crate::place::Many;
use crate::typed::ValueInfo;
use bb_ir::diagnostics::{Diagnostic, SourcePlace};
use bb_ir::keys;
use bb_ir::names::{self, Names};
use bb_ir::proto::onnx::{AttributeProto, FunctionProto, NodeProto, ValueInfoProto};
use bb_ir::views::Metadata;
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::Location;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Handed to a module: the right to send, and the start of the call.
pub struct Graph {
    /// What replaces the start, for a call that is to come after a value.
    pub(crate) start: Option<SiteRef>,
}

/// A value: which function it was recorded in, and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SiteRef {
    scope: u32,
    site: u32,
}

/// Of a constant: it is wherever it is used.
const ANYWHERE: u32 = u32::MAX;
/// The entry of the root module: the peer that made the call.
const ORIGIN: u32 = u32::MAX - 1;
/// Of a value something has been said about already: it meets everything, so one mistake stays one error.
const TOLD: u32 = u32::MAX - 2;

/// What is known of a value while recording.
#[derive(Clone)]
struct Site {
    class: &'static str,
    many: Many,
    /// Which peer of the class: values meet only where class and instance agree.
    instance: u32,
    /// For a value that names a peer: that peer's instance.
    points_to: u32,
    /// For a value that came off a wire: the class and instance it left from.
    origin: Option<(&'static str, u32)>,
    /// For what a called module took off a wire: that module, which alone knows the sender.
    called: Option<&'static str>,
    /// For a parameter of the module: its name.
    param: Option<&'static str>,
    /// The names of its values in the function: several for a gather.
    values: Vec<String>,
    /// Their types.
    infos: Vec<ValueInfo>,
    /// For a value that came off a wire: the name of its sender.
    sender: Option<String>,
    /// For a gather: what it closes.
    gather: Option<Rc<gather::Open>>,
    /// For a component: its slot's number in this function.
    slot: Option<u32>,
    /// For a component that the program names: which one.
    concrete: Option<Concrete>,
}

/// A function that is being recorded.
struct Scope {
    id: u32,
    module: &'static str,
    function: FunctionProto,
    names: Names,
    sites: Vec<Site>,
    /// The instance per class and number that inputs and source ops share.
    homes: BTreeMap<(&'static str, Many), u32>,
    /// The class all inputs live on: where `graph` is.
    entry: Option<&'static str>,
    root: bool,
    /// Whether it runs once per start, on each class by itself.
    bootstrap: bool,
    wires: u64,
    /// The weights it takes, behind its own inputs.
    weights: BTreeSet<usize>,
    /// Where its parameters are, by their number.
    parameters: Vec<&'static Location<'static>>,
    /// The components that the program names which a call hands in, by the number of the parameter.
    handed: BTreeMap<u32, Concrete>,
}

/// A function that is recorded.
struct Function {
    proto: FunctionProto,
    params: Vec<Site>,
    outputs: Vec<Site>,
    homes: BTreeMap<(&'static str, Many), u32>,
    takes_graph: bool,
    /// The weights it takes, in the order of its inputs.
    weights: Vec<usize>,
}

impl Function {
    /// Of a model: it has no place of its own.
    fn of_stage(proto: FunctionProto, weights: Vec<usize>) -> Self {
        let (params, outputs) = (Vec::new(), Vec::new());
        Function { proto, params, outputs, homes: BTreeMap::new(), takes_graph: false, weights }
    }
}

#[derive(Default)]
struct Recorder {
    scopes: Vec<Scope>,
    next_instance: u32,
    /// The instance around a lane's.
    lane_around: BTreeMap<u32, u32>,
    /// The wire whose lane an instance is, by scope and instance.
    lane_wire: BTreeMap<(u32, u32), u64>,
    /// The instance that opened a cohort, by the cohort's.
    opened_by: BTreeMap<u32, u32>,
    /// The wire by which an instance was reached first.
    reached: BTreeMap<u32, &'static Location<'static>>,
    functions: Vec<Function>,
    by_key: BTreeMap<String, usize>,
    /// The keys of modules that are being recorded, the innermost last.
    open: Vec<String>,
    by_name: BTreeMap<String, usize>,
    bootstrap: Option<bootstrap::Recorded>,
    models: onnx::Models,
    components: concrete::Components,
    diagnostics: Vec<Diagnostic>,
    /// Every class that a value lives on.
    classes: BTreeSet<&'static str>,
    files: Files,
}

/// Numbers of scopes go on from one recording to the next: a value that outlives its own is known as another's.
static SCOPES: AtomicU32 = AtomicU32::new(0);
thread_local!(static RECORDER: RefCell<Option<Recorder>> = const { RefCell::new(None) });

fn with<R>(f: impl FnOnce(&mut Recorder) -> R) -> R {
    RECORDER.with_borrow_mut(|r| {
        f(r.as_mut().expect("values exist only while a module is being recorded: see `bb::record`"))
    })
}

impl Recorder {
    fn push(&mut self, module: &'static str, root: bool, entry: Option<&'static str>) {
        self.scopes.push(Scope {
            id: SCOPES.fetch_add(1, Ordering::Relaxed),
            module,
            function: FunctionProto {
                name: Some(module.to_owned()),
                domain: Some(bb_ir::ops::MODULE_DOMAIN.to_owned()),
                ..FunctionProto::default()
            },
            names: Names::default(),
            sites: Vec::new(),
            homes: BTreeMap::new(),
            entry,
            root,
            bootstrap: false,
            wires: 0,
            weights: BTreeSet::new(),
            parameters: Vec::new(),
            handed: BTreeMap::new(),
        });
    }
    fn scope(&mut self) -> &mut Scope {
        self.scopes.last_mut().expect("a scope is open while recording")
    }
    fn new_instance(&mut self) -> u32 {
        self.next_instance += 1;
        self.next_instance
    }
    fn add(&mut self, site: Site) -> SiteRef {
        self.classes.insert(site.class);
        let scope = self.scope();
        scope.sites.push(site);
        SiteRef { scope: scope.id, site: scope.sites.len() as u32 - 1 }
    }
    /// The site, or one that meets everything where it is another function's.
    fn get(&mut self, at: &'static Location<'static>, s: SiteRef) -> Site {
        let scope = self.scope();
        if s.scope == scope.id {
            return scope.sites[s.site as usize].clone();
        }
        let help = "pass it as an argument";
        self.fail(at, Diagnostic::new("BB0201", "this value belongs to another module").help(help));
        let foreign = self.scopes.iter().rev().find(|scope| scope.id == s.scope);
        let site = foreign.map(|scope| scope.sites[s.site as usize].clone());
        let mut site = site.unwrap_or_else(|| Site::new("", Many::One, TOLD, Vec::new(), Vec::new()));
        (site.instance, site.points_to) = (TOLD, TOLD);
        site
    }
    fn fail(&mut self, at: &'static Location<'static>, diagnostic: Diagnostic) {
        let module = self.scope().module;
        self.diagnostics.push(diagnostic.at(Some(source_place(at))).in_module(module));
    }
    /// Adds a node and the types of its outputs; the names of its outputs.
    fn node(&mut self, at: &'static Location<'static>, node: Node, outputs: &[ValueInfo]) -> Vec<String> {
        let scope = self.scope();
        let name = scope.names.node(&node.op);
        let names: Vec<String> = (0..outputs.len()).map(|i| names::output(&name, i, outputs.len())).collect();
        let mut proto = NodeProto {
            input: node.inputs,
            output: names.clone(),
            name: Some(name),
            op_type: Some(node.op.into_owned()),
            domain: Some(node.domain),
            overload: node.overload,
            attribute: node.attributes,
            ..NodeProto::default()
        };
        for (key, value) in node.metadata {
            proto.set_metadata(key, value);
        }
        if node.control > 0 {
            proto.set_metadata(keys::CONTROL_KEY, node.control.to_string());
        }
        if let Some(lane) = node.lane {
            proto.set_metadata(keys::LANE_KEY, lane.to_string());
        }
        proto.set_metadata(keys::MODULE_INSTANCE_KEY, scope.module);
        proto.set_metadata(keys::SOURCE_KEY, self.files.place(at).to_string());
        let scope = self.scope();
        scope.function.node.push(proto);
        for (name, info) in names.iter().zip(outputs) {
            scope.function.value_info.push(value_info(name, info));
        }
        names
    }
    /// The wire in whose lanes values at this instance are.
    fn lane_of(&mut self, many: Many, instance: u32) -> Option<u64> {
        let scope = self.scope().id;
        (many == Many::Lane).then(|| self.lane_wire.get(&(scope, instance)).copied()).flatten()
    }
    /// The one instance per place that inputs and source ops of a function share.
    fn home(&mut self, class: &'static str, many: Many) -> u32 {
        let fresh = self.next_instance + 1;
        let scope = self.scope();
        let fresh = if scope.root && many == Many::One && scope.entry == Some(class) { ORIGIN } else { fresh };
        let home = *scope.homes.entry((class, many)).or_insert(fresh);
        if home < TOLD {
            self.next_instance = self.next_instance.max(home);
        }
        home
    }
}

impl Site {
    fn new(class: &'static str, many: Many, instance: u32, values: Vec<String>, infos: Vec<ValueInfo>) -> Self {
        Site {
            class,
            many,
            instance,
            points_to: 0,
            origin: None,
            called: None,
            param: None,
            values,
            infos,
            sender: None,
            gather: None,
            slot: None,
            concrete: None,
        }
    }
}

/// A node that is to be recorded.
#[derive(Default)]
struct Node {
    domain: String,
    op: Cow<'static, str>,
    overload: Option<String>,
    inputs: Vec<String>,
    control: usize,
    lane: Option<u64>,
    attributes: Vec<AttributeProto>,
    metadata: Vec<(&'static str, String)>,
}

fn value_info(name: &str, info: &ValueInfo) -> ValueInfoProto {
    let mut proto =
        ValueInfoProto { name: Some(name.to_owned()), r#type: Some(info.ty.to_proto()), ..ValueInfoProto::default() };
    if let Some(class) = info.peer_class {
        proto.set_metadata(keys::PEER_CLASS_KEY, class);
    }
    proto
}

/// What the file that was asked for last is called: most of a program stands in one.
#[derive(Default)]
struct Files {
    last: Option<(&'static str, String)>,
}

impl Files {
    /// The same as [`source_place`].
    fn place(&mut self, at: &'static Location<'static>) -> SourcePlace {
        let last = self.last.take().filter(|(file, _)| *file == at.file());
        let (_, file) = self.last.insert(last.unwrap_or_else(|| (at.file(), manifest_relative(at.file()))));
        SourcePlace { file: file.clone(), line: at.line(), column: at.column() }
    }
}

/// Where the user wrote something.
pub(crate) fn source_place(at: &Location) -> SourcePlace {
    SourcePlace { file: manifest_relative(at.file()), line: at.line(), column: at.column() }
}

/// rustc names files from the workspace's root or absolutely; users and macros from the package's.
pub(crate) fn manifest_relative(file: &str) -> String {
    let Ok(manifest) = std::env::var("CARGO_MANIFEST_DIR") else { return file.to_owned() };
    let mut suffix = manifest.as_str();
    loop {
        if let Some(rest) = file.strip_prefix(suffix).and_then(|rest| rest.strip_prefix('/')) {
            return rest.to_owned();
        }
        match suffix.trim_start_matches('/').split_once('/') {
            Some((_, rest)) => suffix = rest,
            None => return file.to_owned(),
        }
    }
}
