//! Addresses: as text, with and without the peer behind them, and which are known of whom.

use crate::error::StartError;
use bb_engine::PeerId;
use bytes::Bytes;
use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
use std::collections::{BTreeMap, VecDeque};

/// The most addresses that are kept of one peer.
const ADDRESSES_MAX: usize = 8;
/// The most peers whose addresses are kept.
const PEERS_MAX: usize = 4096;

/// The engine's name of a peer.
pub fn ours(peer: &libp2p::PeerId) -> PeerId {
    PeerId::from_bytes(peer.to_bytes()).expect("libp2p's identities are at most 42 bytes")
}
/// libp2p's name of a peer; `None` where its bytes are no multihash that libp2p knows.
pub fn theirs(peer: &PeerId) -> Option<libp2p::PeerId> {
    libp2p::PeerId::from_bytes(peer.as_bytes()).ok()
}

/// The address in a text.
pub fn parse(text: &str) -> Result<Multiaddr, StartError> {
    let address: Multiaddr =
        text.parse().map_err(|e| StartError::Address { text: text.to_owned(), reason: format!("{e}") })?;
    let has_tcp = address.iter().any(|p| matches!(p, Protocol::Tcp(_)));
    if !has_tcp {
        return Err(StartError::Address { text: text.to_owned(), reason: "it names no TCP port".into() });
    }
    Ok(address)
}

/// The peer at the end of an address.
pub fn peer_of(address: &Multiaddr) -> Option<libp2p::PeerId> {
    match address.iter().last() {
        Some(Protocol::P2p(peer)) => Some(peer),
        _ => None,
    }
}

/// The address without the peer at its end.
pub fn without_peer(mut address: Multiaddr) -> Multiaddr {
    if peer_of(&address).is_some() {
        address.pop();
    }
    address
}

/// Where peers are said to be. Dialling proves who is there, so what others announce is taken as it comes.
#[derive(Default)]
pub struct AddressBook {
    of: BTreeMap<PeerId, VecDeque<Multiaddr>>,
    /// Who was heard of first is forgotten first.
    order: VecDeque<PeerId>,
}

impl AddressBook {
    /// Keeps an address; whether it is new.
    pub fn add(&mut self, peer: &PeerId, address: Multiaddr) -> bool {
        let address = without_peer(address);
        if !self.of.contains_key(peer) {
            if self.order.len() == PEERS_MAX
                && let Some(oldest) = self.order.pop_front()
            {
                self.of.remove(&oldest);
            }
            self.order.push_back(peer.clone());
        }
        let known = self.of.entry(peer.clone()).or_default();
        if known.contains(&address) {
            return false;
        }
        if known.len() == ADDRESSES_MAX {
            known.pop_front();
        }
        known.push_back(address);
        true
    }
    /// What is known of a peer.
    pub fn of(&self, peer: &PeerId) -> Vec<Multiaddr> {
        self.of.get(peer).map(|known| known.iter().cloned().collect()).unwrap_or_default()
    }
    /// The same, as it travels.
    pub fn bytes_of(&self, peer: &PeerId) -> Vec<Bytes> {
        self.of(peer).iter().map(|a| Bytes::from(a.to_vec())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_parse_is_told_with_the_text() {
        for text in ["localhost:7000", "/ip4/127.0.0.1", ""] {
            let Err(StartError::Address { text: told, .. }) = parse(text) else { panic!("{text} is no address") };
            assert_eq!(told, text);
        }
        assert!(parse("/ip4/127.0.0.1/tcp/7000").is_ok());
    }

    #[test]
    fn the_book_forgets_the_oldest() {
        let peer = PeerId::from_bytes(vec![1]).expect("short");
        let mut book = AddressBook::default();
        let address = |port: u16| parse(&format!("/ip4/127.0.0.1/tcp/{port}")).expect("an address");
        for port in 1..=9 {
            assert!(book.add(&peer, address(port)));
        }
        assert!(!book.add(&peer, address(9)));
        assert_eq!(book.of(&peer), (2..=9).map(address).collect::<Vec<_>>());
    }
}
