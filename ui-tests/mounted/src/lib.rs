//! A program with handles; every case in `ui-tests/cases/slots` misuses them once.
#![allow(missing_docs)]

pub mod graph;
