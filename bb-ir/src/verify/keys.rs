//! Keys: known, at their place, and with values of their form.

use super::{Body, Program, Report, Rule};
use crate::bindings::{Serving, is_instance, parse_binding_key, parse_binding_value};
use crate::digest::ProgramDigest;
use crate::index::NodeIx;
use crate::keys::{self, ALL, KeyRow, NAMESPACE, On};
use crate::proto::onnx::{NodeProto, StringStringEntryProto};
use crate::shape_text;
use crate::views::Metadata;
use std::sync::LazyLock;

/// A row, with the form of what stands under it.
type Row = (&'static KeyRow, Option<Form>);

/// Rows of our namespace by the length of their text: few have the same, so a key is compared with one or two.
static ROWS: LazyLock<Vec<Vec<Row>>> = LazyLock::new(|| {
    let form = |row: &KeyRow| FORMS.iter().find(|(text, _)| *text == row.text).map(|(_, form)| *form);
    let longest = ALL.iter().map(|row| row.text.len()).max().unwrap_or(0);
    let mut rows = vec![Vec::new(); longest + 1];
    let ours = ALL.iter().filter(|row| row.text.starts_with(NAMESPACE));
    ours.for_each(|row| rows[row.text.len()].push((row, form(row))));
    rows
});

fn row_named(text: &str) -> Option<Row> {
    ROWS.get(text.len())?.iter().find(|(row, _)| row.text == text).copied()
}

/// The row of a key; of a key with parts, the row of its prefix.
fn row_of(key: &str) -> Option<Row> {
    if let Some(row) = row_named(key) {
        // A prefix alone is no key.
        return (!key.ends_with('.')).then_some(row);
    }
    let parts = key.strip_prefix(NAMESPACE)?.find('.')?;
    row_named(&key[..NAMESPACE.len() + parts + 1])
}

/// What stands under a key: the key itself, its text and its value.
pub(super) type Form = fn(&str, &str) -> bool;

fn u32(_: &str, value: &str) -> bool {
    value.parse::<u32>().is_ok()
}
fn u64(_: &str, value: &str) -> bool {
    value.parse::<u64>().is_ok()
}
fn word(_: &str, value: &str) -> bool {
    !value.is_empty()
}
fn numbers(_: &str, value: &str) -> bool {
    value.split(',').all(|n| n.parse::<u64>().is_ok())
}
fn words(_: &str, value: &str) -> bool {
    let mut before = b',';
    for byte in value.bytes() {
        if byte == b',' && before == b',' {
            return false;
        }
        before = byte;
    }
    before != b','
}
fn transport(_: &str, value: &str) -> bool {
    [keys::WIRE_TRANSPORT_DATA, keys::WIRE_TRANSPORT_TRIGGER_ONLY].contains(&value)
}
fn phase(_: &str, value: &str) -> bool {
    [keys::MODULE_PHASE_BODY, keys::MODULE_PHASE_BOOTSTRAP].contains(&value)
}
fn slot_map(_: &str, value: &str) -> bool {
    let slot = |text: &str| text.parse::<u32>().is_ok();
    value.split(',').all(|pair| pair.split_once('=').is_some_and(|(callee, caller)| slot(callee) && slot(caller)))
}
fn binding(key: &str, value: &str) -> bool {
    parse_binding_key(key).is_some() && parse_binding_value(value).is_some()
}
fn instance(_: &str, value: &str) -> bool {
    is_instance(value)
}
fn serving(_: &str, value: &str) -> bool {
    Serving::parse(value).is_some()
}
fn digest(_: &str, value: &str) -> bool {
    ProgramDigest::parse(value).is_some()
}
fn program_wire(key: &str, value: &str) -> bool {
    let id = key.strip_prefix(keys::PROGRAM_WIRE_PREFIX).is_some_and(|id| id.parse::<u64>().is_ok());
    let mut parts = value.splitn(3, '|');
    let classes = [parts.next(), parts.next()].iter().all(|class| class.is_some_and(|c| !c.is_empty()));
    let hash = |text: &str| text.len() <= 16 && u64::from_str_radix(text, 16).is_ok();
    id && classes && parts.next().is_some_and(|hashes| hashes.split(',').all(hash))
}
fn indexed(key: &str, value: &str) -> bool {
    let index = key.rsplit('.').next().is_some_and(|index| index.parse::<usize>().is_ok());
    index && !value.is_empty()
}

fn takes(_: &str, value: &str) -> bool {
    shape_text::parse_takes(value).is_some()
}
fn dimension(_: &str, value: &str) -> bool {
    let mut parts = value.splitn(3, '|');
    let named = [parts.next(), parts.next()].iter().all(|part| part.is_some_and(|text| !text.is_empty()));
    named && parts.next().is_some()
}

/// The forms of values, by row; rows that are not here take any text. A place on a value is a word, on a node a number,
/// which the places' own check holds.
const FORMS: &[(&str, Form)] = &[
    (keys::WIRE_TRANSPORT_KEY, transport),
    (keys::DEST_SITE_NAME_PREFIX, indexed),
    (keys::CONCRETE_TYPE_KEY, word),
    (keys::INSTANCE_KEY, instance),
    (keys::REQUIRED_TRAIT_KEY, word),
    (keys::SLOT_ID_KEY, u32),
    (keys::RECV_SLOT_ID_KEY, u32),
    (keys::DEFAULT_CLASS, word),
    (keys::PEER_CLASS_KEY, word),
    (keys::HOME_CLASS_KEY, word),
    (keys::PLACE_KEY, word),
    (keys::TAKES_KEY, takes),
    (keys::DIMENSION_PREFIX, dimension),
    (keys::MODULE_PHASE_KEY, phase),
    (keys::MODULE_INSTANCE_KEY, word),
    (keys::CONTROL_KEY, u32),
    (keys::LANE_KEY, u64),
    (keys::SLOT_MAP_KEY, slot_map),
    (keys::WIRE_ID_KEY, u64),
    (keys::BATCH_GROUP_KEY, u32),
    (keys::FROM_PLACE_KEY, u32),
    (keys::TO_PLACE_KEY, u32),
    (keys::AWAITS_KEY, numbers),
    (keys::CHAIN_DEPTH_KEY, u32),
    (keys::CHAIN_TARGETS_KEY, words),
    (keys::DEP_SLOT_KEY_PREFIX, serving),
    (keys::COMPILED_KEY, word),
    (keys::BINDING_KEY_PREFIX, binding),
    (keys::FRAMEWORK_IR_VERSION_KEY, word),
    (keys::PROGRAM_DIGEST_KEY, digest),
    (keys::PROGRAM_NAME_KEY, word),
    (keys::PROGRAM_WIRE_PREFIX, program_wire),
];

/// Tells what is wrong with entries that stand on `on`.
fn look(props: &[StringStringEntryProto], on: On, mut tell: impl FnMut(Rule, String)) {
    let mut before: Option<&str> = None;
    let mut sorted = true;
    // Rows of a table stand behind each other.
    let mut last: Option<Row> = None;
    for entry in props {
        let key = entry.key();
        sorted &= before.is_none_or(|before| before < key);
        before = Some(key);
        last = last.filter(|(row, _)| is_part_of(row, key)).or_else(|| row_of(key));
        if let Some((rule, text)) = fault(last, key, entry.value(), on) {
            tell(rule, text);
        }
    }
    // Whoever sets metadata keeps it sorted, and then nothing stands twice.
    if !sorted {
        let names = doubles(props.iter().map(StringStringEntryProto::key));
        names.into_iter().for_each(|key| tell(Rule::DuplicateKey, format!("`{key}` stands twice")));
    }
}

/// Whether a key is one of those with parts that the row is of.
fn is_part_of(row: &KeyRow, key: &str) -> bool {
    row.text.ends_with('.') && key.len() > row.text.len() && key.starts_with(row.text) && !key.ends_with('.')
}

fn fault(row: Option<Row>, key: &str, value: &str, on: On) -> Option<(Rule, String)> {
    let Some((row, form)) = row else {
        let ours = key.starts_with(NAMESPACE);
        return ours.then(|| (Rule::UnknownKey, format!("there is no key `{key}`")));
    };
    if !row.on.contains(&on) {
        return Some((Rule::MisplacedKey, format!("`{key}` does not stand on a {on:?}")));
    }
    match form {
        Some(form) if !form(key, value) => Some((Rule::MalformedKey, format!("`{key}` is `{value}`"))),
        _ => None,
    }
}

/// The form of what stands under a key of a node; `None` where the key may not stand there.
pub(super) fn form_on_node(key: &str) -> Option<Option<Form>> {
    match row_of(key) {
        Some((row, form)) => row.on.contains(&On::Node).then_some(form),
        None => (!key.starts_with(NAMESPACE)).then_some(None),
    }
}

/// What stands twice.
fn doubles<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    let mut twice: Vec<&str> = names.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    twice.dedup();
    twice
}

