//! Nodes over loopback: what one process or several do with each other.
#![allow(missing_docs)]

mod calls;
mod ends;
mod hosting;
mod meeting;
mod needs;
mod program;
mod starting;
