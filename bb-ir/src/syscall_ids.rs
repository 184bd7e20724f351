//! The ops that the engine itself runs, by name.

pub use crate::ops::{SYSCALL_CONSTANT, SYSCALL_DOMAIN, SYSCALL_ORIGIN, SYSCALL_PASS_THROUGH};
