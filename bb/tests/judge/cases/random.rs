//! The first random programs.

use super::case;
use crate::judged::Case;
use crate::random::plan::Plan;
use crate::random::played::{Works, host};
use bb::Compiled;

const PROGRAMS: u64 = 32;

pub fn all() -> Vec<Case> {
    (0..PROGRAMS).map(one).collect()
}

fn one(seed: u64) -> Case {
    // In ONNX's words nobody fails.
    let plan = Plan { failing: false, ..Plan::draw(seed) };
    let sizes = [1, plan.members];
    let sizes = if plan.members == 1 { &sizes[..1] } else { &sizes[..] };
    let (of_hosts, of_args) = (plan.clone(), plan.clone());
    let hosts = move |program: &Compiled, members: usize| {
        let nodes = of_hosts.nodes(members);
        let first = nodes.iter().position(|class| *class == "D").unwrap_or(0);
        let works = |node: usize| Works::Adding(node.saturating_sub(first) as u8);
        nodes.iter().enumerate().map(|(node, class)| host(program, class, works(node))).collect()
    };
    let args = move |members| of_args.args(&of_args.nodes(members));
    let cohort = plan.has_cohort().then_some(("D", sizes));
    Case {
        reference: plan.reference(plan.members),
        ..case(&format!("random-{seed:02}"), plan.compile(), cohort, hosts, args)
    }
}
