//! Many engines under one virtual clock and a faulty network, from one seed.
//!
//! A [`World`] holds nodes, each with the engine and the artifacts that run in production. Messages between them are
//! the same bytes; what a [`Link`] does to them (delay, drop, duplicate, reorder) and when is drawn from the world's seed,
//! so the same seed is the same run. Components run at once and are charged a virtual duration.
//!
//! Nothing here sleeps or reads a clock: [`World::run`] goes from event to event.

mod check;
mod fate;
mod faults;
mod installations;
mod lies;
mod link;
mod node;
mod piece;
mod trace;
mod world;
mod wrong;

pub use check::{exhaustive, random};
pub use faults::Faults;
pub use lies::Lies;
pub use link::Link;
pub use node::{Host, NodeIx, peer_id};
pub use piece::{Asked, NodeOf};
pub use trace::{Row, What};
pub use world::{Answer, CallIx, World};
pub use wrong::{ComponentFaults, Wrong};
