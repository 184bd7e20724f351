//! An engine from an image: every number is checked against the plans before anything is put in place.

use super::{CheckpointError, image};
use crate::bugs::{Bug, has};
use crate::event::{CallError, Cause, EngineStep, ExecutionId, QuorumFailure};
use crate::input::{CallId, CommandId, GraphId};
use crate::outgoing::Outgoing;
use crate::plan::{GraphSlot, LanesIx, NodeIx, NodeKind, PlacePlan, SiteIx, Sizes, Syscall};
use crate::step::bootstrap::State as Bootstrapping;
use crate::step::frame::{DONE, Frame, FrameKey, FrameRef, Frames, NO_LANE, Parked, RecvState, Refused, SiteState};
use crate::step::gather::{GatherState, Member};
use crate::step::lanes::{Lane, LaneRecv, LanesState};
use crate::step::outbox::Sent;
use crate::step::peers::{PeerIx, Peers};
use crate::step::processes::Processes;
use crate::step::{Engine, Ready};
use crate::tables::Random;
use crate::time::Time;
use crate::{PeerId, SendId, Value};
use bb_ir::codec;
use bb_ir::envelope::{self, Envelope};
use bb_ir::failure::FailureCode;
use bb_ir::limits::{REMAINING_NS_MAX, WireLimits};
use bb_ir::types::ValueType;
use bytes::Bytes;
use rustc_hash::FxHashSet;
use std::sync::Arc;
use std::time::Duration;

type Restored<T> = Result<T, CheckpointError>;

fn bad(what: &'static str) -> CheckpointError {
    CheckpointError::Malformed(what)
}
fn after(now: Time, ns: u64) -> Time {
    // Nothing was ever given longer.
    now.after(Duration::from_nanos(ns.min(REMAINING_NS_MAX)))
}
fn before(now: Time, ns: u64) -> Time {
    Time(now.0.saturating_sub(ns))
}

/// What is put in place once all of it was read.
pub struct Parts {
    pub frames: Frames,
    pub processes: Processes,
    pub bootstraps: Vec<(GraphId, Bootstrapping)>,
    pub ready: Vec<Ready>,
    pub commands: Vec<(CommandId, Ready, Vec<Value>)>,
    pub calls: Vec<(CallId, FrameRef, Vec<Option<Value>>)>,
    pub ended: Vec<(FrameKey, Time)>,
    pub held: Vec<EngineStep>,
    pub loopback: Vec<Sent>,
    pub health: Vec<(PeerIx, image::Health)>,
    /// Where others are with whom nothing was exchanged.
    pub heard_of: Vec<(PeerId, Vec<Bytes>)>,
    pub random: Random,
}

