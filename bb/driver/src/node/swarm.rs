//! TCP, Noise, Yamux; connection limits first, then identify, ping and the data plane.

use crate::error::StartError;
use crate::plane;
use libp2p::identity::Keypair;
use libp2p::swarm::NetworkBehaviour;
use libp2p::{SwarmBuilder, connection_limits, identify, noise, ping, tcp, yamux};
use std::time::Duration;

/// How long a connection may take to be set up.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// A peer dials in once; a second connection exists where both dial at once.
const CONNECTIONS_PER_PEER_MAX: u32 = 4;
const CONNECTIONS_MAX: u32 = 65_536;
const PENDING_MAX: u32 = 1024;
/// One stream of ours each way, and those of identify and ping while they are negotiated.
const STREAMS_MAX: usize = 64;
/// How long a connection is kept on which neither peer has a stream.
const IDLE_MAX: Duration = Duration::from_secs(10);

#[derive(NetworkBehaviour)]
pub struct Behaviour {
    limits: connection_limits::Behaviour,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    plane: plane::Behaviour,
}

pub type Swarm = libp2p::Swarm<Behaviour>;

pub fn new(key: &Keypair) -> Result<Swarm, StartError> {
    with(key, plane::Behaviour::default())
}

pub fn with(key: &Keypair, plane: plane::Behaviour) -> Result<Swarm, StartError> {
    let transport = |e: &dyn std::fmt::Display| StartError::Transport(e.to_string());
    let limits = connection_limits::ConnectionLimits::default()
        .with_max_established_per_peer(Some(CONNECTIONS_PER_PEER_MAX))
        .with_max_established(Some(CONNECTIONS_MAX))
        .with_max_pending_incoming(Some(PENDING_MAX))
        .with_max_pending_outgoing(Some(PENDING_MAX));
    let behaviour = Behaviour {
        limits: connection_limits::Behaviour::new(limits),
        identify: identify::Behaviour::new(identify::Config::new(plane::PROTOCOL.to_string(), key.public())),
        ping: ping::Behaviour::default(),
        plane,
    };
    let streams = || {
        let mut config = yamux::Config::default();
        config.set_max_num_streams(STREAMS_MAX);
        config
    };
    let swarm = SwarmBuilder::with_existing_identity(key.clone())
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, streams)
        .map_err(|e| transport(&e))?
        .with_behaviour(|_| behaviour)
        .map_err(|e| transport(&e))?
        .with_swarm_config(|config| config.with_idle_connection_timeout(IDLE_MAX))
        .with_connection_timeout(CONNECT_WITHIN)
        .build();
    Ok(swarm)
}
