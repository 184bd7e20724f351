//! What nodes say of themselves in their metadata, read once.

use super::keys::{Form, form_on_node};
use crate::keys::{CONTROL_KEY, HOME_CLASS_KEY, PLACE_KEY};
use crate::ops::{GATE_DOMAIN, WIRE_DOMAIN, is_onnx, role_of_domain};
use crate::proto::onnx::{NodeProto, StringStringEntryProto};

/// What a node is, by its domain.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Onnx,
    /// Send, Recv and Gather.
    Wire,
    Gate,
    Role,
    Other,
}

impl Kind {
    pub(super) const ALL: [Kind; 5] = [Kind::Onnx, Kind::Wire, Kind::Gate, Kind::Role, Kind::Other];

    /// Whether a node of this kind is part of a wire.
    pub(super) fn is_of_wire(self) -> bool {
        matches!(self, Kind::Wire | Kind::Gate)
    }

    pub(super) fn of(node: &NodeProto) -> Self {
        if is_onnx(node) {
            return Kind::Onnx;
        }
        match node.domain() {
            WIRE_DOMAIN => Kind::Wire,
            GATE_DOMAIN => Kind::Gate,
            other if role_of_domain(other).is_some() => Kind::Role,
            _ => Kind::Other,
        }
    }
}

/// What a node says of itself.
#[derive(Clone, Copy)]
pub(super) struct Said<'a> {
    pub(super) kind: Kind,
    /// Whether its metadata has been read: without, what follows is not known.
    pub(super) read: bool,
    pub(super) place: Option<u32>,
    pub(super) class: Option<&'a str>,
    pub(super) controls: usize,
    /// Whether nothing is wrong with the metadata. Where something is, the check of keys says what.
    pub(super) regular: bool,
}

impl Said<'_> {
    pub(super) fn unread(kind: Kind) -> Self {
        Said { kind, read: false, place: None, class: None, controls: 0, regular: false }
    }
}

/// Reads one node after the other. Most have the keys of the node before them, so that a key is compared with one other
/// and not looked up.
#[derive(Default)]
pub(super) struct Reader<'a> {
    /// The keys of the node before, sorted, up to the first that is not regular.
    keys: Vec<Column<'a>>,
}

struct Column<'a> {
    key: &'a str,
    says: Says,
    form: Option<Form>,
}

#[derive(Clone, Copy)]
enum Says {
    Class,
    Place,
    Controls,
    Else,
}

impl<'a> Reader<'a> {
    pub(super) fn read(&mut self, node: &'a NodeProto, kind: Kind) -> Said<'a> {
        let mut said = Said { read: true, regular: true, ..Said::unread(kind) };
        for (i, entry) in node.metadata_props.iter().enumerate() {
            let (key, value) = (entry.key(), entry.value());
            let says = match self.keys.get(i) {
                Some(column) if said.regular && column.key == key => {
                    said.regular = column.form.is_none_or(|form| form(key, value));
                    column.says
                }
                _ => {
                    said.regular = said.regular && self.learn(i, entry);
                    Says::of(key)
                }
            };
            match says {
                Says::Class => said.class = Some(value),
                Says::Place => said.place = value.parse().ok(),
                Says::Controls => said.controls = value.parse().unwrap_or(0),
                Says::Else => {}
            }
        }
        said
    }

    /// Takes a key down behind those before it, and tells whether it and its value are regular there.
    fn learn(&mut self, i: usize, entry: &'a StringStringEntryProto) -> bool {
        let key = entry.key();
        self.keys.truncate(i);
        let sorted = self.keys.last().is_none_or(|before| before.key < key);
        let Some(form) = form_on_node(key).filter(|_| sorted && self.keys.len() == i) else { return false };
        self.keys.push(Column { key, says: Says::of(key), form });
        form.is_none_or(|form| form(key, entry.value()))
    }
}

impl Says {
    fn of(key: &str) -> Self {
        match key {
            HOME_CLASS_KEY => Says::Class,
            PLACE_KEY => Says::Place,
            CONTROL_KEY => Says::Controls,
            _ => Says::Else,
        }
    }
}