/// Reads an image for this engine. Peers are numbered as they come; nothing else of it changes.
pub fn parts(engine: &mut Engine, image: &image::Image) -> Restored<Parts> {
    let now = engine.now;
    let graph_of = |g: &image::Graph| {
        let same = |s: &&GraphSlot| s.digest.0[..] == g.digest[..] && *s.class == *g.class;
        let found = engine.graphs.iter().find(same).map(|s| s.id.0);
        found.ok_or_else(|| CheckpointError::OtherProgram { class: g.class.clone() })
    };
    let graphs: Vec<u32> = image.graphs.iter().map(graph_of).collect::<Restored<_>>()?;
    let processes = Processes::new(engine.config.peer.clone(), image.epoch);
    let mut it = Reader { graphs, now, peers: &mut engine.peers, processes, slots: &engine.graphs };
    let (mut frames, mut commands, mut refs) = (Frames::default(), Vec::new(), Vec::new());
    for saved in &image.frames {
        let (mut frame, parked) = it.frame(saved)?;
        frame.active = (parked.len() + frame.parked.len()) as u32;
        it.processes.keep(frame.key.process);
        let at = frames.put(Box::new(frame)).ok_or(bad("two frames are one"))?;
        commands.extend(
            parked.into_iter().map(|(number, node, lane, inputs)| (number, Ready { frame: at, node, lane }, inputs)),
        );
        refs.push(at);
    }
    let bootstraps = bootstraps(image, &it, &frames)?;
    commands.sort_by_key(|(number, ..)| *number);
    if commands.windows(2).any(|w| w[0].0 == w[1].0) || commands.last().is_some_and(|c| c.0.0 >= image.next_command) {
        return Err(bad("a method's number"));
    }
    let frame_at = |i: u32| refs.get(i as usize).copied().ok_or(bad("a frame that is not there"));
    let mut ready = Vec::new();
    for saved in &image.ready {
        let at = frame_at(saved.frame)?;
        let frame = frames.get_mut(at).ok_or(bad("a frame that is not there"))?;
        let node = NodeIx(saved.node);
        if frame.plan.nodes.get(saved.node as usize).is_none() || frame.pending_mut(node, saved.lane) != Some(&mut 0) {
            return Err(bad("an op that is not ready"));
        }
        frame.active += 1;
        ready.push(Ready { frame: at, node, lane: saved.lane });
    }
    let mut calls = Vec::new();
    for saved in &image.calls {
        let outputs = saved.outputs.iter().map(|o| o.value.as_ref().map(value).transpose());
        let outputs: Vec<Option<Value>> = outputs.collect::<Restored<_>>()?;
        let (id, at) = (CallId(saved.id), frame_at(saved.frame)?);
        let frame = frames.get(at).filter(|f| f.call == Some(id) && f.key.place == 0).ok_or(bad("a call's frame"))?;
        let due = it.slots[frame.key.graph as usize].outputs_at_entry();
        // A call whose outputs are all there is resolved.
        if outputs.len() != due || (due > 0 && outputs.iter().all(Option::is_some)) {
            return Err(bad("a call's outputs"));
        }
        calls.push((id, at, outputs));
    }
    let mut ended = Vec::new();
    for saved in &image.ended {
        let key = it.key(&saved.key)?;
        // Until all of them are put in place.
        it.processes.keep(key.process);
        ended.push((key, after(now, saved.rest_ns)));
    }
    let held = image.held.iter().map(|h| it.held(h)).collect::<Restored<_>>()?;
    let me = it.peers.me().clone();
    let at_of = |s: &image::Sent| s.frame.map_or(Ok(FrameRef::NONE), frame_at);
    let message = |s: &image::Sent| sent(s, now, at_of(s)?, &me, SendId { peer: 0, seq: 0 })?.ok_or(bad("a message"));
    let loopback = image.loopback.iter().map(message).collect::<Restored<_>>()?;
    let (mut flights, mut numbers, mut heard_of) = (Vec::new(), Vec::new(), Vec::new());
    let judged: FxHashSet<u32> = image.health.iter().map(|h| h.peer).collect();
    for (i, saved) in (0u32..).zip(&image.peers) {
        let id = peer(&saved.id)?;
        if saved.is_heard_of() && it.peers.find(&id).is_none() && !judged.contains(&i) {
            heard_of.push((id, saved.addresses.clone()));
            numbers.push(None);
            continue;
        }
        let ix = it.peers.intern(&id);
        numbers.push(Some(ix));
        let mut flight = Vec::new();
        // Numbers go up by one; nobody has sent so many.
        if [saved.first, saved.contiguous, saved.unmet, image.begin].iter().any(|n| *n > u64::MAX / 2) {
            return Err(bad("a number"));
        }
        for (message, seq) in saved.flight.iter().zip(saved.first.max(1)..) {
            let message = sent(message, now, at_of(message)?, &id, SendId { peer: ix.0, seq })?;
            flight.push(message.filter(|_| !has(Bug::ResendLostAtRestore)));
        }
        flights.push((ix, saved, flight));
    }
    let number = |h: &image::Health| numbers.get(h.peer as usize).copied().flatten().ok_or(bad("a peer"));
    let health = image.health.iter().map(|h| Ok((number(h)?, h.clone())));
    let health = health.collect::<Restored<_>>()?;
    let seed = <[u8; 32]>::try_from(&image.random_seed[..]).map_err(|_| bad("a seed"))?;
    let random = Random::restored(seed, image.random_position);
    // Nothing can be refused from here on.
    for (ix, saved, flight) in flights {
        it.peers.restore(ix, saved, flight, now);
    }
    let processes = it.processes;
    Ok(Parts { bootstraps, health, heard_of, random, frames, processes, ready, commands, calls, ended, held, loopback })
}

struct Reader<'a> {
    graphs: Vec<u32>,
    now: Time,
    peers: &'a mut Peers,
    processes: Processes,
    slots: &'a [GraphSlot],
}

