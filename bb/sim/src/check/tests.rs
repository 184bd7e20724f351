use super::*;
use crate::{Host, Link, NodeIx};
use bb::engine::{Arg, Value};
use bb::prelude::*;
use bb_components as _;
use std::cell::Cell;
use std::panic::catch_unwind;
use std::time::Duration;

#[derive(bb::Peer)]
struct Asker;
#[derive(bb::Peer)]
struct Helper;

const S: Duration = Duration::from_secs(1);

/// One message to each of two helpers, and one back.
fn program(graph: &Graph, x: On<Asker, f32>, to: On<Asker, Peers<Helper>>) -> On<Asker, u64> {
    let there = graph.wire(x, to);
    graph.wire(there, there.sender::<Asker>()).count()
}
/// An asker and two helpers, and a call that is on its way.
fn three(world: &mut World) -> crate::CallIx {
    let program = bb::compile(program);
    let host = |class: &str| vec![Host::new(program.artifact(class).expect("compiled").bytes.clone())];
    world.add(host("Asker")).expect("installs");
    (0..2).for_each(|_| _ = world.add(host("Helper")).expect("installs"));
    world.connect_all();
    world.call(NodeIx(0), vec![Arg::Value(Value::scalar(1.0f32)), Arg::AllPeers { and_self: false }], 20 * S)
}
fn regressions(name: &str) -> (std::path::PathBuf, Regressions) {
    let file = std::env::temp_dir().join(format!("bb-sim-{}-{name}.sim-regressions", std::process::id()));
    _ = std::fs::remove_file(&file);
    (file.clone(), Regressions::of(file, name))
}
fn fails(run: impl FnOnce()) -> String {
    let panic = quiet::quietly(|| catch_unwind(AssertUnwindSafe(run))).expect_err("it fails");
    panic.downcast_ref::<String>().expect("a message").clone()
}

#[test]
fn scripts_are_read_as_they_are_written() {
    let strikes = ["drop 0>1 #3", "panic 2/0 #1"].map(|text| text.parse().expect("a fault"));
    for script in [
        Script { seed: 7, faults: Some(strikes.to_vec()), least_delays: true, order: None },
        Script { seed: 0, order: Some(vec![0, 2, 1]), ..Script::default() },
        Script { seed: u64::MAX, faults: Some(vec![]), order: Some(vec![]), ..Script::default() },
        Script::default(),
    ] {
        assert_eq!(regressions::parse(&regressions::text(&script)), Some(script));
    }
    for wrong in ["", "seed", "seed x", "seed 1; faults drop", "seed 1; luck 3", "seed 1; order 0 1"] {
        assert_eq!(regressions::parse(wrong), None, "{wrong}");
    }
}

#[test]
fn a_failing_run_is_made_small_written_down_and_replayed_first() {
    let (file, regressions) = regressions("random");
    let test = |world: &mut World| {
        world.set_link(Link::default().drop(0.2).duplicate(0.3).reorder(0.3));
        let call = three(world);
        world.run_until(30 * S);
        assert!(world.faults().dropped < 2, "two messages are lost");
        assert!(world.result(call).is_some());
    };
    let said = fails(|| random_of(&regressions, 200, &test));
    assert!(said.starts_with("two messages are lost"), "{said}");
    assert!(said.contains("Asker 0") && said.contains("wire 0"), "{said}");
    let written = std::fs::read_to_string(&file).expect("it is written down");
    let line = written.lines().nth(1).expect("a run");
    let (_, script) = line.split_once(": ").expect("the test's name before it");
    let script = regressions::parse(script).expect("a script");
    assert_eq!(script.faults.map(|f| f.len()), Some(2), "no fault strikes that need not: {line}");

    let ran = Cell::new(0);
    let counted = |world: &mut World| {
        ran.set(ran.get() + 1);
        test(world);
    };
    let again = fails(|| random_of(&regressions, 200, &counted));
    assert!(again.contains("as before") && ran.get() == 1, "{again}");
    // Mended: it is replayed all the same, and the other runs follow.
    let mended = |_: &mut World| ran.set(ran.get() + 1);
    random_of(&regressions, 5, &mended);
    assert_eq!(ran.get(), 7);
    std::fs::remove_file(file).expect("it was there");
}

#[test]
fn every_order_is_run_once() {
    let (file, regressions) = regressions("exhaustive");
    let seen = std::cell::RefCell::new(std::collections::BTreeSet::new());
    let answers = |world: &mut World| {
        let call = three(world);
        world.run_until(5 * S);
        assert_eq!(world.result(call).and_then(|r| r.as_ref().ok()).map(|v| v[0].as_scalar::<u64>()), Some(Some(2)));
        let received = world.trace().iter().filter_map(|row| match &row.what {
            crate::What::Received { from, bytes: 40.., .. } => Some((row.node.0, from.0)),
            _ => None,
        });
        seen.borrow_mut().insert(received.collect::<Vec<_>>());
    };
    let orders = exhaustive_of(&regressions, 6, &answers);
    // Two questions and two answers: an answer comes behind its question.
    assert_eq!(seen.borrow().len(), 6, "{:?}", seen.borrow());
    assert!(orders >= 6, "{orders}");
    assert!(!file.exists());

    let (file, regressions) = super::tests::regressions("order");
    let late = |world: &mut World| {
        three(world);
        world.run_until(5 * S);
        let first = world.trace().iter().find_map(|row| match &row.what {
            crate::What::Received { bytes: 40.., .. } => Some(row.node),
            _ => None,
        });
        assert_eq!(first, Some(NodeIx(1)), "the first helper is asked first");
    };
    let said = fails(|| _ = exhaustive_of(&regressions, 6, &late));
    assert!(said.contains("order 1\n"), "{said}");
    assert!(said.contains(&format!("{:<12}", "Helper 2")), "{said}");
    std::fs::remove_file(file).expect("it was written");
}

#[test]
fn crashes_and_cuts_that_may_be_are_faults_like_others() {
    let (file, regressions) = regressions("crashes");
    let unharmed = |world: &mut World| {
        world.set_link(Link::default().drop(0.1));
        let call = three(world);
        world.may_part(NodeIx(0), NodeIx(1), 2 * S, S);
        world.may_crash(NodeIx(2), 2 * S, S);
        world.run_until(30 * S);
        assert!(world.result(call).is_some(), "it resolves whatever happens");
        assert!(world.connected(NodeIx(0), NodeIx(1)) && world.connected(NodeIx(0), NodeIx(2)), "all is as before");
        assert!(world.faults().killed == 0, "somebody was killed");
    };
    let said = fails(|| random_of(&regressions, 50, &unharmed));
    assert!(said.starts_with("somebody was killed") && said.contains("; faults crash 2/2 #2\n"), "{said}");
    std::fs::remove_file(file).expect("it was written");
}
