//! Addresses: as text, with and without the peer behind them.

use crate::error::StartError;
use bb_engine::PeerId;
use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
use std::net::SocketAddr;

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
