//! Gates are asked: at ingress, and before a message is queued. What peers do is told to the tables behind them.

use super::Engine;
use super::checkpoint::HealthImage;
use super::frame::FrameKey;
use super::peers::PeerIx;
use crate::Standing;
use crate::config::Config;
use crate::event::{DisconnectReason, EngineStep, Event, ExecutionId, Gate, GateReason};
use crate::tables::governor::{Change, Health, Verdict};
use crate::tables::{BackoffTable, PeerGovernor, Random, backoff};
use crate::time::Time;
use bb_ir::failure::FailureCode;
use bb_ir::peer::PeerId;
use std::time::Duration;

/// How long a peer is left alone that could not be reached, or whose queue was full: at first, and at most.
const TX_FIRST: Duration = Duration::from_millis(100);
const TX_LONGEST: Duration = Duration::from_secs(30);
/// How long a peer has to wait that was sent away: at first, and at most.
const RX_FIRST: Duration = Duration::from_secs(2);
const RX_LONGEST: Duration = Duration::from_secs(60);

/// The tables.
pub struct Gates {
    pub governor: PeerGovernor,
    /// Whom to leave alone.
    pub tx: BackoffTable,
    /// Whom not to listen to.
    pub rx: BackoffTable,
    pub random: Random,
}

impl Gates {
    pub fn new(config: &Config) -> Self {
        Gates {
            governor: PeerGovernor::new(config.standings.clone()),
            tx: BackoffTable::new(TX_FIRST, TX_LONGEST),
            rx: BackoffTable::new(RX_FIRST, RX_LONGEST),
            random: Random::new(config.seed),
        }
    }
    /// What is known of a peer, if that is anything.
    pub fn image(&self, ix: PeerIx, now: Time) -> Option<HealthImage> {
        let rest = |until: Time| now.until(until).as_nanos() as u64;
        let (row, tx, rx) = (self.governor.image(ix.0), self.tx.image(ix.0), self.rx.image(ix.0));
        let (state, rest_ns) = match row.health {
            Health::Well => (0, 0),
            Health::Cooling { until } => (1, rest(until)),
            Health::Probing { until } => (2, rest(until)),
        };
        let image = HealthImage {
            peer: ix.0,
            state,
            rest_ns,
            failures: row.failures,
            cooled: row.cooled,
            tx_failures: tx.failures,
            tx_rest_ns: rest(tx.until),
            rx_failures: rx.failures,
            rx_rest_ns: rest(rx.until),
        };
        (image != HealthImage { peer: ix.0, ..HealthImage::default() }).then_some(image)
    }
    /// The same, again.
    pub fn restore(&mut self, ix: PeerIx, saved: &HealthImage, now: Time) {
        let until = |ns: u64| now.after(Duration::from_nanos(ns));
        let health = match saved.state {
            1 => Health::Cooling { until: until(saved.rest_ns) },
            2 => Health::Probing { until: until(saved.rest_ns) },
            _ => Health::Well,
        };
        self.governor.restore(ix.0, health, saved.failures, saved.cooled);
        self.tx.restore(ix.0, backoff::Row { failures: saved.tx_failures, until: until(saved.tx_rest_ns) });
        self.rx.restore(ix.0, backoff::Row { failures: saved.rx_failures, until: until(saved.rx_rest_ns) });
    }
    /// Whether every peer is listened to.
    fn listens_to_all(&self) -> bool {
        self.rx.is_empty() && !self.governor.has_standings()
    }
    /// Whether a message may be queued for a peer.
    fn sends(&mut self, ix: PeerIx, peer: &PeerId, now: Time) -> Result<bool, (Gate, GateReason)> {
        let probes = match self.governor.may_go(ix.0, peer, now) {
            Verdict::Goes => false,
            Verdict::Probes => true,
            Verdict::Blocked => return Err((Gate::PeerHealthTx, GateReason::Blocked)),
            Verdict::Cools(rest) => return Err((Gate::PeerHealthTx, GateReason::Cooling { rest })),
        };
        match self.tx.waits(ix.0, now) {
            Some(rest) if !probes && self.governor.standing(peer) != Standing::Allowed => {
                Err((Gate::BackoffTx, GateReason::BackingOff { rest }))
            }
            _ => Ok(probes),
        }
    }
    /// Whether a peer has to wait, or is left alone.
    pub fn keeps_waiting(&self, ix: PeerIx, now: Time) -> bool {
        let cools = match self.governor.image(ix.0).health {
            Health::Well => false,
            Health::Cooling { until } | Health::Probing { until } => until > now,
        };
        cools || self.tx.waits(ix.0, now).is_some() || self.rx.waits(ix.0, now).is_some()
    }
    /// Nothing is known of it any more.
    pub fn forget(&mut self, ix: PeerIx) {
        self.governor.forget(ix.0);
        self.tx.succeeded(ix.0);
        self.rx.succeeded(ix.0);
    }
    /// Whether a peer is listened to.
    fn listens(&self, ix: Option<PeerIx>, peer: &PeerId, now: Time) -> Result<(), (Gate, GateReason)> {
        let standing = self.governor.standing(peer);
        match ix.and_then(|ix| self.rx.waits(ix.0, now)) {
            _ if standing == Standing::Blocked => Err((Gate::PeerHealthRx, GateReason::Blocked)),
            Some(rest) if standing == Standing::Judged => Err((Gate::BackoffRx, GateReason::BackingOff { rest })),
            _ => Ok(()),
        }
    }
}

