//! The first frame each way: who speaks, which classes it hosts, and which programs.

use crate::envelope::{Refusal, memory_max};
use crate::limits::{self, WireLimits};
use crate::proto::wire;
use crate::scan::{self, Budget, Kind, Shape, field, repeated};
use crate::version::WIRE_VERSION;
use bytes::Bytes;
use prost::Message;

/// What a peer says first. Who it is stands in no byte of it: the transport has authenticated the sender.
#[derive(Clone, Debug, PartialEq)]
pub struct Hello {
    /// Drawn at the sender's start.
    pub epoch: u64,
    /// What the sender claims to be.
    pub classes: Vec<HostedClass>,
    /// What the sender runs.
    pub programs: Vec<ProgramOffer>,
    /// The largest frame the sender takes.
    pub frame_bytes_max: u64,
    /// Where the sender listens.
    pub addresses: Vec<Bytes>,
    /// Every message of the sender's below this number is settled.
    pub next_seq: u64,
    /// The receiver may be a peer that the sender has forgotten: what it sent before may have had its effect.
    pub forgot: bool,
}

/// A class that a peer hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostedClass {
    /// Its name.
    pub name: String,
    /// What proves the claim; empty where a list does.
    pub proof: Bytes,
}

/// A program that a peer runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramOffer {
    /// Its name.
    pub name: String,
    /// Its digest: executions are exchanged only where digests are equal.
    pub digest: [u8; 32],
    /// Its wires, so that peers can say what differs.
    pub wires: Vec<WireOffer>,
}

/// A wire of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireOffer {
    /// Its id.
    pub id: u64,
    /// The class it leaves.
    pub from_class: String,
    /// The class it arrives at.
    pub to_class: String,
    /// The types of its payloads.
    pub type_hashes: Vec<u64>,
}

const NAME: Kind = Kind::Bytes(limits::NAME_BYTES_MAX, 0);

static WIRE: Shape = Shape {
    name: "WireOffer",
    size: size_of::<wire::WireOffer>(),
    fields: &[
        field(1, "id", Kind::Varint),
        field(2, "from_class", NAME),
        field(3, "to_class", NAME),
        repeated(4, "type_hashes", limits::FILLS_MAX, Kind::Numbers(1, 8)),
    ],
};
static PROGRAM: Shape = Shape {
    name: "ProgramOffer",
    size: size_of::<wire::ProgramOffer>(),
    fields: &[
        field(1, "name", NAME),
        field(2, "digest", Kind::Bytes(limits::NAME_BYTES_MAX, 0)),
        repeated(3, "wires", limits::WIRES_MAX, Kind::Message(&WIRE)),
    ],
};
static CLASS: Shape = Shape {
    name: "HostedClass",
    size: size_of::<wire::HostedClass>(),
    fields: &[field(1, "name", NAME), field(2, "proof", Kind::Bytes(limits::PROOF_BYTES_MAX, 0))],
};
static HELLO: Shape = Shape {
    name: "Hello",
    size: size_of::<wire::Hello>(),
    fields: &[
        field(1, "version", Kind::Varint),
        field(2, "epoch", Kind::Fixed64),
        repeated(3, "classes", limits::CLASSES_MAX, Kind::Message(&CLASS)),
        repeated(4, "programs", limits::PROGRAMS_MAX, Kind::Message(&PROGRAM)),
        field(5, "max_frame", Kind::Varint),
        repeated(6, "addresses", limits::ADDRESSES_MAX, Kind::Bytes(limits::ADDRESS_BYTES_MAX, size_of::<Bytes>())),
        field(7, "next_seq", Kind::Varint),
        field(8, "forgot", Kind::Varint),
    ],
};

/// Reads a Hello.
pub fn decode(frame: Bytes, limits: &WireLimits) -> Result<Hello, Refusal> {
    let bytes = frame.len();
    if bytes > limits.hello_bytes_max {
        return Err(Refusal::FrameTooLarge { bytes, max: limits.hello_bytes_max });
    }
    scan::scan(&frame, &HELLO, &Budget { depth_max: 3, memory_max: memory_max(bytes) })?;
    let proto = wire::Hello::decode(frame).map_err(|_| Refusal::Text)?;
    if proto.version != WIRE_VERSION {
        return Err(Refusal::Version(proto.version));
    }
    let programs = proto.programs.into_iter().enumerate().map(|(program, offer)| {
        let digest = <[u8; 32]>::try_from(offer.digest.as_ref())
            .map_err(|_| Refusal::Digest { program, bytes: offer.digest.len() })?;
        let wires = offer.wires.into_iter().map(|w| WireOffer {
            id: w.id,
            from_class: w.from_class,
            to_class: w.to_class,
            type_hashes: w.type_hashes,
        });
        Ok(ProgramOffer { name: offer.name, digest, wires: wires.collect() })
    });
    Ok(Hello {
        epoch: proto.epoch,
        programs: programs.collect::<Result<_, Refusal>>()?,
        classes: proto.classes.into_iter().map(|c| HostedClass { name: c.name, proof: c.proof }).collect(),
        frame_bytes_max: proto.max_frame,
        addresses: proto.addresses,
        next_seq: proto.next_seq,
        forgot: proto.forgot,
    })
}

/// The bytes of a Hello.
pub fn encode(hello: &Hello) -> Bytes {
    let wire_offer = |w: &WireOffer| wire::WireOffer {
        id: w.id,
        from_class: w.from_class.clone(),
        to_class: w.to_class.clone(),
        type_hashes: w.type_hashes.clone(),
    };
    let program = |p: &ProgramOffer| wire::ProgramOffer {
        name: p.name.clone(),
        digest: Bytes::copy_from_slice(&p.digest),
        wires: p.wires.iter().map(wire_offer).collect(),
    };
    let class = |c: &HostedClass| wire::HostedClass { name: c.name.clone(), proof: c.proof.clone() };
    let proto = wire::Hello {
        version: WIRE_VERSION,
        epoch: hello.epoch,
        classes: hello.classes.iter().map(class).collect(),
        programs: hello.programs.iter().map(program).collect(),
        max_frame: hello.frame_bytes_max,
        addresses: hello.addresses.clone(),
        next_seq: hello.next_seq,
        forgot: hello.forgot,
    };
    proto.encode_to_vec().into()
}

/// The most that telling of a wire takes in a Hello, in bytes, whatever its number is and the types of its `payloads`.
pub fn wire_bytes_max(from_class: &str, to_class: &str, payloads: usize) -> usize {
    let offer = wire::WireOffer {
        id: u64::MAX,
        from_class: from_class.to_owned(),
        to_class: to_class.to_owned(),
        type_hashes: vec![u64::MAX; payloads],
    };
    let bytes = offer.encoded_len();
    1 + prost::length_delimiter_len(bytes) + bytes
}

#[cfg(test)]
mod tests;
