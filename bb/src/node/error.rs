//! Why a node does not start or take a value, and why a call has no answer.

use bb_driver::{StageError, StartError};

/// Why a call has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The engine says why: too few peers answered, time ran out, an op failed.
    #[error(transparent)]
    Failed(bb_engine::CallError),
    /// The node was shut down.
    #[error("the node was shut down")]
    Stopped,
    /// The answer is not of the output's type: artifact and handle are of different builds.
    #[error("the answer is not what the program gives: {0}")]
    Answer(String),
}
impl From<bb_driver::CallError> for CallError {
    fn from(error: bb_driver::CallError) -> Self {
        match error {
            bb_driver::CallError::Engine(error) => CallError::Failed(error),
            // The driver has no other reason.
            _ => CallError::Stopped,
        }
    }
}

/// Any of them, for `?`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A node does not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A value is not staged.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// A call has no answer.
    #[error(transparent)]
    Call(#[from] CallError),
}
