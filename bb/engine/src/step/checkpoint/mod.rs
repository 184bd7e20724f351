//! Checkpoints (SEMANTICS 4): all that an engine holds as bytes, and what it does not tell before those are safe.
//!
//! Between two checkpoints a durable engine holds back messages, answers to calls and outputs: what the outside has seen
//! is always in a checkpoint. After a crash the last one is restored, with the same epoch and numbers; what is not
//! acknowledged is sent again, what peers have sent in the meantime they send again (but for who may have been forgotten: see
//! `peers/places.rs`), and methods that ran run again.

mod image;
mod restore;
mod save;

pub use save::{sent_image, value};

use super::frame::FrameRef;
use super::outbox::RESTORED_WITHIN;
use super::{Ended, Engine};
use crate::bugs::{Bug, has};
use crate::event::EngineStep;
use crate::input::{CallId, GraphId};
use crate::time::Time;
use bb_ir::digest::sha256;
use bytes::Bytes;
use prost::Message;
use std::collections::VecDeque;

pub use image::{
    Call as CallImage, Health as HealthImage, Output as OutputImage, Peer as PeerImage, Sent as SentImage,
};

const MAGIC: &[u8; 8] = b"bb.check";
/// The second has no executions beside envelopes; the first is read as well.
const VERSION: u32 = 2;
/// Magic, version and length before the image, a SHA-256 of all that behind it.
const HEAD_BYTES: usize = 8 + 4 + 8;
const SUM_BYTES: usize = 32;

/// A checkpoint that is not safe before the host says so.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// What to say [`Engine::checkpoint_durable`] with.
    pub id: u64,
    /// To be written where a crash does not reach. Components are not in it.
    pub bytes: Bytes,
}

/// Why a checkpoint is not restored. The engine is as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// These bytes are something else.
    #[error("this is no checkpoint")]
    NotOne,
    /// Of a later version of bb.
    #[error("the checkpoint has version {0}, this engine reads up to {VERSION}: restore it with the bb that wrote it")]
    Newer(u32),
    /// Some of it is missing.
    #[error(
        "the checkpoint is cut off: {there} of {expected} bytes\n  help: put back a copy of it; without one the node starts anew where it keeps nothing yet"
    )]
    Truncated {
        /// How many bytes there are.
        there: u64,
        /// How many it says it has.
        expected: u64,
    },
    /// Its bytes have changed.
    #[error(
        "the checkpoint is damaged: its checksum is another\n  help: put back a copy of it; without one the node starts anew where it keeps nothing yet"
    )]
    Damaged,
    /// Of a node with another identity.
    #[error("the checkpoint is of the node {0}, not of this one: start with that node's key")]
    OtherNode(String),
    /// Of a program, or a build of one, that is not installed.
    #[error(
        "the checkpoint is of another build of the program with `{class}`\n  help: start that one, or keep this one in a directory of its own"
    )]
    OtherProgram {
        /// The class it hosted.
        class: String,
    },
    /// What it says contradicts itself or its program.
    #[error("the checkpoint cannot be: {0}")]
    Malformed(&'static str),
    /// The engine has begun already.
    #[error("a checkpoint is restored before anything else happens")]
    Running,
}

/// What is held back, and up to where each checkpoint that is under way covers it.
#[derive(Default)]
pub struct Held {
    steps: VecDeque<EngineStep>,
    /// Checkpoints, by number and how many of all steps were held when it was made.
    under_way: VecDeque<(u64, u64)>,
    checkpoints: u64,
    released: u64,
}
impl Held {
    pub fn iter(&self) -> impl Iterator<Item = &EngineStep> {
        self.steps.iter()
    }
    pub fn push(&mut self, step: EngineStep) {
        self.steps.push_back(step);
    }
}

impl Engine {
    /// All that this engine holds. A durable engine tells the outside nothing that came about after the last checkpoint
    /// the host has made safe; see [`crate::Config::durable`].
    pub fn checkpoint(&mut self) -> Checkpoint {
        let held = &mut self.held;
        held.checkpoints += 1;
        held.under_way.push_back((held.checkpoints, held.released + held.steps.len() as u64));
        let id = held.checkpoints;
        self.peers.numbers().for_each(|ix| self.peers.outbox(ix).0.saved_by(id));
        self.peers.saved_by(id);
        let image = save::image(self).encode_to_vec();
        let mut bytes = Vec::with_capacity(HEAD_BYTES + image.len() + SUM_BYTES);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&(image.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&image);
        bytes.extend_from_slice(&sha256(&bytes));
        Checkpoint { id, bytes: bytes.into() }
    }

    /// A checkpoint is safe: what was held back before it was made comes out of [`Engine::poll`].
    pub fn checkpoint_durable(&mut self, id: u64) {
        self.peers.numbers().for_each(|ix| self.peers.outbox(ix).0.safe_by(id));
        self.peers.safe_by(id);
        while let Some((checkpoint, until)) = self.held.under_way.front().copied()
            && checkpoint <= id
        {
            self.held.under_way.pop_front();
            while self.held.released < until
                && let Some(step) = self.held.steps.pop_front()
            {
                self.held.released += 1;
                self.steps.push_back(step);
            }
        }
    }

