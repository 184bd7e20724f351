//! Send, Recv and Gather: typed views over their nodes, and how their parts are read and written.
//!
//! A cast answers `None` for every node that has not the shape; after it, accessors cannot fail.

use crate::bindings::dest_suffix_attribute;
use crate::limits::FILLS_MAX;
use crate::ops::{OP_GATHER, OP_RECV, OP_SEND, WIRE_DOMAIN, gather};
use crate::peer::PeerId;
use crate::proto::onnx::NodeProto;
use crate::site::SiteAddress;
use crate::views::{Attributes, Metadata, attribute, data_inputs};

pub use crate::keys::{
    ATTR_DEADLINE_NS, ATTR_PEER, DEST_SITE_NAME_PREFIX, DEST_SUFFIX_ATTR_PREFIX, WIRE_ID_KEY, WIRE_TRANSPORT_DATA,
    WIRE_TRANSPORT_KEY, WIRE_TRANSPORT_TRIGGER_ONLY,
};

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
        let inputs = data_inputs(node).len();
        let payloads = payloads(node, inputs.saturating_sub(1))?;
        let peered = inputs == payloads + 1 || (inputs == payloads && node.attr(ATTR_PEER).is_some());
        let outputs = node.output.len() == 1 || node.output.len() == payloads + 2;
        (is_send(node) && peered && outputs).then_some(Send { node, payloads })
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
        self.node.attr_int(ATTR_DEADLINE_NS).and_then(|ns| u64::try_from(ns).ok()).filter(|ns| *ns > 0)
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

/// Writes the site that receives payload `payload` of a Send.
pub fn stamp_destination(node: &mut NodeProto, payload: usize, address: SiteAddress, name: &str) {
    node.set_attr(attribute::bytes(&dest_suffix_attribute(payload), address.to_segment()));
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

/// What stands in a Gather: a constant, or the value that has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Operand<'a, T> {
    /// A constant.
    Constant(T),
    /// A value of the gather's place.
    Value(&'a str),
}

/// How many members a Gather needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Need<'a> {
    /// All of them.
    All,
    /// So many.
    Count(Operand<'a, u64>),
    /// Such a part of them.
    Fraction(Operand<'a, f32>),
    /// So many, and then no more.
    First(Operand<'a, u64>),
}

/// A Gather: the values of a wire, then what it needs and how long it waits, where these are values.
#[derive(Clone, Copy)]
pub struct Gather<'a> {
    node: &'a NodeProto,
    values: usize,
    need: Need<'a>,
    within: Option<Operand<'a, u64>>,
}
impl<'a> Gather<'a> {
    /// The node as a Gather.
    pub fn cast(node: &'a NodeProto) -> Option<Self> {
        let values = payloads(node, node.output.len().saturating_sub(2))?;
        if !is_gather(node) || node.output.len() != values + 2 {
            return None;
        }
        let mut operands = data_inputs(node).get(values..)?.iter().map(String::as_str);
        let need = match node.attr_str(gather::NEED_KIND)? {
            gather::ALL => Need::All,
            gather::COUNT => Need::Count(count(node, &mut operands)?),
            gather::FIRST => Need::First(count(node, &mut operands)?),
            gather::FRACTION => Need::Fraction(match node.attr(gather::NEED) {
                Some(_) => Operand::Constant(node.attr_float(gather::NEED)?),
                None => Operand::Value(operands.next()?),
            }),
            _ => return None,
        };
        let within = match node.attr(gather::WITHIN_NS) {
            Some(_) => Some(Operand::Constant(u64::try_from(node.attr_int(gather::WITHIN_NS)?).ok()?)),
            None => operands.next().map(Operand::Value),
        };
        operands.next().is_none().then_some(Gather { node, values, need, within })
    }
    /// The node.
    pub fn node(self) -> &'a NodeProto {
        self.node
    }
    /// What is gathered, in a lane.
    pub fn values(self) -> &'a [String] {
        &self.node.input[..self.values]
    }
    /// How many members it needs.
    pub fn need(self) -> Need<'a> {
        self.need
    }
    /// How long it waits, in nanoseconds.
    pub fn within_ns(self) -> Option<Operand<'a, u64>> {
        self.within
    }
    /// What it yields: a sequence per value.
    pub fn sequences(self) -> &'a [String] {
        &self.node.output[..self.values]
    }
    /// Who answered.
    pub fn members(self) -> &'a str {
        &self.node.output[self.values]
    }
    /// Who did not, and why.
    pub fn missing(self) -> &'a str {
        &self.node.output[self.values + 1]
    }
    /// The wire whose lanes it closes.
    pub fn lane(self) -> Option<u64> {
        self.node.metadata_number(crate::keys::LANE_KEY)
    }
}

