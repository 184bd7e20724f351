//! From bytes to checked parts: what an artifact holds, or why it is none.

mod bootstrap;
mod carriers;
mod flatten;

use crate::error::InstallError;
use bb_ir::artifact::{self, ArtifactError};
use bb_ir::bindings;
use bb_ir::digest::ProgramDigest;
use bb_ir::gates;
use bb_ir::hello::WireOffer;
use bb_ir::keys;
use bb_ir::proto::onnx::{FunctionProto, ModelProto, NodeProto};
use bb_ir::types::ValueType;
use bb_ir::value::RawTensor;
use bb_ir::verify::{Level, verify};
use bb_ir::views::Metadata;
use bb_ir::weights;
use rustc_hash::FxHashMap;

/// Every value's type, and the class where it names peers.
pub type Values = FxHashMap<String, (ValueType, Option<String>)>;

/// An artifact, taken apart.
pub struct Loaded {
    pub program: String,
    pub class: String,
    pub digest: ProgramDigest,
    /// Every place of the program.
    pub places: Vec<Place>,
    /// The nodes of the main function, calls spread out.
    pub nodes: Vec<NodeProto>,
    /// Every value's type, and the class where it names peers.
    pub values: Values,
    /// What it brings along, by name: whichever node reads one has it.
    pub weights: FxHashMap<String, RawTensor>,
    /// The entry's inputs, without `start`; empty elsewhere.
    pub inputs: Vec<String>,
    pub outputs: Vec<String>,
    pub slots: Vec<Slot>,
    pub wires: Vec<WireOffer>,
    /// What runs once per start, as a program of one place.
    pub bootstrap: Option<Box<Loaded>>,
}

/// A row of the place table.
pub struct Place {
    pub class: String,
    pub each: bool,
    /// The value that anchors it.
    pub anchor: String,
}

/// A row of the binding table.
pub struct Slot {
    /// Its number; a concrete component has none.
    pub id: Option<u32>,
    pub name: String,
    pub role: String,
    /// The type of a component that the program names.
    pub concrete: Option<String>,
}

fn malformed(what: impl Into<String>) -> InstallError {
    InstallError::Malformed(what.into())
}

/// Reads an artifact.
pub fn load(bytes: &[u8]) -> Result<Loaded, InstallError> {
    let model = artifact::read(bytes).map_err(|e| match e {
        ArtifactError::NotCompiled => InstallError::NotCompiled,
        ArtifactError::IncompatibleCompiledVersion { found } => InstallError::IncompatibleCompiledVersion(found),
        other => InstallError::NotAnArtifact(other.to_string()),
    })?;
    let main = model.functions.first().ok_or_else(|| malformed("it has no function"))?;
    let program = model.metadata(keys::PROGRAM_NAME_KEY).ok_or_else(|| malformed("it names no program"))?.to_owned();
    let digest = model.metadata(keys::PROGRAM_DIGEST_KEY).and_then(ProgramDigest::parse);
    let digest = digest.ok_or_else(|| malformed("it has no digest"))?;
    let places = places(&model)?;
    let slots = slots(&model, main.name())?;
    let wires = wires(&model)?;

    let mut values = values_of(main)?;
    let inputs: Vec<String> = weights::arguments(&model, main).cloned().collect();
    let tensors = weights::of(&model).iter().map(|w| Some((w.name().to_owned(), weights::tensor(w)?)));
    let tensors = tensors.collect::<Option<_>>().ok_or_else(|| malformed("an initialiser is no tensor of bb's"))?;
    let outputs = main.output.clone();
    // The engine asks the gates itself: at ingress, and before it queues.
    let mut nodes = gates::fold(flatten::flatten(&model, main, &mut values)?)
        .map_err(|e| InstallError::BadNode { node: e.node, reason: format!("its `{}` is not there", e.gate) })?;
    carriers::with_weights(&mut nodes, weights::of(&model));
    let class = class(&nodes, &places, &program, main.name())?;
    let bootstrap = bootstrap::load(&model, &program, &class, digest)?.map(Box::new);
    // What could be read may still not be what a compiler makes: then it would run, and do something else.
    if let Some(violation) = verify(&model, Level::Sealed).into_iter().next() {
        return Err(InstallError::Broken(violation));
    }
    Ok(Loaded {
        program,
        class,
        digest,
        places,
        nodes,
        values,
        weights: tensors,
        inputs,
        outputs,
        slots,
        wires,
        bootstrap,
    })
}

