//! Why a node does not start, and why a call has no answer.

use crate::identity::IdentityError;
use bb_engine::InstallError;
use std::path::PathBuf;

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Its key.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// An address that is none.
    #[error("`{text}` is not an address: {reason}\n  help: write it like /ip4/127.0.0.1/tcp/7000")]
    Address {
        /// What was given.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An address it cannot listen on.
    #[error(
        "cannot listen on {address}: {reason}\n  help: the IP address is one of this machine's, or 0.0.0.0 for all; the port is free, or 0 for any that is"
    )]
    Listen {
        /// The address.
        address: String,
        /// Why not.
        reason: String,
    },
    /// An artifact that cannot be installed.
    #[error(transparent)]
    Install(#[from] InstallError),
    /// A component was bound to what the program does not have.
    #[error("`{program}` has no component `{slot}` of the role `{role}` on `{class}`\n  help: {help}")]
    Bind {
        /// The program.
        program: String,
        /// The class that is hosted.
        class: String,
        /// What it was bound to.
        slot: String,
        /// The role it plays.
        role: String,
        /// What there is.
        help: String,
    },
    /// What a durable node wrote down cannot be used, or nothing can be written.
    #[error("the checkpoint {} cannot be used: {reason}", path.display())]
    Checkpoint {
        /// The file or its directory.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A durable node that is somebody else at every start.
    #[error("a durable node returns as itself, so it needs a key\n  help: `.key_file(path)` keeps one")]
    DurableWithoutKey,
    /// There is no node any more to install anything on.
    #[error("the node was shut down")]
    Stopped,
    /// The encryption could not be set up.
    #[error("the transport cannot be set up: {0}")]
    Transport(String),
}

/// Why a call has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The engine says why.
    #[error(transparent)]
    Engine(#[from] bb_engine::CallError),
    /// The node was shut down.
    #[error("the node was shut down")]
    Stopped,
}

/// Why a value is not staged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StageError {
    /// The engine says why.
    #[error(transparent)]
    Engine(#[from] bb_engine::StageError),
    /// There is no node any more.
    #[error("the node was shut down")]
    Stopped,
}
