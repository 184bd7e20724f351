//! Engines over tokio and libp2p.
//!
//! A node is one task that gives an engine time and bytes and does what it says: it decides nothing about programs.
//! [`Builder`] starts one, [`Handle`] is the way into it. Values are untyped here; `bb::Node` wraps them.

mod address;
mod book;
mod builder;
mod clock;
mod components;
mod durable;
mod error;
mod event;
mod handle;
mod identity;
mod node;
mod plane;
mod random;
mod traffic;

pub use bb_engine as engine;
pub use book::{Addresses, Forgotten};
pub use builder::{Builder, Hosted};
pub use error::{CallError, StageError, StartError};
pub use event::{Event, Parting, StreamFault};
pub use handle::{Call, Events, Handle};
pub use identity::{Identity, IdentityError};
#[doc(hidden)]
pub use plane::framing;
pub use plane::{FrameError, HeadError};
pub use traffic::Traffic;
