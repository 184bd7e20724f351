use super::*;
use crate::keys;
use crate::verify::Level;
use crate::verify::sample::model;
use crate::views::{Attributes, Metadata, attribute};
use proptest::prelude::*;
use prost::Message;

#[test]
fn a_program_reads_well() {
    let printed = print(&model(Level::Placed));
    assert_eq!(printed, include_str!("placed.txt"), "{printed}");
}

#[test]
fn what_means_nothing_is_not_printed() {
    let mut other = model(Level::Sealed);
    other.producer_name = Some("someone".into());
    other.functions[0].doc_string = Some("words".into());
    other.functions[0].node[0].set_metadata(keys::SOURCE_KEY, "src/graph.rs:3:14");
    other.functions[0].node[0].metadata_props.reverse();
    assert_eq!(print(&other), print(&model(Level::Sealed)));
}

#[test]
fn small_tensors_are_printed_and_large_ones_are_not() {
    let of = |dims: &[i64], floats: &[f32]| {
        let raw_data = Some(floats.iter().flat_map(|f| f.to_le_bytes()).collect::<Vec<u8>>().into());
        let value = TensorProto { dims: dims.into(), data_type: Some(1), raw_data, ..TensorProto::default() };
        attribute_value(&attribute::tensor("value", value))
    };
    assert_eq!(of(&[], &[0.5]), "float {0.5}");
    assert_eq!(of(&[2], &[1.0, -2.25]), "float[2] {1, -2.25}");
    assert_eq!(of(&[3, 3], &[1.0; 9]), "float[3,3] {…}");
    assert_eq!(of(&[], &[]), "float {}");
}

#[test]
fn attributes_print_by_their_kind() {
    let mut node = NodeProto { op_type: Some("Op".into()), output: vec!["y#1".into()], ..NodeProto::default() };
    node.set_attr(attribute::int("axis", -1));
    node.set_attr(attribute::ints("perm", vec![1, 0]));
    node.set_attr(attribute::float("alpha", 1.0));
    node.set_attr(attribute::string("kind", "all \"of\" them"));
    node.set_attr(attribute::bytes("peer", vec![0x81, 0]));
    let function = FunctionProto { name: Some("f".into()), node: vec![node], ..FunctionProto::default() };
    let printed = print_function(&function);
    let expected =
        r#"  "y#1" = Op <axis = -1, perm = [1, 0], alpha = 1.0, kind = "all \"of\" them", peer = 0x8100> ()"#;
    assert_eq!(printed.lines().nth(3), Some(expected), "{printed}");
}

proptest! {
    #[test]
    fn no_model_that_decodes_panics(flips in prop::collection::vec((any::<prop::sample::Index>(), 0..8u32), 1..20)) {
        let mut bytes = model(Level::Sealed).encode_to_vec();
        for (at, bit) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
        }
        if let Ok(model) = ModelProto::decode(bytes.as_slice()) {
            let _ = print(&model);
        }
    }
}
