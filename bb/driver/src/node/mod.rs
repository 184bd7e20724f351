//! One node: a loop of named steps that feeds an engine and does what it says.

mod addresses;
mod connection;
mod dialler;
mod dialling;
mod install;
mod keep;
mod network;
mod orders;
mod peers;
mod run;
mod start;
mod steps;
mod stop;
mod swarm;

#[cfg(test)]
mod tests;

pub use start::start;

use crate::book::AddressBook;
use crate::clock::Clock;
use crate::components::{Components, Done};
use crate::event::Event;
use crate::handle::{Order, Outcome, Shared};
use crate::plane::{Incoming, Inflow, Lost};
use bb_engine::{CallId, Engine, Installed, Outgoing, Time, WireLimits};
use dialler::Dialler;
use keep::{Keeper, Kept};
use libp2p::core::transport::ListenerId;
use peers::Peers;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use swarm::Swarm;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::JoinSet;

/// A running node's state.
struct Node {
    swarm: Swarm,
    listeners: Vec<ListenerId>,
    engine: Engine,
    components: Components,
    graphs: Vec<Installed>,
    shared: Arc<Shared>,
    events: broadcast::Sender<Event>,
    wire: WireLimits,
    clock: Clock,
    /// When what is being done began.
    now: Time,
    peers: Peers<Outgoing>,
    book: AddressBook,
    dialler: Dialler,
    calls: BTreeMap<CallId, oneshot::Sender<Outcome>>,
    waiters: Vec<Waiter>,
    writers: JoinSet<io::Result<()>>,
    readers: JoinSet<()>,
    inflow: Inflow,
    lost: mpsc::UnboundedSender<Lost>,
    /// Of a durable node.
    keeper: Option<Keeper>,
}

/// Someone who waits for a class to have so many members.
struct Waiter {
    class: String,
    count: usize,
    reply: oneshot::Sender<()>,
}

/// Everything that reaches a node from its own tasks and handles. What has no bound of its own here is bounded where it
/// begins: calls by orders, methods by the engine's limits, lost messages by the queues.
struct Inbox {
    orders: mpsc::Receiver<Order>,
    dropped: mpsc::UnboundedReceiver<CallId>,
    incoming: mpsc::Receiver<Incoming>,
    lost: mpsc::UnboundedReceiver<Lost>,
    done: mpsc::UnboundedReceiver<Done>,
    kept: mpsc::UnboundedReceiver<Kept>,
}
