//! Types and values as they are called in Rust, for those who hand them in.

use crate::Value;
use crate::input::Arg;
use bb_ir::types::{BYTES_DENOTATION, Dim, ElementKind, STRING_DENOTATION, ValueType};
use bb_ir::value::RawTensor;

/// `u64`, `Tensor<f32>` of `[3, N]`, `Peers`.
pub fn of_type(ty: &ValueType) -> String {
    match ty {
        ValueType::Tensor { element, shape } => {
            let dim = |dim: &Dim| match dim {
                Dim::Size(n) => n.to_string(),
                Dim::Named(name) => name.clone(),
                Dim::Unknown => "_".to_owned(),
            };
            let dims = shape.as_ref().map(|dims| dims.iter().map(dim).collect::<Vec<_>>());
            of_tensor(element.map_or("_", ElementKind::name), dims.as_deref())
        }
        ty if ty.is_peer() => "`Peer`".to_owned(),
        ValueType::Denoted(d) if d == STRING_DENOTATION => "`String`".to_owned(),
        ValueType::Denoted(d) if d == BYTES_DENOTATION => "`Vec<u8>`".to_owned(),
        ValueType::Denoted(d) => format!("`{}`", d.split('{').next().unwrap_or(d)),
        ValueType::Duration => "`Duration`".to_owned(),
        ValueType::Trigger => "`()`".to_owned(),
        ty if ty.is_cohort() => "`Peers`".to_owned(),
        ValueType::Seq(of) => format!("sequence of {}", of_type(of)),
    }
}

/// The same of what was given: bytes do not say what they are.
pub fn of_arg(arg: &Arg) -> String {
    match arg {
        Arg::AllPeers { .. } => "`Peers::all()`".to_owned(),
        Arg::Value(value) => match value {
            Value::Absent => "nothing".to_owned(),
            Value::Trigger => "`()`".to_owned(),
            Value::Tensor(tensor) => of_raw(tensor),
            Value::Peer(_) => "`Peer`".to_owned(),
            Value::Bytes(_) => "message".to_owned(),
            Value::Seq(values) if values.iter().all(|v| v.as_peer().is_some()) => {
                format!("`Peers` of {}", values.len())
            }
            Value::Seq(_) => "sequence".to_owned(),
        },
    }
}

fn of_raw(tensor: &RawTensor) -> String {
    let dims: Vec<String> = tensor.shape().iter().map(u64::to_string).collect();
    of_tensor(tensor.element().name(), Some(&dims))
}

fn of_tensor(element: &str, dims: Option<&[String]>) -> String {
    match dims {
        Some([]) => format!("`{element}`"),
        Some(dims) => format!("`Tensor<{element}>` of [{}]", dims.join(", ")),
        None => format!("`Tensor<{element}>`"),
    }
}
