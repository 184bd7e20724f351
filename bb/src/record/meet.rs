//! Where values meet: all of an op's inputs live on one peer, and an op without inputs starts where the call does.

use super::{ANYWHERE, Graph, ORIGIN, Recorder, Site, SiteRef, TOLD, with};
use crate::place::{Many, PeerClass};
use bb_ir::diagnostics::Diagnostic;
use std::panic::Location;

impl Recorder {
    /// The instance an op runs on; `None` for constants alone.
    pub(super) fn meet(&mut self, at: &'static Location<'static>, sites: &[Site]) -> Option<u32> {
        // Only a root module knows that its entry is the origin; in others the compiler asks again once they are inlined.
        let root = self.scope().root;
        let fixed: Vec<&Site> = sites
            .iter()
            .filter(|s| s.instance != ANYWHERE && s.instance != TOLD && (root || s.instance != ORIGIN))
            .collect();
        if fixed.is_empty() {
            let of = |instance| sites.iter().any(|s| s.instance == instance);
            return if of(ORIGIN) {
                Some(ORIGIN)
            } else if of(TOLD) {
                Some(TOLD)
            } else {
                None
            };
        }
        // A lane sees the values around it, so the op runs in the lane.
        let first = fixed.iter().find(|s| s.many == Many::Lane).unwrap_or(&fixed[0]);
        let (instance, class) = (first.instance, first.class);
        let around = self.lane_around.get(&instance).copied();
        let stranger = fixed.iter().map(|s| s.instance).find(|i| *i != instance && Some(*i) != around);
        if let Some(other) = stranger {
            let lanes = around.is_some() && self.lane_around.contains_key(&other);
            let fault = if lanes {
                two_lanes(class)
            } else {
                two_peers(class, self.reached.get(&instance), self.reached.get(&other))
            };
            self.fail(at, fault);
            return Some(TOLD);
        }
        Some(instance)
    }
}

type Reached<'a> = Option<&'a &'static Location<'static>>;

fn two_peers(class: &str, one: Reached, other: Reached) -> Diagnostic {
    let place = |reached: Reached| reached.map(|at| super::source_place(at));
    Diagnostic::new("BB0210", format!("these values live on two different peers of class `{class}`"))
        .note_two_peers(class, place(one), place(other))
        .help(format!("send both to the same peer value, or keep the state in a component of `{class}`"))
}

fn two_lanes(class: &str) -> Diagnostic {
    let message = format!("one of these values of `{class}` is of a lane of another `.each`, which it has left");
    let help =
        "give it back from its own `.each`, close that gather, and use what it yields; or wire both values together";
    Diagnostic::new("BB0210", message).help(help)
}

/// `graph` as what fires an op on `C`: the site that replaces the start, if there is one.
#[track_caller]
pub(crate) fn starts<C: PeerClass>(graph: &Graph) -> Option<SiteRef> {
    let at = Location::caller();
    with(|r| {
        let (module, entry, bootstrap) = (r.scope().module, r.scope().entry, r.scope().bootstrap);
        if let Some(start) = graph.start {
            let site = r.get(at, start);
            if (site.class, site.many) != (C::NAME, Many::One) && site.instance != TOLD {
                let (there, here) = (site.class, C::NAME);
                let message =
                    format!("this operation runs on `{here}`, but the value it is to come after lives on `{there}`");
                r.fail(
                    at,
                    Diagnostic::new("BB0206", message).help(format!("give it a value that is there on `{here}`")),
                );
                return Some(r.told(C::NAME, start));
            }
        } else if entry != Some(C::NAME) && !bootstrap {
            let starts = match entry {
                Some(entry) => format!("a call of `{module}` starts on `{entry}`"),
                None => format!("`{module}` has no single entry: its inputs do not live at one place"),
            };
            let message = format!("`graph` does not start anything on `{}`: {starts}", C::NAME);
            let help = format!(
                "instead of `graph` give it a value that is there on `{}`, and it runs once that is there",
                C::NAME
            );
            r.fail(at, Diagnostic::new("BB0205", message).help(help));
            return Some(r.told_start(C::NAME));
        }
        graph.start
    })
}

impl Recorder {
    /// A site with the values of `of`, that meets everything.
    fn told(&mut self, class: &'static str, of: SiteRef) -> SiteRef {
        let mut site = self.scope().sites[of.site as usize].clone();
        (site.class, site.many, site.instance, site.points_to) = (class, Many::One, TOLD, TOLD);
        self.add(site)
    }
    fn told_start(&mut self, class: &'static str) -> SiteRef {
        let mut site = Site::new(class, Many::One, TOLD, vec![super::model::START.into()], Vec::new());
        site.points_to = TOLD;
        self.add(site)
    }
}
