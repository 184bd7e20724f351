//! The data plane: one long-lived stream per direction and peer, chunked messages, bounded queues that say no.

mod behaviour;
mod chunk;
mod link;
mod reader;
mod writer;

pub use behaviour::{Behaviour, Opened, StreamOpened};
pub use link::{Full, Link, Lost};
pub use reader::{Incoming, What, read};
pub use writer::write;

/// The protocol's name. What is spoken inside has a version of its own.
pub const PROTOCOL: libp2p::StreamProtocol = libp2p::StreamProtocol::new("/bb/1");
