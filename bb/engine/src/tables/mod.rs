//! The tables behind the gates: plain structs, by peer, with `now` as an argument.

pub mod backoff;
pub mod governor;
pub mod random;

pub use backoff::BackoffTable;
pub use governor::PeerGovernor;
pub use random::Random;
