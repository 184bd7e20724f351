//! Send, Recv and Gather: typed views over their nodes, and how their parts are read and written.
//!
//! A cast answers `None` for every node that has not the shape; after it, accessors cannot fail.

use crate::bindings::dest_suffix_attribute;
use crate::limits::FILLS_MAX;
use crate::ops::{OP_GATHER, OP_RECV, OP_SEND, WIRE_DOMAIN};
use crate::peer::PeerId;
use crate::proto::onnx::NodeProto;
use crate::site::SiteAddress;
use crate::views::{Attributes, Metadata, attribute, data_inputs};

mod gather;

pub use crate::keys::{
    ATTR_DEADLINE_NS, ATTR_PEER, CHAIN_DEPTH_KEY, CHAIN_TARGETS_KEY, DEST_SITE_NAME_PREFIX, DEST_SUFFIX_ATTR_PREFIX,
    FRAMEWORK_IR_VERSION_KEY, WIRE_ID_KEY, WIRE_TRANSPORT_DATA, WIRE_TRANSPORT_KEY, WIRE_TRANSPORT_TRIGGER_ONLY,
};
pub use gather::{Gather, Need, Operand};

/// Whether a node is a Send, well-formed or not.
pub fn is_send(node: &NodeProto) -> bool {
    node.domain() == WIRE_DOMAIN && node.op_type() == OP_SEND
}
/// Whether a node is a Recv, well-formed or not.
pub fn is_recv(node: &NodeProto) -> bool {
    node.domain() == WIRE_DOMAIN && node.op_type() == OP_RECV
}
/// Whether a node is a Gather, well-formed or not.
pub fn is_gather(node: &NodeProto) -> bool {
    node.domain() == WIRE_DOMAIN && node.op_type() == OP_GATHER
}

/// The statically known destination, where there is one.
pub fn read_peer_bytes(node: &NodeProto) -> Option<PeerId> {
    PeerId::from_bytes(node.attr_bytes(ATTR_PEER)?.clone())
}
/// Writes the statically known destination.
pub fn stamp_peer_bytes(node: &mut NodeProto, peer: &PeerId) {
    node.set_attr(attribute::bytes(ATTR_PEER, peer.to_bytes()));
}

/// The wire's id: on both halves, the only thing that pairs them.
pub fn read_wire_id(node: &NodeProto) -> Option<u64> {
    node.metadata_number(WIRE_ID_KEY)
}
/// Writes the wire's id.
pub fn stamp_wire_id(node: &mut NodeProto, id: u64) {
    node.set_metadata(WIRE_ID_KEY, id.to_string());
}

/// What a wire carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Values that are read.
    Data,
    /// Nothing but the fact that they were sent.
    TriggerOnly,
}
impl Transport {
    /// As it stands in a model.
    pub const fn name(self) -> &'static str {
        match self {
            Transport::Data => WIRE_TRANSPORT_DATA,
            Transport::TriggerOnly => WIRE_TRANSPORT_TRIGGER_ONLY,
        }
    }
}
/// What a wire carries, where that has been found out.
pub fn read_wire_transport(node: &NodeProto) -> Option<Transport> {
    [Transport::Data, Transport::TriggerOnly].into_iter().find(|t| node.metadata(WIRE_TRANSPORT_KEY) == Some(t.name()))
}
/// Writes what a wire carries.
pub fn stamp_wire_transport(node: &mut NodeProto, transport: Transport) {
    node.set_metadata(WIRE_TRANSPORT_KEY, transport.name());
}

/// How many payloads a wire op has: its overload says so, and where it has none, `otherwise`.
fn payloads(node: &NodeProto, otherwise: usize) -> Option<usize> {
    let count = if node.overload().is_empty() { otherwise } else { node.overload().parse().ok()? };
    (1..=FILLS_MAX).contains(&count).then_some(count)
}