pub(super) fn model(program: &Program<'_>, report: &mut Report) {
    look(program.model.props(), On::Model, |rule, message| report.model(rule, message));
}

pub(super) fn body(_: &Program<'_>, body: &Body<'_>, report: &mut Report) {
    look(body.function.props(), On::Function, |rule, message| report.body(body, rule, message));
    for info in &body.function.value_info {
        look(info.props(), On::Value, |rule, message| report.value(body, info.name(), rule, message));
    }
}

pub(super) fn node(_: &Program<'_>, body: &Body<'_>, at: NodeIx, report: &mut Report) {
    let node = body.index.node(at);
    if !body.is_regular(at) {
        look(node.props(), On::Node, |rule, message| report.node(body, node, rule, message));
    }
    if !node.attribute.is_empty() {
        attributes(body, node, report);
    }
}

fn attributes(body: &Body<'_>, node: &NodeProto, report: &mut Report) {
    for name in doubles(node.attribute.iter().map(|a| a.name())) {
        report.node(body, node, Rule::DuplicateKey, format!("the attribute `{name}` stands twice"));
    }
    for attribute in node.attribute.iter().filter(|a| a.name().starts_with(NAMESPACE)) {
        let name = attribute.name();
        match row_of(name) {
            None => report.node(body, node, Rule::UnknownKey, format!("there is no attribute `{name}`")),
            Some((row, _)) if !row.on.contains(&On::Attribute) => {
                report.node(body, node, Rule::MisplacedKey, format!("`{name}` is no attribute"));
            }
            Some(_) => {}
        }
    }
}
