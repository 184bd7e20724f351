//! Waits against deadlines: how long after a place's frame has opened, and after the last message to it, a value is there
//! at the earliest.
//!
//! Only constant waits (`.after(secs(3))`) count, the network and all work are taken to need no time: what is late
//! nevertheless is late always. One walk in the order of the nodes; a program without such waits is not walked.

use super::seconds;
use crate::error::{at_node, source_of};
use crate::index::{FunctionIndex, NodeIx};
use crate::parallel;
use crate::passes::type_solver::Constants;
use bb_ir::diagnostics::Diagnostic;
use bb_ir::limits::REMAINING_NS_MAX;
use bb_ir::proto::onnx::{ModelProto, NodeProto};
use bb_ir::views::Metadata;
use bb_ir::wire_shape::{Gather, Operand, Send, is_send, read_wire_id};
use bb_ir::{keys, ops};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Of a value: the least time since then.
#[derive(Clone, Default)]
struct Since {
    /// By place: since the frame there opened; later messages do not extend it.
    opened: BTreeMap<u32, u64>,
    /// By place and wire: since the Sends there that the value depends on, without those that another one follows.
    sent: BTreeMap<(u32, u64), u64>,
    /// The last wait on the way.
    waits: Option<NodeIx>,
}

pub fn of(model: &ModelProto) -> Vec<Diagnostic> {
    let root = &model.functions[0];
    if !root.node.iter().any(is_after) {
        return Vec::new();
    }
    let index = parallel::index(root);
    let walk = Walk { lives: lives(&index), constants: Constants::of(&index), model, index };
    walk.run()
}

fn is_after(node: &NodeProto) -> bool {
    (node.domain(), node.op_type()) == (ops::SYSCALL_DOMAIN, ops::SYSCALL_AFTER)
}

fn place(node: &NodeProto, key: &str) -> Option<u32> {
    node.metadata_number(key)
}

/// By place: how long a frame there lives at most. Where several messages may open it, as long as the longest says.
fn lives(index: &FunctionIndex<'_>) -> BTreeMap<u32, u64> {
    let mut lives = BTreeMap::from([(0, REMAINING_NS_MAX)]);
    for (_, node) in index.nodes() {
        let to = place(node, keys::TO_PLACE_KEY).filter(|_| is_send(node));
        if let (Some(to), Some(ns)) = (to, Send::cast(node).and_then(|send| send.deadline_ns())) {
            let life = lives.entry(to).or_default();
            *life = (*life).max(ns);
        }
    }
    lives
}

struct Walk<'a> {
    model: &'a ModelProto,
    index: FunctionIndex<'a>,
    constants: Constants,
    lives: BTreeMap<u32, u64>,
}

