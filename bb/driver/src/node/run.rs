//! The loop: what happens goes into the engine, what it says is done.

use super::dialler::Dialler;
use super::peers::{Peers, Said, Sent};
use super::swarm::{BehaviourEvent, Swarm};
use crate::address::{self, AddressBook};
use crate::clock::Clock;
use crate::components::{Answer, Components, Done, Job};
use crate::error::CallError;
use crate::event::Event;
use crate::handle::{Order, Outcome, Seen, Shared};
use crate::plane::{Incoming, Link, Lost, Opened, StreamOpened, What, read, write};
use bb_engine::{CallId, DisconnectReason, Engine, EngineStep, Input, Outgoing, PeerId, Refusal, SendId};
use bb_ir::limits::WireLimits;
use bytes::Bytes;
use futures::StreamExt;
use libp2p::Multiaddr;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, SwarmEvent};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How long what is queued may take to go out at the end.
const FLUSH_WITHIN: Duration = Duration::from_secs(1);
/// How many frames are taken before the engine runs.
const FRAMES_PER_TURN: usize = 64;

/// A running node's state.
pub struct Node {
    swarm: Swarm,
    engine: Engine,
    components: Components,
    shared: Arc<Shared>,
    wire: WireLimits,
    clock: Clock,
    peers: Peers,
    book: AddressBook,
    dialler: Dialler,
    calls: BTreeMap<CallId, oneshot::Sender<Outcome>>,
    waiters: Vec<(String, usize, oneshot::Sender<()>)>,
    /// Why the node itself ended a connection.
    ended: BTreeMap<PeerId, DisconnectReason>,
    writers: JoinSet<()>,
    incoming: mpsc::Sender<Incoming>,
    lost: mpsc::UnboundedSender<Lost>,
}

/// Everything that reaches a node from its own tasks and handles.
pub struct Inbox {
    pub orders: mpsc::Receiver<Order>,
    pub dropped: mpsc::UnboundedReceiver<CallId>,
    pub incoming: mpsc::Receiver<Incoming>,
    pub lost: mpsc::UnboundedReceiver<Lost>,
    pub done: mpsc::UnboundedReceiver<Done>,
}

