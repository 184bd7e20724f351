//! Three nodes, the messages between them, and a hand that meddles.

use super::decisions::Decisions;
use super::decoders::written;
use super::programs::{self, NODES, peer};
use bb::engine::{
    Arg, CallId, CommandId, ComponentFailure, Engine, EngineStep, FailureCode, GraphId, Input, Refusal, SendId, Time,
    Usage, Value,
};
use bb::ir::envelope::{self, FillContent};
use bb::ir::limits::WireLimits;
use bb::ir::value::RawTensor;
use bytes::Bytes;
use std::collections::BTreeSet;
use std::time::Duration;

/// As much of everything as is kept to meddle with.
const KEPT_MAX: usize = 64;

/// What there is.
pub struct World {
    nodes: Vec<Engine>,
    now: Time,
    /// Frames on their way: from, to.
    pub mail: Vec<(usize, usize, Bytes)>,
    runs: Vec<(usize, CommandId, Vec<Value>)>,
    sends: Vec<(usize, SendId)>,
    /// Calls without an answer.
    open: BTreeSet<(usize, CallId)>,
    /// How many calls were answered with values.
    pub answered: usize,
}

impl World {
    /// Nodes that have not met.
    pub fn new() -> Self {
        let nodes = (0..NODES).map(programs::node).collect();
        let (mail, runs, sends, open) = Default::default();
        World { nodes, now: Time(1_000_000_000), mail, runs, sends, open, answered: 0 }
    }

    /// Every node meets every other.
    pub fn connect_all(&mut self) {
        for (a, b) in [(0, 1), (0, 2), (1, 2)] {
            self.connect(a, b);
            self.connect(b, a);
        }
    }
    fn connect(&mut self, at: usize, other: usize) {
        let hello = self.nodes[other].hello_for(self.now, &peer(at));
        self.tell(at, Input::Connected { peer: peer(other), hello });
    }

    /// One thing happens.
    pub fn act(&mut self, d: &mut Decisions) {
        let at = d.below(NODES);
        match d.below(20) {
            0 | 1 => self.call(at, d),
            2 => self.tell(at, Input::Drop { call: CallId(d.number()) }),
            3 => {
                let other = d.below(NODES);
                self.connect(at, other);
            }
            4 => {
                let hello = Bytes::copy_from_slice(d.bytes());
                let peer = peer(d.below(NODES + 1));
                self.tell(at, Input::Hosts { peer: peer.clone(), hello: hello.clone() });
                self.tell(at, Input::Connected { peer, hello });
            }
            5 => self.tell(at, Input::Disconnected { peer: peer(d.below(NODES + 1)) }),
            6..=9 => self.deliver(d),
            10 => self.meddle(d),
            11 => {
                let frame = Bytes::copy_from_slice(d.bytes());
                self.tell(at, Input::Received { peer: peer(d.below(NODES + 1)), frame });
            }
            12..=14 => self.complete(d),
            15 => {
                let reasons =
                    [Refusal::Unreachable, Refusal::QueueFull, Refusal::Expired, Refusal::TooLarge, Refusal::PeerLost];
                let unknown = (at, SendId { peer: d.byte().into(), seq: d.number() });
                let (at, send) = *self.sends.get(d.below(self.sends.len() + 1)).unwrap_or(&unknown);
                self.tell(at, Input::Refused { send, reason: reasons[d.below(reasons.len())] });
            }
            16 => {
                let addresses = vec![Bytes::copy_from_slice(d.bytes())];
                self.tell(at, Input::Addresses { peer: peer(d.below(NODES + 1)), addresses });
            }
            17 => self.crash(at),
            _ => {
                self.now = self.now.after(Duration::from_nanos(d.number().min(1 << 44)));
                self.tell(at, Input::Tick);
            }
        }
    }

    /// A day goes by: nothing is left of anything.
    pub fn end(&mut self) {
        // Then time is out for everything, and a minute later for telling so.
        for later in [90_000, 60] {
            self.now = self.now.after(Duration::from_secs(later));
            for at in 0..NODES {
                self.tell(at, Input::Tick);
            }
        }
        for node in &self.nodes {
            assert_eq!(node.usage(), Usage::default());
        }
        assert_eq!(self.open, BTreeSet::new(), "calls without an answer");
    }

    /// The insides of checkpoints of all nodes.
    pub fn images(&mut self) -> Vec<Vec<u8>> {
        self.nodes.iter_mut().map(|n| super::checkpoints::image(&n.checkpoint().bytes).to_vec()).collect()
    }

    fn tell(&mut self, at: usize, input: Input) {
        self.nodes[at].handle(self.now, input);
        let mut steps = 0;
        while let Some(step) = self.nodes[at].poll(self.now) {
            steps += 1;
            assert!(steps < 100_000, "the engine goes on and on");
            self.step(at, step);
        }
    }
    fn step(&mut self, at: usize, step: EngineStep) {
        match step {
            EngineStep::Send(message) => {
                keep(&mut self.sends, (at, message.id));
                let frame = message.encode(self.now).concat().into();
                if let Some(to) = (0..NODES).find(|n| peer(*n) == message.peer) {
                    keep(&mut self.mail, (at, to, frame));
                }
            }
            EngineStep::Run { command, inputs, .. } => keep(&mut self.runs, (at, command, inputs)),
            EngineStep::CallResolved { call, result, .. } => {
                assert!(self.open.remove(&(at, call)), "{call:?} is answered twice");
                self.answered += usize::from(result.is_ok());
            }
            EngineStep::Disconnect { peer, .. } => self.nodes[at].handle(self.now, Input::Disconnected { peer }),
            _ => {}
        }
    }

