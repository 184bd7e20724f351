//! The sentences.

mod words;

use super::pairs::Pairs;
use super::view::{Body, Input, Kind, Op, Source, View};
use super::{About, Change};
use std::collections::{BTreeMap, BTreeSet};
use words::{about, at, described, on, placed, said, ty, who, wire};

/// Every change, by what it is about; of equals, in the order of the program.
pub fn changes(mut before: View, after: &View) -> Vec<Change> {
    let mut told = Told::default();
    if before.program != after.program {
        told.say(About::Program, format!("the program `{}` is called `{}`", before.program, after.program));
    }
    classes(&mut before, after, &mut told);
    roles(&before, after, &mut told);
    let keys: BTreeSet<&(String, String)> = before.bodies.keys().chain(after.bodies.keys()).collect();
    for key in keys {
        match (before.bodies.get(key), after.bodies.get(key)) {
            (Some(before), Some(after)) => {
                told.module.clone_from(&key.0);
                Two { before, after, pairs: Pairs::of(before, after) }.compare(&mut told);
                told.module.clear();
            }
            (None, Some(_)) => told.say(About::Module, format!("the module `{}` is new", key.0)),
            (Some(_), None) => told.say(About::Module, format!("the module `{}` is gone", key.0)),
            (None, None) => {}
        }
    }
    told.changes.sort_by_key(|change| change.about);
    told.changes
}

#[derive(Default)]
struct Told {
    changes: Vec<Change>,
    /// The function that is looked at; none for the root.
    module: String,
}

impl Told {
    fn say(&mut self, about: About, text: String) {
        let text = if self.module.is_empty() { text } else { format!("in `{}`: {text}", self.module) };
        self.changes.push(Change { about, text });
    }
}

/// A class that is called otherwise is told once, and then is the same.
fn classes(before: &mut View, after: &View, told: &mut Told) {
    let gone: Vec<String> = before.classes.difference(&after.classes).cloned().collect();
    let new: Vec<String> = after.classes.difference(&before.classes).cloned().collect();
    if let ([old], [new]) = (gone.as_slice(), new.as_slice()) {
        told.say(About::Class, format!("the class `{old}` is called `{new}`"));
        rename(before, old, new);
        return;
    }
    for class in new {
        told.say(About::Class, format!("the class `{class}` is new"));
    }
    for class in gone {
        told.say(About::Class, format!("the class `{class}` is gone"));
    }
}

fn rename(view: &mut View, old: &str, new: &str) {
    let change = |class: &mut String| {
        if class == old {
            new.clone_into(class);
        }
    };
    for body in view.bodies.values_mut() {
        body.inputs.iter_mut().for_each(|input| change(&mut input.class));
        for op in &mut body.ops {
            change(&mut op.class);
            change(&mut op.to);
        }
    }
    let slots = std::mem::take(&mut view.slots);
    view.slots = slots
        .into_iter()
        .map(|((mut class, slot), role)| {
            change(&mut class);
            ((class, slot), role)
        })
        .collect();
}

fn roles(before: &View, after: &View, told: &mut Told) {
    let slots: BTreeSet<&(String, String)> = before.slots.keys().chain(after.slots.keys()).collect();
    for slot in slots {
        let (class, name) = slot;
        match (before.slots.get(slot), after.slots.get(slot)) {
            (None, Some(role)) => told.say(About::Role, format!("`{class}` needs `{name}`, a `{role}`")),
            (Some(role), None) => told.say(About::Role, format!("`{class}` needs `{name}`, a `{role}`, no more")),
            (Some(old), Some(new)) if old != new => {
                told.say(About::Role, format!("`{name}` on `{class}` is a `{new}` instead of a `{old}`"));
            }
            _ => {}
        }
    }
}

/// A function before and after.
struct Two<'a> {
    before: &'a Body,
    after: &'a Body,
    pairs: Pairs,
}

