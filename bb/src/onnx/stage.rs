//! Part of a model: what it takes to get from some of its values to others.

use super::Fault;
use super::model::Model;
use bb_ir::diagnostics::Diagnostic;
use std::collections::BTreeSet;
use std::rc::Rc;

/// A model from these values to those, and no more than that.
pub struct Stage {
    pub model: Rc<Model>,
    pub inputs: Vec<String>,
    pub outputs: Vec<String>,
    /// The nodes, rising.
    pub nodes: Vec<usize>,
    /// The tensors they read.
    pub constants: BTreeSet<String>,
}

impl Stage {
    /// The stage of `model` from `after` to `until`; where these are not said, from its inputs or to its outputs.
    pub fn of(model: &Rc<Model>, after: Option<&[String]>, until: Option<&[String]>) -> Result<Stage, Fault> {
        let inputs = after.unwrap_or(&model.inputs).to_vec();
        let outputs = until.unwrap_or(&model.outputs).to_vec();
        let (mut nodes, mut constants) = (BTreeSet::new(), BTreeSet::new());
        let mut read: BTreeSet<&str> = BTreeSet::new();
        let mut open: Vec<&str> = outputs.iter().map(String::as_str).collect();
        while let Some(value) = open.pop() {
            if inputs.iter().any(|input| input == value) {
                read.insert(value);
            } else if model.constants.contains_key(value) {
                constants.insert(value.to_owned());
            } else if let Some(maker) = model.makers.get(value) {
                if nodes.insert(*maker) {
                    open.extend(model.nodes[*maker].input.iter().map(String::as_str).filter(|i| !i.is_empty()));
                }
            } else {
                return Err(needs(&inputs, &outputs, value).into());
            }
        }
        if let Some(unread) = inputs.iter().find(|input| after.is_some() && !read.contains(input.as_str())) {
            let text = format!("nothing that this stage of `{}` gives depends on `{unread}`", model.path);
            return Err(Diagnostic::new("BB0806", text).help("leave it out, or let the stage end later").into());
        }
        Ok(Stage { model: model.clone(), inputs, outputs, nodes: nodes.into_iter().collect(), constants })
    }

    /// What no other stage has.
    pub fn key(&self) -> String {
        format!("{:?} {:?} {:?}", self.model.path, self.inputs, self.outputs)
    }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn needs(inputs: &[String], outputs: &[String], input: &str) -> Diagnostic {
    let text = format!("{} does not follow from {} alone", quoted(outputs), quoted(inputs));
    let all: Vec<String> = inputs.iter().map(|i| format!("\"{i}\"")).chain([format!("\"{input}\"")]).collect();
    Diagnostic::new("BB0806", text)
        .note(format!("it also takes the model's input `{input}`"))
        .help(format!("begin the stage at values that tell everything: `.after([{}])`, or earlier", all.join(", ")))
}
