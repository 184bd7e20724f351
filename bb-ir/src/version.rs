//! The versions that stand in a model and on a wire.

/// `ModelProto.ir_version`: the first whose nodes and functions carry metadata.
pub const ONNX_IR_VERSION: i64 = 10;
/// The `ai.onnx` operator set.
pub const ONNX_OPSET: i64 = 21;
/// The version of every `ai.bytesandbrains.*` operator set.
pub const BB_OPSET: i64 = 1;
/// bb's own IR version, the value of [`crate::keys::FRAMEWORK_IR_VERSION_KEY`]. Part of every digest.
pub const FRAMEWORK_IR_VERSION: &str = "1";
/// `WireEnvelope.version` and `Hello.version`.
pub const WIRE_VERSION: u32 = 1;
