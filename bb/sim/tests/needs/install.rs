//! What is not there refuses the install.

use super::*;
use bb::Storage;
use bb::engine::{Bound, Config, Engine, InstallError, Installed};
use bb::ir::component::DependencyDecl;
use bb_sim::peer_id;

/// Needs nothing.
#[derive(Default)]
struct Simple;
impl Model for Simple {
    fn predict(&mut self, x: f32) -> Result<f32, OpError> {
        Ok(x)
    }
}

#[test]
fn nodes_that_bind_the_same_slots_may_need_other_things() {
    let program = bb::compile(|_: &Graph, x: On<Asker, f32>, model: ModelAt<Asker>| model.predict(x));
    let mut world = alone(host(&program).bind("b", boxed::<dyn Model, Simple>));
    assert_eq!(ask(&mut world, vec![number(1.0)]), Ok(vec![1.0]));
    let error = world.add(vec![host(&program).bind("b", boxed::<dyn Model, Own>)]).expect_err("it has no memory");
    assert!(matches!(&error, InstallError::UnmetNeed { needs, .. } if needs == "memory"), "{error}");
}

#[test]
fn what_is_needed_and_not_there_refuses_the_install_and_so_does_a_round() {
    let one = bb::compile(two_hops);
    let two = bb::compile(|_: &Graph, x: On<Asker, f32>| {
        _ = MemoryAt::<Asker>::concrete::<Heap>("memory");
        ModelAt::<Asker>::concrete::<Own>("model").predict(x)
    });
    let install = |program: &Compiled, bound: &[(&str, &[DependencyDecl])]| {
        let mut engine = Engine::new(Config::new(peer_id(0), 0));
        let bound: Vec<Bound<'_>> = bound.iter().map(|(name, needs)| Bound { name, needs }).collect();
        let installed = engine.install_with(&program.artifacts[0].bytes, &bb::kernels(), &bound);
        assert_eq!(engine.graphs().len(), usize::from(installed.is_ok()), "all or nothing");
        installed
    };
    let text = |error: Result<Installed, InstallError>| error.expect_err("refused").to_string();
    let missing =
        "the component `model` needs a `bb_sim.Index` called `index`, and there is nothing of that name on this class";
    assert!(text(install(&two, &[("model", Deep::DEPENDENCIES), ("memory", &[])])).starts_with(missing));
    let other = [DependencyDecl { role: Heap::ROLE, slot: "index" }];
    let error = text(install(&one, &[("model", &other), ("index", &[]), ("memory", &[])]));
    let wrong =
        "the component `model` needs a `bb_sim.Memory` called `index`, and there is a `bb_sim.Index` of that name";
    assert!(error.starts_with(wrong), "{error}");

    let all = [("model", Deep::DEPENDENCIES), ("index", Tree::DEPENDENCIES), ("memory", Sorted::DEPENDENCIES)];
    let error = install(&one, &all).expect_err("a round");
    assert_eq!(error, InstallError::NeedsItself { slot: "index".into() });

    let installed = install(&one, &[all[0], all[1], ("memory", &[])]).expect("installs");
    let told: Vec<_> = installed.slots.iter().map(|s| (&*s.name, s.needs.len(), s.group.0)).collect();
    assert_eq!(told, [("index", 1, 0), ("memory", 0, 0), ("model", 2, 0)]);
}
