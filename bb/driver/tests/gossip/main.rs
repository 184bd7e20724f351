//! What nodes hold that talk for a long time: as much in the end as soon after the beginning.
#![allow(missing_docs)]

mod equals;
#[cfg(target_os = "linux")]
mod long;
mod short;
