//! Running a piece of a program over tokio and libp2p.
//!
//! ```no_run
//! # use bb::prelude::*;
//! # mod graph {
//! #     pub mod round { pub struct Server; }
//! # }
//! # async fn run<P: bb::node::Entry<Args = (bb::Peers<Client>, f32), Output = bb::Tensor>>(piece: P) -> Result<(), bb::node::Error> {
//! let server = bb::Node::builder().listen("/ip4/0.0.0.0/tcp/7000").start(piece).await?;
//! server.wait_for::<Client>(8).await;
//! let params = server.call((Peers::all(), 0.75)).budget(secs(60)).await?;
//! # drop(params); Ok(())
//! # }
//! # #[derive(bb::Peer)] pub struct Client;
//! ```

mod builder;
mod call;
mod error;
mod events;

pub use crate::component::{Entry, Piece};
pub use bb_driver::{Event as NodeEvent, Identity, IdentityError, Parting, StageError, StartError, Traffic};
pub use builder::{Builder, Starting};
pub use call::Call;
pub use error::{CallError, Error};
pub use events::{Event, Events};

use crate::place::PeerClass;
use crate::typed::{Argument, Typed};
use bb_driver::Handle;
use bb_engine::{Arg, Installed};
use bb_ir::peer::PeerId;
use std::marker::PhantomData;
use std::sync::Arc;

/// A running node, and the piece `P` of a program on it. Clones are the same node.
pub struct Node<P> {
    handle: Handle,
    /// This piece of those the node hosts.
    installed: Arc<Installed>,
    piece: PhantomData<fn() -> P>,
}

impl Node<()> {
    /// What a node is made of.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

impl<P> Clone for Node<P> {
    fn clone(&self) -> Self {
        Node { handle: self.handle.clone(), installed: self.installed.clone(), piece: PhantomData }
    }
}

impl<P> Node<P> {
    fn new(handle: Handle, installed: Installed) -> Self {
        Node { handle, installed: Arc::new(installed), piece: PhantomData }
    }

    /// Calls the program. It is called when the future is first polled; dropping the future drops the call.
    ///
    /// (A function that returns a future: rustc repeats a failed bound of an `async fn` for its future and its `.await`.)
    pub fn call<Args: Typed, Output: Typed>(&self, args: Args) -> Call<Output>
    where
        P: Entry<Args = Args, Output = Output>,
    {
        Call::new(self.handle.clone(), self.installed().graph, arguments(args))
    }

    /// Hands in what the program's bootstrap takes here, by the name of its parameter: with the last of them it begins, and
    /// until then what it prepares is not used. Values are for one start of the node, like its components.
    ///
    /// ```no_run
    /// # async fn run<P>(node: bb::Node<P>, start: bb::Tensor) -> Result<(), bb::node::StageError> {
    /// node.stage("start", start).await?;   // #[bb::bootstrap(round)] fn prepare(graph, start: On<Server, Tensor>, …)
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Where it takes no such value, or has it, or has begun: a durable node that was started again may have done so before.
    pub async fn stage<T: Typed>(&self, name: &str, value: T) -> Result<(), StageError> {
        self.handle.stage(self.installed().graph, name, arguments(value)).await
    }

    /// Of a durable node that was started again: the calls of before that were not answered, each once.
    pub fn restored<Output: Typed>(&self) -> Vec<Call<Output>>
    where
        P: Entry<Output = Output>,
    {
        let graph = self.installed().graph;
        let calls = self.handle.restored(graph).into_iter();
        calls.map(|call| Call::restored(self.handle.clone(), graph, call)).collect()
    }
    /// Of a durable node that was started again: how many calls it had made before, on all its pieces.
    pub fn calls_before(&self) -> u64 {
        self.handle.calls_before()
    }

    /// What happens from now on.
    pub fn events(&self) -> Events<P>
    where
        P: Piece,
    {
        Events::new(self.handle.events(), self.installed())
    }

    /// Another piece that this node hosts.
    pub fn hosted<Q: Piece>(&self) -> Option<Node<Q>> {
        let is = |i: &Installed| *i.program == *Q::MODULE && *i.class == *Q::CLASS;
        self.handle.graphs().into_iter().find(is).map(|installed| Node::new(self.handle.clone(), installed))
    }

    /// Hosts one more piece, while the node runs: `node.install(graph::round::Client { … }).await?`. What runs is not
    /// disturbed. Connected peers are told before anything else is sent to them. A piece stays until the node ends; a
    /// durable node has to host it from its next start on, by [`Builder::host`].
    ///
    /// # Errors
    /// Says why it cannot run here; then the node is as it was. [`StartError::Stopped`] where the node has ended.
    pub fn install<Q: Piece>(&self, piece: Q) -> impl Future<Output = Result<Node<Q>, StartError>> + Send + use<P, Q> {
        let (handle, hosted) = (self.handle.clone(), builder::hosted(piece));
        async move {
            let installed = handle.install(hosted).await?;
            Ok(Node::new(handle, installed))
        }
    }

    /// The admitted, connected members of a class, sorted.
    pub fn members<C: PeerClass>(&self) -> Vec<PeerId> {
        self.handle.members(C::NAME)
    }

    /// Waits until a class has so many members. `false` where the node stops before.
    pub async fn wait_for<C: PeerClass>(&self, count: usize) -> bool {
        self.handle.wait_for(C::NAME, count).await
    }

    /// Who the node is.
    pub fn peer_id(&self) -> &PeerId {
        self.handle.peer_id()
    }
    /// What others dial, `/ip4/…/tcp/…/p2p/…`: the first of its addresses; `None` where it listens nowhere.
    pub fn address(&self) -> Option<String> {
        self.handle.listen_addresses().into_iter().next()
    }
    /// All its addresses.
    pub fn addresses(&self) -> Vec<String> {
        self.handle.listen_addresses()
    }
    /// The peers it is connected to, sorted.
    pub fn connections(&self) -> Vec<PeerId> {
        self.handle.connections()
    }
    /// Bytes and messages so far.
    pub fn traffic(&self) -> Traffic {
        self.handle.traffic()
    }

    /// What became of messages and peers so far, in numbers; `None` where the node has stopped.
    pub async fn counters(&self) -> Option<bb_engine::Counters> {
        self.handle.counters().await
    }
    /// Says what a peer is to this node from now on. A blocked one is sent away and refused when it comes back, and what
    /// is on its way to it fails; an allowed one is talked to even when it has not answered for a while.
    pub async fn set_standing(&self, peer: PeerId, standing: bb_engine::Standing) {
        self.handle.set_standing(peer, standing).await;
    }

    /// Connects to the peer there, and again whenever that connection is lost.
    ///
    /// # Errors
    /// If the text is no address.
    pub async fn dial(&self, address: &str) -> Result<(), StartError> {
        self.handle.dial(address).await
    }

    /// Ends the node: calls in flight resolve with an error, what is queued goes out, connections are closed.
    pub async fn shutdown(&self) {
        self.handle.shutdown().await;
    }

    /// The same node without types.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    fn installed(&self) -> &Installed {
        &self.installed
    }
}

/// Values as they are handed in.
fn arguments(values: impl Typed) -> Vec<Arg> {
    let mut arguments = Vec::new();
    values.into_arguments(&mut arguments);
    let arg = |argument| match argument {
        Argument::Value(value) => Arg::Value(value),
        Argument::AllPeers { and_self } => Arg::AllPeers { and_self },
    };
    arguments.into_iter().map(arg).collect()
}
