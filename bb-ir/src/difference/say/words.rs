//! What ops, wires and values are called in a sentence.

use super::super::view::{Body, Kind, Op, OpIx, Source};
use super::About;

pub fn about(op: &Op) -> About {
    if op.kind == Kind::Wire { About::Wire } else { About::Op }
}
pub fn ty<'a>(body: &'a Body, source: &Source) -> Option<&'a str> {
    match source {
        Source::Op(op, output) => body.ops[op.0].types.get(*output).map(String::as_str),
        Source::Input(name) => body.inputs.iter().find(|input| input.name == *name).map(|input| input.ty.as_str()),
        Source::Unknown => None,
    }
}
/// A value, by who makes it.
pub fn said(body: &Body, source: &Source) -> String {
    match source {
        Source::Input(name) => format!("`{name}`"),
        Source::Op(OpIx(op), _) if body.ops[*op].kind == Kind::Wire => {
            format!("what comes over {}", wire(&body.ops[*op]))
        }
        Source::Op(OpIx(op), output) => {
            let op = &body.ops[*op];
            let which = if op.types.len() > 1 { format!("value {output} of ") } else { String::new() };
            format!("{which}{}", who(op))
        }
        Source::Unknown => "nothing".to_owned(),
    }
}
/// The same, with where that is written.
pub fn placed(body: &Body, source: &Source) -> String {
    let at = match source {
        Source::Op(op, _) => at(&body.ops[op.0]),
        Source::Input(_) | Source::Unknown => String::new(),
    };
    said(body, source) + &at
}
pub fn wire(op: &Op) -> String {
    format!("the wire `{}` -> `{}`", op.class, op.to)
}
pub fn on(op: &Op) -> String {
    if op.class.is_empty() { String::new() } else { format!(" on `{}`", op.class) }
}
pub fn who(op: &Op) -> String {
    if op.kind == Kind::Wire { wire(op) } else { format!("`{}`{}", op.name, on(op)) }
}
/// With what a wire carries.
pub fn described(op: &Op) -> String {
    match op.kind {
        Kind::Wire => format!("{} of {}", wire(op), op.types.join(", ")),
        _ => who(op),
    }
}
pub fn at(op: &Op) -> String {
    op.at.as_ref().map_or_else(String::new, |at| format!(" ({at})"))
}
