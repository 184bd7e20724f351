//! What runs once per start: a function of the artifact beside its main, on one class and without a wire.

use super::{Loaded, Place, flatten, malformed, values_of};
use crate::error::InstallError;
use bb_ir::bindings::is_bootstrap;
use bb_ir::digest::ProgramDigest;
use bb_ir::keys;
use bb_ir::names::START;
use bb_ir::ops::WIRE_DOMAIN;
use bb_ir::proto::onnx::ModelProto;
use bb_ir::views::Metadata;

/// The bootstrap of an artifact, if it has one.
pub fn load(
    model: &ModelProto,
    program: &str,
    class: &str,
    digest: ProgramDigest,
) -> Result<Option<Loaded>, InstallError> {
    let mut all = model.functions.iter().filter(|f| is_bootstrap(f));
    let Some(function) = all.next() else { return Ok(None) };
    if all.next().is_some() || function.input.first().is_none_or(|first| first != START) || !function.output.is_empty()
    {
        return Err(malformed("it has more than one bootstrap, or one that is not called as one"));
    }
    let mut values = values_of(function)?;
    let mut nodes = flatten::flatten(model, function, &mut values)?;
    for node in &mut nodes {
        if node.domain() == WIRE_DOMAIN || node.metadata(keys::HOME_CLASS_KEY) != Some(class) {
            return Err(malformed(format!("`{}` is not for a bootstrap on `{class}`", node.name())));
        }
        node.set_metadata(keys::PLACE_KEY, "0");
    }
    Ok(Some(Loaded {
        program: program.to_owned(),
        class: class.to_owned(),
        digest,
        places: vec![Place { class: class.to_owned(), each: false, anchor: String::new() }],
        nodes,
        values,
        weights: Default::default(),
        inputs: function.input[1..].to_vec(),
        outputs: Vec::new(),
        slots: Vec::new(),
        wires: Vec::new(),
        bootstrap: None,
    }))
}
