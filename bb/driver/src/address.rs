//! Addresses: as text, with and without the peer behind them, and which are known of whom.

use crate::error::StartError;
use bb_engine::PeerId;
use bytes::Bytes;
use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

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
    let refused = |reason: String| StartError::Address { text: text.to_owned(), reason };
    let address: Multiaddr = text.parse().map_err(|e| refused(format!("{e}")))?;
    check(&address).map_err(|reason| refused(reason.to_owned()))?;
    Ok(address)
}

/// Whether it can be dialled or listened on: an IP address, a TCP port and, where known, the peer.
pub fn check(address: &Multiaddr) -> Result<(), &'static str> {
    let mut parts = address.iter();
    if !matches!(parts.next(), Some(Protocol::Ip4(_) | Protocol::Ip6(_))) {
        return Err("it does not begin with an IP address (names are not looked up)");
    }
    if !matches!(parts.next(), Some(Protocol::Tcp(_))) {
        return Err("it names no TCP port");
    }
    match (parts.next(), parts.next()) {
        (None | Some(Protocol::P2p(_)), None) => Ok(()),
        _ => Err("only /p2p/ and a peer can stand behind the port"),
    }
}

/// Its IP address and port.
pub fn socket(address: &Multiaddr) -> Option<SocketAddr> {
    let mut parts = address.iter();
    match (parts.next()?, parts.next()?) {
        (Protocol::Ip4(ip), Protocol::Tcp(port)) => Some((ip, port).into()),
        (Protocol::Ip6(ip), Protocol::Tcp(port)) => Some((ip, port).into()),
        _ => None,
    }
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

/// How an address came to be known. What is better is kept longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A peer says so.
    Announced,
    /// The peer was there.
    Observed,
    /// The user says so.
    Configured,
}

/// Where peers are said to be. Dialling proves who is there, so what others announce is taken as it comes, but pushes
/// out nothing better.
#[derive(Default)]
pub struct AddressBook {
    /// Best first; of equals the newest.
    of: BTreeMap<PeerId, Vec<(Source, Multiaddr)>>,
    /// Who was heard of first is forgotten first.
    order: VecDeque<PeerId>,
}

impl AddressBook {
    /// Keeps an address; whether it is new.
    pub fn add(&mut self, peer: &PeerId, address: Multiaddr, source: Source) -> bool {
        let address = without_peer(address);
        if !self.of.contains_key(peer) && !self.make_room(peer, source) {
            return false;
        }
        let known = self.of.entry(peer.clone()).or_default();
        let before = known.iter().position(|(_, a)| *a == address).map(|at| known.remove(at));
        let source = before.as_ref().map_or(source, |(known, _)| source.max(*known));
        let at = known.partition_point(|(s, _)| *s > source);
        known.insert(at, (source, address));
        known.truncate(ADDRESSES_MAX);
        before.is_none() && at < ADDRESSES_MAX
    }

    /// Room for one more peer: who is only said to be somewhere makes way, oldest first.
    fn make_room(&mut self, peer: &PeerId, source: Source) -> bool {
        if self.order.len() == PEERS_MAX {
            let of = &self.of;
            let best = |peer: &PeerId| of.get(peer).and_then(|known| known.first()).map(|(source, _)| *source);
            let Some(at) = self.order.iter().position(|p| best(p) <= Some(source)) else { return false };
            if let Some(oldest) = self.order.remove(at) {
                self.of.remove(&oldest);
            }
        }
        self.order.push_back(peer.clone());
        true
    }

    /// What is known of a peer, best first.
    pub fn of(&self, peer: &PeerId) -> Vec<Multiaddr> {
        self.of.get(peer).map(|known| known.iter().map(|(_, a)| a.clone()).collect()).unwrap_or_default()
    }
    /// The same, as it travels.
    pub fn bytes_of(&self, peer: &PeerId) -> Vec<Bytes> {
        self.of(peer).iter().map(|a| Bytes::from(a.to_vec())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(n: u16) -> PeerId {
        PeerId::from_bytes(n.to_le_bytes().to_vec()).expect("short")
    }
    fn address(port: u16) -> Multiaddr {
        parse(&format!("/ip4/127.0.0.1/tcp/{port}")).expect("an address")
    }

    #[test]
    fn what_is_no_address_is_told_with_the_text() {
        let texts = [
            ("localhost:7000", "invalid multiaddr"),
            ("", "IP address"),
            ("/ip4/127.0.0.1", "TCP port"),
            ("/ip4/127.0.0.1/udp/7000", "TCP port"),
            ("/dns4/example.org/tcp/7000", "names are not looked up"),
            ("/ip4/127.0.0.1/tcp/7000/ws", "behind the port"),
            ("/ip4/127.0.0.1/tcp/70000", ""),
        ];
        for (text, why) in texts {
            let Err(StartError::Address { text: told, reason }) = parse(text) else { panic!("{text} is no address") };
            assert_eq!(told, text);
            assert!(reason.contains(why), "{text}: {reason}");
        }
        assert!(parse("/ip6/::1/tcp/7000").is_ok());
    }

    #[test]
    fn what_was_configured_stays_whatever_is_announced() {
        let mut book = AddressBook::default();
        assert!(book.add(&peer(1), address(1), Source::Configured));
        assert!(book.add(&peer(1), address(2), Source::Observed));
        for port in 3..20 {
            assert!(book.add(&peer(1), address(port), Source::Announced));
        }
        assert!(!book.add(&peer(1), address(1), Source::Announced), "known, and as good as before");
        let newest = (14..20).rev().map(address);
        assert_eq!(book.of(&peer(1)), [address(1), address(2)].into_iter().chain(newest).collect::<Vec<_>>());
    }

    #[test]
    fn the_book_forgets_who_was_heard_of_first_but_not_the_configured() {
        let mut book = AddressBook::default();
        book.add(&peer(0), address(1), Source::Configured);
        for n in 1..=PEERS_MAX as u16 {
            assert!(book.add(&peer(n), address(1), Source::Announced));
        }
        assert_eq!(book.of(&peer(0)), [address(1)]);
        assert_eq!(book.of(&peer(1)), []);
        assert_eq!(book.of(&peer(2)), [address(1)]);
        assert_eq!(book.of.len(), PEERS_MAX);
    }
}
