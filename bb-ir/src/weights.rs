//! Weights: tensors that a program brings along, kept once in an artifact as initialisers of its graph.
//!
//! A function cannot hold initialisers, so weights are inputs of functions from the root down to where they are read, and
//! the graph's one call hands them in. They are no arguments of a call and have no place: whoever reads one has it.

use crate::names::START;
use crate::proto::onnx::{FunctionProto, ModelProto, TensorProto};
use crate::types::{Dim, ElementKind, ValueType};
use crate::value::{Dims, RawTensor};
use rustc_hash::FxHashSet;

/// The weights of a model.
pub fn of(model: &ModelProto) -> &[TensorProto] {
    model.graph.as_ref().map_or(&[], |graph| &graph.initializer)
}

/// Their names.
pub fn names(model: &ModelProto) -> FxHashSet<&str> {
    of(model).iter().map(TensorProto::name).collect()
}

/// What a call of the root takes: its inputs without its start and the weights.
pub fn arguments<'a>(model: &'a ModelProto, root: &'a FunctionProto) -> impl Iterator<Item = &'a String> {
    let weights = names(model);
    root.input.iter().filter(move |name| *name != START && !weights.contains(name.as_str()))
}

/// The tensor that stands there as raw bytes; `None` where it is none of bb's.
pub fn tensor(proto: &TensorProto) -> Option<RawTensor> {
    let element = ElementKind::from_onnx(proto.data_type())?;
    let sizes: Vec<u64> = proto.dims.iter().map(|d| u64::try_from(*d).ok()).collect::<Option<_>>()?;
    RawTensor::new(element, Dims::new(&sizes)?, proto.raw_data.clone()?)
}

/// The type of such a tensor.
pub fn type_of(proto: &TensorProto) -> Option<ValueType> {
    let size = |d: &i64| u64::try_from(*d).ok().map(Dim::Size);
    let shape = proto.dims.iter().map(size).collect::<Option<_>>()?;
    Some(ValueType::Tensor { element: Some(ElementKind::from_onnx(proto.data_type())?), shape: Some(shape) })
}
