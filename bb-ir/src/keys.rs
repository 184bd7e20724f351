//! Every metadata key and attribute name of bb, in one table.
//!
//! No other file spells an `ai.bytesandbrains` key. From the table come the constants, [`ALL`], and the verifier's rule
//! that no other key of ours exists.

pub use crate::bindings::{
    binding_key, dep_slot_key, dest_suffix_attribute, encode_binding_value, parse_binding_key, parse_binding_value,
    read_dependency_metadata, read_function_module_phase, read_model_metadata, role_from_dep_slot_key,
    stamp_dependency_metadata, stamp_function_module_phase, stamp_model_metadata,
};

/// Where a key may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// `ModelProto.metadata_props`.
    Model,
    /// `FunctionProto.metadata_props`.
    Function,
    /// `NodeProto.metadata_props`.
    Node,
    /// `ValueInfoProto.metadata_props`.
    Value,
    /// An attribute of a node.
    Attribute,
    /// A value of another key, or a name; it stands nowhere by itself.
    Word,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct KeyRow {
    /// The constant's name.
    pub constant: &'static str,
    /// The text in a model. A prefix, where it ends in a dot.
    pub text: &'static str,
    /// Where it stands.
    pub on: &'static [On],
    /// What it says.
    pub meaning: &'static str,
}

/// What every key of ours begins with.
pub const NAMESPACE: &str = "ai.bytesandbrains.";

