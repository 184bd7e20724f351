//! What nodes host, told while they run: an artifact may come when peers are connected.
//!
//! A running node takes nothing back, so of two Hellos of one process the larger is the later, however they came.

use super::Engine;
use crate::error::InstallError;
use crate::event::{DisconnectReason, Event};
use bb_ir::hello::{self, Hello, ProgramOffer};
use bb_ir::limits::WireLimits;
use bb_ir::peer::PeerId;
use bytes::Bytes;

impl Engine {
    /// Whether peers would read a Hello that tells all that is hosted.
    pub(super) fn fits_hello(&self) -> Result<(), InstallError> {
        let read = hello::decode(self.hello(), &WireLimits::default());
        read.map(drop).map_err(|refusal| InstallError::TooMuchHosted(refusal.to_string()))
    }

    /// What connected peers run otherwise than an artifact that has come.
    pub(super) fn compare_with_all(&mut self, graph: usize) {
        for (peer, hello) in self.peers.hellos() {
            self.compare(graph, &peer, &hello);
        }
    }

    /// What a connected peer hosts by now.
    pub(super) fn hosts(&mut self, id: &PeerId, frame: Bytes) {
        // Of one that is not connected, the first frame of its next connection says it.
        let Some(known) = self.peers.hello_of(id) else { return };
        let refused = match hello::decode(frame, &self.config.limits.wire) {
            Ok(hello) if hello.epoch != known.epoch => "a further Hello is of another process".to_owned(),
            Ok(hello) if says_no_more(&hello, known) => return,
            Ok(hello) if !says_no_more(known, &hello) => "a further Hello takes back what was hosted".to_owned(),
            Ok(hello) => {
                let known = known.clone();
                return self.hosts_more(id, &known, hello);
            }
            Err(refusal) => refusal.to_string(),
        };
        self.event(Event::EnvelopeRefused { peer: id.clone(), reason: refused });
        self.send_away(id, DisconnectReason::BadHello);
    }

    fn hosts_more(&mut self, id: &PeerId, known: &Hello, hello: Hello) {
        let claims = hello.classes.iter().filter(|c| known.classes.iter().all(|k| k.name != c.name));
        let classes = self.admitted(id, claims.map(|c| c.name.as_str()));
        let programs = hello.programs.iter().filter(|p| !offers(known, p)).cloned().collect();
        let new = Hello { programs, ..hello.clone() };
        for graph in 0..self.graphs.len() {
            self.compare(graph, id, &new);
        }
        self.joined(id, &classes);
        self.peers.hosts_more(id, hello, classes, &self.graphs);
    }
}

fn offers(hello: &Hello, program: &ProgramOffer) -> bool {
    hello.programs.iter().any(|p| p.name == program.name && p.digest == program.digest)
}

/// Whether all of `a` is in `b`.
fn says_no_more(a: &Hello, b: &Hello) -> bool {
    a.classes.iter().all(|c| b.classes.iter().any(|k| k.name == c.name)) && a.programs.iter().all(|p| offers(b, p))
}
