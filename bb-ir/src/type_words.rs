//! Types as people read them: in pictures, differences and diagnostics.

use crate::types::{
    BYTES_DENOTATION, Dim, ElementKind, MISSING_DENOTATION, PEER_DENOTATION, STRING_DENOTATION, ValueType,
};
use std::fmt;

/// `f32`, `f32[N,64]`, `f32[..]` of any rank, `peer`, `app.Report`, `several f32`.
impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ValueType::Tensor { element, shape } => {
                f.write_str(element.map_or("any", ElementKind::name))?;
                match shape.as_deref() {
                    None => f.write_str("[..]"),
                    Some([]) => Ok(()),
                    Some(dims) => {
                        let dims: Vec<String> = dims.iter().map(Dim::to_string).collect();
                        write!(f, "[{}]", dims.join(","))
                    }
                }
            }
            ValueType::Denoted(denotation) => f.write_str(match denotation.as_str() {
                PEER_DENOTATION => "peer",
                STRING_DENOTATION => "string",
                BYTES_DENOTATION => "bytes",
                MISSING_DENOTATION => "missing",
                // A user's type is named by its whole text, fields and all.
                record => record.split_once('{').map_or(record, |(name, _)| name),
            }),
            ValueType::Duration => f.write_str("duration"),
            ValueType::Trigger => f.write_str("trigger"),
            ValueType::Seq(of) if **of == ValueType::peer() => f.write_str("peers"),
            ValueType::Seq(of) => write!(f, "several {of}"),
        }
    }
}

/// `64`, `N`, or `?`.
impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Dim::Size(n) => write!(f, "{n}"),
            Dim::Named(name) => f.write_str(name),
            Dim::Unknown => f.write_str("?"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_type_has_its_word() {
        let dims = vec![Dim::Named("N".into()), Dim::Size(64), Dim::Unknown];
        for (ty, word) in [
            (ValueType::scalar(ElementKind::U64), "u64"),
            (ValueType::tensor(ElementKind::F32), "f32[..]"),
            (ValueType::Tensor { element: None, shape: Some(dims) }, "any[N,64,?]"),
            (ValueType::peer(), "peer"),
            (ValueType::Denoted(STRING_DENOTATION.into()), "string"),
            (ValueType::Denoted("app.Report{1:tensor(f32)}".into()), "app.Report"),
            (ValueType::Duration, "duration"),
            (ValueType::Trigger, "trigger"),
            (ValueType::Seq(Box::new(ValueType::peer())), "peers"),
            (ValueType::Seq(Box::new(ValueType::scalar(ElementKind::Bool))), "several bool"),
        ] {
            assert_eq!(ty.to_string(), word);
        }
    }
}