impl Two<'_> {
    fn compare(&self, told: &mut Told) {
        self.inputs(told);
        for (i, op) in self.after.ops.iter().enumerate() {
            match self.pairs.to_before[i] {
                None => told.say(about(op), format!("{} is new{}", described(op), at(op))),
                Some(old) => self.pair(&self.before.ops[old.0], op, told),
            }
        }
        for (op, _) in self.before.ops.iter().zip(&self.pairs.to_after).filter(|(_, twin)| twin.is_none()) {
            told.say(about(op), format!("{} is gone{}", described(op), at(op)));
        }
        self.outputs(told);
    }

    fn inputs(&self, told: &mut Told) {
        let of = |body: &Body| -> BTreeMap<String, (String, String)> {
            let entry = |i: &Input| (i.name.clone(), (i.class.clone(), i.ty.clone()));
            body.inputs.iter().map(entry).collect()
        };
        let (old, new) = (of(self.before), of(self.after));
        for input in self.after.inputs.iter().filter(|input| !old.contains_key(&input.name)) {
            told.say(About::Input, format!("the input `{}`, {}, is new", input.name, input.ty));
        }
        for input in self.before.inputs.iter().filter(|input| !new.contains_key(&input.name)) {
            told.say(About::Input, format!("the input `{}`, {}, is gone", input.name, input.ty));
        }
        for (name, (class, ty)) in &new {
            let Some((old_class, old_type)) = old.get(name) else { continue };
            if class != old_class {
                told.say(About::Input, format!("the input `{name}` is on `{class}` instead of `{old_class}`"));
            }
            if ty != old_type {
                told.say(About::Input, format!("the input `{name}` is {ty} instead of {old_type}"));
            }
        }
        let kept = |body: &Body| -> Vec<String> {
            let names = body.inputs.iter().map(|input| input.name.clone());
            names.filter(|name| old.contains_key(name) && new.contains_key(name)).collect()
        };
        if kept(self.before) != kept(self.after) {
            told.say(About::Input, format!("the inputs come in another order: `{}`", kept(self.after).join("`, `")));
        }
    }

    /// An op that is still there.
    fn pair(&self, old: &Op, new: &Op, told: &mut Told) {
        if new.kind == Kind::Wire {
            if old.to != new.to {
                let text =
                    format!("the wire from `{}` goes to `{}` instead of `{}`{}", new.class, new.to, old.to, at(new));
                told.say(About::Wire, text);
            }
            if old.types != new.types {
                let (is, was) = (new.types.join(", "), old.types.join(", "));
                told.say(About::Wire, format!("{} carries {is} instead of {was}{}", wire(new), at(new)));
            }
        } else if old.name != new.name {
            told.say(About::Op, format!("`{}` is `{}` now{}{}", old.name, new.name, on(new), at(new)));
        }
        for (facet, was, is) in both(&old.facets, &new.facets) {
            let text = match (was, is) {
                (Some((_, was)), Some((_, is))) if was == is => continue,
                // Half of a wire says less than both.
                (None, _) | (_, None) if new.kind == Kind::Wire => continue,
                (None, is) => format!("`{facet}` of {} is {}", who(new), is.map_or("", |(is, _)| is)),
                (Some((was, _)), None) => format!("`{facet}` of {}, which was {was}, is gone", who(new)),
                (Some((was, _)), Some((is, _))) if was == is => format!("`{facet}` of {} is another", who(new)),
                (Some((was, _)), Some((is, _))) => format!("`{facet}` of {} is {is} instead of {was}", who(new)),
            };
            told.say(about(new), text + &at(new));
        }
        self.reads(old, new, told);
        if new.kind != Kind::Wire && old.types != new.types && !self.follows(old, new) {
            let (is, was) = (new.types.join(", "), old.types.join(", "));
            told.say(About::Type, format!("{} gives {is} instead of {was}{}", who(new), at(new)));
        }
    }

    /// What it reads, but for what follows from an op or input that is new or gone.
    fn reads(&self, old: &Op, new: &Op, told: &mut Told) {
        if old.inputs.is_empty() || new.inputs.is_empty() {
            return;
        }
        if old.inputs.len() != new.inputs.len() {
            let text = format!("{} reads {} values instead of {}", who(new), new.inputs.len(), old.inputs.len());
            told.say(about(new), text + &at(new));
            return;
        }
        if old.controls != new.controls {
            let text =
                format!("{} only waits for its last {} inputs instead of {}", who(new), new.controls, old.controls);
            told.say(about(new), text + &at(new));
        }
        for (was, is) in old.inputs.iter().zip(&new.inputs) {
            if self.twin(was).is_some_and(|twin| twin != *is) && self.has_twin(is) {
                let (is, was) = (said(self.after, is), said(self.before, was));
                told.say(about(new), format!("{} reads {is} instead of {was}{}", who(new), at(new)));
            }
        }
    }

    /// What a source of the first is in the second; none where it is gone.
    fn twin(&self, source: &Source) -> Option<Source> {
        match source {
            Source::Op(op, output) => self.pairs.to_after[op.0].map(|twin| Source::Op(twin, *output)),
            Source::Input(name) => self.after.has_input(name).then(|| source.clone()),
            Source::Unknown => None,
        }
    }
    fn has_twin(&self, source: &Source) -> bool {
        match source {
            Source::Op(op, _) => self.pairs.to_before[op.0].is_some(),
            Source::Input(name) => self.before.has_input(name),
            Source::Unknown => false,
        }
    }

    /// Whether an op's types are others because those of what it reads are.
    fn follows(&self, old: &Op, new: &Op) -> bool {
        let pairs = old.inputs.iter().zip(&new.inputs);
        old.inputs.len() != new.inputs.len()
            || pairs.into_iter().any(|(was, is)| ty(self.before, was) != ty(self.after, is))
    }

    fn outputs(&self, told: &mut Told) {
        let twins: Vec<Option<Source>> = self.before.outputs.iter().map(|output| self.twin(output)).collect();
        let new: Vec<&Source> = self.after.outputs.iter().filter(|o| !twins.contains(&Some((*o).clone()))).collect();
        let is_gone = |twin: &Option<Source>| !twin.as_ref().is_some_and(|twin| self.after.outputs.contains(twin));
        let gone = self.before.outputs.iter().zip(&twins).filter(|(_, twin)| is_gone(twin));
        let gone: Vec<&Source> = gone.map(|(output, _)| output).collect();
        if let ([old], [new]) = (gone.as_slice(), new.as_slice()) {
            let (old, new) = (placed(self.before, old), placed(self.after, new));
            told.say(About::Output, format!("the output that was {old} is {new}"));
        } else {
            for output in new {
                told.say(About::Output, format!("the output {} is new", placed(self.after, output)));
            }
            for output in gone {
                told.say(About::Output, format!("the output {} is gone", placed(self.before, output)));
            }
        }
        let kept: Vec<&Source> = twins.iter().flatten().filter(|twin| self.after.outputs.contains(twin)).collect();
        let is: Vec<&Source> = self.after.outputs.iter().filter(|output| kept.contains(output)).collect();
        if kept != is {
            let names: Vec<String> = is.iter().map(|output| placed(self.after, output)).collect();
            told.say(About::Output, format!("the outputs come in another order: {}", names.join(", ")));
        }
    }
}

/// What both say of each facet.
fn both<'a, T>(
    old: &'a BTreeMap<String, T>,
    new: &'a BTreeMap<String, T>,
) -> impl Iterator<Item = (&'a str, Option<&'a T>, Option<&'a T>)> {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    names.into_iter().map(|name| (name.as_str(), old.get(name), new.get(name)))
}

impl Body {
    fn has_input(&self, name: &str) -> bool {
        name == crate::names::START || self.inputs.iter().any(|input| input.name == name)
    }
}
