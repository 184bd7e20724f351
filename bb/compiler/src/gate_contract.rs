//! What every wire must pass before its artifact may run.

/// One gate: an op that must stand behind every Recv or before every Send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GateContract {
    /// The gate's op type in the gate domain.
    pub op: &'static str,
    /// True where it stands behind a Recv, false where it stands before a Send.
    pub receiving: bool,
}

/// The gates that exist. No gate is inserted by this version, so the inventory is empty and an artifact that holds
/// an op of the gate domain is refused.
pub const GATE_CONTRACTS: &[GateContract] = &[];
