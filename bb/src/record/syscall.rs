//! Ops that the engine itself runs.

use super::{Node, Site, SiteRef, Source, with};
use crate::place::Place;
use crate::typed::ValueInfo;
use bb_ir::ops::SYSCALL_DOMAIN;
use bb_ir::proto::onnx::AttributeProto;
use bb_ir::types::ValueType;
use std::panic::Location;

/// What it gives.
pub(crate) enum Gives {
    /// A value of this type.
    One(ValueInfo),
    /// What its first input is.
    Like,
    /// Nothing: it is there for its effect.
    Nothing,
}

/// Records one. Without inputs `trigger` fires it: the start, or what replaces it.
#[track_caller]
pub(crate) fn syscall<P: Place>(
    op: &'static str,
    inputs: &[SiteRef],
    trigger: Option<Option<SiteRef>>,
    gives: Gives,
    attributes: Vec<AttributeProto>,
) -> Source {
    let at = Location::caller();
    with(|r| {
        let mut sites: Vec<Site> = inputs.iter().map(|s| r.get(at, *s)).collect();
        let mut values: Vec<String> = sites.iter().filter_map(|s| s.values.first().cloned()).collect();
        let info = match gives {
            Gives::One(info) => info,
            Gives::Like => sites.first().and_then(|s| s.infos.first()).cloned().unwrap_or(ValueType::Trigger.into()),
            Gives::Nothing => ValueType::Trigger.into(),
        };
        let control = usize::from(trigger.is_some());
        match trigger {
            Some(Some(site)) => {
                let site = r.get(at, site);
                values.extend(site.values.first().cloned());
                sites.push(site);
            }
            Some(None) => values.push(super::model::START.into()),
            None => {}
        }
        let node = Node {
            domain: SYSCALL_DOMAIN.into(),
            op: op.into(),
            inputs: values,
            control,
            attributes,
            ..Node::default()
        };
        r.op_at::<P>(at, &sites, node, &[vec![info]])
    })
}