macro_rules! keys {
    ($($(#[doc = $doc:literal])* $name:ident = $text:expr, on $($on:ident)*;)*) => {
        $($(#[doc = $doc])* pub const $name: &str = $text;)*
        /// Every row, in the order of the contract.
        pub const ALL: &[KeyRow] = &[$(KeyRow {
            constant: stringify!($name), text: $name, on: &[$(On::$on),*], meaning: concat!($($doc),*),
        }),*];
    };
}
macro_rules! ns {
    ($text:literal) => {
        concat!("ai.bytesandbrains.", $text)
    };
}

keys! {
    /// `data` or `trigger_only`: the latter iff a wire's values serve only as control inputs or only its sender is read.
    WIRE_TRANSPORT_KEY = ns!("wire_transport"), on Node;
    /// The value of [`WIRE_TRANSPORT_KEY`] for a wire whose payloads are read.
    WIRE_TRANSPORT_DATA = "data", on Word;
    /// The value of [`WIRE_TRANSPORT_KEY`] for a wire that only fires something.
    WIRE_TRANSPORT_TRIGGER_ONLY = "trigger_only", on Word;
    /// `+ payload index`: the receiving site's address, bytes.
    DEST_SUFFIX_ATTR_PREFIX = ns!("dest_suffix."), on Attribute;
    /// `+ payload index`: the Recv's output name.
    DEST_SITE_NAME_PREFIX = ns!("dest_site_name."), on Node;
    /// A concrete component's `TYPE`.
    CONCRETE_TYPE_KEY = ns!("concrete_type"), on Node;
    /// Which instance of a concrete component.
    INSTANCE_KEY = ns!("instance"), on Node;
    /// The role a generic slot needs: a shipped role's name, or `<crate>.<Trait>`.
    REQUIRED_TRAIT_KEY = ns!("required_trait"), on Node;
    /// Which slot, by the parameter's number, decimal.
    SLOT_ID_KEY = ns!("slot_id"), on Node;
    /// The slot whose role op consumes a Recv's payload; absent where no role op does.
    RECV_SLOT_ID_KEY = ns!("recv_slot_id"), on Node;
    /// The class of a peer expression that names none.
    DEFAULT_CLASS = ns!("default_class"), on Value;
    /// The class a peer value points at.
    PEER_CLASS_KEY = ns!("peer_class"), on Value;
    /// The class a node runs on; on a function's input, the class it lives on.
    HOME_CLASS_KEY = ns!("home_class"), on Node Value;
    /// The node's place, a number into the place table; 0 = entry. On a function's input recorded as `Each`: `each`.
    PLACE_KEY = ns!("place"), on Node Value;
    /// The shapes an op's signature takes beyond what its inputs declare: `<input>=<dimension>,…`, joined by `;`. A
    /// dimension is a size, a name, or `_`; of a sequence the shape of its values. Gone once types are
    /// solved.
    TAKES_KEY = ns!("takes"), on Node;
    /// `+ number`: `<name>|<size or name>|<place>`: what an inlined call says of a dimension's name. Gone once types are
    /// solved.
    DIMENSION_PREFIX = ns!("dimension."), on Function;
    /// `body` or `bootstrap`.
    MODULE_PHASE_KEY = ns!("module_phase"), on Function;
    /// The phase of a module that calls run.
    MODULE_PHASE_BODY = "body", on Word;
    /// The phase of a module that runs once per start.
    MODULE_PHASE_BOOTSTRAP = "bootstrap", on Word;
    /// The chain of module names a node was recorded under, joined by `/`, the n-th call of one body as `name#n`.
    MODULE_INSTANCE_KEY = ns!("module_instance"), on Node;
    /// How many of a node's last inputs it only waits for; absent = 0.
    CONTROL_KEY = ns!("control"), on Node;
    /// The wire id in whose lanes a node runs.
    LANE_KEY = ns!("lane"), on Node;
    /// `+ number`: `<class>|one` or `<class>|each`, `|`, and the value that anchors the place.
    PLACE_TABLE_PREFIX = ns!("places."), on Model;
    /// On a call: `<slot of the callee>=<slot of the caller>`, comma-separated.
    SLOT_MAP_KEY = ns!("slot_map"), on Node;
    /// file (manifest-relative):line:column; on a function's input that of the parameter. Never in a digest, a text form or a
    /// snapshot.
    SOURCE_KEY = ns!("src"), on Node Value;
    /// The op type of the carrier around a pure `ai.onnx` region.
    BACKEND_SUBGRAPH_OP = "BackendSubgraph", on Word;
    /// The region, a graph attribute.
    BACKEND_SUBGRAPH_BODY_ATTR = "body", on Attribute;
    /// The Recv's wire id, decimal.
    DEDUP_SLOT = ns!("dedup_slot"), on Attribute;
    /// Decimal u64, minted in order by `Graph::wire`, equal on both halves: the only pairing token.
    WIRE_ID_KEY = ns!("wire.wire_id"), on Node;
    /// Decimal u32: Sends of one group are packed when ready in the same poll.
    BATCH_GROUP_KEY = ns!("batch_group_id"), on Node;
    /// The denotation of a value-less firing signal.
    TRIGGER_DENOTATION = "bb.trigger", on Word;
    /// The place a wire leaves, a number into the place table.
    FROM_PLACE_KEY = ns!("wire.from_place"), on Node;
    /// The place a wire arrives at, a number into the place table.
    TO_PLACE_KEY = ns!("wire.to_place"), on Node;
    /// On a Recv: the wire ids, comma-separated, of the nearest Sends of its own place without which its value cannot
    /// come. A gather's `within` counts from the last of them.
    AWAITS_KEY = ns!("wire.awaits"), on Node;
    /// The length of the longest wire path from here back to the place it left.
    CHAIN_DEPTH_KEY = ns!("wire.chain_depth"), on Node;
    /// The classes on that path, comma-separated, the leaving one excluded.
    CHAIN_TARGETS_KEY = ns!("wire.chain_targets"), on Node;
    /// A statically known destination, multihash bytes.
    ATTR_PEER = "peer", on Attribute;
    /// A duration, i64 ns > 0.
    ATTR_DEADLINE_NS = "deadline_ns", on Attribute;
    /// `+ role`: what serves a component's dependency: a slot's number, or the instance of a concrete component.
    DEP_SLOT_KEY_PREFIX = ns!("dep."), on Node;
    /// The compilation passport.
    COMPILED_KEY = ns!("compiled"), on Model;
    /// The passport this version writes and reads.
    COMPILED_CURRENT_VERSION = "v1", on Word;
    /// `+ <target>.<slot>`: the binding table. On a recorded module, one row per slot parameter, the target its class.
    BINDING_KEY_PREFIX = ns!("binding."), on Model Function;
    /// bb's own IR version.
    FRAMEWORK_IR_VERSION_KEY = ns!("ir_version"), on Model;
    /// The program's digest, 64 hexadecimal digits: a partition cannot compute it from its own part.
    PROGRAM_DIGEST_KEY = ns!("program_digest"), on Model;
    /// The program's name: the root module's.
    PROGRAM_NAME_KEY = ns!("program"), on Model;
    /// `+ wire id`: `<from class>|<to class>|<type hash>,…` in hexadecimal, every wire of the whole program, for Hello.
    PROGRAM_WIRE_PREFIX = ns!("program_wire."), on Model;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_rows_share_a_constant_or_a_key() {
        assert_eq!(ALL.iter().map(|row| row.constant).collect::<BTreeSet<_>>().len(), ALL.len());
        let keys = || ALL.iter().filter(|row| row.text.starts_with(NAMESPACE)).map(|row| row.text);
        assert_eq!(keys().collect::<BTreeSet<_>>().len(), keys().count());
    }

    #[test]
    fn what_stands_on_models_functions_and_values_is_in_our_namespace() {
        let metadata = |row: &&KeyRow| row.on.iter().any(|on| ![On::Word, On::Attribute].contains(on));
        assert!(ALL.iter().filter(metadata).all(|row| row.text.starts_with(NAMESPACE)));
    }
}
