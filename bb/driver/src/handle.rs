//! The way into a running node.

use crate::book::Addresses;
use crate::builder::Hosted;
use crate::error::{CallError, StageError, StartError};
use crate::event::Event;
use crate::traffic::{Counters, Traffic};
use bb_engine::{Arg, CallId, GraphId, InstallError, Installed, PeerId, Standing, Value};
use futures::Stream;
use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{broadcast, mpsc, oneshot};

/// How many events a listener may be behind.
pub(crate) const EVENTS_MAX: usize = 4096;
/// How many orders of handles may wait for the node.
pub(crate) const ORDERS_MAX: usize = 4096;

/// A running node. Clones are the same node.
#[derive(Clone)]
pub struct Handle {
    pub(crate) shared: Arc<Shared>,
    pub(crate) orders: mpsc::Sender<Order>,
    pub(crate) dropped: mpsc::UnboundedSender<CallId>,
}

/// What handles see of the node without asking it.
pub(crate) struct Shared {
    pub peer: PeerId,
    /// Weak: streams of events end with the node, whoever holds a handle.
    pub events: broadcast::WeakSender<Event>,
    pub counters: Counters,
    pub next_call: AtomicU64,
    pub seen: Mutex<Seen>,
    pub restored: Mutex<Restored>,
}

/// What a durable node took up.
#[derive(Default)]
pub(crate) struct Restored {
    pub made: u64,
    pub calls: Vec<(CallId, GraphId, oneshot::Receiver<Outcome>)>,
}

/// What changes.
#[derive(Default)]
pub(crate) struct Seen {
    pub listening: Vec<String>,
    pub connected: BTreeSet<PeerId>,
    pub members: BTreeMap<String, BTreeSet<PeerId>>,
    pub graphs: Vec<Installed>,
}
impl Seen {
    /// A peer is a member of a class from now on, or is not.
    pub fn is_member(&mut self, class: &str, peer: &PeerId, is_one: bool) {
        if is_one {
            self.members.entry(class.to_owned()).or_default().insert(peer.clone());
        } else if let Some(members) = self.members.get_mut(class)
            && members.remove(peer)
            && members.is_empty()
        {
            // Names of classes can be made up: those that nobody is in are not kept.
            self.members.remove(class);
        }
    }
}

/// What a handle wants.
pub(crate) enum Order {
    Call { call: CallId, graph: GraphId, args: Vec<Arg>, budget: Duration, reply: oneshot::Sender<Outcome> },
    WaitFor { class: String, count: usize, reply: oneshot::Sender<()> },
    Dial(libp2p::Multiaddr),
    Install(Hosted, oneshot::Sender<Result<Installed, InstallError>>),
    Stage(GraphId, String, Vec<Arg>, oneshot::Sender<Result<(), bb_engine::StageError>>),
    Usage(oneshot::Sender<(bb_engine::Usage, bb_engine::Counters)>),
    Addresses(oneshot::Sender<Addresses>),
    Standing(PeerId, Standing),
    Shutdown(oneshot::Sender<()>),
}
pub(crate) type Outcome = Result<Vec<Value>, CallError>;

