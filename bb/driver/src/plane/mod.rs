//! The data plane: one long-lived stream per direction and peer, chunked messages, bounded queues that say no.

mod assembly;
mod behaviour;
mod chunk;
pub mod framing;
mod link;
mod reader;
mod writer;

#[cfg(test)]
pub mod sample;
#[cfg(test)]
mod tests;

pub use assembly::FrameError;
pub use behaviour::{Behaviour, Opened, StreamOpened};
pub use chunk::HeadError;
#[cfg(test)]
pub use link::Next;
#[cfg(test)]
pub use link::Queues;
pub use link::{Link, Lost, Message};
pub use reader::{End, Incoming, Inflow, What, read};
pub use writer::write;

/// The protocol's name. What is spoken inside has a version of its own.
pub const PROTOCOL: libp2p::StreamProtocol = libp2p::StreamProtocol::new("/bb/1");
