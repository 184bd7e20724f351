//! What two statements about one value mean together.

use crate::error::at_node;
use bb_ir::diagnostics::Diagnostic;
use bb_ir::proto::onnx::NodeProto;
use bb_ir::types::{Dim, ValueType};

/// Why two statements cannot both hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// They name two element types, or two kinds of value.
    Elements,
    /// They name two ranks or two sizes.
    Shapes,
}

impl Conflict {
    /// What to say of it at `node`.
    pub fn about(self, node: &NodeProto, a: &ValueType, b: &ValueType) -> Diagnostic {
        let (a, b) = (show(a), show(b));
        match self {
            Conflict::Elements => at_node(node, "BB0301", format!("this is a {a}, but a {b} is needed here"))
                .help("convert one of them: `.cast::<_>()`"),
            Conflict::Shapes => at_node(node, "BB0302", format!("this is a {a}, but a {b} is needed here"))
                .help("check the shapes that the program declares: `.shaped::<_>()`, parameters and roles"),
        }
    }
}

/// The narrowest type that both are.
pub fn meet(a: &ValueType, b: &ValueType) -> Result<ValueType, Conflict> {
    match (a, b) {
        (ValueType::Tensor { element: ea, shape: sa }, ValueType::Tensor { element: eb, shape: sb }) => {
            let element = match (ea, eb) {
                (Some(a), Some(b)) if a != b => return Err(Conflict::Elements),
                (a, b) => a.or(*b),
            };
            let shape = match (sa, sb) {
                (Some(a), Some(b)) => Some(meet_shapes(a, b)?),
                (a, b) => a.clone().or(b.clone()),
            };
            Ok(ValueType::Tensor { element, shape })
        }
        (ValueType::Seq(a), ValueType::Seq(b)) => Ok(ValueType::Seq(Box::new(meet(a, b)?))),
        (a, b) if a == b => Ok(a.clone()),
        // Of rank 0 and i64 as far as ONNX can see: what a denotation adds, it keeps.
        (ValueType::Duration, ValueType::Tensor { element: None, shape: None }) => Ok(ValueType::Duration),
        (ValueType::Tensor { element: None, shape: None }, other) => Ok(other.clone()),
        (other, ValueType::Tensor { element: None, shape: None }) => Ok(other.clone()),
        _ => Err(Conflict::Elements),
    }
}

fn meet_shapes(a: &[Dim], b: &[Dim]) -> Result<Vec<Dim>, Conflict> {
    if a.len() != b.len() {
        return Err(Conflict::Shapes);
    }
    let dims = a.iter().zip(b).map(|(a, b)| match (a, b) {
        (Dim::Size(a), Dim::Size(b)) if a != b => Err(Conflict::Shapes),
        (Dim::Size(n), _) | (_, Dim::Size(n)) => Ok(Dim::Size(*n)),
        (Dim::Named(name), _) | (_, Dim::Named(name)) => Ok(Dim::Named(name.clone())),
        (Dim::Unknown, Dim::Unknown) => Ok(Dim::Unknown),
    });
    dims.collect()
}

/// In a user's words: `tensor of f32 with shape (N, 64)`.
pub(super) fn show(of: &ValueType) -> String {
    match of {
        ValueType::Tensor { element, shape } => {
            let element = element.map_or("any element", |e| e.name());
            match shape.as_deref() {
                None => format!("tensor of `{element}`"),
                Some([]) => format!("`{element}`"),
                Some(dims) => format!("tensor of `{element}` with the shape ({})", show_dims(dims)),
            }
        }
        ValueType::Denoted(what) => format!("`{what}`"),
        ValueType::Duration => "`Duration`".into(),
        ValueType::Trigger => "trigger".into(),
        ValueType::Seq(of) => format!("sequence of {}", show(of)),
    }
}

fn show_dims(dims: &[Dim]) -> String {
    let dims = dims.iter().map(|d| match d {
        Dim::Size(n) => n.to_string(),
        Dim::Named(name) => name.clone(),
        Dim::Unknown => "_".into(),
    });
    dims.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use bb_ir::types::ElementKind;

    fn shaped(dims: &[Dim]) -> ValueType {
        ValueType::Tensor { element: Some(ElementKind::F32), shape: Some(dims.to_vec()) }
    }

    #[test]
    fn a_size_is_narrower_than_a_name_and_a_name_than_nothing() {
        let a = shaped(&[Dim::Named("N".into()), Dim::Unknown]);
        let b = shaped(&[Dim::Unknown, Dim::Size(64)]);
        assert_eq!(meet(&a, &b), Ok(shaped(&[Dim::Named("N".into()), Dim::Size(64)])));
    }

    #[test]
    fn sizes_ranks_and_elements_that_differ_do_not_meet() {
        assert_eq!(meet(&shaped(&[Dim::Size(3)]), &shaped(&[Dim::Size(4)])), Err(Conflict::Shapes));
        assert_eq!(meet(&shaped(&[]), &shaped(&[Dim::Size(4)])), Err(Conflict::Shapes));
        assert_eq!(meet(&shaped(&[]), &ValueType::scalar(ElementKind::I64)), Err(Conflict::Elements));
    }
}
