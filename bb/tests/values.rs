//! Values of a program's types, and how components and ops are called with them.
#![allow(missing_docs)]

use bb::__private::{Accepts, Typed};
use bb::ir::component::OpError;
use bb::ir::value::Value;
use bb::prelude::*;
use bb::{PeerId, Reason, WireType};

#[derive(bb::Peer)]
pub struct Server;

#[derive(Clone, Debug, PartialEq, bb::WireType)]
#[wire(name = "app.Inner")]
pub struct Inner {
    note: String,
    #[wire(tag = 7)]
    loss: f32,
}

#[derive(Clone, Debug, PartialEq, bb::WireType)]
pub struct Report {
    #[wire(tag = 2)]
    weights: Tensor,
    #[wire(tag = 1)]
    samples: u64,
    inner: Inner,
}

fn values<T: Typed>(value: T) -> Vec<Value> {
    let mut out = Vec::new();
    value.into_values(&mut out);
    out
}
fn read<T: Typed>(values: Vec<Value>) -> Result<T, OpError> {
    T::from_values(&mut values.into_iter())
}
fn peer(n: u8) -> PeerId {
    PeerId::from_bytes(vec![n]).expect("short")
}
fn report() -> Report {
    let weights = Tensor::from_vec(&[2], vec![1.0, 2.0]).expect("two");
    Report { weights, samples: 9, inner: Inner { note: "ok".into(), loss: 0.5 } }
}

/// Peers of other builds compare these numbers, so they never change.
#[test]
fn type_hashes_are_pinned() {
    let pinned: [(&str, u64, u64); 10] = [
        ("tensor(f32)", 0x6d43_5a86_f95f_cbf2, <Tensor>::HASH),
        ("tensor(i64)", 0x4009_13cd_6f66_0a00, <Tensor<i64, (bb::D<3>,)>>::HASH),
        ("tensor(u64)", 0xd383_1892_9070_6db5, u64::HASH),
        ("tensor(bool)", 0xc948_82dc_8ff6_93ff, bool::HASH),
        ("bb.string", 0xa476_6499_7d2e_6447, String::HASH),
        ("bb.bytes", 0xeba3_c0e4_9aae_b91e, Vec::<u8>::HASH),
        ("bb.trigger", 0xe563_dd79_e32c_b171, <()>::HASH),
        ("bb.peer", 0x0ec0_d32a_34fa_c487, bb::Peer::<Server>::HASH),
        ("seq(bb.peer)", 0xbbd2_a5ae_a18d_9df9, Peers::<Server>::HASH),
        (
            "bb.Report{1:tensor(u64),2:tensor(f32),3:app.Inner{1:bb.string,7:tensor(f32)}}",
            0x0336_0d5d_bfb7_e466,
            Report::HASH,
        ),
    ];
    for (text, pinned, hash) in pinned {
        assert_eq!(hash, pinned, "{text}");
        assert_eq!(bb::ir::types::hash_of_text(text), pinned, "{text}");
    }
    assert_eq!(<Tensor>::HASH, f32::HASH, "a number is a tensor of rank 0");
    assert_eq!((Report::DENOTATION, Inner::DENOTATION), ("bb.Report", "app.Inner"));
}

#[test]
fn a_users_payload_comes_back_and_knows_what_is_missing() {
    let bytes = values(report());
    assert_eq!(read::<Report>(bytes.clone()), Ok(report()));
    let Value::Bytes(bytes) = &bytes[0] else { panic!("a message is bytes") };
    for end in 0..bytes.len() {
        let short = read::<Report>(vec![Value::Bytes(bytes.slice(..end))]);
        assert!(short.is_err(), "{end} of {} bytes are a report", bytes.len());
    }
    let missing = read::<Report>(values(Inner { note: String::new(), loss: 1.0 })).expect_err("another message");
    assert!(missing.to_string().contains("field"), "{missing}");
    // A field that a later version adds is passed over.
    let mut longer = bytes.to_vec();
    longer.extend([0x52, 1, 0]);
    assert_eq!(read::<Report>(vec![Value::Bytes(longer.into())]), Ok(report()));
}