    fn call(&mut self, at: usize, d: &mut Decisions) {
        let (call, graph) = (CallId(d.below(32) as u64), GraphId(d.below(4) as u32));
        let tensor = RawTensor::from_vec(&[2], vec![1.0f32, f32::from(d.byte())]).expect("two");
        let one = |d: &mut Decisions| Arg::Value(Value::Peer(peer(d.below(NODES + 1))));
        let args = match d.below(8) {
            0..=2 => vec![Arg::Value(Value::Tensor(tensor)), Arg::AllPeers { and_self: d.below(2) == 0 }],
            3 => vec![Arg::Value(Value::Tensor(tensor)), Arg::Value(Value::Seq(vec![Value::Peer(peer(1)); 2].into()))],
            4..=6 => vec![Arg::Value(Value::Tensor(tensor)), one(d), one(d), one(d)],
            _ => vec![Arg::Value(Value::Trigger), Arg::AllPeers { and_self: true }],
        };
        // A number in use is refused without an answer.
        self.open.insert((at, call));
        self.tell(
            at,
            Input::Call { call, graph, args, budget: Duration::from_nanos(d.number().saturating_mul(1 << 30)) },
        );
    }

    /// A frame arrives, perhaps not for the last time, perhaps not where it should.
    fn deliver(&mut self, d: &mut Decisions) {
        let how = d.byte();
        if self.mail.is_empty() {
            return;
        }
        let i = usize::from(how & 15) % self.mail.len();
        let (from, to, frame) = self.mail[i].clone();
        if how < 192 {
            self.mail.remove(i);
        }
        let from = if how >= 240 { d.below(NODES + 1) } else { from };
        self.tell(to, Input::Received { peer: peer(from), frame });
    }

    /// A frame on its way is changed: it says something else, in good form.
    fn meddle(&mut self, d: &mut Decisions) {
        let Some(i) = self.mail.len().checked_sub(1).map(|last| d.below(last + 1)) else { return };
        let frame = self.mail[i].2.clone();
        let Ok(mut envelope) = envelope::decode(frame, &WireLimits::default()) else { return };
        let fills = envelope.fills.len();
        match d.below(12) {
            0 => envelope.seq = d.number(),
            1 => envelope.ack = d.number(),
            2 => envelope.lane = Some(d.byte().into()),
            3 => envelope.lane = None,
            4 => envelope.remaining_ns = d.number(),
            5 => envelope.execution.iter_mut().for_each(|e| e.counter = d.number()),
            6 => envelope.execution.iter_mut().for_each(|e| e.epoch = d.number()),
            7 => envelope.execution.iter_mut().for_each(|e| e.origin = Some(peer(d.below(NODES + 1)))),
            8 if fills > 0 => drop(envelope.fills.remove(d.below(fills))),
            9 if fills > 0 => envelope.fills.push(envelope.fills[d.below(fills)].clone()),
            _ if fills > 0 => {
                let other = self.mail.get(d.below(self.mail.len())).cloned();
                let other = other.and_then(|(.., f)| envelope::decode(f, &WireLimits::default()).ok());
                let fill = &mut envelope.fills[d.below(fills)];
                match (d.below(5), &mut fill.content, other.and_then(|o| o.fills.into_iter().next())) {
                    (0, content, _) => {
                        let code = FailureCode::from_number(d.byte().into()).unwrap_or(FailureCode::OpFailed);
                        *content = FillContent::Failure { code, message: "made up".into() };
                    }
                    (1, FillContent::Payload { type_hash, .. }, _) => *type_hash ^= 1,
                    (2, _, Some(other)) => fill.address = other.address,
                    (3, content, Some(other)) => *content = other.content,
                    (_, FillContent::Payload { bytes, .. }, _) => *bytes = Bytes::copy_from_slice(d.bytes()),
                    (_, content, _) => *content = FillContent::Trigger { type_hash: d.number() },
                }
            }
            _ => {}
        }
        self.mail[i].2 = written(envelope);
    }

    fn complete(&mut self, d: &mut Decisions) {
        let unknown = (d.below(NODES), CommandId(d.number()), vec![Value::Trigger]);
        let i = d.below(self.runs.len() + 1);
        let (at, command, inputs) = if i < self.runs.len() { self.runs.remove(i) } else { unknown };
        let result = match d.below(8) {
            0 => Err(ComponentFailure::Error("it says so".into())),
            1 => Err(ComponentFailure::Panicked("it says so".into())),
            2 => Err(ComponentFailure::Refused),
            3 => Ok(vec![]),
            4 => Ok(vec![Value::scalar(2u64)]),
            _ => Ok(inputs),
        };
        self.tell(at, Input::Completed { command, result });
    }

    /// A node ends and starts again from what it wrote down at its end.
    fn crash(&mut self, at: usize) {
        let bytes = self.nodes[at].checkpoint().bytes;
        let mut again = programs::node(at);
        again.restore(self.now, &bytes).expect("a node takes its own checkpoint");
        self.nodes[at] = again;
        self.tell(at, Input::Tick);
    }
}

impl Default for World {
    fn default() -> Self {
        World::new()
    }
}

fn keep<T>(kept: &mut Vec<T>, one: T) {
    if kept.len() == KEPT_MAX {
        kept.remove(0);
    }
    kept.push(one);
}