impl Engine {
    /// Asks the gates before a Send. Why the message may not go, told and counted.
    pub(super) fn tx_gates(&mut self, ix: PeerIx, peer: &PeerId, wire: u64, key: &FrameKey) -> Result<(), GateReason> {
        let refused = match self.gates.sends(ix, peer, self.now) {
            Ok(probes) => {
                self.counters.probes += u64::from(probes);
                return Ok(());
            }
            Err(refused) => refused,
        };
        let (gate, reason) = refused;
        self.refuses(gate, reason, peer, Some(wire), Some(self.processes.execution(key)));
        Err(reason)
    }
    /// Asks the gates behind a Recv, for all that a peer says. Whether it is listened to.
    pub(super) fn rx_gates(&mut self, peer: &PeerId) -> bool {
        if self.gates.listens_to_all() {
            return true;
        }
        match self.gates.listens(self.peers.find(peer), peer, self.now) {
            Ok(()) => true,
            Err((gate, reason)) => {
                self.refuses(gate, reason, peer, None, None);
                false
            }
        }
    }
    /// A gate's decision.
    pub(super) fn refuses(
        &mut self,
        gate: Gate,
        reason: GateReason,
        peer: &PeerId,
        wire: Option<u64>,
        execution: Option<ExecutionId>,
    ) {
        *match gate {
            Gate::PeerHealthRx => &mut self.counters.health_rx,
            Gate::BackoffRx => &mut self.counters.backoff_rx,
            Gate::PeerHealthTx => &mut self.counters.health_tx,
            Gate::BackoffTx => &mut self.counters.backoff_tx,
            Gate::DeadlineCheck => &mut self.counters.deadline_checks,
        } += 1;
        self.event(Event::GateRefused { gate, reason, peer: peer.clone(), wire, execution });
    }

    /// A peer has answered, after so long where that was measured.
    pub(super) fn peer_answers(&mut self, ix: PeerIx, took: Option<Duration>) {
        self.gates.tx.succeeded(ix.0);
        let change = self.gates.governor.answered(ix.0, took, self.now);
        self.health_changes(ix, change);
    }
    /// A message to a peer came to nothing.
    pub(super) fn peer_fails(&mut self, ix: PeerIx, code: FailureCode) {
        match code {
            // It was not asked at all.
            FailureCode::Unreachable | FailureCode::SendRefused => {
                self.gates.tx.failed(ix.0, self.now, &mut self.gates.random);
            }
            _ => {
                let change = self.gates.governor.failed(ix.0, self.now);
                self.health_changes(ix, change);
            }
        }
    }
    fn health_changes(&mut self, ix: PeerIx, change: Option<Change>) {
        match change {
            None => {}
            Some(Change::Cools(pause)) => {
                self.counters.cooled += 1;
                self.event(Event::PeerCools { peer: self.peers.id(ix), pause });
            }
            Some(Change::Recovers) => {
                self.counters.recovered += 1;
                self.event(Event::PeerRecovers { peer: self.peers.id(ix) });
            }
        }
    }
    /// A peer is sent away, and has to wait before it is listened to again.
    pub(super) fn send_away(&mut self, peer: &PeerId, reason: DisconnectReason) {
        if self.gates.governor.standing(peer) == Standing::Judged
            && let Some(ix) = self.intern_or_tell(peer)
        {
            self.gates.rx.failed(ix.0, self.now, &mut self.gates.random);
        }
        self.steps.push_back(EngineStep::Disconnect { peer: peer.clone(), reason });
    }
    /// The operator says what a peer is to this node.
    pub(super) fn stands(&mut self, peer: PeerId, standing: Standing) {
        self.gates.governor.set_standing(peer.clone(), standing);
        if standing != Standing::Blocked || peer == self.config.peer {
            return;
        }
        let Some(ix) = self.peers.find(&peer) else { return };
        if self.peers.is_connected(&peer) {
            let reason = DisconnectReason::Blocked;
            self.steps.push_back(EngineStep::Disconnect { peer: peer.clone(), reason });
            self.disconnected(&peer);
        }
        let (first, count) = (self.peers.next_unsettled(ix), self.peers.outbox(ix).0.len() as u64);
        for number in first..first + count {
            self.give_up(ix, number, FailureCode::SendRefused);
        }
        self.settle();
    }

    /// Tells where what is in flight to a peer has become much, or little again.
    pub(super) fn pressure(&mut self, ix: PeerIx) {
        let max = self.config.limits.unacknowledged_bytes_max;
        if let Some(high) = self.peers.outbox(ix).0.pressure(max) {
            let (peer, bytes) = (self.peers.id(ix), self.peers.outbox(ix).0.bytes());
            self.counters.backpressure += u64::from(high);
            self.event(Event::Backpressure { peer, bytes, high });
        }
    }
}
