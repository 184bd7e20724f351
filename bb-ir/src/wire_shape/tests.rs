use super::*;
use crate::keys::CONTROL_KEY;
use crate::ops::gather;

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
    assert_eq!((all.need(), all.within_ns(), all.members(), all.missing()), (Need::All, None, "members", "missing"));
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
