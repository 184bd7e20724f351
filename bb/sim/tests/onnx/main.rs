//! Existing ONNX models, called in programs: whole, in stages over several peers, and what is wrong with a call.
#![allow(missing_docs)]

mod carriers;
mod files;
mod malformed;
mod refused;
mod running;