/// How far each bootstrap was: one that ran has a frame, and no other has.
fn bootstraps(image: &image::Image, it: &Reader, frames: &Frames) -> Restored<Vec<(GraphId, Bootstrapping)>> {
    let mut all = Vec::new();
    for (saved, graph) in image.graphs.iter().zip(&it.graphs) {
        let bootstrap = it.slots[*graph as usize].bootstrap.as_ref();
        let place = bootstrap.map(|b| b.place);
        let due = || bootstrap.map_or(Bootstrapping::Due(Vec::new()), Bootstrapping::of);
        let mut running = frames.all().filter(|(_, f)| f.key.graph == *graph && Some(f.key.place) == place);
        let state = match (saved.bootstrap, running.next(), running.next()) {
            (0, None, _) => due(),
            (1, Some((at, frame)), None) if frame.call.is_none() => Bootstrapping::Running(at),
            (2, None, _) if has(Bug::BootstrapRunsAgain) => due(),
            (2, None, _) => Bootstrapping::Done,
            _ => return Err(bad("a bootstrap")),
        };
        match place {
            Some(_) => all.push((GraphId(*graph), state)),
            None if saved.bootstrap == 0 => {}
            None => return Err(bad("a bootstrap")),
        }
    }
    Ok(all)
}

type Running = (CommandId, NodeIx, Option<u32>, Vec<Value>);

