//! The sans-IO engine: time and bytes in, values out.
//!
//! An [`Engine`] runs the artifacts of one node. It has no clock, socket, thread or random source: a host calls
//! [`Engine::handle`] with what happened and when, then [`Engine::poll`] until it is empty, and comes back at
//! [`Engine::deadline`]. A test, the simulator and the network drive the same code.
//!
//! - `load` reads an artifact into checked parts, or says why it is none;
//! - `plan` numbers nodes and sites densely, a table per place;
//! - `tables` are what the gates around a wire ask: health, backoff, chance;
//! - `step` runs frames: one execution at one place and lane.

#[cfg_attr(not(feature = "seeded-bugs"), allow(dead_code, unreachable_pub, reason = "a test switches them on"))]
pub mod bugs;
mod config;
mod counters;
mod error;
mod event;
mod input;
mod load;
mod outgoing;
mod plan;
mod rust;
mod step;
mod tables;
mod time;

pub use bb_ir::difference::WireDifference;
pub use config::{Config, Limits, Membership, Usage};
pub use counters::Counters;
pub use error::{InstallError, StageError};
pub use event::{
    CallError, Cause, DisconnectReason, EngineStep, Event, ExecutionId, Gate, GateReason, LimitKind, QuorumFailure,
    ReceiveFault,
};
pub use input::{Arg, Bound, CallId, CommandId, ComponentFailure, ComponentId, GraphId, Input, Refusal, SendId};
pub use outgoing::Outgoing;
pub use plan::{EntryInput, GraphSlot, Installed, NodeSiteId, OpDispatch, OpRef, SlotInfo, WireSite};
pub use step::{Checkpoint, CheckpointError, Engine};
pub use tables::governor::Standing;
pub use time::Time;

pub use bb_ir::component::{Component, ComponentEntry, Kernel, KernelEntry, OpError};
pub use bb_ir::failure::FailureCode;
pub use bb_ir::limits::WireLimits;
pub use bb_ir::peer::PeerId;
pub use bb_ir::value::Value;
