//! Between values and tract's tensors.

use bb::OpError;
use bb::ir::types::ElementKind;
use bb::ir::value::{RawTensor, Value};
use tract_onnx::prelude::{DatumType, Tensor};

/// What tract calls an element type.
pub fn datum(element: ElementKind) -> DatumType {
    match element {
        ElementKind::F32 => DatumType::F32,
        ElementKind::F64 => DatumType::F64,
        ElementKind::I8 => DatumType::I8,
        ElementKind::I16 => DatumType::I16,
        ElementKind::I32 => DatumType::I32,
        ElementKind::I64 => DatumType::I64,
        ElementKind::U8 => DatumType::U8,
        ElementKind::U16 => DatumType::U16,
        ElementKind::U32 => DatumType::U32,
        ElementKind::U64 => DatumType::U64,
        ElementKind::Bool => DatumType::Bool,
    }
}

macro_rules! by_element {
    ($element:expr, $e:ident => $body:expr) => {
        by_element!(@ $element, $e => $body,
            F32 f32, F64 f64, I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64, Bool bool)
    };
    (@ $element:expr, $e:ident => $body:expr, $($kind:ident $t:ty),*) => {
        match $element { $(ElementKind::$kind => { type $e = $t; $body })* }
    };
}

fn failed(error: impl std::fmt::Display) -> OpError {
    OpError::new(format!("tract: {error:#}"))
}

/// A value, copied.
pub fn to_tract(value: &Value) -> Result<Tensor, OpError> {
    let tensor = value.as_tensor().ok_or_else(|| OpError::new("a model takes tensors"))?;
    let shape: Vec<usize> = tensor.shape().iter().map(|n| *n as usize).collect();
    by_element!(tensor.element(), E => {
        let values = tensor.to_vec::<E>().ok_or_else(|| OpError::new("the element type is another"))?;
        Tensor::from_shape(&shape, &values).map_err(failed)
    })
}

/// A tensor of tract's as a value of that element type.
pub fn from_tract(tensor: &Tensor, element: ElementKind) -> Result<Value, OpError> {
    let dims: Vec<u64> = tensor.shape().iter().map(|n| *n as u64).collect();
    // What ONNX calls i64, tract may compute with as a dimension.
    let tensor = tensor.cast_to_dt(datum(element)).map_err(failed)?;
    by_element!(element, E => {
        let plain = tensor.try_as_plain_ram().map_err(failed)?;
        let values = plain.as_slice::<E>().map_err(failed)?.to_vec();
        let tensor = RawTensor::from_vec(&dims, values);
        tensor.map(Value::Tensor).ok_or_else(|| OpError::new(format!("a result of shape {dims:?} is too large")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_type_goes_there_and_back() {
        for element in ElementKind::ALL {
            let data = vec![1u8; 2 * element.size()].into();
            let dims = bb::ir::value::Dims::new(&[2, 1]).expect("small");
            let value = Value::Tensor(RawTensor::new(element, dims, data).expect("as many bytes"));
            let there = to_tract(&value).expect("tract has them all");
            assert_eq!(from_tract(&there, element), Ok(value), "{}", element.name());
        }
    }
}