impl Reader<'_> {
    /// An artifact's number here.
    fn graph(&self, saved: u32) -> Restored<u32> {
        self.graphs.get(saved as usize).copied().ok_or(bad("a graph that is not there"))
    }

    fn key(&mut self, key: &image::Key) -> Restored<FrameKey> {
        let graph = self.graph(key.graph)?;
        let process = self.processes.intern(&peer(&key.origin)?, key.epoch);
        Ok(FrameKey { process, counter: key.counter, graph, place: key.place, lane: key.lane })
    }

    fn frame(&mut self, saved: &image::Frame) -> Restored<(Frame, Vec<Running>)> {
        let key = self.key(&saved.key)?;
        let slot = &self.slots[key.graph as usize];
        let plan = slot.places.get(key.place as usize).and_then(Option::as_ref).ok_or(bad("a place"))?.clone();
        if plan.each != (key.lane != NO_LANE) {
            return Err(bad("a lane"));
        }
        let recvs = saved.recvs.iter().map(|r| self.recv(r)).collect::<Restored<Vec<_>>>()?;
        same(saved.lanes.len(), plan.lanes.len(), "lanes")?;
        same(recvs.len(), plan.recvs.len(), "recvs")?;
        let lanes = (0u32..).map(LanesIx).zip(&saved.lanes);
        let lanes = lanes.map(|(ix, l)| self.lanes(&plan, ix, l)).collect::<Restored<Vec<_>>>()?;
        let open = |(recv, state): (&crate::plan::RecvPlan, &RecvState)| match recv.lanes {
            _ if *state != RecvState::Waiting => false,
            None => true,
            Some(l) => lanes[l.0 as usize].as_ref().is_none_or(|l| l.waiting > 0),
        };
        let open_recvs = plan.recvs.iter().zip(&recvs).filter(|r| open((r.0, r.1))).count() as u32;
        let sites = sites(&saved.sites, plan.sites.len())?;
        let held = |s: &SiteState| s.value().map_or(0, Value::bytes);
        let in_lanes = lanes.iter().flatten().flat_map(|l| &l.lanes).flat_map(|l| &l.sites);
        let bytes = sites.iter().chain(in_lanes).map(held).sum();
        let mut parked = Vec::new();
        for command in &saved.commands {
            let node = NodeIx(command.node);
            let method = plan.nodes.get(command.node as usize).filter(|n| matches!(n.kind, NodeKind::Method { .. }));
            let in_lane = method.ok_or(bad("a method"))?.lanes;
            let lane = in_lane.map(|(l, _)| lanes[l.0 as usize].as_ref().map_or(0, LanesState::len) as u32);
            if lane.is_some() != command.lane.is_some() || command.lane.is_some_and(|l| Some(l) >= lane) {
                return Err(bad("a method's lane"));
            }
            let inputs = command.inputs.iter().map(value).collect::<Restored<_>>()?;
            parked.push((CommandId(command.number), node, command.lane, inputs));
        }
        let waiting = |p: &image::Parked| {
            let is_one = |n: &&crate::plan::NodePlan| matches!(n.kind, NodeKind::Syscall(Syscall::After));
            let in_lane = plan.nodes.get(p.node as usize).filter(is_one).ok_or(bad("an op that waits"))?.lanes;
            let lanes = in_lane.map(|(l, _)| lanes[l.0 as usize].as_ref().map_or(0, LanesState::len) as u32);
            let fits = lanes.is_some() == p.lane.is_some() && p.lane.is_none_or(|lane| Some(lane) < lanes);
            let parked = Parked { node: NodeIx(p.node), lane: p.lane, until: after(self.now, p.rest_ns) };
            fits.then_some(parked).ok_or(bad("the lane of an op that waits"))
        };
        let waiting = saved.parked.iter().map(waiting).collect::<Restored<_>>()?;
        let refused = |r: &image::Refused| {
            let sender = (r.sender as usize) < plan.sites.len();
            let by = peer(&r.by)?;
            sender.then_some(Refused { sender: SiteIx(r.sender), lane: r.lane, by }).ok_or(bad("a sender"))
        };
        let frame = Frame {
            deadline: after(self.now, saved.rest_ns),
            call: saved.call.map(CallId),
            // Whose message opened it is not written down.
            holder: None,
            sites,
            sizes: Sizes::from_image(&saved.sizes, &plan).ok_or(bad("names of dimensions"))?,
            pending: pending(&saved.pending, plan.nodes.iter().map(|n| n.pending))?,
            recvs,
            open_recvs,
            lanes,
            sent_at: times(self.now, &saved.sent_ago, plan.starts)?,
            active: 0,
            refused: saved.refused.iter().map(refused).collect::<Restored<_>>()?,
            parked: waiting,
            commands: parked.iter().map(|(number, ..)| *number).collect(),
            bytes,
            key,
            plan,
        };
        Ok((frame, parked))
    }

    fn recv(&mut self, recv: &image::Recv) -> Restored<RecvState> {
        match recv.state {
            0 => Ok(RecvState::Waiting),
            1 => Ok(RecvState::Filled(self.peers.intern(&peer(&recv.by)?))),
            2 => Ok(RecvState::Failed),
            _ => Err(bad("a recv")),
        }
    }

    fn lanes(&self, plan: &PlacePlan, ix: LanesIx, saved: &image::Lanes) -> Restored<Option<LanesState>> {
        if !saved.open {
            return Ok(None);
        }
        let of = plan.lanes(ix);
        same(saved.lanes.len(), saved.members.len(), "members")?;
        same(saved.gathers.len(), of.gathers.len(), "gathers")?;
        let lane = |lane: &image::Lane| {
            Ok(Lane {
                recv: match lane.recv {
                    0 => LaneRecv::Waiting,
                    1 => LaneRecv::Filled,
                    2 => LaneRecv::Failed,
                    3 => LaneRecv::Closed,
                    _ => return Err(bad("a lane's recv")),
                },
                sites: sites(&lane.sites, of.sites.len())?,
                pending: pending(&lane.pending, of.nodes.iter().map(|n| plan.node(*n).pending))?,
                sent_at: times(self.now, &lane.sent_ago, of.starts)?,
            })
        };
        let lanes = saved.lanes.iter().map(lane).collect::<Restored<Vec<_>>>()?;
        let gather = |(gather, node): (&image::Gather, &NodeIx)| {
            let members = gather.members.iter().map(|m| match m {
                0 => Ok(Member::Waiting),
                1 => Ok(Member::Arrived),
                code => code_of(code - 1).map(Member::Failed),
            });
            let members = members.collect::<Restored<Vec<_>>>()?;
            same(members.len(), lanes.len(), "members of a gather")?;
            same(gather.left.len(), lanes.len(), "lanes of a gather")?;
            let within = gather.within_ns.map(|ns| (Duration::from_nanos(ns), before(self.now, gather.within_ago)));
            let mut state = GatherState::new(plan.node(*node), 0);
            state.put(gather.need, gather.first, within, gather.left.clone(), members, gather.done);
            Ok(state)
        };
        let gathers = saved.gathers.iter().zip(&of.gathers).map(gather).collect::<Restored<_>>()?;
        Ok(Some(LanesState {
            members: saved.members.iter().map(peer).collect::<Restored<_>>()?,
            waiting: lanes.iter().filter(|l| l.recv == LaneRecv::Waiting).count() as u32,
            lanes,
            gathers,
        }))
    }

    fn held(&self, held: &image::Held) -> Restored<EngineStep> {
        let values = held.values.iter().map(value).collect::<Restored<Vec<_>>>()?;
        if let Some(call) = held.call {
            let result = match &held.failed {
                Some(why) => Err(CallError::Failed(cause(why)?)),
                None if held.late => Err(CallError::Deadline { waited_for: held.waited_for.clone() }),
                None => Ok(values),
            };
            let graph = GraphId(self.graph(held.graph)?);
            return Ok(EngineStep::CallResolved { call: CallId(call), graph, result });
        }
        let key = held.execution.as_ref().ok_or(bad("an output"))?;
        let graph = self.graph(key.graph)?;
        let value = values.into_iter().next().ok_or(bad("an output"))?;
        Ok(EngineStep::AppEvent {
            graph: GraphId(graph),
            module_name: self.slots[graph as usize].program.clone(),
            topic: held.topic.as_str().into(),
            value,
            execution: ExecutionId { origin: peer(&key.origin)?, epoch: key.epoch, counter: key.counter },
        })
    }
}

