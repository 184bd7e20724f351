//! From a builder to a running node.

use super::dialler::Dialler;
use super::install::install_bound;
use super::keep::Keeper;
use super::peers::Peers;
use super::swarm::{self, BehaviourEvent, Swarm};
use super::{Inbox, Node};
use crate::address;
use crate::book::AddressBook;
use crate::builder::Builder;
use crate::clock::Clock;
use crate::components::Components;
use crate::durable::Store;
use crate::error::StartError;
use crate::handle::{EVENTS_MAX, Handle, ORDERS_MAX, Restored, Seen, Shared};
use crate::identity::Identity;
use crate::plane::Inflow;
use crate::random::random;
use crate::traffic::Counters;
use bb_engine::{CallId, Config, Engine};
use bytes::Bytes;
use futures::{FutureExt, StreamExt};
use libp2p::Multiaddr;
use libp2p::core::transport::ListenerId;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::SwarmEvent;
use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::JoinSet;

/// How many frames may wait for the engine.
const INCOMING_MAX: usize = 256;

pub async fn start(builder: Builder) -> Result<Handle, StartError> {
    if builder.durable.is_some() && matches!(builder.identity, Identity::Ephemeral) {
        return Err(StartError::DurableWithoutKey);
    }
    let store = builder.durable.map(Store::open).transpose()?;
    let key = builder.identity.keypair()?;
    let listen = builder.listen.iter().map(|text| address::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let dial = builder.dial.iter().map(|text| address::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let mut swarm = swarm::new(&key)?;
    let mut early = Vec::new();
    let (listeners, addresses) = listen_on(&mut swarm, listen, &mut early).await?;

    let peer = address::ours(swarm.local_peer_id());
    let wire = builder.limits.wire;
    let config = Config {
        addresses: addresses.iter().map(|a| Bytes::from(a.to_vec())).collect(),
        membership: builder.membership,
        limits: builder.limits,
        standings: builder.standings,
        durable: store.is_some(),
        ..Config::new(peer.clone(), random())
    };
    let mut engine = Engine::new(config);
    let (done, done_end) = mpsc::unbounded_channel();
    let mut components = Components::new(done, store.is_some());
    let mut graphs = Vec::new();
    for (hosted, bound) in builder.hosted {
        graphs.push(install_bound(&mut engine, &mut components, hosted, bound)?);
    }

    let clock = Clock::start();
    let (kept, kept_end) = mpsc::unbounded_channel();
    let mut calls = BTreeMap::new();
    let mut restored = Restored::default();
    let keeper = match store {
        None => None,
        Some(store) => {
            let (keeper, unanswered) = Keeper::start(store, kept, clock.now(), &mut engine, &mut components, &graphs)?;
            for (call, graph) in unanswered {
                let (reply, answer) = oneshot::channel();
                calls.insert(call, reply);
                restored.calls.push((call, graph, answer));
            }
            restored.made = engine.calls_made();
            Some(keeper)
        }
    };
    let after = calls.last_key_value().map_or(0, |(call, _): (&CallId, _)| call.0 + 1);

    let listening = addresses.into_iter().map(|a| a.with(Protocol::P2p(*swarm.local_peer_id())).to_string()).collect();
    let events = broadcast::Sender::new(EVENTS_MAX);
    let shared = Arc::new(Shared {
        peer: peer.clone(),
        events: events.downgrade(),
        counters: Counters::default(),
        next_call: AtomicU64::new(restored.made.max(after)),
        restored: Mutex::new(restored),
        seen: Mutex::new(Seen { listening, graphs: graphs.clone(), ..Seen::default() }),
    });
    let (orders, orders_end) = mpsc::channel(ORDERS_MAX);
    let (dropped, dropped_end) = mpsc::unbounded_channel();
    let (inflow, incoming_end) = Inflow::new(INCOMING_MAX);
    let (lost, lost_end) = mpsc::unbounded_channel();
    let mut node = Node {
        swarm,
        listeners,
        engine,
        components,
        graphs,
        shared: shared.clone(),
        events,
        wire,
        clock,
        now: clock.now(),
        peers: Peers::new(peer),
        book: AddressBook::default(),
        dialler: Dialler::default(),
        calls,
        waiters: Vec::new(),
        writers: JoinSet::new(),
        readers: JoinSet::new(),
        inflow,
        lost,
        keeper,
    };
    for address in dial {
        node.want(address);
    }
    node.recall_addresses();
    let inbox = Inbox {
        orders: orders_end,
        dropped: dropped_end,
        incoming: incoming_end,
        lost: lost_end,
        done: done_end,
        kept: kept_end,
    };
    tokio::spawn(node.run(inbox, early));
    Ok(Handle { shared, orders, dropped })
}

/// Binds every address; the addresses that others can dial, those of all interfaces for an unspecified one. Events of
/// peers that are that quick are kept in `early`.
async fn listen_on(
    swarm: &mut Swarm,
    listen: Vec<Multiaddr>,
    early: &mut Vec<SwarmEvent<BehaviourEvent>>,
) -> Result<(Vec<ListenerId>, Vec<Multiaddr>), StartError> {
    let (mut listeners, mut waiting) = (Vec::new(), Vec::new());
    for address in listen {
        let refused = |reason: String| StartError::Listen { address: address.to_string(), reason };
        check_free(&address).map_err(|e| refused(e.to_string()))?;
        let id = swarm.listen_on(address.clone()).map_err(|e| refused(cause(&e)))?;
        listeners.push(id);
        waiting.push((id, address));
    }
    let mut addresses = Vec::new();
    loop {
        let event = if waiting.is_empty() {
            match swarm.select_next_some().now_or_never() {
                Some(event) => event,
                None => return Ok((listeners, addresses)),
            }
        } else {
            swarm.select_next_some().await
        };
        match event {
            SwarmEvent::NewListenAddr { listener_id, address } => {
                waiting.retain(|(id, _)| *id != listener_id);
                addresses.push(address);
            }
            SwarmEvent::ListenerClosed { listener_id, reason: Err(error), .. }
            | SwarmEvent::ListenerError { listener_id, error } => {
                let address = waiting.iter().find(|(id, _)| *id == listener_id);
                let address = address.map(|(_, a)| a.to_string()).unwrap_or_default();
                return Err(StartError::Listen { address, reason: cause(&error) });
            }
            event => early.push(event),
        }
    }
}

/// What is behind an error: libp2p's outer ones say nothing of their own.
pub(super) fn cause(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut inner = error.source();
    while let Some(error) = inner {
        said = Some(error.to_string()).filter(|text| !text.is_empty()).unwrap_or(said);
        inner = error.source();
    }
    said
}

/// Whether nobody listens there. libp2p binds with SO_REUSEPORT, so two nodes of one user would share a port, and each get
/// some of the other's peers.
fn check_free(address: &Multiaddr) -> io::Result<()> {
    match address::socket(address) {
        Some(socket) if socket.port() != 0 => std::net::TcpListener::bind(socket).map(drop),
        _ => Ok(()),
    }
}
