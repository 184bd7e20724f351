//! A program with handles; every case in `ui-tests/cases/slots` misuses them once.
#![allow(missing_docs)]

pub mod graph;

/// Not there in the build script: the body of a component may use it.
pub fn only_in_the_crate(one: u64, other: u64) -> u64 {
    one + other
}
