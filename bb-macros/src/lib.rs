//! The procedural macros of bb.