fn count<'a>(node: &NodeProto, operands: &mut impl Iterator<Item = &'a str>) -> Option<Operand<'a, u64>> {
    match node.attr(gather::NEED) {
        Some(_) => Some(Operand::Constant(u64::try_from(node.attr_int(gather::NEED)?).ok()?)),
        None => operands.next().map(Operand::Value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::CONTROL_KEY;

    fn node(op: &str, overload: &str, inputs: &[&str], outputs: &[&str]) -> NodeProto {
        NodeProto {
            domain: Some(WIRE_DOMAIN.into()),
            op_type: Some(op.into()),
            overload: Some(overload.into()),
            input: inputs.iter().map(|s| (*s).to_owned()).collect(),
            output: outputs.iter().map(|s| (*s).to_owned()).collect(),
            ..NodeProto::default()
        }
    }

    #[test]
    fn a_send_reads_the_same_before_and_after_it_is_cut() {
        let mut send = node(OP_SEND, "2", &["a", "b", "peer", "start"], &["v", "w", "s", "h"]);
        assert!(Send::cast(&send).is_none(), "four inputs, none of them control");
        send.set_metadata(CONTROL_KEY, "1");
        let whole = Send::cast(&send).expect("a Send");
        assert_eq!((whole.payloads(), whole.peer()), (&["a".to_owned(), "b".to_owned()][..], Some("peer")));
        assert_eq!((whole.sender(), whole.handle(), whole.values().len()), (Some("s"), "h", 2));
        send.output = vec!["h".into()];
        let cut = Send::cast(&send).expect("a cut Send");
        assert_eq!((cut.sender(), cut.handle(), cut.values().len(), cut.peer()), (None, "h", 0, Some("peer")));
        send.overload = None;
        assert_eq!(Send::cast(&send).expect("the peer comes last").payloads().len(), 2);
        for wrong in ["0", "3", "257", "-1", "two"] {
            send.overload = Some(wrong.into());
            assert!(Send::cast(&send).is_none());
        }
    }

    #[test]
    fn a_send_needs_a_peer_from_somewhere() {
        let mut send = node(OP_SEND, "1", &["a"], &["h"]);
        assert!(Send::cast(&send).is_none());
        let peer = PeerId::from_bytes(vec![1; 38]).expect("short");
        stamp_peer_bytes(&mut send, &peer);
        stamp_peer_bytes(&mut send, &peer);
        assert_eq!(send.attribute.len(), 1);
        let send = Send::cast(&send).expect("a Send to a known peer");
        assert_eq!((send.peer(), send.static_peer()), (None, Some(peer)));
    }

    #[test]
    fn what_is_stamped_is_read() {
        let mut send = node(OP_SEND, "1", &["a", "p"], &["h"]);
        let address = SiteAddress(*b"12345678");
        for _ in 0..2 {
            stamp_destination(&mut send, 0, address, "a~there");
            stamp_wire_id(&mut send, u64::MAX);
            stamp_wire_transport(&mut send, Transport::TriggerOnly);
        }
        assert_eq!((send.attribute.len(), send.metadata_props.len()), (1, 3));
        assert_eq!(read_wire_transport(&send), Some(Transport::TriggerOnly));
        let send = Send::cast(&send).expect("a Send");
        assert_eq!((send.wire_id(), send.destination(0), send.destination(1)), (Some(u64::MAX), Some(address), None));
        assert_eq!(send.destination_name(0), Some("a~there"));
    }

    #[test]
    fn a_recv_has_values_and_a_sender_and_no_inputs() {
        let recv = node(OP_RECV, "", &[], &["v", "w", "s"]);
        let view = Recv::cast(&recv).expect("a Recv");
        assert_eq!((view.values().len(), view.sender(), view.wire_id()), (2, "s", None));
        assert!(Recv::cast(&node(OP_RECV, "", &["x"], &["v", "s"])).is_none());
        assert!(Recv::cast(&node(OP_RECV, "", &[], &["s"])).is_none());
    }

    #[test]
    fn a_gather_finds_its_operands_where_constants_leave_them() {
        let mut gather = node(OP_GATHER, "1", &["v"], &["vs", "members", "missing"]);
        assert!(Gather::cast(&gather).is_none(), "no need_kind");
        gather.set_attr(attribute::string(gather::NEED_KIND, gather::ALL));
        let all = Gather::cast(&gather).expect("a Gather");
        assert_eq!(
            (all.need(), all.within_ns(), all.members(), all.missing()),
            (Need::All, None, "members", "missing")
        );
        gather.set_attr(attribute::string(gather::NEED_KIND, gather::FRACTION));
        assert!(Gather::cast(&gather).is_none(), "no fraction");
        gather.input.extend(["n".into(), "w".into()]);
        let both = Gather::cast(&gather).expect("both are values");
        assert_eq!(both.need(), Need::Fraction(Operand::Value("n")));
        assert_eq!(both.within_ns(), Some(Operand::Value("w")));
        gather.set_attr(attribute::float(gather::NEED, 0.5));
        assert!(Gather::cast(&gather).is_none(), "an input too many");
        gather.input.pop();
        let one = Gather::cast(&gather).expect("the fraction is constant");
        assert_eq!(one.need(), Need::Fraction(Operand::Constant(0.5)));
        assert_eq!(one.within_ns(), Some(Operand::Value("n")));
        gather.set_attr(attribute::int(gather::WITHIN_NS, -1));
        assert!(Gather::cast(&gather).is_none(), "a negative limit");
    }
}