/// A Send: payloads, then the peer; its outputs are its own until it is cut.
#[derive(Clone, Copy)]
pub struct Send<'a> {
    node: &'a NodeProto,
    payloads: usize,
}
impl<'a> Send<'a> {
    /// The node as a Send, before or after it is cut.
    pub fn cast(node: &'a NodeProto) -> Option<Self> {
        if !is_send(node) {
            return None;
        }
        let inputs = data_inputs(node).len();
        let payloads = payloads(node, inputs.saturating_sub(1))?;
        let peered = inputs == payloads + 1 || (inputs == payloads && node.attr(ATTR_PEER).is_some());
        let outputs = node.output.len() == 1 || node.output.len() == payloads + 2;
        (peered && outputs).then_some(Send { node, payloads })
    }
    /// The node.
    pub fn node(self) -> &'a NodeProto {
        self.node
    }
    /// What is sent.
    pub fn payloads(self) -> &'a [String] {
        &self.node.input[..self.payloads]
    }
    /// Whom it is sent to, where that is a value.
    pub fn peer(self) -> Option<&'a str> {
        data_inputs(self.node).get(self.payloads).map(String::as_str)
    }
    /// Whom it is sent to, where that is known when compiling.
    pub fn static_peer(self) -> Option<PeerId> {
        read_peer_bytes(self.node)
    }
    /// Whether what arrives has moved to a Recv.
    pub fn is_cut(self) -> bool {
        self.node.output.len() == 1
    }
    /// Before it is cut: the values as the other side has them.
    pub fn values(self) -> &'a [String] {
        if self.is_cut() { &[] } else { &self.node.output[..self.payloads] }
    }
    /// Before it is cut: the value that names the sender on the other side.
    pub fn sender(self) -> Option<&'a str> {
        (!self.is_cut()).then(|| self.node.output[self.payloads].as_str())
    }
    /// What fires once the message is handed over.
    pub fn handle(self) -> &'a str {
        &self.node.output[self.node.output.len() - 1]
    }
    /// The wire.
    pub fn wire_id(self) -> Option<u64> {
        read_wire_id(self.node)
    }
    /// How long the message may take.
    pub fn deadline_ns(self) -> Option<u64> {
        crate::gates::read_deadline_ns(self.node)
    }
    /// The length of the longest wire path from here back to the place it left; 1 if there is none.
    pub fn chain_depth(self) -> Option<u32> {
        self.node.metadata_number(CHAIN_DEPTH_KEY).filter(|depth| *depth > 0)
    }
    /// The classes on that path, the leaving one excluded.
    pub fn chain_targets(self) -> impl Iterator<Item = &'a str> {
        let targets = self.node.metadata(CHAIN_TARGETS_KEY).unwrap_or_default();
        targets.split(',').filter(|class| !class.is_empty())
    }
    /// The site that receives payload `payload`.
    pub fn destination(self, payload: usize) -> Option<SiteAddress> {
        SiteAddress::from_segment(self.node.attr_bytes(&dest_suffix_attribute(payload))?)
    }
    /// The name of that site.
    pub fn destination_name(self, payload: usize) -> Option<&'a str> {
        self.node.metadata(&format!("{DEST_SITE_NAME_PREFIX}{payload}"))
    }
}

/// Writes how far a Send's path back is, and over which classes it leads.
pub fn stamp_chain(node: &mut NodeProto, depth: u32, targets: &[&str]) {
    node.set_metadata(CHAIN_DEPTH_KEY, depth.to_string());
    match targets {
        [] => node.remove_metadata(CHAIN_TARGETS_KEY),
        _ => node.set_metadata(CHAIN_TARGETS_KEY, targets.join(",")),
    }
}

/// Writes the site that receives payload `payload` of a Send.
pub fn stamp_destination(node: &mut NodeProto, payload: usize, address: SiteAddress, name: &str) {
    node.set_attr(attribute::bytes(&dest_suffix_attribute(payload), address.to_segment().to_vec()));
    node.set_metadata(&format!("{DEST_SITE_NAME_PREFIX}{payload}"), name);
}

/// A Recv: no inputs; the values, then the sender.
#[derive(Clone, Copy)]
pub struct Recv<'a> {
    node: &'a NodeProto,
}
impl<'a> Recv<'a> {
    /// The node as a Recv.
    pub fn cast(node: &'a NodeProto) -> Option<Self> {
        let outputs = (2..=FILLS_MAX + 1).contains(&node.output.len());
        (is_recv(node) && node.input.is_empty() && outputs).then_some(Recv { node })
    }
    /// The node.
    pub fn node(self) -> &'a NodeProto {
        self.node
    }
    /// What arrives.
    pub fn values(self) -> &'a [String] {
        &self.node.output[..self.node.output.len() - 1]
    }
    /// Who sent it.
    pub fn sender(self) -> &'a str {
        &self.node.output[self.node.output.len() - 1]
    }
    /// The wire.
    pub fn wire_id(self) -> Option<u64> {
        read_wire_id(self.node)
    }
}

#[cfg(test)]
mod tests;
