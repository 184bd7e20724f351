//! What makes two builds the same program, and the addresses of its receiving sites.

use crate::encode::{self, How};
use crate::proto::onnx::ModelProto;
use crate::site::SiteAddress;
use crate::version::FRAMEWORK_IR_VERSION;
use sha2::{Digest, Sha256};
use std::fmt;

/// SHA-256 of a program.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProgramDigest(pub [u8; 32]);

impl ProgramDigest {
    /// The digest of a whole program at level *placed*: of what [`crate::canonical::canonical`] leaves of it, fields in the order
    /// of their numbers, and of bb's IR version.
    pub fn of(program: &ModelProto) -> Self {
        let mut sha = Sha256::new();
        sha.update(b"bb.program.v1\0");
        sha.update(FRAMEWORK_IR_VERSION.as_bytes());
        sha.update([0]);
        encode::pieces(program, How::Canonical, |piece| sha.update(piece));
        ProgramDigest(sha.finalize().into())
    }

    /// From 64 hexadecimal digits in lower case, as [`fmt::Display`] writes them.
    pub fn parse(text: &str) -> Option<Self> {
        let mut digest = [0; 32];
        if text.len() != 64 {
            return None;
        }
        for (byte, pair) in digest.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let digit = |c: u8| char::from(c).to_digit(16).filter(|_| !c.is_ascii_uppercase());
            *byte = (digit(pair[0])? * 16 + digit(pair[1])?) as u8;
        }
        Some(ProgramDigest(digest))
    }
}

impl fmt::Display for ProgramDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
impl fmt::Debug for ProgramDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProgramDigest({self})")
    }
}

/// The address of the site that receives payload `payload` of wire `wire_id`.
pub fn site_address(program: &ProgramDigest, wire_id: u64, payload: u32) -> SiteAddress {
    let mut sha = Sha256::new();
    sha.update(b"bb.site.v1");
    sha.update(program.0);
    sha.update(wire_id.to_le_bytes());
    sha.update(payload.to_le_bytes());
    let digest: [u8; 32] = sha.finalize().into();
    SiteAddress(digest[..8].try_into().expect("a digest has 32 bytes"))
}

/// SHA-256 of some bytes (FIPS 180-4).
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys;
    use crate::proto::onnx::{FunctionProto, NodeProto, StringStringEntryProto};
    use crate::views::{Metadata, attribute};

    fn program() -> ModelProto {
        let node = NodeProto {
            input: vec!["x".into()],
            output: vec!["y".into()],
            name: Some("y".into()),
            op_type: Some("Neg".into()),
            ..NodeProto::default()
        };
        let function = FunctionProto { name: Some("f".into()), node: vec![node], ..FunctionProto::default() };
        ModelProto { ir_version: Some(10), functions: vec![function], ..ModelProto::default() }
    }

    /// The expected digits come from Python's hashlib, over bytes written by hand: `tests/vectors.py`.
    #[test]
    fn digest_and_addresses_are_those_of_an_independent_implementation() {
        let digest = ProgramDigest::of(&program());
        assert_eq!(digest.to_string(), "691d0ede7bf5ce8c0cd3457835ca0c8627b29d0f9f451f486ae844b1583679e4");
        assert_eq!(ProgramDigest::parse(&digest.to_string()), Some(digest));
        assert_eq!(site_address(&digest, 0, 0).to_string(), "5e3c8456b17df9ae");
        assert_eq!(site_address(&digest, 0, 1).to_string(), "dfb2c8791dc24b0c");
        assert_eq!(site_address(&digest, 258, 0).to_string(), "68cc45845acfbea8");
    }

    #[test]
    fn what_means_nothing_is_not_in_the_digest_and_all_else_is() {
        let digest = ProgramDigest::of(&program());
        let same = |change: &dyn Fn(&mut ModelProto)| {
            let mut other = program();
            change(&mut other);
            ProgramDigest::of(&other) == digest
        };
        assert!(same(&|m| m.producer_name = Some("another".into())));
        assert!(same(&|m| m.functions[0].doc_string = Some("words".into())));
        assert!(same(&|m| m.functions[0].node[0].set_metadata(keys::SOURCE_KEY, "a.rs:1:2")));
        assert!(!same(&|m| m.functions[0].node[0].set_metadata(keys::PLACE_KEY, "0")));
        assert!(!same(&|m| m.functions[0].node[0].op_type = Some("Exp".into())));
        assert!(!same(&|m| m.functions[0].node[0].attribute.push(attribute::int("axis", 0))));
        assert!(!same(&|m| m.graph = Some(Default::default())));
    }

    #[test]
    fn the_order_of_metadata_is_not_in_the_digest() {
        let entry = |key: &str| StringStringEntryProto { key: Some(key.into()), value: Some("1".into()) };
        let of = |keys: [&str; 2]| {
            let mut program = program();
            program.functions[0].node[0].metadata_props = keys.map(entry).into();
            ProgramDigest::of(&program)
        };
        assert_eq!(of(["a", "b"]), of(["b", "a"]));
        assert_ne!(of(["a", "b"]), of(["a", "c"]));
    }

    #[test]
    fn only_sixty_four_digits_are_a_digest() {
        for wrong in ["", "ab", &"g".repeat(64), &"A".repeat(64), &"0".repeat(63), &"ü".repeat(32)] {
            assert_eq!(ProgramDigest::parse(wrong), None);
        }
    }
}
