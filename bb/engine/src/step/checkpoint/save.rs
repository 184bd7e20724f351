//! An engine as an image: every part by its own function, and nothing left out that `restore` does not make anew.

use super::image;
use crate::Value;
use crate::event::{CallError, Cause, EngineStep, ExecutionId, QuorumFailure};
use crate::step::bootstrap::State as Bootstrapping;
use crate::step::frame::{Frame, FrameKey, FrameRef, RecvState, SiteState};
use crate::step::gather::{GatherState, Member};
use crate::step::lanes::{Lane, LaneRecv, LanesState};
use crate::step::outbox::Sent;
use crate::step::{Engine, Ready};
use crate::time::Time;
use bb_ir::codec;
use bytes::Bytes;
use rustc_hash::FxHashMap;

type Numbers = FxHashMap<FrameRef, u32>;

pub fn image(engine: &Engine) -> image::Image {
    let now = engine.now;
    let frames: Vec<(FrameRef, &Frame)> = engine.frames.all().collect();
    let numbers: Numbers = frames.iter().zip(0u32..).map(|((at, _), i)| (*at, i)).collect();
    // What waits for a bootstrap could fire first.
    let ready = engine
        .bootstraps
        .waiting()
        .chain(&engine.ready)
        .filter_map(|r| Some(image::Ready { frame: *numbers.get(&r.frame)?, node: r.node.0, lane: r.lane }));
    image::Image {
        peer: engine.config.peer.to_bytes(),
        epoch: engine.config.epoch,
        counter: engine.calls.counter,
        next_command: engine.next_command,
        graphs: engine
            .graphs
            .iter()
            .map(|g| image::Graph {
                digest: g.digest.0.to_vec().into(),
                class: g.class.to_string(),
                bootstrap: match engine.bootstraps.state(g.id) {
                    None | Some(Bootstrapping::Due(_) | Bootstrapping::Failed(_)) => 0,
                    Some(Bootstrapping::Running(_)) => 1,
                    Some(Bootstrapping::Done) => 2,
                },
            })
            .collect(),
        frames: frames.iter().map(|(_, frame)| frame_image(engine, frame)).collect(),
        ready: ready.collect(),
        peers: engine.peers.images(now, &numbers),
        ended: engine
            .ended
            .all()
            .map(|(key, deadline)| image::Ended { key: key_image(engine, &key), rest_ns: rest(now, deadline) })
            .collect(),
        calls: engine.calls.images(&numbers),
        held: engine.held.iter().filter_map(held).collect(),
        loopback: engine.loopback.iter().map(|(sent, _)| sent_image(sent, now, &numbers)).collect(),
        health: engine.peers.numbers().filter_map(|peer| engine.gates.image(peer, now)).collect(),
        random_seed: engine.gates.random.image().0.to_vec().into(),
        random_position: engine.gates.random.image().1,
        begin: engine.peers.begin_saved(),
        forgot: engine.peers.has_forgotten(),
    }
}

fn rest(now: Time, then: Time) -> u64 {
    now.until(then).as_nanos() as u64
}
fn ago(now: Time, then: Time) -> u64 {
    now.0.saturating_sub(then.0)
}
fn times(now: Time, all: &[Option<Time>]) -> Vec<u64> {
    all.iter().map(|t| t.map_or(0, |t| ago(now, t) + 1)).collect()
}

fn key_image(engine: &Engine, key: &FrameKey) -> image::Key {
    let execution = execution(&engine.processes.execution(key));
    image::Key { graph: key.graph, place: key.place, lane: key.lane, ..execution }
}
fn execution(id: &ExecutionId) -> image::Key {
    image::Key { origin: id.origin.to_bytes(), epoch: id.epoch, counter: id.counter, ..image::Key::default() }
}

fn frame_image(engine: &Engine, frame: &Frame) -> image::Frame {
    let now = engine.now;
    let recv = |state: &RecvState| match state {
        RecvState::Waiting => image::Recv { state: 0, by: Bytes::new() },
        RecvState::Filled(by) => image::Recv { state: 1, by: engine.peers.id(*by).to_bytes() },
        RecvState::Failed => image::Recv { state: 2, by: Bytes::new() },
    };
    let command = |number: &crate::CommandId| {
        let (Ready { node, lane, .. }, inputs) = engine.commands.get(number)?;
        let inputs = inputs.iter().map(value).collect();
        Some(image::Command { number: number.0, node: node.0, lane: *lane, inputs })
    };
    image::Frame {
        key: key_image(engine, &frame.key),
        rest_ns: rest(now, frame.deadline),
        call: frame.call.map(|c| c.0),
        sites: frame.sites.iter().map(site).collect(),
        sizes: frame.sizes.image(),
        pending: frame.pending.clone(),
        recvs: frame.recvs.iter().map(recv).collect(),
        lanes: frame.lanes.iter().map(|l| l.as_ref().map_or_else(image::Lanes::default, |l| lanes(now, l))).collect(),
        sent_ago: times(now, &frame.sent_at),
        refused: frame
            .refused
            .iter()
            .map(|r| image::Refused { sender: r.sender.0, lane: r.lane, by: r.by.to_bytes() })
            .collect(),
        commands: frame.commands.iter().filter_map(command).collect(),
        parked: frame
            .parked
            .iter()
            .map(|p| image::Parked { node: p.node.0, lane: p.lane, rest_ns: rest(now, p.until) })
            .collect(),
    }
}

