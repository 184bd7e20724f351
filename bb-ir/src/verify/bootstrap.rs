//! What runs once per start: one function, on its own.

use super::{Body, Level, Program, Report, Rule};
use crate::keys::HOME_CLASS_KEY;
use crate::names::START;
use crate::ops::WIRE_DOMAIN;
use crate::views::Metadata;

pub(super) fn one(program: &Program<'_>, report: &mut Report) {
    let mut all = program.bodies.iter().filter(|body| body.bootstrap);
    if let (Some(_), Some(second)) = (all.next(), all.next()) {
        report.body(second, Rule::Bootstrap, "is a second bootstrap");
    }
}

pub(super) fn border(_: &Program<'_>, body: &Body<'_>, report: &mut Report) {
    if !body.bootstrap {
        return;
    }
    if body.main {
        report.body(body, Rule::Bootstrap, "is a bootstrap and the root");
    }
    if body.function.input.first().is_none_or(|first| first != START) || !body.function.output.is_empty() {
        report.body(body, Rule::Bootstrap, "does not begin with its start, or gives something");
    }
}

pub(super) fn nodes(program: &Program<'_>, body: &Body<'_>, report: &mut Report) {
    if !body.bootstrap {
        return;
    }
    for node in &body.function.node {
        if node.domain() == WIRE_DOMAIN {
            report.node(body, node, Rule::Bootstrap, "is part of a wire in a bootstrap");
        }
        if program.level >= Level::Sealed && node.metadata(HOME_CLASS_KEY).is_none() {
            report.node(body, node, Rule::Bootstrap, "has no class");
        }
    }
}
