//! ONNX's messages as tables for the scan: how each field is written, and what the decoded message takes.

use crate::proto::onnx::{
    AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, SparseTensorProto,
    StringStringEntryProto, TensorAnnotation, TensorProto, TensorShapeProto, TrainingInfoProto, TypeProto,
    ValueInfoProto, tensor_shape_proto, type_proto,
};
use crate::scan::{Field, Kind, Shape, field, repeated};
use bytes::Bytes;

const fn int(number: u32, name: &'static str) -> Field {
    field(number, name, Kind::Varint)
}
const fn text(number: u32, name: &'static str) -> Field {
    field(number, name, Kind::Bytes(usize::MAX, 0))
}
const fn texts(number: u32, name: &'static str) -> Field {
    repeated(number, name, usize::MAX, Kind::Bytes(usize::MAX, size_of::<String>()))
}
const fn many_bytes(number: u32, name: &'static str) -> Field {
    repeated(number, name, usize::MAX, Kind::Bytes(usize::MAX, size_of::<Bytes>()))
}
const fn one(number: u32, name: &'static str, shape: &'static Shape) -> Field {
    field(number, name, Kind::Message(shape))
}
const fn many(number: u32, name: &'static str, shape: &'static Shape) -> Field {
    repeated(number, name, usize::MAX, Kind::Message(shape))
}
/// Repeated numbers: the wire type of one, and its size in memory.
const fn numbers(number: u32, name: &'static str, wire_type: u8, size: usize) -> Field {
    repeated(number, name, usize::MAX, Kind::Numbers(wire_type, size))
}
const VARINT: u8 = 0;
const FIXED64: u8 = 1;
const FIXED32: u8 = 5;

macro_rules! shapes {
    ($($name:ident = $message:ty { $($field:expr),* $(,)? })*) => {
        $(pub(super) static $name: Shape =
            Shape { name: stringify!($message), size: size_of::<$message>(), fields: &[$($field),*] };)*
    };
}
shapes! {
    MODEL = ModelProto {
        int(1, "ir_version"), text(2, "producer_name"), text(3, "producer_version"), text(4, "domain"),
        int(5, "model_version"), text(6, "doc_string"), one(7, "graph", &GRAPH), many(8, "opset_import", &OPSET),
        many(14, "metadata_props", &ENTRY), many(20, "training_info", &TRAINING), many(25, "functions", &FUNCTION),
    }
    FUNCTION = FunctionProto {
        text(1, "name"), texts(4, "input"), texts(5, "output"), texts(6, "attribute"), many(7, "node", &NODE),
        text(8, "doc_string"), many(9, "opset_import", &OPSET), text(10, "domain"),
        many(11, "attribute_proto", &ATTRIBUTE), many(12, "value_info", &VALUE), text(13, "overload"),
        many(14, "metadata_props", &ENTRY),
    }
    GRAPH = GraphProto {
        many(1, "node", &NODE), text(2, "name"), many(5, "initializer", &TENSOR), text(10, "doc_string"),
        many(11, "input", &VALUE), many(12, "output", &VALUE), many(13, "value_info", &VALUE),
        many(14, "quantization_annotation", &ANNOTATION), many(15, "sparse_initializer", &SPARSE),
        many(16, "metadata_props", &ENTRY),
    }
    NODE = NodeProto {
        texts(1, "input"), texts(2, "output"), text(3, "name"), text(4, "op_type"), many(5, "attribute", &ATTRIBUTE),
        text(6, "doc_string"), text(7, "domain"), text(8, "overload"), many(9, "metadata_props", &ENTRY),
    }
    ATTRIBUTE = AttributeProto {
        text(1, "name"), field(2, "f", Kind::Fixed32), int(3, "i"), text(4, "s"), one(5, "t", &TENSOR),
        one(6, "g", &GRAPH), numbers(7, "floats", FIXED32, 4), numbers(8, "ints", VARINT, 8), many_bytes(9, "strings"),
        many(10, "tensors", &TENSOR), many(11, "graphs", &GRAPH), text(13, "doc_string"), one(14, "tp", &TYPE),
        many(15, "type_protos", &TYPE), int(20, "type"), text(21, "ref_attr_name"), one(22, "sparse_tensor", &SPARSE),
        many(23, "sparse_tensors", &SPARSE),
    }
    TENSOR = TensorProto {
        numbers(1, "dims", VARINT, 8), int(2, "data_type"), one(3, "segment", &SEGMENT),
        numbers(4, "float_data", FIXED32, 4), numbers(5, "int32_data", VARINT, 4), many_bytes(6, "string_data"),
        numbers(7, "int64_data", VARINT, 8), text(8, "name"), text(9, "raw_data"),
        numbers(10, "double_data", FIXED64, 8), numbers(11, "uint64_data", VARINT, 8), text(12, "doc_string"),
        many(13, "external_data", &ENTRY), int(14, "data_location"), many(16, "metadata_props", &ENTRY),
    }
    SEGMENT = crate::proto::onnx::tensor_proto::Segment { int(1, "begin"), int(2, "end") }
    SPARSE = SparseTensorProto { one(1, "values", &TENSOR), one(2, "indices", &TENSOR), numbers(3, "dims", VARINT, 8) }
    VALUE = ValueInfoProto {
        text(1, "name"), one(2, "type", &TYPE), text(3, "doc_string"), many(4, "metadata_props", &ENTRY),
    }
    TYPE = TypeProto {
        one(1, "tensor_type", &TENSOR_TYPE), one(4, "sequence_type", &SEQUENCE_TYPE), one(5, "map_type", &MAP_TYPE),
        text(6, "denotation"), one(7, "opaque_type", &OPAQUE_TYPE), one(8, "sparse_tensor_type", &TENSOR_TYPE),
        one(9, "optional_type", &SEQUENCE_TYPE),
    }
    TENSOR_TYPE = type_proto::Tensor { int(1, "elem_type"), one(2, "shape", &DIMENSIONS) }
    SEQUENCE_TYPE = type_proto::Sequence { one(1, "elem_type", &TYPE) }
    MAP_TYPE = type_proto::Map { int(1, "key_type"), one(2, "value_type", &TYPE) }
    OPAQUE_TYPE = type_proto::Opaque { text(1, "domain"), text(2, "name") }
    DIMENSIONS = TensorShapeProto { many(1, "dim", &DIMENSION) }
    DIMENSION = tensor_shape_proto::Dimension { int(1, "dim_value"), text(2, "dim_param"), text(3, "denotation") }
    OPSET = OperatorSetIdProto { text(1, "domain"), int(2, "version") }
    ENTRY = StringStringEntryProto { text(1, "key"), text(2, "value") }
    ANNOTATION = TensorAnnotation { text(1, "tensor_name"), many(2, "quant_parameter_tensor_names", &ENTRY) }
    TRAINING = TrainingInfoProto {
        one(1, "initialization", &GRAPH), one(2, "algorithm", &GRAPH), many(3, "initialization_binding", &ENTRY),
        many(4, "update_binding", &ENTRY),
    }
}
