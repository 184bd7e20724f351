//! A program, sliced, over engines.

use super::Case;
use super::text::Named;
use bb::engine::Arg;
use bb_sim::{NodeIx, What, World};
use std::time::Duration;

/// What the program gives, at the caller and elsewhere, in the order of its outputs.
pub fn sliced(case: &Case, members: usize) -> Vec<Named> {
    let mut world = World::new(1, bb::kernels());
    for host in (case.hosts)(&case.program, members) {
        world.add(vec![host]).expect("installs");
    }
    world.connect_all();
    let args = (case.args)(members).into_iter().map(Arg::Value).collect();
    let call = world.call(NodeIx(0), args, Duration::from_secs(60));
    world.run(Duration::from_secs(120));
    let answer = world.result(call).expect("it resolves").clone();
    let answer = answer.unwrap_or_else(|e| panic!("{} of {members}: {e:?}", case.name));
    let output = case.program.output.as_ref().expect("it compiles");
    let at_entry = output.partitions[0].main().output.clone();
    let declared = &output.program.functions[0].output;
    let elsewhere = world.trace().iter().filter_map(|row| match &row.what {
        What::Output { topic, value } if row.node != NodeIx(0) && declared.iter().any(|d| **d == **topic) => {
            Some((topic.to_string(), value.clone()))
        }
        _ => None,
    });
    let mut given: Vec<Named> = at_entry.into_iter().zip(answer).chain(elsewhere).collect();
    given.sort_by_key(|(name, _)| declared.iter().position(|d| d == name));
    assert_eq!(given.iter().map(|(name, _)| name).collect::<Vec<_>>(), declared.iter().collect::<Vec<_>>());
    given
}
