//! From one element type to another.

use super::array::{from_vec, tensor};
use super::{Built, kernel, op};
use bb::OpError;
use bb::ir::proto::onnx::NodeProto;
use bb::ir::types::ElementKind;
use bb::ir::value::{RawTensor, Value};
use bb::ir::views::Attributes;

/// Floats to integers are truncated; out of range they saturate. To bool: whether it is not 0.
pub fn cast(node: &NodeProto) -> Built {
    let op = op(node);
    let to = node.attr_int("to").and_then(|to| ElementKind::from_onnx(i32::try_from(to).ok()?));
    let to = to.ok_or_else(|| OpError::new("Cast has no attribute `to` that names an element type of bb's"))?;
    kernel(move |inputs| {
        let t = tensor(&op, inputs, 0)?;
        if t.element() == to {
            return Ok(Value::Tensor(t.clone()));
        }
        convert(t, to)
    })
}

macro_rules! to_each {
    ($t:expr, $to:expr, $from:ty, [$($kind:ident $target:ty),*]) => {{
        let values = $t.to_vec::<$from>().ok_or_else(|| OpError::new("the element type is another"))?;
        match $to {
            $(ElementKind::$kind => from_vec($t.shape(), values.into_iter().map(|v| v as $target).collect::<Vec<$target>>()),)*
            ElementKind::Bool => from_vec($t.shape(), values.into_iter().map(|v| v != (0 as $from)).collect::<Vec<bool>>()),
        }
    }};
}
macro_rules! from_each {
    ($t:expr, $to:expr, [$($kind:ident $from:ty),*]) => {
        match $t.element() {
            $(ElementKind::$kind => to_each!($t, $to, $from, [
                F32 f32, F64 f64, I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64
            ]),)*
            ElementKind::Bool => {
                let bytes = $t.retyped(ElementKind::U8).ok_or_else(|| OpError::new("a boolean is a byte"))?;
                if $to == ElementKind::U8 { Ok(Value::Tensor(bytes)) } else { convert(&bytes, $to) }
            }
        }
    };
}

fn convert(t: &RawTensor, to: ElementKind) -> Result<Value, OpError> {
    from_each!(t, to, [F32 f32, F64 f64, I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64])
}
