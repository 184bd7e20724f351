//! Random numbers for epochs and pauses: different at every start, of no value to who guesses them.

use std::hash::{BuildHasher, RandomState};

/// One. Std seeds its hashers from the system's random source, and apart from each other.
pub fn random() -> u64 {
    RandomState::new().hash_one(())
}
