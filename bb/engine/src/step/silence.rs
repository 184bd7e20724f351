//! What this node knows of peers that have not answered: said when time is out, it changes nothing.

use super::Engine;
use super::bootstrap::State;
use super::frame::{Frame, FrameRef, RecvState, SiteState};
use super::lanes::LaneRecv;
use crate::Value;
use crate::input::GraphId;
use crate::plan::{Destination, Filler, GatherPlan, RecvPlan};
use bb_ir::failure::FailureCode;
use bb_ir::peer::PeerId;

/// How many peers are named in one text, and how much of what each of them said.
const NAMED_MAX: usize = 16;
const SAID_CHARS_MAX: usize = 160;

/// These, and how many more there are.
fn listed<T>(all: &[T], say: impl Fn(&T) -> String) -> String {
    let mut some: Vec<String> = all.iter().take(NAMED_MAX).map(say).collect();
    if let Some(more) = all.len().checked_sub(NAMED_MAX).filter(|more| *more > 0) {
        some.push(format!("{more} more"));
    }
    some.join(", ")
}

/// As much of what a peer said as stands in a text about many.
fn shortened(said: &str) -> String {
    match said.char_indices().nth(SAID_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &said[..end]),
        None => said.to_owned(),
    }
}

impl Engine {
    /// What a frame waits for, each with what is known of whom it would come from.
    pub(super) fn waited_for(&self, at: FrameRef) -> Vec<String> {
        let Some(frame) = self.frames.get(at) else { return Vec::new() };
        let (plan, graph) = (&frame.plan, GraphId(frame.key.graph));
        let waits = |i: usize| match plan.recvs[i].lanes {
            None => frame.recvs[i] == RecvState::Waiting,
            Some(lanes) => frame.lanes[lanes.0 as usize].as_ref().is_none_or(|l| l.waiting > 0),
        };
        let name = |recv: &RecvPlan| {
            let name = match &recv.source {
                Some(source) => format!("{} (the wire of {source}, from a `{}`)", recv.name, recv.from_class),
                None => recv.name.to_string(),
            };
            let awaited = self.awaited(frame, recv).into_iter();
            let known = |(peer, place)| Some((peer, self.why_silent(graph, peer, place)?));
            let known: Vec<(&PeerId, String)> = awaited.filter_map(known).collect();
            let known = listed(&known, |(peer, why)| format!("{peer} {why}"));
            if known.is_empty() { name } else { format!("{name}: {known}") }
        };
        let mut all: Vec<String> = (0..plan.recvs.len()).filter(|i| waits(*i)).map(|i| name(&plan.recvs[i])).collect();
        let running = frame.commands.iter().filter_map(|c| self.commands.get(c));
        all.extend(running.map(|(r, _)| plan.node(r.node).name.to_string()));
        all.extend(frame.parked.iter().map(|p| plan.node(p.node).name.to_string()));
        let kept = self.bootstraps.waiting().filter(|ready| ready.frame == at);
        let bootstrap = self.bootstrap_waits_for(graph);
        all.extend(kept.map(|ready| format!("{}: {bootstrap}", plan.node(ready.node).name)));
        all
    }

