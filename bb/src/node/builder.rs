//! What a node is made of.

use super::Node;
use crate::component::{Piece, Storage};
use crate::place::PeerClass;
use bb_driver::{Handle, Hosted, Identity, StartError};
use bb_ir::peer::PeerId;
use std::borrow::Cow;
use std::marker::PhantomData;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Makes a [`Node`].
#[derive(Default)]
pub struct Builder {
    driver: bb_driver::Builder,
    pieces: usize,
}

impl Builder {
    /// Listens there: `/ip4/0.0.0.0/tcp/7000`; port 0 is a free one. May be said several times.
    pub fn listen(self, address: impl Into<String>) -> Self {
        self.with(|d| d.listen(address))
    }
    /// Connects to the peer there, and again whenever that connection is lost. May be said several times.
    pub fn dial(self, address: impl Into<String>) -> Self {
        self.with(|d| d.dial(address))
    }
    /// Who the node is. Where nothing is said it is somebody else at every start.
    pub fn identity(self, identity: Identity) -> Self {
        self.with(|d| d.identity(identity))
    }
    /// Keeps its key in this file, made for its owner alone where it is absent, so that it returns as itself.
    pub fn key_file(self, path: impl Into<PathBuf>) -> Self {
        self.identity(Identity::File(path.into()))
    }
    /// Its key is of these bytes: for tests and simulations.
    pub fn seed(self, seed: [u8; 32]) -> Self {
        self.identity(Identity::Seed(seed))
    }
    /// Who may be a `C`. Once any class has a list, classes without one admit nobody.
    pub fn members<C: PeerClass>(self, members: impl IntoIterator<Item = PeerId>) -> Self {
        self.with(|d| d.members(C::NAME, members))
    }
    /// What these peers are to it: always talked to, whatever their health, or never. See [`Node::set_standing`].
    pub fn standing(self, standing: bb_engine::Standing, peers: impl IntoIterator<Item = PeerId>) -> Self {
        self.with(|d| d.standing(standing, peers))
    }
    /// How much it may hold.
    pub fn limits(self, limits: bb_engine::Limits) -> Self {
        self.with(|d| d.limits(limits))
    }
    /// Survives a crash: what the node holds is written into this directory before others see what came of it, and taken
    /// up when it is started again, with the same key. Components say what they hold by `checkpoint`.
    pub fn durable(self, dir: impl Into<PathBuf>) -> Self {
        self.with(|d| d.durable(dir))
    }
    /// Puts `component` in place of the one that the program names `slot`, in the piece that is hosted or started next.
    /// Without, it is built by `Default`.
    pub fn bind<X: Storage>(self, slot: impl Into<String>, component: X) -> Self {
        self.with(|d| d.bind(slot, X::ROLE, component.component()))
    }
    /// Hosts a further piece: see [`Node::hosted`], and [`Node::install`] for one that comes later.
    pub fn host<P: Piece>(mut self, piece: P) -> Self {
        self.pieces += 1;
        self.with(|d| d.host(hosted(piece)))
    }
    /// Starts the node with this piece. It runs until it is shut down, or the last handle is gone.
    pub fn start<P: Piece>(self, piece: P) -> Starting<P> {
        let Builder { driver, pieces } = self.host(piece);
        Starting { index: pieces - 1, handle: Box::pin(driver.start()), piece: PhantomData }
    }

    fn with(self, change: impl FnOnce(bb_driver::Builder) -> bb_driver::Builder) -> Self {
        Builder { driver: change(self.driver), ..self }
    }
}

/// A piece as the driver takes it.
pub fn hosted<P: Piece>(piece: P) -> Hosted {
    let components = piece.components().into_iter().map(|(slot, component)| (slot.to_owned(), component));
    let (components, entries) = (components.collect(), crate::components());
    Hosted { artifact: Cow::Borrowed(P::ARTIFACT), kernels: crate::kernels(), components, entries }
}

/// A node that is starting.
#[must_use = "a node starts when this is awaited"]
pub struct Starting<P> {
    handle: Pin<Box<dyn Future<Output = Result<Handle, StartError>> + Send>>,
    index: usize,
    piece: PhantomData<fn() -> P>,
}
impl<P> Future for Starting<P> {
    type Output = Result<Node<P>, StartError>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let index = self.index;
        self.handle.as_mut().poll(cx).map_ok(|handle| {
            let installed = handle.graphs().swap_remove(index);
            Node::new(handle, installed)
        })
    }
}
