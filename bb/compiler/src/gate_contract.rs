//! What every wire must pass before its artifact may run: the contracts that bb itself brings to the open inventory.

pub use bb_ir::gates::{GateContract, Stands};

use bb_ir::gates::{GateKind, Side, is_gate, read_deadline_ns};
use bb_ir::ops::{GATE_DEADLINE_CHECK, GATE_DOMAIN};
use bb_ir::wire_shape::{is_recv, is_send};

/// One per gate of a wire, in their order, and the check.
pub const GATE_CONTRACTS: &[GateContract] = &{
    const RX: GateContract = GateContract { domain: GATE_DOMAIN, op: "", stands: Stands::Behind, guards: is_recv };
    const TX: GateContract = GateContract { stands: Stands::Before, guards: is_send, ..RX };
    const fn of(kind: GateKind) -> GateContract {
        let side = match kind.side() {
            Side::Rx => RX,
            Side::Tx => TX,
        };
        GateContract { op: kind.op(), ..side }
    }
    [
        of(GateKind::DedupRx),
        of(GateKind::PeerHealthRx),
        of(GateKind::BackoffRx),
        of(GateKind::PeerHealthTx),
        of(GateKind::BackoffTx),
        GateContract {
            domain: GATE_DOMAIN,
            op: GATE_DEADLINE_CHECK,
            stands: Stands::Beside,
            guards: |node| !is_gate(node) && read_deadline_ns(node).is_some(),
        },
    ]
};

/// Every contract there is: bb's, then what component crates submit.
pub fn all() -> Vec<&'static GateContract> {
    GATE_CONTRACTS.iter().chain(GateContract::submitted()).collect()
}