    /// The peers that a wire waits for, and each one's place: whom it comes from, and whom it would come by way of.
    fn awaited<'a>(&self, frame: &'a Frame, recv: &RecvPlan) -> Vec<(&'a PeerId, u32)> {
        if let Some(lanes) = recv.lanes.and_then(|ix| frame.lanes[ix.0 as usize].as_ref()) {
            let waiting = lanes.members.iter().zip(&lanes.lanes).filter(|(_, lane)| lane.recv == LaneRecv::Waiting);
            return waiting.map(|(peer, _)| (peer, recv.from_place)).collect();
        }
        let sends = frame.plan.sends.iter().filter_map(|node| Self::send_plan(&frame.plan, *node));
        let by_way_of = sends.filter(|send| recv.awaits.contains(&send.wire)).filter_map(|send| match send.peer {
            Destination::Site(site) => Some((site, send.to_place)),
            Destination::Static(_) => None,
        });
        let from = match recv.filler {
            Filler::Named(site) => Some((site, recv.from_place)),
            _ => None,
        };
        let mut all: Vec<(&PeerId, u32)> = Vec::new();
        for (site, place) in by_way_of.chain(from) {
            let peer = frame.value(site, None).and_then(Value::as_peer);
            all.extend(peer.map(|peer| (peer, place)).filter(|new| !all.contains(new)));
        }
        all
    }

    /// What this node knows of why nothing comes from that peer's place: it …
    pub(super) fn why_silent(&self, graph: GraphId, peer: &PeerId, place: u32) -> Option<String> {
        let slot = &self.graphs[graph.0 as usize];
        let class = slot.classes.get(place as usize)?;
        if *peer == self.config.peer {
            return (!self.peers.hosts_class(class))
                .then(|| format!("is this node, which is no `{class}` (it is a `{}`)", slot.class));
        }
        let Some((ix, hello)) = self.peers.connected(peer).zip(self.peers.hello_of(peer)) else {
            return Some("is not connected".to_owned());
        };
        if self.peers.runs_another(ix, graph) {
            return Some("runs another build".to_owned());
        }
        if self.peers.admitted(ix, graph, place) == Some(true) {
            return None;
        }
        let claims = listed(&hello.classes, |c| format!("`{}`", c.name));
        Some(match hello.classes.iter().any(|c| *c.name == **class) {
            true => format!("is not on the list of `{class}`s"),
            false if claims.is_empty() => format!("is no `{class}`"),
            false => format!("is no `{class}` (it is a {claims})"),
        })
    }

    /// Who is missing in a gather, each with its reason: what failed at the member, or what is known of one that is silent.
    pub(super) fn missing(&self, at: FrameRef, g: &GatherPlan, missing: &[(PeerId, FailureCode)]) -> String {
        let Some(frame) = self.frames.get(at) else { return String::new() };
        let graph = GraphId(frame.key.graph);
        let place = frame.plan.recv(frame.plan.lanes(g.lanes).recv).from_place;
        let lanes = frame.lanes[g.lanes.0 as usize].as_ref();
        let why = |peer: &PeerId, code: FailureCode| match code {
            // The code says it all.
            FailureCode::PeerLost | FailureCode::Unreachable | FailureCode::PeerRestarted => None,
            FailureCode::Deadline => self.why_silent(graph, peer, place),
            _ => {
                let lane = lanes?.lanes.get(lanes?.members.iter().position(|member| member == peer)?)?;
                g.values.iter().find_map(|value| match &lane.sites[*value as usize] {
                    SiteState::Failed(cause) => Some(shortened(&cause.message)),
                    _ => None,
                })
            }
        };
        listed(missing, |(peer, code)| match why(peer, *code) {
            Some(why) => format!("{peer} ({code}: {why})"),
            None => format!("{peer} ({code})"),
        })
    }

    /// Nobody is asked: those that could be, but for the program they run.
    pub(super) fn empty_cohort(&self, graph: GraphId, class: &str) -> String {
        let slot = &self.graphs[graph.0 as usize];
        let others = self.peers.members(class).len() - self.peers.members_of_program(class, &slot.digest).len();
        match others {
            0 => "the cohort is empty".to_owned(),
            1 => format!("the cohort is empty: 1 connected peer of the class `{class}` runs another build"),
            n => format!("the cohort is empty: {n} connected peers of the class `{class}` run another build"),
        }
    }

    /// Why methods that a bootstrap keeps back do not run.
    fn bootstrap_waits_for(&self, graph: GraphId) -> String {
        let inputs = self.graphs[graph.0 as usize].bootstrap.iter().flat_map(|b| &b.inputs);
        let missing: Vec<String> = match self.bootstraps.state(graph) {
            Some(State::Due(staged)) => {
                let missing = inputs.zip(staged).filter(|(_, staged)| staged.is_none());
                missing.map(|(input, _)| format!("`{}`", input.name)).collect()
            }
            _ => Vec::new(),
        };
        match missing.as_slice() {
            [] => "its bootstrap has not ended".to_owned(),
            missing => format!("its bootstrap waits for {}", missing.join(", ")),
        }
    }
}
