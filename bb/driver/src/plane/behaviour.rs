//! Opens the stream out of every connection, accepts the one in, and hands both to the node.

use super::PROTOCOL;
use libp2p::core::transport::PortUse;
use libp2p::core::upgrade::ReadyUpgrade;
use libp2p::core::{Endpoint, Multiaddr};
use libp2p::swarm::handler::{
    ConnectionEvent, ConnectionHandler, ConnectionHandlerEvent, FullyNegotiatedInbound, FullyNegotiatedOutbound,
    SubstreamProtocol,
};
use libp2p::swarm::{ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, Stream, THandler, ToSwarm};
use libp2p::{PeerId, StreamProtocol};
use std::collections::{BTreeSet, VecDeque};
use std::convert::Infallible;
use std::task::{Context, Poll};

/// The data plane's part of the swarm.
pub struct Behaviour {
    /// How many streams to open on every connection.
    streams: usize,
    opened: VecDeque<StreamOpened>,
    /// To whom this node has made a connection. It makes one at a time: a second one tells the peer that the first is
    /// over.
    dialled: BTreeSet<PeerId>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Behaviour { streams: 1, opened: VecDeque::new(), dialled: BTreeSet::new() }
    }
}

/// Why a connection is given up before the peer sees it.
#[derive(Debug, thiserror::Error)]
#[error("there is a connection to this peer already")]
struct Dialled;

impl Behaviour {
    /// One that does not keep to the rules.
    #[cfg(test)]
    pub fn opening(streams: usize) -> Self {
        Behaviour { streams, ..Behaviour::default() }
    }
}

/// Something about a connection's streams.
#[derive(Debug)]
pub struct StreamOpened {
    pub peer: PeerId,
    pub connection: ConnectionId,
    pub what: Opened,
}

/// Which stream it is.
#[derive(Debug)]
pub enum Opened {
    /// The one this node writes.
    Out(Stream),
    /// The one it reads.
    In(Stream),
    /// The peer does not speak the protocol.
    Refused,
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Handler;
    type ToSwarm = StreamOpened;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(Handler { to_open: self.streams, opened: VecDeque::new() })
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        if self.dialled.contains(&peer) {
            return Err(ConnectionDenied::new(Dialled));
        }
        Ok(Handler { to_open: self.streams, opened: VecDeque::new() })
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        match event {
            FromSwarm::ConnectionEstablished(up) if up.endpoint.is_dialer() => {
                self.dialled.insert(up.peer_id);
            }
            FromSwarm::ConnectionClosed(down) if down.endpoint.is_dialer() => {
                self.dialled.remove(&down.peer_id);
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, connection: ConnectionId, what: Opened) {
        self.opened.push_back(StreamOpened { peer, connection, what });
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<StreamOpened, Infallible>> {
        // The swarm polls again after it has delivered a handler's event, so no waker is kept.
        self.opened.pop_front().map_or(Poll::Pending, |opened| Poll::Ready(ToSwarm::GenerateEvent(opened)))
    }
}

/// One connection's streams.
pub struct Handler {
    to_open: usize,
    opened: VecDeque<Opened>,
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Infallible;
    type ToBehaviour = Opened;
    type InboundProtocol = ReadyUpgrade<StreamProtocol>;
    type OutboundProtocol = ReadyUpgrade<StreamProtocol>;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol> {
        SubstreamProtocol::new(ReadyUpgrade::new(PROTOCOL), ())
    }

    // A connection lives as long as its streams, which `connection_keep_alive` is not asked about.

    fn poll(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, (), Self::ToBehaviour>> {
        if self.to_open > 0 {
            self.to_open -= 1;
            let protocol = SubstreamProtocol::new(ReadyUpgrade::new(PROTOCOL), ());
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
        }
        // The connection polls again after every connection event, so no waker is kept.
        self.opened.pop_front().map_or(Poll::Pending, |o| Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(o)))
    }

    fn on_behaviour_event(&mut self, event: Infallible) {
        match event {}
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<Self::InboundProtocol, Self::OutboundProtocol>) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound { protocol, .. }) => {
                self.opened.push_back(Opened::In(protocol));
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound { protocol, .. }) => {
                self.opened.push_back(Opened::Out(protocol));
            }
            ConnectionEvent::DialUpgradeError(_) => self.opened.push_back(Opened::Refused),
            _ => {}
        }
    }
}
