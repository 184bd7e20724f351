//! Gathers: one value per sender, policies that close them, and the lanes inside `.each`.

use super::{Node, Recorder, Site, SiteRef, Source, TOLD, with};
use crate::place::{Many, PeerClass as _, Place};
use crate::typed::{ValueInfo, members_info, missing_info};
use bb_ir::diagnostics::Diagnostic;
use bb_ir::ops::{OP_GATHER, WIRE_DOMAIN, gather};
use bb_ir::types::ValueType;
use bb_ir::views::attribute;
use std::panic::Location;
use std::rc::Rc;
use std::time::Duration;

/// A gather that policies can still change: each records a new one on the same values.
pub(super) struct Open {
    /// The wire whose lanes it closes.
    pub wire: u64,
    /// What it gathers, per lane.
    pub values: Vec<String>,
    pub infos: Vec<ValueInfo>,
    pub need: Option<Policy>,
    pub within: Option<Policy>,
}

/// How many, or how long: a constant, or a value of the gather's place.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub enum Policy {
    /// A fraction of the members.
    Fraction(f32),
    /// So many members.
    Count(u64),
    /// The first so many.
    First(u64),
    /// So many of the first, as a value.
    FirstOf(SiteRef),
    /// A fraction, as a value.
    FractionOf(SiteRef),
    /// A number, as a value.
    CountOf(SiteRef),
    /// So long.
    Within(Duration),
    /// So long, as a value.
    WithinOf(SiteRef),
}

impl Policy {
    pub(crate) fn site(self) -> Option<SiteRef> {
        match self {
            Policy::FirstOf(s) | Policy::FractionOf(s) | Policy::CountOf(s) | Policy::WithinOf(s) => Some(s),
            _ => None,
        }
    }
}

impl Recorder {
    /// Records the Gather of `open` at the place of `like`.
    pub(super) fn gather(&mut self, at: &'static Location<'static>, open: Open, like: Site) -> Site {
        let mut infos: Vec<ValueInfo> = open
            .infos
            .iter()
            .map(|i| ValueInfo { ty: ValueType::Seq(Box::new(i.ty.clone())), peer_class: i.peer_class })
            .collect();
        let members = ValueInfo { peer_class: like.origin.map(|(class, _)| class), ..members_info() };
        infos.extend([members, missing_info()]);

        let mut inputs = open.values.clone();
        let mut attributes = Vec::new();
        let kind = match open.need {
            None => gather::ALL,
            Some(Policy::Fraction(f)) => {
                attributes.push(attribute::float(gather::NEED, f));
                gather::FRACTION
            }
            Some(Policy::Count(n)) => {
                attributes.push(attribute::int(gather::NEED, i64::try_from(n).unwrap_or(i64::MAX)));
                gather::COUNT
            }
            Some(Policy::First(n)) => {
                attributes.push(attribute::int(gather::NEED, i64::try_from(n).unwrap_or(i64::MAX)));
                gather::FIRST
            }
            Some(Policy::FractionOf(_)) => gather::FRACTION,
            Some(Policy::FirstOf(_)) => gather::FIRST,
            Some(_) => gather::COUNT,
        };
        attributes.push(attribute::string(gather::NEED_KIND, kind));
        if let Some(Policy::Within(limit)) = open.within {
            let ns = i64::try_from(limit.as_nanos()).unwrap_or(i64::MAX);
            attributes.push(attribute::int(gather::WITHIN_NS, ns));
        }
        for site in [open.need, open.within].into_iter().flatten().filter_map(Policy::site) {
            inputs.extend(self.get(at, site).values.first().cloned());
        }
        let node = Node {
            domain: WIRE_DOMAIN.into(),
            op: OP_GATHER.into(),
            overload: Some(open.values.len().to_string()),
            inputs,
            lane: Some(open.wire),
            attributes,
            ..Node::default()
        };
        let values = self.node(at, node, &infos);
        Site { values, infos, sender: None, param: None, gather: Some(Rc::new(open)), ..like }
    }
}