fn site(state: &SiteState) -> image::Site {
    let (state, value, cause) = match state {
        SiteState::Empty => (0, None, None),
        SiteState::Filled(v) => (1, Some(value(v)), None),
        SiteState::Taken => (2, None, None),
        SiteState::Failed(c) => (3, None, Some(cause(c))),
    };
    image::Site { state, value, cause }
}

pub fn value(v: &Value) -> image::Value {
    let data = || {
        let (head, body) = codec::encode(v, &|_| Vec::new());
        if head.is_empty() { body } else { [&head[..], &body].concat().into() }
    };
    let (kind, data, items) = match v {
        Value::Absent => (0, Bytes::new(), Vec::new()),
        Value::Trigger => (1, Bytes::new(), Vec::new()),
        Value::Tensor(_) => (2, data(), Vec::new()),
        Value::Peer(peer) => (3, peer.to_bytes(), Vec::new()),
        Value::Bytes(bytes) => (4, bytes.clone(), Vec::new()),
        Value::Seq(items) => (5, Bytes::new(), items.iter().map(value).collect()),
    };
    image::Value { kind, data, items }
}

fn cause(cause: &Cause) -> image::Cause {
    let quorum = |q: &QuorumFailure| image::Quorum {
        need: q.need,
        arrived: q.arrived.iter().map(|p| p.to_bytes()).collect(),
        missing: q.missing.iter().map(|(p, _)| p.to_bytes()).collect(),
        codes: q.missing.iter().map(|(_, code)| code.number()).collect(),
    };
    image::Cause {
        code: cause.code.number(),
        message: cause.message.clone(),
        quorum: cause.quorum.as_deref().map(quorum),
    }
}

fn lanes(now: Time, state: &LanesState) -> image::Lanes {
    let lane = |lane: &Lane| image::Lane {
        recv: match lane.recv {
            LaneRecv::Waiting => 0,
            LaneRecv::Filled => 1,
            LaneRecv::Failed => 2,
            LaneRecv::Closed => 3,
        },
        sites: lane.sites.iter().map(site).collect(),
        pending: lane.pending.clone(),
        sent_ago: times(now, &lane.sent_at),
    };
    let gather = |gather: &GatherState| image::Gather {
        need: gather.need,
        first: gather.first,
        within_ns: gather.within.map(|(within, _)| within.as_nanos() as u64),
        within_ago: gather.within.map_or(0, |(_, there)| ago(now, there)),
        left: gather.left.clone(),
        members: gather
            .members
            .iter()
            .map(|m| match m {
                Member::Waiting => 0,
                Member::Arrived => 1,
                Member::Failed(code) => code.number() + 1,
            })
            .collect(),
        done: gather.done,
    };
    image::Lanes {
        open: true,
        members: state.members.iter().map(|m| m.to_bytes()).collect(),
        lanes: state.lanes.iter().map(lane).collect(),
        gathers: state.gathers.iter().map(gather).collect(),
    }
}

pub fn sent_image(sent: &Sent, now: Time, numbers: &Numbers) -> image::Sent {
    image::Sent {
        frame: numbers.get(&sent.frame).copied(),
        wire: sent.wire,
        lane: sent.lane,
        rest_ns: rest(now, sent.outgoing.expires),
        // Whatever its time: what is too late is told apart when it is sent.
        envelope: bb_ir::envelope::encode_with(&sent.outgoing.envelope, 1).concat().into(),
    }
}

/// Bare numbers and acknowledgements follow from the rest; messages are in flight.
fn held(step: &EngineStep) -> Option<image::Held> {
    match step {
        EngineStep::CallResolved { call, graph, result } => {
            let mut held = image::Held { call: Some(call.0), graph: graph.0, ..image::Held::default() };
            match result {
                Ok(values) => held.values = values.iter().map(value).collect(),
                Err(CallError::Deadline { waited_for }) => {
                    (held.late, held.waited_for) = (true, waited_for.clone());
                }
                Err(CallError::Failed(why)) => held.failed = Some(cause(why)),
                // Answers to what was never an execution are not held.
                Err(_) => return None,
            }
            Some(held)
        }
        EngineStep::AppEvent { graph, topic, value: v, execution: id, .. } => Some(image::Held {
            values: vec![value(v)],
            topic: topic.to_string(),
            execution: Some(image::Key { graph: graph.0, ..execution(id) }),
            ..image::Held::default()
        }),
        _ => None,
    }
}