    /// Whether something waits for a checkpoint that is not under way.
    pub fn wants_checkpoint(&self) -> bool {
        let covered = self.held.under_way.back().map_or(self.held.released, |(_, until)| *until);
        self.held.released + self.held.steps.len() as u64 > covered || self.peers.wants_checkpoint()
    }

    /// Puts everything back as it was when a checkpoint was made: the same artifacts have to be installed, and nothing
    /// else to have happened. Epoch and numbers are the checkpoint's from then on. `now` should show more than the
    /// longest budget of a call, so that times before the crash can be told. Gives the calls whose answers are still to
    /// come: out of [`Engine::poll`], as all others.
    ///
    /// # Errors
    /// Says what is wrong with the bytes; the engine is as it was.
    pub fn restore(&mut self, now: Time, bytes: &[u8]) -> Result<Vec<(CallId, GraphId)>, CheckpointError> {
        let used =
            self.frames.len() > 0 || self.calls.open() > 0 || self.next_command > 0 || self.peers.any_connected();
        if used {
            return Err(CheckpointError::Running);
        }
        let image = read(bytes)?;
        if image.peer[..] != *self.config.peer.as_bytes() {
            let theirs = bb_ir::peer::PeerId::from_bytes(image.peer.clone());
            return Err(CheckpointError::OtherNode(theirs.map_or("nobody".into(), |p| p.to_string())));
        }
        self.now = self.now.max(now);
        let peers = self.peers.len();
        let parts = restore::parts(self, &image).inspect_err(|_| self.peers.truncate(peers));
        let parts = parts?;

        self.config.epoch = image.epoch;
        self.next_command = image.next_command;
        for (_, frame) in parts.frames.all() {
            self.shares.opened(frame.holder);
            self.shares.charge(frame.holder, frame.bytes, 0);
        }
        self.lanes = parts.frames.all().map(|(_, f)| f.lane_count()).sum();
        (self.frames, self.processes) = (parts.frames, parts.processes);
        self.ready = parts.ready.into();
        parts.bootstraps.into_iter().for_each(|(graph, state)| self.bootstraps.put(graph, state));
        self.loopback = parts.loopback.into_iter().map(|sent| (sent, None)).collect();
        self.calls.restore(image.counter, parts.calls, &self.frames);
        self.gates.random = parts.random;
        self.peers.set_begin(image.begin, image.forgot);
        self.peers.all_left();
        parts.heard_of.into_iter().for_each(|(peer, addresses)| self.addresses_of(peer, addresses));
        for (peer, health) in &parts.health {
            self.gates.restore(*peer, health, self.now);
        }
        self.ended = Ended::new(self.config.limits.remembered_max);
        for (key, deadline) in parts.ended {
            self.ended.remember(&mut self.processes, self.now, key, deadline);
            // What is remembered has kept it.
            self.processes.release(key.process);
        }
        for (command, ready, inputs) in parts.commands.into_iter().filter(|_| !has(Bug::RunLostAtRestore)) {
            self.run_again(command, ready, inputs);
        }
        let answered = parts.held.iter().filter_map(|step| match step {
            EngineStep::CallResolved { call, graph, .. } => Some((*call, *graph)),
            _ => None,
        });
        let calls = answered.chain(self.calls.all()).collect();
        self.steps.extend(parts.held);
        self.timers.set(self.now.after(RESTORED_WITHIN), super::Timer::Restored);
        let frames: Vec<(FrameRef, Time)> = self.frames.all().map(|(at, f)| (at, f.deadline)).collect();
        for (at, deadline) in frames {
            if !has(Bug::TimersLostAtRestore) {
                self.timers.set(deadline, super::Timer::Frame(at));
            }
            self.arm_all(at);
            self.wake_parked(at);
        }
        for peer in self.peers.numbers() {
            self.look_after(peer);
        }
        Ok(calls)
    }

    /// How many calls were made on this node, those before a restore included.
    pub fn calls_made(&self) -> u64 {
        self.calls.counter
    }
}

fn read(bytes: &[u8]) -> Result<image::Image, CheckpointError> {
    if bytes.get(..8) != Some(MAGIC) {
        return Err(CheckpointError::NotOne);
    }
    let truncated = |expected: u64| CheckpointError::Truncated { there: bytes.len() as u64, expected };
    let least = (HEAD_BYTES + SUM_BYTES) as u64;
    let version = bytes.get(8..12).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes).ok_or(truncated(least))?;
    if !(1..=VERSION).contains(&version) {
        return Err(CheckpointError::Newer(version));
    }
    let length = bytes.get(12..20).and_then(|b| b.try_into().ok()).map(u64::from_le_bytes).ok_or(truncated(least))?;
    let expected = length.saturating_add(least);
    if (bytes.len() as u64) < expected {
        return Err(truncated(expected));
    }
    let (body, sum) = bytes.split_at(bytes.len() - SUM_BYTES);
    if bytes.len() as u64 != expected || sha256(body)[..] != *sum {
        return Err(CheckpointError::Damaged);
    }
    // Values stay views into one copy of the image.
    image::Image::decode(Bytes::copy_from_slice(&body[HEAD_BYTES..]))
        .map_err(|_| CheckpointError::Malformed("its form"))
}
