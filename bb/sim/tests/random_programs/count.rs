//! What occurred in the programs that ran, found in the programs themselves: a run in which something did not is none.

use super::plan::Plan;
use bb::Compiled;
use bb::ir::keys;
use bb::ir::ops::MODULE_DOMAIN;
use bb::ir::proto::onnx::{FunctionProto, ModelProto, NodeProto};
use bb::ir::types::{Dim, ElementKind, ValueType};
use bb::ir::views::Metadata;
use bb::ir::wire_shape::{Send, is_gather, is_send};
use std::collections::{BTreeMap, BTreeSet};

/// How many of each kind, in all programs.
#[derive(Debug, Default)]
pub struct Count(BTreeMap<&'static str, usize>);

const KINDS: [&str; 22] = [
    "programs",
    "of two classes",
    "of three classes",
    "of four classes",
    "two places of one class",
    "wires",
    "wires between peers that do not call",
    "wires of several values",
    "wires of counts",
    "wires of a named dimension",
    "cohorts",
    "cohorts of several members",
    "wires inside a cohort's lanes",
    "ops in lanes",
    "gathers",
    "members that fail",
    "modules with wires inside modules",
    "modules that stay calls",
    "modules recorded for several classes",
    "joins away from the caller",
    "diamonds away from the caller",
    "artifacts",
];

impl Count {
    pub fn assert_all_occurred(&self) {
        let never: Vec<_> = KINDS.iter().filter(|kind| !self.0.contains_key(*kind)).collect();
        assert!(never.is_empty(), "never occurred: {never:?}");
    }
    pub fn table(&self) -> String {
        KINDS.iter().map(|kind| format!("| {kind} | {} |\n", self.0.get(kind).unwrap_or(&0))).collect()
    }

    fn add(&mut self, kind: &'static str, n: usize) {
        assert!(KINDS.contains(&kind), "{kind}");
        if n > 0 {
            *self.0.entry(kind).or_default() += n;
        }
    }

    pub fn program(&mut self, plan: &Plan, program: &Compiled) {
        let output = program.output.as_ref().expect("it compiles");
        let root = &output.program.functions[0];
        let places = places(&output.program);
        let classes: BTreeSet<&str> = places.iter().map(|row| class(row)).collect();
        let cohorts = places.iter().filter(|row| row.contains("|each|")).count();
        self.add("programs", 1);
        self.add(["of two classes", "of three classes", "of four classes"][classes.len() - 2], 1);
        self.add("two places of one class", usize::from(classes.len() < places.len()));
        self.add("cohorts", cohorts);
        self.add("cohorts of several members", usize::from(cohorts > 0 && plan.members > 1));
        self.add("members that fail", usize::from(cohorts > 0 && plan.failing));
        self.add("artifacts", program.artifacts.len());
        self.nodes(root);
        self.modules(&program.recorded.model, &output.program);
        let (joins, diamonds) = meetings(root);
        self.add("joins away from the caller", joins);
        self.add("diamonds away from the caller", diamonds);
    }

    fn nodes(&mut self, root: &FunctionProto) {
        let types: BTreeMap<&str, ValueType> = root
            .value_info
            .iter()
            .filter_map(|info| Some((info.name(), ValueType::from_proto(info.r#type.as_ref()?)?)))
            .collect();
        for node in &root.node {
            let lane = usize::from(node.metadata(keys::LANE_KEY).is_some());
            self.add("gathers", usize::from(is_gather(node)));
            let Some(send) = Send::cast(node) else {
                self.add("ops in lanes", if is_gather(node) { 0 } else { lane });
                continue;
            };
            let between = [keys::FROM_PLACE_KEY, keys::TO_PLACE_KEY].map(|key| node.metadata(key));
            let carries = |is: fn(&ValueType) -> bool| send.payloads().iter().any(|value| is(&types[value.as_str()]));
            let counts = |of: &ValueType| matches!(of, ValueType::Tensor { element: Some(ElementKind::I64), .. });
            let named = |of: &ValueType| match of {
                ValueType::Tensor { shape: Some(dims), .. } => dims.iter().any(|dim| matches!(dim, Dim::Named(_))),
                _ => false,
            };
            self.add("wires", 1);
            self.add("wires between peers that do not call", usize::from(!between.contains(&Some("0"))));
            self.add("wires of several values", usize::from(send.payloads().len() > 1));
            self.add("wires of counts", usize::from(carries(counts)));
            self.add("wires of a named dimension", usize::from(carries(named)));
            self.add("wires inside a cohort's lanes", lane);
        }
    }

    fn modules(&mut self, recorded: &ModelProto, placed: &ModelProto) {
        let depth = |node: &NodeProto| node.metadata(keys::MODULE_INSTANCE_KEY).map_or(0, |at| at.matches('/').count());
        let inside = placed.functions[0].node.iter().filter(|n| is_send(n) && depth(n) > 1).count();
        self.add("modules with wires inside modules", usize::from(inside > 0));
        let calls = placed.functions[0].node.iter().filter(|n| n.domain() == MODULE_DOMAIN).count();
        self.add("modules that stay calls", calls);
        let names: Vec<&str> = recorded.functions.iter().map(|f| f.name()).collect();
        let once = names.iter().collect::<BTreeSet<_>>().len();
        self.add("modules recorded for several classes", usize::from(once < names.len()));
    }
}

fn places(model: &ModelProto) -> Vec<&str> {
    model.metadata_under(keys::PLACE_TABLE_PREFIX).map(|(_, row)| row).collect()
}
fn class(row: &str) -> &str {
    row.split('|').next().unwrap_or_default()
}

/// Of a value: the places that sent it or what it is made of here, and whereto a value went that it is made of.
#[derive(Clone, Default)]
struct Past {
    from: BTreeSet<String>,
    forks: BTreeSet<(String, String)>,
}

/// How many ops read what two places sent; and how many of those read what became of one value in two places.
fn meetings(root: &FunctionProto) -> (usize, usize) {
    let mut pasts: BTreeMap<&str, Past> = BTreeMap::new();
    let (mut joins, mut diamonds) = (0, 0);
    for node in &root.node {
        let read = |name: &String| pasts.get(name.as_str()).cloned().unwrap_or_default();
        let inputs: Vec<Past> = node.input.iter().map(read).collect();
        let place = |key| node.metadata(key).unwrap_or_default().to_owned();
        if let Some(send) = Send::cast(node) {
            let (from, to) = (place(keys::FROM_PLACE_KEY), place(keys::TO_PLACE_KEY));
            for ((payload, value), mut past) in send.payloads().iter().zip(send.values()).zip(inputs) {
                past.from = [from.clone()].into();
                past.forks.insert((payload.clone(), to.clone()));
                pasts.insert(value, past);
            }
            continue;
        }
        if place(keys::PLACE_KEY) != "0" {
            let here = place(keys::PLACE_KEY);
            let pairs = || inputs.iter().flat_map(|a| inputs.iter().map(move |b| (a, b)));
            let apart =
                |(a, b): (&Past, &Past)| !a.from.is_empty() && !b.from.is_empty() && a.from.is_disjoint(&b.from);
            let forked = |(a, b): (&Past, &Past)| {
                let elsewhere = |(_, to): &&(String, String)| *to != here;
                a.forks.iter().filter(elsewhere).any(|(value, to)| {
                    b.forks.iter().filter(elsewhere).any(|(other, there)| value == other && to != there)
                })
            };
            joins += usize::from(pairs().any(apart));
            diamonds += usize::from(pairs().any(|pair| apart(pair) && forked(pair)));
        }
        let mut past = Past::default();
        for input in inputs {
            past.from.extend(input.from);
            past.forks.extend(input.forks);
        }
        pasts.extend(node.output.iter().map(|name| (name.as_str(), past.clone())));
    }
    (joins, diamonds)
}
