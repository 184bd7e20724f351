//! The contract between the parts of bb: what the recorder emits, what each compiler pass reads and writes, what the
//! engine installs and what peers say to each other.
//!
//! The program is an ONNX model ([`proto::onnx`]) with a few keys ([`keys`]) and ops ([`ops`]) of its own; values that
//! move while it runs are [`value::Value`]s, and on the wire they have the form that [`codec`] gives them.

pub mod artifact;
pub mod backend;
pub mod bindings;
pub mod canonical;
pub mod codec;
pub mod component;
pub mod diagnostics;
pub mod difference;
pub mod digest;
mod encode;
pub mod envelope;
pub mod failure;
mod fields;
pub mod gates;
pub mod held;
pub mod hello;
pub mod index;
pub mod keys;
pub mod limits;
pub mod names;
pub mod needs;
pub mod ops;
pub mod order;
pub mod peer;
pub mod peer_class;
pub mod proto;
mod scan;
pub mod shape_text;
pub mod site;
pub mod syscall_ids;
pub mod text;
pub mod type_text;
mod type_words;
pub mod types;
pub mod value;
mod varint;
pub mod verify;
pub mod version;
pub mod views;
pub mod weights;
pub mod wire_shape;
mod workers;
