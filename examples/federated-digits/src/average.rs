//! The server's component: an aggregator that takes note of who was missing.

use bb::prelude::*;
use bb::{PeerId, Reason};
use std::sync::{Arc, Mutex};

/// Who took part in the last round.
#[derive(Clone, Debug, Default)]
pub struct Attendance {
    /// Who answered.
    pub arrived: Vec<PeerId>,
    /// Who did not, and why.
    pub missing: Vec<(PeerId, Reason)>,
}

/// An aggregator, and a note for the loop over rounds.
pub struct Noting {
    average: Box<dyn Aggregator + Send>,
    note: Arc<Mutex<Attendance>>,
}

impl Noting {
    pub fn new(average: Box<dyn Aggregator + Send>, note: Arc<Mutex<Attendance>>) -> Self {
        Noting { average, note }
    }
}

impl Aggregator for Noting {
    fn params(&mut self) -> Tensor {
        self.average.params()
    }
    fn fold(&mut self, updates: Partial<(Tensor, u64)>) -> Result<Tensor, OpError> {
        let arrived = updates.iter().map(|(peer, _)| peer.clone()).collect();
        let missing = updates.missing().to_vec();
        *self.note.lock().map_err(|_| OpError::new("the note was left half written"))? =
            Attendance { arrived, missing };
        self.average.fold(updates)
    }
    fn checkpoint(&self) -> Option<Vec<u8>> {
        self.average.checkpoint()
    }
    fn restore(&mut self, state: &[u8]) -> Result<(), OpError> {
        self.average.restore(state)
    }
}
