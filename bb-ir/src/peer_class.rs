//! Peer classes on nodes and values.

use crate::keys;
use crate::proto::onnx::{NodeProto, ValueInfoProto};
use crate::views::Metadata;

/// The class of a node nobody has placed.
pub const SELF_CLASS: &str = "@self";

/// The class a node runs on, [`SELF_CLASS`] where none is stamped.
pub fn home_class_of_node(node: &NodeProto) -> &str {
    node.metadata(keys::HOME_CLASS_KEY).unwrap_or(SELF_CLASS)
}

/// The class of the peers that a peer value names.
pub fn peer_class_of_value(value: &ValueInfoProto) -> Option<&str> {
    value.metadata(keys::PEER_CLASS_KEY)
}