impl Walk<'_> {
    fn run(&self) -> Vec<Diagnostic> {
        let entered = Rc::new(Since { opened: BTreeMap::from([(0, 0)]), ..Since::default() });
        let mut since = Vec::with_capacity(self.index.values());
        since.resize(self.index.function().input.len(), entered);
        since.resize(self.index.values(), Rc::default());
        let mut from_place: FxHashMap<u64, u32> = FxHashMap::default();
        let mut faults = Vec::new();
        for (at, node) in self.index.nodes() {
            let inputs: Vec<&Rc<Since>> = self.index.inputs(at).iter().flatten().map(|v| &since[v.at()]).collect();
            let here = if node.op_type() == ops::SYSCALL_ANY && node.domain() == ops::SYSCALL_DOMAIN {
                earliest(&inputs)
            } else {
                latest(&inputs)
            };
            if let Some(gather) = Gather::cast(node) {
                let cohort = gather.lane().and_then(|lane| from_place.get(&lane));
                faults.extend(cohort.and_then(|cohort| self.too_late(node, gather, *cohort, &here)));
            }
            let there = if let (Some(wire), Some(to)) = (read_wire_id(node), place(node, keys::TO_PLACE_KEY)) {
                from_place.extend(place(node, keys::FROM_PLACE_KEY).map(|from| (wire, from)));
                let mut there = (*here).clone();
                there.opened.entry(to).or_insert(0);
                there.sent.retain(|(place, _), _| *place != to);
                there.sent.insert((to, wire), 0);
                Rc::new(there)
            } else if let Some(wait) = self.wait(at, node) {
                let waited = here.later(wait, at);
                faults.extend(self.outlives(node, &here, &waited));
                Rc::new(waited)
            } else {
                here
            };
            for value in self.index.outputs(at).iter().flatten() {
                since[value.at()] = there.clone();
            }
        }
        faults
    }

    /// How long a node waits, where that is a constant.
    fn wait(&self, at: NodeIx, node: &NodeProto) -> Option<u64> {
        let time = self.index.inputs(at).get(1).copied().flatten().filter(|_| is_after(node))?;
        u64::try_from(*self.constants.get(time)?.first()?).ok()
    }

    /// A frame is over before a value is there. Told at the wait that is too long, not at those behind it.
    fn outlives(&self, node: &NodeProto, here: &Since, waited: &Since) -> Option<Diagnostic> {
        let late = |(place, ns): (&u32, &u64)| {
            let life = *self.lives.get(place)?;
            let was = here.opened.get(place).copied().unwrap_or_default();
            (*ns > life && was <= life).then_some((*place, *ns, life))
        };
        let (place, ns, life) = waited.opened.iter().find_map(late)?;
        let (ns, life) = (seconds(ns), seconds(life));
        if place == 0 {
            let text =
                format!("this value is there {ns} after the call has started, and no call lives longer than {life}");
            return Some(at_node(node, "BB0602", text).help("wait for less, or let an interval start the calls"));
        }
        let class = self.class(place);
        let text = format!("this value is there {ns} after its message, but `{class}` gives up after {life}");
        let help = "wait for less, or compile with a larger budget: `bb::build!(..; bb::Options::default().per_hop_budget(..))`";
        let into = |n: &&NodeProto| is_send(n) && n.metadata_number(keys::TO_PLACE_KEY) == Some(place);
        let wire = self.index.function().node.iter().find(into);
        Some(at_node(node, "BB0602", text).note_at("the message", wire.and_then(source_of)).help(help))
    }

    /// A gather is over before any answer is there.
    fn too_late(&self, node: &NodeProto, gather: Gather<'_>, cohort: u32, values: &Since) -> Option<Diagnostic> {
        let Some(Operand::Constant(within)) = gather.within_ns() else { return None };
        let since = values.sent.iter().filter(|((place, _), _)| *place == cohort);
        let least = since.map(|(_, ns)| *ns).min().filter(|least| *least > within)?;
        let (within, least) = (seconds(within), seconds(least));
        let text = format!("this gather waits {within}, and every answer takes {least} at least");
        let waits = values.waits.and_then(|at| source_of(self.index.node(at)));
        let fault = at_node(node, "BB0602", text).note_at("what answers waits here", waits);
        Some(fault.help(format!("wait for longer than {least}: `.within(..)`")))
    }

    fn class(&self, place: u32) -> &str {
        let row = self.model.metadata(&format!("{}{place}", keys::PLACE_TABLE_PREFIX));
        row.and_then(|row| row.split('|').next()).unwrap_or_default()
    }
}

impl Since {
    fn later(&self, wait: u64, at: NodeIx) -> Since {
        let mut later = Since { waits: Some(at), ..self.clone() };
        for ns in later.opened.values_mut().chain(later.sent.values_mut()) {
            *ns = ns.saturating_add(wait);
        }
        later
    }
}

/// All of them are there.
fn latest(of: &[&Rc<Since>]) -> Rc<Since> {
    fn later<K: Copy + Ord>(all: &mut BTreeMap<K, u64>, more: &BTreeMap<K, u64>) {
        for (key, ns) in more {
            let latest = all.entry(*key).or_default();
            *latest = (*latest).max(*ns);
        }
    }
    let Some((first, rest)) = of.split_first() else { return Rc::default() };
    rest.iter().fold(Rc::clone(first), |all, more| {
        if Rc::ptr_eq(&all, more) {
            return all;
        }
        let mut all = (*all).clone();
        later(&mut all.opened, &more.opened);
        later(&mut all.sent, &more.sent);
        all.waits = all.waits.max(more.waits);
        Rc::new(all)
    })
}

/// One of them is there: what does not hold for each is not said.
fn earliest(of: &[&Rc<Since>]) -> Rc<Since> {
    let mut all = latest(of).as_ref().clone();
    all.opened.retain(|place, _| of.iter().all(|one| one.opened.contains_key(place)));
    all.sent.retain(|(place, _), _| of.iter().all(|one| one.sent.keys().any(|(other, _)| other == place)));
    for one in of {
        for (key, ns) in &mut all.opened {
            *ns = one.opened.get(key).map_or(*ns, |least| *least.min(ns));
        }
        for (key, ns) in &mut all.sent {
            *ns = one.sent.get(key).map_or(*ns, |least| *least.min(ns));
        }
    }
    Rc::new(all)
}