fn same(there: usize, expected: usize, what: &'static str) -> Restored<()> {
    if there == expected { Ok(()) } else { Err(bad(what)) }
}
fn peer(bytes: &Bytes) -> Restored<PeerId> {
    PeerId::from_bytes(bytes.clone()).ok_or(bad("a peer"))
}
fn code_of(number: u32) -> Restored<FailureCode> {
    FailureCode::ALL.iter().copied().find(|c| c.number() == number).ok_or(bad("a failure's code"))
}
fn times(now: Time, ago: &[u64], count: u32) -> Restored<Vec<Option<Time>>> {
    same(ago.len(), count as usize, "times of sends")?;
    Ok(ago.iter().map(|ago| ago.checked_sub(1).map(|ago| before(now, ago))).collect())
}
fn pending(saved: &[u32], most: impl ExactSizeIterator<Item = u32>) -> Restored<Vec<u32>> {
    same(saved.len(), most.len(), "pending counters")?;
    let fits = saved.iter().zip(most).all(|(p, most)| *p == DONE || *p <= most);
    if fits { Ok(saved.to_vec()) } else { Err(bad("a pending counter")) }
}
fn sites(saved: &[image::Site], count: usize) -> Restored<Vec<SiteState>> {
    same(saved.len(), count, "sites")?;
    let site = |site: &image::Site| match (site.state, &site.value, &site.cause) {
        (0, ..) => Ok(SiteState::Empty),
        (1, Some(v), _) => value(v).map(SiteState::Filled),
        (2, ..) => Ok(SiteState::Taken),
        (3, _, Some(why)) => cause(why).map(|c| SiteState::Failed(Arc::new(c))),
        _ => Err(bad("a site")),
    };
    saved.iter().map(site).collect()
}

fn value(saved: &image::Value) -> Restored<Value> {
    match saved.kind {
        0 => Ok(Value::Absent),
        1 => Ok(Value::Trigger),
        2 => {
            let any = ValueType::Tensor { element: None, shape: None };
            codec::decode(&any, saved.data.clone()).map(|d| d.value).map_err(|_| bad("a tensor"))
        }
        3 => peer(&saved.data).map(Value::Peer),
        4 => Ok(Value::Bytes(saved.data.clone())),
        5 => saved.items.iter().map(value).collect::<Restored<Vec<_>>>().map(|items| Value::Seq(items.into())),
        _ => Err(bad("a value")),
    }
}

fn cause(saved: &image::Cause) -> Restored<Cause> {
    let quorum = |q: &image::Quorum| {
        same(q.missing.len(), q.codes.len(), "codes of a quorum")?;
        let missing = q.missing.iter().zip(&q.codes).map(|(p, code)| Ok((peer(p)?, code_of(*code)?)));
        Ok(Box::new(QuorumFailure {
            need: q.need,
            arrived: q.arrived.iter().map(peer).collect::<Restored<_>>()?,
            missing: missing.collect::<Restored<_>>()?,
        }))
    };
    Ok(Cause {
        code: code_of(saved.code)?,
        message: saved.message.clone(),
        quorum: saved.quorum.as_ref().map(quorum).transpose()?,
    })
}

/// A message in flight; none where only its number is.
fn sent(saved: &image::Sent, now: Time, frame: FrameRef, to: &PeerId, id: SendId) -> Restored<Option<Sent>> {
    if saved.envelope.is_empty() {
        return Ok(None);
    }
    let mut limits = WireLimits::default();
    limits.frame_bytes_max = limits.frame_bytes_max.max(saved.envelope.len());
    let read = envelope::decode(saved.envelope.clone(), &limits).map_err(|_| bad("an envelope"))?;
    if read.execution.is_none() {
        return Err(bad("a message"));
    }
    let envelope = Envelope { remaining_ns: 0, rtt: Vec::new(), ..read.to_be_sent() };
    let expires = after(now, saved.rest_ns);
    let outgoing = Outgoing { id, peer: to.clone(), expires, envelope: Arc::new(envelope) };
    Ok(Some(Sent { frame, wire: saved.wire, lane: saved.lane, outgoing }))
}