impl Node {
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        swarm: Swarm,
        engine: Engine,
        components: Components,
        shared: Arc<Shared>,
        wire: WireLimits,
        clock: Clock,
        incoming: mpsc::Sender<Incoming>,
        lost: mpsc::UnboundedSender<Lost>,
    ) -> Self {
        Node {
            swarm,
            engine,
            components,
            shared,
            wire,
            clock,
            peers: Peers::default(),
            book: AddressBook::default(),
            dialler: Dialler::default(),
            calls: BTreeMap::new(),
            waiters: Vec::new(),
            ended: BTreeMap::new(),
            writers: JoinSet::new(),
            incoming,
            lost,
        }
    }

    /// Keeps the node connected to that address.
    pub fn want(&mut self, address: Multiaddr) {
        if let Some(peer) = address::peer_of(&address) {
            self.book.add(&address::ours(&peer), address.clone());
        }
        self.dialler.want(address, Instant::now());
    }

    pub async fn run(mut self, mut inbox: Inbox, early: Vec<SwarmEvent<BehaviourEvent>>) {
        for event in early {
            self.on_swarm(event);
        }
        let stopped = loop {
            self.dial_due();
            self.settle();
            let wake = self.wake();
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_swarm(event),
                Some(incoming) = inbox.incoming.recv() => {
                    self.on_incoming(incoming);
                    for _ in 1..FRAMES_PER_TURN {
                        let Ok(incoming) = inbox.incoming.try_recv() else { break };
                        self.on_incoming(incoming);
                    }
                }
                Some(done) = inbox.done.recv() => {
                    for answer in self.components.done(done) {
                        self.answer(answer);
                    }
                }
                Some(lost) = inbox.lost.recv() => self.refused(lost.id, lost.reason),
                Some(call) = inbox.dropped.recv() => self.drop_call(call),
                order = inbox.orders.recv() => match order {
                    None => break None,
                    Some(Order::Shutdown(reply)) => break Some(reply),
                    Some(order) => self.on_order(order),
                },
                Some(_) = self.writers.join_next() => {}
                () = tokio::time::sleep_until(wake) => self.on_time(),
            }
        };
        self.stop().await;
        if let Some(reply) = stopped {
            // Whoever asked may have gone.
            let _ = reply.send(());
        }
    }

    fn tell(&mut self, input: Input) {
        self.engine.handle(self.clock.now(), input);
    }

    fn publish(&self, event: Event) {
        // An error means that nobody listens.
        let _ = self.shared.events.send(event);
    }

    fn see(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner));
    }

    // What happens on the network.

    fn on_swarm(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Plane(opened)) => self.on_stream(opened),
            SwarmEvent::Behaviour(BehaviourEvent::Ping(ping)) if ping.result.is_err() => {
                self.swarm.close_connection(ping.connection);
            }
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                let peer = address::ours(&peer_id);
                if endpoint.is_dialer() {
                    self.book.add(&peer, endpoint.get_remote_address().clone());
                }
                self.dialler.connected(connection_id, peer_id);
                self.peers.connected(&peer, connection_id);
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, .. } => {
                let peer = address::ours(&peer_id);
                // A reader hands over what has come before it tells the end; without one this is the end.
                if !self.peers.closed(&peer, connection_id) {
                    self.peer_lost(&peer);
                }
                if !self.peers.get(&peer).is_some_and(|p| p.is_connected()) {
                    self.dialler.lost(&peer_id, Instant::now());
                }
            }
            SwarmEvent::OutgoingConnectionError { connection_id, error, .. } => {
                self.dial_failed(connection_id, &error.to_string());
            }
            SwarmEvent::NewListenAddr { address, .. } => {
                let peer = *self.swarm.local_peer_id();
                let address = address.with(libp2p::multiaddr::Protocol::P2p(peer)).to_string();
                self.see(|s| s.listening.push(address));
            }
            _ => {}
        }
    }

    fn on_stream(&mut self, StreamOpened { peer: id, connection, what }: StreamOpened) {
        let peer = address::ours(&id);
        match what {
            Opened::Out(stream) => {
                let (link, queues) = Link::new();
                let (hello, lost) = (self.engine.hello(), self.lost.clone());
                self.writers.spawn(write(stream, hello, queues, lost, self.clock, self.shared.counters.clone()));
                for message in self.peers.linked(&peer, connection, link) {
                    self.send(message);
                }
            }
            Opened::In(stream) if self.peers.start_reading(&peer, connection) => {
                let (incoming, counters) = (self.incoming.clone(), self.shared.counters.clone());
                tokio::spawn(read(stream, id, connection, self.wire, incoming, counters));
            }
            Opened::In(_) => self.refuse_stream(peer, connection, "it opened a second stream".into()),
            Opened::Refused => self.refuse_stream(peer, connection, "it does not speak /bb/1".into()),
        }
    }

    fn refuse_stream(&mut self, peer: PeerId, connection: ConnectionId, reason: String) {
        self.swarm.close_connection(connection);
        self.publish(Event::StreamRefused { peer, reason });
    }

    fn on_incoming(&mut self, Incoming { peer: id, connection, what }: Incoming) {
        let peer = address::ours(&id);
        match what {
            What::Frame(frame) => self.tell(Input::Received { peer, frame }),
            What::Hello(hello) => self.on_hello(peer, connection, hello),
            What::Ended(reason) => {
                self.swarm.close_connection(connection);
                if let Some(reason) = reason.filter(|r| !r.is_io()) {
                    self.publish(Event::StreamRefused { peer: peer.clone(), reason: reason.to_string() });
                }
                self.peer_lost(&peer);
            }
        }
    }

    fn on_hello(&mut self, peer: PeerId, connection: ConnectionId, hello: Bytes) {
        // One the engine cannot read is told to it all the same: it says why, and ends the connection.
        let read = bb_ir::hello::decode(hello.clone(), &self.wire).ok();
        let said = read.as_ref().map_or(Said { epoch: 0, frame_bytes_max: 0 }, |h| Said {
            epoch: h.epoch,
            frame_bytes_max: h.frame_bytes_max,
        });
        match self.peers.get(&peer).and_then(|p| p.said) {
            // A second connection to the same process.
            Some(before) if before.epoch == said.epoch => return,
            Some(_) => self.restarted(&peer, connection),
            None => {}
        }
        self.peers.said(&peer, said);
        self.tell(Input::Connected { peer: peer.clone(), hello });
        for bytes in read.into_iter().flat_map(|h| h.addresses) {
            if let Ok(address) = Multiaddr::try_from(bytes.to_vec()) {
                self.book.add(&peer, address);
            }
        }
        self.tell_addresses(&peer);
        self.publish(Event::Connected { peer });
        self.see_connected();
    }

    /// The peer was started anew: what is left of its former process is over.
    fn restarted(&mut self, peer: &PeerId, connection: ConnectionId) {
        let old: Vec<_> = self.peers.get(peer).into_iter().flat_map(|p| p.connections()).collect();
        for old in old.into_iter().filter(|c| *c != connection) {
            self.swarm.close_connection(old);
            self.peers.closed(peer, old);
        }
        self.tell(Input::Disconnected { peer: peer.clone() });
        self.publish(Event::Disconnected { peer: peer.clone(), reason: None });
    }

    /// What was in flight on any connection to the peer may be gone, so all of them end together.
    fn peer_lost(&mut self, peer: &PeerId) {
        if !self.peers.lost(peer) {
            return;
        }
        if let Some(id) = address::theirs(peer) {
            // An error means that none is left.
            let _ = self.swarm.disconnect_peer_id(id);
            self.dialler.lost(&id, Instant::now());
        }
        self.tell(Input::Disconnected { peer: peer.clone() });
        let reason = self.ended.remove(peer);
        self.publish(Event::Disconnected { peer: peer.clone(), reason });
        self.see_connected();
    }

    fn see_connected(&self) {
        let known = self.peers.known();
        self.see(|s| s.connected = known);
    }

    fn tell_addresses(&mut self, peer: &PeerId) {
        let addresses = self.book.bytes_of(peer);
        self.tell(Input::Addresses { peer: peer.clone(), addresses });
    }

    // Dialling.

    fn dial_due(&mut self) {
        let now = Instant::now();
        while let Some(address) = self.dialler.due(now) {
            let opts = DialOpts::from(address.clone());
            let connection = opts.connection_id();
            self.dialler.dialling(&address, connection);
            if let Err(error) = self.swarm.dial(opts) {
                self.dial_failed(connection, &error.to_string());
            }
        }
        for peer in self.peers.to_dial(now) {
            let (Some(id), addresses) = (address::theirs(&peer), self.book.of(&peer)) else { continue };
            let opts = DialOpts::peer_id(id).addresses(addresses).condition(PeerCondition::DisconnectedAndNotDialing);
            if let Err(error) = self.swarm.dial(opts.build()) {
                // It is tried again as long as messages wait; they say so when they have waited too long.
                tracing::debug!(%peer, %error, "a peer cannot be dialled");
            }
        }
    }

    fn dial_failed(&mut self, connection: ConnectionId, reason: &str) {
        if let Some((address, again_in)) = self.dialler.failed(connection, Instant::now()) {
            self.publish(Event::DialFailed { address: address.to_string(), reason: reason.to_owned(), again_in });
        }
    }

    // Time.

    fn wake(&self) -> Instant {
        let engine = self.engine.deadline().map(|t| self.clock.instant(t));
        let next = [engine, self.dialler.next(), self.peers.next()].into_iter().flatten().min();
        next.unwrap_or_else(|| Instant::now() + Duration::from_secs(3600))
    }

    fn on_time(&mut self) {
        for id in self.peers.expired(Instant::now()) {
            self.refused(id, Refusal::Unreachable);
        }
        self.tell(Input::Tick);
    }

    // What handles want.

    fn on_order(&mut self, order: Order) {
        match order {
            Order::Call { call, graph, args, budget, reply } => {
                // The caller may have gone before the order came.
                if !reply.is_closed() {
                    self.calls.insert(call, reply);
                    self.tell(Input::Call { call, graph, args, budget });
                }
            }
            Order::WaitFor { class, count, reply } => {
                self.waiters.push((class, count, reply));
                self.check_waiters();
            }
            Order::Dial(address) => self.want(address),
            Order::Usage(reply) => {
                self.settle();
                // Whoever asked may have gone.
                let _ = reply.send(self.engine.usage());
            }
            Order::Shutdown(_) => unreachable!("the loop ends with it"),
        }
    }

    fn drop_call(&mut self, call: CallId) {
        if self.calls.remove(&call).is_some() {
            self.tell(Input::Drop { call });
        }
    }

    fn check_waiters(&mut self) {
        let engine = &self.engine;
        for (_, _, reply) in self.waiters.extract_if(.., |(class, count, _)| engine.members(class).len() >= *count) {
            // Whoever waited may have gone.
            let _ = reply.send(());
        }
        self.waiters.retain(|(_, _, reply)| !reply.is_closed());
    }

    // What the engine says.

    fn settle(&mut self) {
        while let Some(step) = self.engine.poll(self.clock.now()) {
            self.step(step);
        }
    }

    fn step(&mut self, step: EngineStep) {
        match step {
            EngineStep::Send(message) => self.send(message),
            EngineStep::Run { command, component, method, inputs } => {
                if let Some(answer) = self.components.run(Job { command, component, method, inputs }) {
                    self.answer(answer);
                }
            }
            EngineStep::CallResolved { call, result } => {
                if let Some(reply) = self.calls.remove(&call) {
                    // The caller may be dropping it at this moment.
                    let _ = reply.send(result.map_err(CallError::Engine));
                }
            }
            EngineStep::AppEvent { graph, module_name, topic, value, execution } => {
                self.publish(Event::Output { graph, program: module_name, topic, value, execution });
            }
            EngineStep::Announced { peer, address } => {
                if let Ok(address) = Multiaddr::try_from(address.to_vec())
                    && self.book.add(&peer, address)
                {
                    self.tell_addresses(&peer);
                }
            }
            EngineStep::Disconnect { peer, reason } => {
                if let Some(id) = address::theirs(&peer) {
                    self.ended.insert(peer, reason);
                    // An error means that none is left.
                    let _ = self.swarm.disconnect_peer_id(id);
                }
            }
            EngineStep::Event(event) => self.on_event(event),
        }
    }

    fn on_event(&mut self, event: bb_engine::Event) {
        match &event {
            bb_engine::Event::MemberJoined { class, .. } | bb_engine::Event::MemberLeft { class, .. } => {
                let members = self.engine.members(class);
                self.see(|s| drop(s.members.insert(class.to_string(), members)));
                self.check_waiters();
            }
            bb_engine::Event::OpenMembership { class } => {
                tracing::warn!(%class, "no list of members was given: whoever claims this class is one");
            }
            _ => {}
        }
        self.publish(Event::Engine(event));
    }

    fn send(&mut self, message: Outgoing) {
        match self.peers.send(message, Instant::now()) {
            Sent::Queued | Sent::Waiting => {}
            Sent::Refused(id, reason) => self.refused(id, reason),
        }
    }

    fn refused(&mut self, send: SendId, reason: Refusal) {
        self.tell(Input::Refused { send, reason });
    }

    fn answer(&mut self, Answer { command, result }: Answer) {
        self.tell(Input::Completed { command, result });
    }

    // The end.

    async fn stop(&mut self) {
        for (call, reply) in std::mem::take(&mut self.calls) {
            self.tell(Input::Drop { call });
            // The caller may be gone as well.
            let _ = reply.send(Err(CallError::Stopped));
        }
        self.settle();
        self.peers.unlink();
        let end = tokio::time::sleep(FLUSH_WITHIN);
        tokio::pin!(end);
        let mut closing = false;
        loop {
            if self.writers.is_empty() && !closing {
                closing = true;
                let connected: Vec<_> = self.swarm.connected_peers().copied().collect();
                for peer in connected {
                    // An error means that it is closed.
                    let _ = self.swarm.disconnect_peer_id(peer);
                }
            }
            if closing && self.swarm.connected_peers().next().is_none() {
                return;
            }
            tokio::select! {
                Some(_) = self.writers.join_next() => {}
                _ = self.swarm.select_next_some() => {}
                () = &mut end => return,
            }
        }
    }
}