#[test]
fn gathers_are_a_sequence_per_value_with_their_senders() {
    let rows = vec![(peer(1), (1.5f32, 2u64)), (peer(2), (2.5, 3))];
    let partial = Partial::new(rows.clone(), vec![(peer(3), Reason::PeerLost)]);
    let flat = values(partial.clone());
    assert_eq!(flat.len(), 4, "two values, members, missing");
    assert_eq!(flat[2].as_seq().map(<[_]>::len), Some(2));
    let back: Partial<(f32, u64)> = read(flat.clone()).expect("just written");
    assert_eq!(back, partial);
    assert_eq!(back.missing(), [(peer(3), Reason::PeerLost)]);
    assert_eq!(Reason::PeerLost.to_string(), "peer_lost");
    let gathered: Gathered<(f32, u64)> = read(flat[..3].to_vec()).expect("the first three");
    assert_eq!(gathered.into_rows(), rows);
    assert!(read::<Gathered<(u64, u64)>>(flat[..3].to_vec()).is_err());
}

#[test]
fn a_peers_identity_is_read_from_its_text() {
    let id = peer(200);
    assert_eq!(id.to_string().parse::<PeerId>().ok(), Some(id));
    for wrong in ["", "0OIl", "not a peer!"] {
        assert!(wrong.parse::<PeerId>().is_err(), "{wrong:?}");
    }
}

#[bb::role]
pub trait Counter {
    fn add(&mut self, n: u64) -> Result<u64, String>;
    #[bb(inline)]
    fn peek(&mut self) -> (u64, bool);
}
struct Upto(u64);
impl Counter for Upto {
    fn add(&mut self, n: u64) -> Result<u64, String> {
        self.0 += n;
        if self.0 > 10 { Err(format!("{} is more than 10", self.0)) } else { Ok(self.0) }
    }
    fn peek(&mut self) -> (u64, bool) {
        (self.0, self.0 > 5)
    }
}

#[test]
fn a_component_is_called_by_method_name() {
    let mut counter = <CounterAt<Server> as Accepts<Upto>>::component(Upto(4));
    assert_eq!(counter.run("add", values(3u64)), Ok(values(7u64)));
    assert_eq!(counter.run("peek", vec![]), Ok(values((7u64, true))));
    assert_eq!((counter.inline("peek"), counter.inline("add")), (true, false));
    assert_eq!(counter.run("add", values(9u64)), Err(OpError::new("16 is more than 10")));
    assert!(counter.run("add", values(1.0f32)).is_err(), "an argument of another type");
    assert!(counter.run("add", vec![]).is_err(), "no argument");
    assert!(counter.run("jump", vec![]).expect_err("no such method").to_string().contains("jump"));
}

#[bb::op]
fn halves(x: u64) -> Result<(u64, u64), String> {
    if x.is_multiple_of(2) { Ok((x / 2, x / 2)) } else { Err(format!("{x} is odd")) }
}

#[test]
fn an_op_is_a_kernel_of_the_binary_that_links_it() {
    let kernels = bb::kernels();
    let entry = kernels.iter().find(|k| k.op == "halves").expect("registered");
    let kernel = (entry.build)(&Default::default()).expect("an op has no attributes");
    let mut out = Vec::new();
    assert_eq!(kernel.run(&mut values(6u64), &mut out), Ok(()));
    assert_eq!(out, values((3u64, 3u64)));
    assert_eq!(kernel.run(&mut values(7u64), &mut out), Err(OpError::new("7 is odd")));
}

#[test]
fn a_tensor_shows_its_first_elements() {
    assert_eq!(format!("{:?}", Tensor::from([1.5f32, -2.0])), "Tensor<f32[2]>(1.5, -2.0)");
    assert_eq!(format!("{:?}", Tensor::from([true, false])), "Tensor<bool[2]>(true, false)");
    assert_eq!(format!("{:?}", Tensor::<u64>::from_vec(&[], vec![7]).expect("a number")), "Tensor<u64[]>(7)");
    assert_eq!(format!("{:?}", Tensor::from(vec![0i8; 9])), "Tensor<i8[9]>(0, 0, 0, 0, 0, 0, 0, 0, …)");
    assert_eq!(format!("{:?}", Tensor::<f64>::default()), "Tensor<f64[0]>()");
}