impl Handle {
    /// Who the node is.
    pub fn peer_id(&self) -> &PeerId {
        &self.shared.peer
    }
    /// What it hosts, in the order it was told.
    pub fn graphs(&self) -> Vec<Installed> {
        self.seen(|s| s.graphs.clone())
    }
    /// Where it listens: `/ip4/…/tcp/…/p2p/…`, what others dial.
    pub fn listen_addresses(&self) -> Vec<String> {
        self.seen(|s| s.listening.clone())
    }
    /// The peers that are connected and have said Hello, sorted.
    pub fn connections(&self) -> Vec<PeerId> {
        self.seen(|s| s.connected.iter().cloned().collect())
    }
    /// The admitted, connected members of a class, sorted.
    pub fn members(&self, class: &str) -> Vec<PeerId> {
        self.seen(|s| s.members.get(class).map(|m| m.iter().cloned().collect()).unwrap_or_default())
    }
    /// Bytes and messages so far.
    pub fn traffic(&self) -> Traffic {
        self.shared.counters.now()
    }
    fn seen<T>(&self, read: impl FnOnce(&Seen) -> T) -> T {
        // Nothing panics while it is held, and what it holds is whole at every moment.
        read(&self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Calls a program. The call starts when the future is first polled, and is dropped with it.
    pub fn call(&self, graph: GraphId, args: Vec<Arg>, budget: Duration) -> Call {
        let call = CallId(self.shared.next_call.fetch_add(1, Ordering::Relaxed));
        let (orders, dropped) = (self.orders.clone(), self.dropped.clone());
        Call(Box::pin(async move {
            let (reply, answer) = oneshot::channel();
            let mut guard = DropCall { call, dropped, armed: true };
            if orders.send(Order::Call { call, graph, args, budget, reply }).await.is_err() {
                return Err(CallError::Stopped);
            }
            let outcome = answer.await.unwrap_or(Err(CallError::Stopped));
            guard.armed = false;
            outcome
        }))
    }

    /// Of a durable node that was started again: the calls of a program that were not answered, each once. Dropping one
    /// drops the call.
    pub fn restored(&self, graph: GraphId) -> Vec<Call> {
        let mut restored = self.shared.restored.lock().unwrap_or_else(PoisonError::into_inner);
        let of_graph = restored.calls.extract_if(.., |(_, g, _)| *g == graph);
        let call = |(call, _, answer): (CallId, GraphId, oneshot::Receiver<Outcome>)| {
            let guard = DropCall { call, dropped: self.dropped.clone(), armed: true };
            Call(Box::pin(async move {
                let mut guard = guard;
                let outcome = answer.await.unwrap_or(Err(CallError::Stopped));
                guard.armed = false;
                outcome
            }))
        };
        of_graph.map(call).collect()
    }
    /// How many calls a durable node had made when its last checkpoint was written before this start.
    pub fn calls_before(&self) -> u64 {
        self.shared.restored.lock().unwrap_or_else(PoisonError::into_inner).made
    }

    /// What happens from now on.
    pub fn events(&self) -> Events {
        Events::new(self.shared.events.upgrade().map(|events| events.subscribe()))
    }

    /// Waits until a class has that many members; at once where it has. `false` where the node stops before.
    pub async fn wait_for(&self, class: &str, count: usize) -> bool {
        let (reply, there) = oneshot::channel();
        let order = Order::WaitFor { class: class.to_owned(), count, reply };
        self.orders.send(order).await.is_ok() && there.await.is_ok()
    }

    /// Connects to the peer there, and again whenever that connection is lost.
    ///
    /// # Errors
    /// If the text is no address.
    pub async fn dial(&self, address: &str) -> Result<(), StartError> {
        let address = crate::address::parse(address)?;
        // A node that has stopped dials nobody.
        let _ = self.orders.send(Order::Dial(address)).await;
        Ok(())
    }

    /// Hosts one more class of a program, while the node runs: what it was asked before is not disturbed, connected peers
    /// are told before anything else is sent to them, and whoever connects from now on learns it as ever. Nothing is
    /// taken away again before the node ends. A durable node has to host it at its next start as well, by
    /// [`Builder::host`](crate::Builder::host), as soon as a checkpoint may hold something of it.
    ///
    /// # Errors
    /// Says why it cannot run here; then the node is as it was. [`StartError::Stopped`] where there is no node.
    pub async fn install(&self, hosted: Hosted) -> Result<Installed, StartError> {
        let (reply, installed) = oneshot::channel();
        self.orders.send(Order::Install(hosted, reply)).await.map_err(|_| StartError::Stopped)?;
        Ok(installed.await.map_err(|_| StartError::Stopped)??)
    }

    /// Hands in what a program's bootstrap takes here by that name: one value, or those of a tuple. See
    /// [`Engine::stage`](bb_engine::Engine::stage).
    ///
    /// # Errors
    /// Says why it cannot be; then nothing has changed.
    pub async fn stage(&self, graph: GraphId, name: &str, args: Vec<Arg>) -> Result<(), StageError> {
        let (reply, staged) = oneshot::channel();
        let order = Order::Stage(graph, name.to_owned(), args, reply);
        self.orders.send(order).await.map_err(|_| StageError::Stopped)?;
        Ok(staged.await.map_err(|_| StageError::Stopped)??)
    }

    /// What the engine holds; `None` where the node has stopped.
    pub async fn usage(&self) -> Option<bb_engine::Usage> {
        Some(self.looked().await?.0)
    }
    /// What became of messages and peers so far, in numbers; `None` where the node has stopped.
    pub async fn counters(&self) -> Option<bb_engine::Counters> {
        Some(self.looked().await?.1)
    }
    /// What is known of where peers are, and what came of looking for them there, in numbers; `None` where the node has
    /// stopped.
    pub async fn addresses(&self) -> Option<Addresses> {
        let (reply, looked) = oneshot::channel();
        self.orders.send(Order::Addresses(reply)).await.ok()?;
        looked.await.ok()
    }
    async fn looked(&self) -> Option<(bb_engine::Usage, bb_engine::Counters)> {
        let (reply, looked) = oneshot::channel();
        self.orders.send(Order::Usage(reply)).await.ok()?;
        looked.await.ok()
    }

    /// Says what a peer is to this node from now on. A blocked one is sent away and refused when it comes back, and what
    /// is on its way to it fails; an allowed one is talked to even when it has not answered for a while.
    pub async fn set_standing(&self, peer: PeerId, standing: Standing) {
        // A node that has stopped talks to nobody.
        let _ = self.orders.send(Order::Standing(peer, standing)).await;
    }

    /// Ends the node: calls in flight resolve with [`CallError::Stopped`], what is queued goes out for up to a second,
    /// connections are closed.
    pub async fn shutdown(&self) {
        let (reply, done) = oneshot::channel();
        if self.orders.send(Order::Shutdown(reply)).await.is_ok() {
            // An error means that it has stopped before.
            let _ = done.await;
        }
    }
}

/// A call in flight; dropping it drops the call.
#[must_use = "a call is made when it is awaited"]
pub struct Call(Pin<Box<dyn Future<Output = Outcome> + Send>>);
impl Future for Call {
    type Output = Outcome;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        self.0.as_mut().poll(cx)
    }
}

/// Tells the node where nobody waits for an answer any more.
struct DropCall {
    call: CallId,
    dropped: mpsc::UnboundedSender<CallId>,
    armed: bool,
}
impl Drop for DropCall {
    fn drop(&mut self) {
        if self.armed {
            // A node that has stopped has no calls.
            let _ = self.dropped.send(self.call);
        }
    }
}

/// Events, from when it was asked for.
pub struct Events(Pin<Box<dyn Stream<Item = Event> + Send>>);
impl Events {
    fn new(receiver: Option<broadcast::Receiver<Event>>) -> Self {
        Events(Box::pin(futures::stream::unfold(receiver, |receiver| async {
            let mut receiver = receiver?;
            match receiver.recv().await {
                Ok(event) => Some((event, Some(receiver))),
                Err(broadcast::error::RecvError::Lagged(events)) => Some((Event::Missed { events }, Some(receiver))),
                Err(broadcast::error::RecvError::Closed) => None,
            }
        })))
    }
    /// The next one; `None` once the node has stopped.
    pub async fn next(&mut self) -> Option<Event> {
        futures::StreamExt::next(&mut self.0).await
    }
}
impl Stream for Events {
    type Item = Event;
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        self.0.as_mut().poll_next(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_listener_that_is_too_slow_is_told_how_much_it_missed() {
        let sender = broadcast::Sender::new(2);
        let mut events = Events::new(Some(sender.subscribe()));
        for n in 1..=5 {
            let peer = PeerId::from_bytes(vec![n]).expect("short");
            sender.send(Event::Connected { peer }).expect("someone listens");
        }
        drop(sender);
        assert!(matches!(events.next().await, Some(Event::Missed { events: 3 })));
        for n in 4..=5u8 {
            assert!(matches!(events.next().await, Some(Event::Connected { peer }) if peer.as_bytes() == [n]));
        }
        assert!(events.next().await.is_none());
        assert!(Events::new(None).next().await.is_none(), "of a node that has stopped");
    }
}
