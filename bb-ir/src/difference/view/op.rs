//! An op as it is compared, and a wire, which is one op.

use crate::bindings::{parse_binding_key, parse_binding_value};
use crate::keys;
use crate::ops::{MODULE_DOMAIN, SYSCALL_DOMAIN, SYSCALL_PASS_THROUGH, role_of_domain};
use crate::proto::onnx::{ModelProto, NodeProto};
use crate::text::attribute_text;
use crate::types::ValueType;
use crate::views::{Metadata, control_inputs};
use crate::wire_shape::{Recv, Send, is_gather, is_recv, is_send, read_wire_transport};
use prost::Message;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::time::Duration;

/// The types of a function's values.
pub type Types = FxHashMap<String, ValueType>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OpIx(pub usize);

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    Input(String),
    Op(OpIx, usize),
    /// Left out, or in an artifact that is not looked at.
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Wire,
    Role,
    Other,
}

/// An op, or both halves of a wire.
pub struct Op {
    pub kind: Kind,
    /// What is said of it: an op's name, `slot.method`, or what a wire carries.
    pub name: String,
    pub domain: String,
    /// Where it runs; of a wire, where it leaves.
    pub class: String,
    /// Of a wire: where it arrives.
    pub to: String,
    pub inputs: Vec<Source>,
    /// How many of the inputs it only waits for.
    pub controls: usize,
    pub types: Vec<String>,
    /// What else makes it what it is: what is said and what is compared.
    pub facets: BTreeMap<String, (String, Vec<u8>)>,
    /// Where it is written.
    pub at: Option<String>,
}

impl Op {
    /// What a half of a wire says of it.
    pub fn wire(&mut self, node: &NodeProto, model: &ModelProto, types: &Types) {
        let place = |key| {
            let number = node.metadata(key)?;
            let row = model.metadata(&format!("{}{number}", keys::PLACE_TABLE_PREFIX))?;
            row.split_once('|')
        };
        let said = |text: &str| (text.to_owned(), text.as_bytes().to_vec());
        if let Some((class, _)) = place(keys::FROM_PLACE_KEY) {
            class.clone_into(&mut self.class);
        }
        if let Some((class, row)) = place(keys::TO_PLACE_KEY) {
            class.clone_into(&mut self.to);
            let many = if row.starts_with("each") { "every peer of a cohort" } else { "one peer" };
            self.facets.insert("goes to".into(), said(many));
        }
        if let Some(transport) = read_wire_transport(node) {
            self.facets.insert("transport".into(), said(&transport.name().replace('_', " ")));
        }
        let carried = match (Send::cast(node), Recv::cast(node)) {
            (Some(send), _) => send.payloads(),
            (None, Some(recv)) => recv.values(),
            (None, None) => &[],
        };
        self.types = texts(carried, types);
        if is_send(node) {
            self.facets.extend(attributes(node));
        }
    }
}

/// The names of slots, by their number.
pub fn slots(model: &ModelProto) -> FxHashMap<u32, String> {
    let row = |(key, value)| Some((parse_binding_value(value)?.slot?, parse_binding_key(key)?.1.to_owned()));
    model.props().iter().map(|entry| (entry.key(), entry.value())).filter_map(row).collect()
}

pub fn is_copy(node: &NodeProto) -> bool {
    let copies = node.domain() == SYSCALL_DOMAIN && node.op_type() == SYSCALL_PASS_THROUGH;
    copies && node.input.len() == 1 && node.output.len() == 1 && control_inputs(node) == 0
}

/// What a node reads and makes. What a wire makes, its Recv does; once it is cut, its Send makes nothing.
pub fn border(node: &NodeProto) -> (Vec<String>, &[String]) {
    let made = match Send::cast(node) {
        Some(send) if send.is_cut() => &[],
        _ => node.output.as_slice(),
    };
    (node.input.clone(), made)
}

pub fn op(node: &NodeProto, slots: &FxHashMap<u32, String>) -> Op {
    let role = role_of_domain(node.domain());
    let slot = node.metadata_number(keys::SLOT_ID_KEY).and_then(|slot: u32| slots.get(&slot).map(String::as_str));
    let wire = is_send(node) || is_recv(node);
    let name = match role {
        Some(role) => format!("{}.{}", slot.or(node.metadata(keys::INSTANCE_KEY)).unwrap_or(role), node.op_type()),
        None if node.domain() == MODULE_DOMAIN => format!("{}()", node.op_type()),
        None if is_gather(node) => "gather".to_owned(),
        None => node.op_type().to_owned(),
    };
    Op {
        kind: if wire { Kind::Wire } else { role.map_or(Kind::Other, |_| Kind::Role) },
        name: if wire { String::new() } else { name },
        domain: node.domain().to_owned(),
        class: node.metadata(keys::HOME_CLASS_KEY).unwrap_or_default().to_owned(),
        to: String::new(),
        inputs: Vec::new(),
        controls: control_inputs(node),
        types: Vec::new(),
        facets: if wire { BTreeMap::new() } else { attributes(node).collect() },
        at: node.metadata(keys::SOURCE_KEY).map(str::to_owned),
    }
}

/// The attributes, but for addresses, which follow from the digest.
fn attributes(node: &NodeProto) -> impl Iterator<Item = (String, (String, Vec<u8>))> {
    let own = node.attribute.iter().filter(|a| !a.name().starts_with(keys::NAMESPACE));
    own.map(|attribute| match attribute.name().strip_suffix("_ns") {
        Some(name) if attribute.i() >= 0 => {
            let text = format!("{:?}", Duration::from_nanos(attribute.i().unsigned_abs()));
            (name.to_owned(), (text, attribute.encode_to_vec()))
        }
        _ => (attribute.name().to_owned(), (attribute_text(attribute), attribute.encode_to_vec())),
    })
}

pub fn text(name: &str, types: &Types) -> String {
    types.get(name).map_or_else(|| "?".to_owned(), ValueType::to_string)
}
pub fn texts(names: &[String], types: &Types) -> Vec<String> {
    names.iter().map(|name| text(name, types)).collect()
}
