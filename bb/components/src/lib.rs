//! Aggregators, selectors and a CPU backend for bb.