/// The gather `of` with one more policy.
#[track_caller]
pub(crate) fn policy(of: SiteRef, policy: Policy) -> SiteRef {
    let at = Location::caller();
    with(|r| {
        let site = r.get(at, of);
        let Some(open) = site.gather.clone() else {
            if site.instance != TOLD {
                let message = "this gather came in as a parameter, so what it waits for is settled";
                let help = "close it where the wire is, and pass what `.quorum`, `.first` or `.within` gives";
                r.fail(at, Diagnostic::new("BB0208", message).help(help));
            }
            return r.add(Site { instance: TOLD, points_to: TOLD, ..site });
        };
        let mut met = vec![site.clone()];
        met.extend(policy.site().map(|s| r.get(at, s)));
        r.meet(at, &met);
        let (mut need, mut within) = (open.need, open.within);
        match policy {
            Policy::Within(_) | Policy::WithinOf(_) => within = Some(policy),
            _ => need = Some(policy),
        }
        let open = Open { wire: open.wire, values: open.values.clone(), infos: open.infos.clone(), need, within };
        let site = r.gather(at, open, site);
        r.add(site)
    })
}

/// The values of the gather `of`, one sender's at a time.
#[track_caller]
pub(crate) fn open_lane<P: Place>(of: SiteRef) -> Source {
    let at = Location::caller();
    with(|r| {
        let site = r.get(at, of);
        let lane = r.new_instance();
        r.lane_around.insert(lane, site.instance);
        let Some(open) = site.gather.clone() else {
            let message = "this gather came in as a parameter, so its lanes are closed";
            r.fail(at, Diagnostic::new("BB0208", message).help("write `.each` where the wire is"));
            let seeds = site.values.iter().zip(&site.infos).map(|(value, info)| {
                let (values, infos) = (vec![value.clone()], vec![info.clone()]);
                Site { points_to: TOLD, ..Site::new(site.class, Many::Lane, TOLD, values, infos) }
            });
            return Source::new(seeds.collect());
        };
        let scope = r.scope().id;
        r.lane_wire.insert((scope, lane), open.wire);
        // The wire's Send names the sender behind its values.
        let sender = r.sender_of(open.wire);
        let seeds: Vec<Site> = open
            .values
            .iter()
            .zip(&open.infos)
            .map(|(value, info)| Site {
                points_to: r.new_instance(),
                origin: site.origin,
                sender: sender.clone(),
                ..Site::new(P::Class::NAME, Many::Lane, lane, vec![value.clone()], vec![info.clone()])
            })
            .collect();
        Source::new(seeds)
    })
}

impl Recorder {
    fn sender_of(&mut self, wire: u64) -> Option<String> {
        use bb_ir::views::Metadata;
        let send = self.scope().function.node.iter().rev().find(|n| {
            n.domain() == WIRE_DOMAIN
                && n.op_type() == bb_ir::ops::OP_SEND
                && n.metadata_number(bb_ir::keys::WIRE_ID_KEY) == Some(wire)
        })?;
        send.output.get(send.output.len().checked_sub(2)?).cloned()
    }
}

/// What the body of `.each` gave, gathered.
#[track_caller]
pub(crate) fn close_lane<P: Place>(of: SiteRef, outputs: &[SiteRef]) -> SiteRef {
    let at = Location::caller();
    with(|r| {
        let site = r.get(at, of);
        let results: Vec<Site> = outputs.iter().map(|s| r.get(at, *s)).collect();
        let Some(open) = site.gather.clone() else {
            return r.add(Site { instance: TOLD, points_to: TOLD, ..site });
        };
        let open = Open {
            wire: open.wire,
            values: results.iter().flat_map(|s| s.values.clone()).collect(),
            infos: results.iter().flat_map(|s| s.infos.clone()).collect(),
            need: open.need,
            within: open.within,
        };
        let like = Site { class: P::Class::NAME, many: P::MANY, ..site };
        let site = r.gather(at, open, like);
        r.add(site)
    })
}

/// What the values of a gather are, one by one; without their shape where they are stacked.
pub(crate) fn closed(of: SiteRef, shaped: bool) -> ValueInfo {
    let site = with(|r| r.get(Location::caller(), of));
    let inner = match site.infos.first().map(|i| &i.ty) {
        Some(ValueType::Seq(inner)) => (**inner).clone(),
        _ => ValueType::Tensor { element: None, shape: None },
    };
    match inner {
        ValueType::Tensor { element, .. } if !shaped => ValueType::Tensor { element, shape: None }.into(),
        inner => inner.into(),
    }
}
