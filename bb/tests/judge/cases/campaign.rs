//! The programs of the simulator's campaign.

use super::{case, for_each, members, role};
use crate::campaign::{self, Asker, Equal, Head, Helper, Left, Right, Seen, SeenAt};
use crate::judged::{Case, host, peer};
use crate::nodes::*;
use bb::__private::Accepts;
use bb::engine::Value;
use bb::ir::ops;
use bb::ir::proto::onnx::NodeProto;
use bb::ir::types::ElementKind;
use bb::{Compiled, Reference};
use bb_sim::Host;

pub fn all() -> Vec<Case> {
    let played = |case| Case { reference: reference(), ..case };
    [
        case("campaign_federated", bb::compile(campaign::federated), HELPERS, to_helpers, to_cohort),
        case("campaign_gossip", bb::compile(campaign::gossip), None, equals, to_peers),
        case("campaign_request", bb::compile(campaign::request), None, to_helpers, to_peers),
        // Two have to answer.
        case("campaign_scatter", bb::compile(campaign::scatter), Some(("Helper", &[2])), to_helpers, to_cohort),
        case("campaign_split", bb::compile(campaign::split), None, halves, to_three),
        case("campaign_join", bb::compile(campaign::join), None, way_round, to_two),
    ]
    .into_iter()
    .map(played)
    .collect()
}

const HELPERS: Option<(&str, &[usize])> = Some(("Helper", &[1, 3]));

/// Adds its own number.
struct Sees(u64);
impl Seen for Sees {
    fn saw(&mut self, number: u64) -> u64 {
        number + self.0
    }
}

/// A sum of counts, which onnxruntime has for signed ones alone.
fn sum(a: &str, b: &str, to: &str) -> Vec<NodeProto> {
    let [of_a, of_b, signed] = ["a", "b", "sum"].map(|part| format!("{to}.{part}"));
    vec![
        cast(a, &of_a, ElementKind::I64),
        cast(b, &of_b, ElementKind::I64),
        op("Add", &[&of_a, &of_b], &signed, &[]),
        cast(&signed, to, ElementKind::U64),
    ]
}

fn reference() -> Reference {
    let domain = format!("{}bb", ops::OP_DOMAIN_PREFIX);
    let saw = for_each(&["number"], &["count"], |own| {
        let mut nodes = vec![count("own", own)];
        nodes.extend(sum("number", "own", "count"));
        nodes
    });
    let mut total = vec![stacked("all", "counts"), cast("counts", "signed", ElementKind::I64)];
    total.extend(sum_over_first("signed", "summed"));
    total.extend([
        cast("summed", "sum", ElementKind::U64),
        op("SequenceLength", &["all"], "length", &[]),
        cast("length", "count", ElementKind::U64),
    ]);
    Reference::new()
        .with_bodies(&role("bb.Seen"), "saw", saw)
        .with_body(&domain, "add", body(&["a", "b"], &["sum"], sum("a", "b", "sum")))
        .with_body(&domain, "total", body(&["all", "members", "missing"], &["sum", "count"], total))
}

fn number() -> Value {
    Value::scalar(7u64)
}
fn to_cohort(n: usize) -> Vec<Value> {
    vec![number(), members(n)]
}
fn to_peers(_: usize) -> Vec<Value> {
    vec![number(), peer(1)]
}
fn to_two(_: usize) -> Vec<Value> {
    vec![number(), peer(1), peer(2)]
}
fn to_three(_: usize) -> Vec<Value> {
    vec![number(), peer(1), peer(2), peer(3)]
}

fn to_helpers(program: &Compiled, helpers: usize) -> Vec<Host> {
    let asker = host(program, "Asker");
    let asker = if program.recorded.name == "federated" {
        asker.bind("home", || <SeenAt<Asker> as Accepts<Sees>>::component(Sees(1)))
    } else {
        asker
    };
    let helper = |own: u64| {
        host(program, "Helper").bind("seen", move || <SeenAt<Helper> as Accepts<Sees>>::component(Sees(own)))
    };
    std::iter::once(asker).chain((1..=helpers as u64).map(helper)).collect()
}
fn equals(program: &Compiled, _: usize) -> Vec<Host> {
    let seen = || <SeenAt<Equal> as Accepts<Sees>>::component(Sees(1));
    (0..2).map(|_| host(program, "Equal").bind("seen", seen)).collect()
}
fn halves(program: &Compiled, _: usize) -> Vec<Host> {
    vec![
        host(program, "Asker"),
        host(program, "Left").bind("on_left", || <SeenAt<Left> as Accepts<Sees>>::component(Sees(1))),
        host(program, "Right").bind("on_right", || <SeenAt<Right> as Accepts<Sees>>::component(Sees(1))),
        host(program, "Head").bind("on_head", || <SeenAt<Head> as Accepts<Sees>>::component(Sees(1))),
    ]
}
fn way_round(program: &Compiled, _: usize) -> Vec<Host> {
    vec![
        host(program, "Asker"),
        host(program, "Helper").bind("seen", || <SeenAt<Helper> as Accepts<Sees>>::component(Sees(1))),
        host(program, "Left").bind("on_way", || <SeenAt<Left> as Accepts<Sees>>::component(Sees(1))),
    ]
}
