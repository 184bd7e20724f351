//! Wires: the one way from peer to peer.

use super::gather::Open;
use super::{ANYWHERE, Node, ORIGIN, Site, SiteRef, Source, TOLD, with};
use crate::place::{Many, PeerClass, Place};
use crate::typed::ValueInfo;
use bb_ir::diagnostics::Diagnostic;
use bb_ir::keys;
use bb_ir::ops::{OP_SEND, SYSCALL_DOMAIN, SYSCALL_ORIGIN, WIRE_DOMAIN};
use bb_ir::types::ValueType;
use std::panic::Location;

/// Sends `inputs`, the destination last, from a place `From` to one or each peer of class `To`.
#[track_caller]
pub(crate) fn wire<From: Place, To: PeerClass>(inputs: Vec<SiteRef>, many: Many) -> Source {
    let at = Location::caller();
    with(|r| {
        let sites: Vec<Site> = inputs.iter().map(|s| r.get(at, *s)).collect();
        let from = r.meet(at, &sites).unwrap_or_default();
        if r.scope().bootstrap {
            let text = "a bootstrap sends nothing: it runs on every peer by itself, before anyone else is there";
            r.fail(at, Diagnostic::new("BB0214", text).help("send it in the module, with the first call"));
        }
        let (to, payloads) = sites.split_last().expect("a wire has a destination");
        r.reached.entry(to.points_to).or_insert(at);

        let wire = r.scope().wires;
        r.scope().wires += 1;
        let lane = r.lane_of(From::MANY, from);
        let mut infos: Vec<ValueInfo> = payloads.iter().flat_map(|s| s.infos.clone()).collect();
        let width = infos.len();
        infos.push(ValueInfo { ty: ValueType::peer(), peer_class: Some(From::Class::NAME) });
        infos.push(ValueType::Trigger.into());
        let node = Node {
            domain: WIRE_DOMAIN.into(),
            op: OP_SEND.into(),
            overload: Some(width.to_string()),
            inputs: sites.iter().flat_map(|s| s.values.clone()).collect(),
            lane,
            metadata: vec![(keys::WIRE_ID_KEY, wire.to_string()), (keys::CHAIN_DEPTH_KEY, "1".into())],
            ..Node::default()
        };
        let mut names = r.node(at, node, &infos);
        let sender = names[width].clone();
        names.truncate(width);
        infos.truncate(width);

        // A lane is on the peer around it: what is replied from a lane comes from there.
        let leaves = r.lane_around.get(&from).copied().unwrap_or(from);
        let landed = Site {
            origin: Some((From::Class::NAME, leaves)),
            sender: Some(sender),
            ..Site::new(To::NAME, many, to.points_to, Vec::new(), Vec::new())
        };
        match From::MANY {
            // A peer value stays the same peer when it is sent.
            Many::One => {
                if many == Many::Each {
                    r.opened_by.insert(to.points_to, from);
                }
                let seeds = payloads.iter().zip(names.into_iter().zip(infos)).map(|(payload, (name, info))| Site {
                    points_to: payload.points_to,
                    values: vec![name],
                    infos: vec![info],
                    ..landed.clone()
                });
                Source::new(seeds.collect())
            }
            // A reply to the member that a lane stands for.
            Many::Lane => {
                let seeds: Vec<Site> = names
                    .into_iter()
                    .zip(infos)
                    .map(|(name, info)| Site {
                        many: Many::Each,
                        points_to: r.new_instance(),
                        values: vec![name],
                        infos: vec![info],
                        ..landed.clone()
                    })
                    .collect();
                Source::new(seeds)
            }
            Many::Each => {
                if let Some(home) = r.opened_by.get(&from).copied()
                    && home != to.points_to
                    && to.points_to != TOLD
                {
                    let message = "the values of a cohort go home, to the peer that opened it, and to no third one";
                    let help = "send them to `.sender::<_>()` of what the cohort was sent, and on from there";
                    r.fail(at, Diagnostic::new("BB0211", message).help(help));
                }
                let open = Open { wire, values: names, infos, need: None, within: None };
                let site = r.gather(at, open, landed);
                Source::new(vec![site])
            }
        }
    })
}

/// The peer that made the call, a destination from every place.
#[track_caller]
pub(crate) fn origin<D: PeerClass>() -> SiteRef {
    let at = Location::caller();
    with(|r| {
        let info = ValueInfo { ty: ValueType::peer(), peer_class: Some(D::NAME) };
        let node = Node { domain: SYSCALL_DOMAIN.into(), op: SYSCALL_ORIGIN.into(), ..Node::default() };
        let values = r.node(at, node, std::slice::from_ref(&info));
        let scope = r.scope();
        if let (true, Some(entry), module) = (scope.root, scope.entry, scope.module)
            && entry != D::NAME
        {
            let message = format!("a call of `{module}` comes from a `{entry}`, not from a `{}`", D::NAME);
            r.fail(at, Diagnostic::new("BB0204", message).help(format!("`.origin::<{entry}>()`")));
        }
        let points_to = ORIGIN;
        r.add(Site { points_to, ..Site::new(D::NAME, Many::One, ANYWHERE, values, vec![info]) })
    })
}

/// The peer a value came from.
#[track_caller]
pub(crate) fn sender<D: PeerClass>(of: SiteRef) -> SiteRef {
    let at = Location::caller();
    with(|r| {
        let site = r.get(at, of);
        let told = |r: &mut super::Recorder, diagnostic: Diagnostic| {
            if site.instance != TOLD {
                r.fail(at, diagnostic);
            }
            TOLD
        };
        let points_to = match (&site.origin, site.param) {
            (Some((class, instance)), _) if *class == D::NAME => *instance,
            (Some((class, _)), _) => {
                let message = format!("this value came from `{class}`, not from `{}`", D::NAME);
                told(r, Diagnostic::new("BB0202", message).help(format!("`.sender::<{class}>()`")))
            }
            (None, Some(name)) => {
                let message = format!("`{name}` is a parameter: who sent it is not known here");
                let help =
                    format!("pass the sender along, as a parameter of its own: `from: On<_, Peer<{}>>`", D::NAME);
                told(r, Diagnostic::new("BB0207", message).help(help))
            }
            (None, None) => match site.called {
                Some(module) => {
                    let message = format!("this value came off a wire in `{module}`: who sent it is known only there");
                    let help = format!("let `{module}` give the sender as well: `value.sender::<{}>()`", D::NAME);
                    told(r, Diagnostic::new("BB0203", message).help(help))
                }
                None => {
                    let message = "this value did not come off a wire: it was made here and has no sender";
                    told(r, Diagnostic::new("BB0203", message).help("ask the value that `graph.wire` gave"))
                }
            },
        };
        let info = ValueInfo { ty: ValueType::peer(), peer_class: Some(D::NAME) };
        // Where there is no sender the fault has been told; the program is not compiled.
        let value = site.sender.clone().or_else(|| site.values.first().cloned()).unwrap_or_default();
        let site = Site { values: vec![value], infos: vec![info], origin: None, sender: None, gather: None, ..site };
        r.add(Site { points_to, param: None, ..site })
    })
}