/// The types of a function's own values; those of what it calls are added under prefixed names when the calls are spread
/// out.
fn values_of(function: &FunctionProto) -> Result<Values, InstallError> {
    let mut values = Values::default();
    for info in &function.value_info {
        let ty = info.r#type.as_ref().and_then(ValueType::from_proto);
        let ty = ty.ok_or_else(|| malformed(format!("the value `{}` has no type", info.name())))?;
        values.insert(info.name().to_owned(), (ty, info.metadata(keys::PEER_CLASS_KEY).map(Into::into)));
    }
    Ok(values)
}

/// The class whose piece this is: where its nodes live; of a piece without nodes, the entry's.
fn class(nodes: &[NodeProto], places: &[Place], program: &str, main: &str) -> Result<String, InstallError> {
    let mut classes: Vec<&str> = nodes.iter().filter_map(|n| n.metadata(keys::HOME_CLASS_KEY)).collect();
    classes.dedup();
    classes.sort_unstable();
    classes.dedup();
    match classes.as_slice() {
        [class] => Ok((*class).to_owned()),
        [] => {
            let named = places.iter().find(|p| main == format!("{program}_{}", p.class)).or(places.first());
            named.map(|p| p.class.clone()).ok_or_else(|| malformed("it has no places"))
        }
        several => Err(malformed(format!("its nodes live on several classes: {}", several.join(", ")))),
    }
}

fn places(model: &ModelProto) -> Result<Vec<Place>, InstallError> {
    let mut rows = Vec::new();
    for (number, row) in model.metadata_under(keys::PLACE_TABLE_PREFIX) {
        let parsed = number.parse::<usize>().ok().zip({
            let mut parts = row.splitn(3, '|');
            parts.next().zip(parts.next()).zip(parts.next())
        });
        let Some((number, ((class, many), anchor))) = parsed else {
            return Err(malformed(format!("`{row}` is no row of the place table")));
        };
        rows.push((number, Place { class: class.into(), each: many == "each", anchor: anchor.into() }));
    }
    rows.sort_by_key(|(number, _)| *number);
    if rows.iter().enumerate().any(|(i, (number, _))| i != *number) || rows.is_empty() {
        return Err(malformed("its place table has gaps"));
    }
    Ok(rows.into_iter().map(|(_, place)| place).collect())
}

fn slots(model: &ModelProto, main: &str) -> Result<Vec<Slot>, InstallError> {
    let mut slots = Vec::new();
    for (rest, value) in model.metadata_under(keys::BINDING_KEY_PREFIX) {
        let key = format!("{}{rest}", keys::BINDING_KEY_PREFIX);
        let row = bindings::parse_binding_key(&key).zip(bindings::parse_binding_value(value));
        let Some(((target, slot), binding)) = row else {
            return Err(InstallError::InvalidBindingTable(format!("{rest} = {value}")));
        };
        if target != main {
            return Err(InstallError::UnknownTarget(target.to_owned()));
        }
        slots.push(Slot { id: binding.slot, name: slot.to_owned(), role: binding.role, concrete: binding.concrete });
    }
    slots.sort_by(|a, b| (a.id.is_none(), a.id, &a.name).cmp(&(b.id.is_none(), b.id, &b.name)));
    Ok(slots)
}

fn wires(model: &ModelProto) -> Result<Vec<WireOffer>, InstallError> {
    let mut wires = Vec::new();
    for (id, row) in model.metadata_under(keys::PROGRAM_WIRE_PREFIX) {
        let wrong = || malformed(format!("`{id} = {row}` is no row of the wire table"));
        let mut parts = row.split('|');
        let (from, to) = parts.next().zip(parts.next()).ok_or_else(wrong)?;
        let hashes = parts.next().unwrap_or_default().split(',').filter(|h| !h.is_empty());
        let hashes = hashes.map(|h| u64::from_str_radix(h, 16)).collect::<Result<_, _>>().map_err(|_| wrong())?;
        let id = id.parse().map_err(|_| wrong())?;
        wires.push(WireOffer { id, from_class: from.into(), to_class: to.into(), type_hashes: hashes });
    }
    wires.sort_by_key(|w| w.id);
    Ok(wires)
}
