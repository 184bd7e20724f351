//! Making connections: to the addresses that are wanted, and to peers that messages wait for.

use super::Node;
use super::start::cause;
use crate::address;
use crate::book::Source;
use crate::event::Event;
use crate::random::random;
use libp2p::Multiaddr;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, DialError};
use tokio::time::Instant;

impl Node {
    /// Keeps the node connected to that address.
    pub(super) fn want(&mut self, address: Multiaddr) {
        if let Some(peer) = address::peer_of(&address) {
            self.book.add(&address::ours(&peer), address.clone(), Source::Configured, Instant::now());
            self.tell_forgotten();
        }
        self.dialler.want(address, Instant::now());
    }

    pub(super) fn dial_due(&mut self) {
        let now = Instant::now();
        while let Some(address) = self.dialler.due(now) {
            if let Some(peer) = address::peer_of(&address).filter(|p| self.swarm.is_connected(p)) {
                self.dialler.reached(&address, peer);
                continue;
            }
            let opts = match address::peer_of(&address) {
                Some(peer) => DialOpts::peer_id(peer).addresses(vec![address.clone()]).allocate_new_port().build(),
                None => DialOpts::unknown_peer_id().address(address.clone()).allocate_new_port().build(),
            };
            let connection = opts.connection_id();
            self.dialler.dialling(&address, connection);
            if let Err(error) = self.swarm.dial(opts) {
                self.dial_failed(connection, &error);
            }
        }
        for peer in self.peers.dial_next(now) {
            let (Some(id), addresses) = (address::theirs(&peer), self.book.of(&peer, now)) else { continue };
            let opts = DialOpts::peer_id(id).addresses(addresses).allocate_new_port();
            let opts = opts.condition(PeerCondition::DisconnectedAndNotDialing).build();
            if let Err(error) = self.swarm.dial(opts) {
                // It is tried again as long as messages wait; they say so when they have waited too long.
                tracing::debug!(%peer, %error, "a peer cannot be dialled");
            }
        }
    }

    pub(super) fn dial_failed(&mut self, connection: ConnectionId, error: &DialError) {
        if let Some((address, again_in)) = self.dialler.failed(connection, Instant::now(), random()) {
            self.publish(Event::DialFailed { address: address.to_string(), reason: reason(error), again_in });
        }
    }
}

/// Why an address is not reached, in a sentence.
fn reason(error: &DialError) -> String {
    match error {
        DialError::WrongPeerId { obtained, .. } => {
            format!("another node listens there, {obtained}: check the address's `/p2p/…`")
        }
        DialError::LocalPeerId { .. } => "this node itself listens there".to_owned(),
        DialError::Transport(tried) => match tried.first() {
            Some((_, error)) => cause(error),
            None => cause(error),
        },
        other => cause(other),
    }
}
