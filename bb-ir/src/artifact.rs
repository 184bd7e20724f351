//! The bytes of a compiled partition: an ONNX file.

mod shape;

use crate::encode::{self, How};
use crate::keys;
use crate::proto::onnx::ModelProto;
use crate::scan::{self, Budget, ScanError};
use crate::version::{FRAMEWORK_IR_VERSION, ONNX_IR_VERSION};
use crate::views::Metadata;
use prost::Message;

/// The largest artifact.
pub const ARTIFACT_BYTES_MAX: usize = 1 << 30;
/// How deep messages stand inside each other; prost decodes at most 100.
const DEPTH_MAX: usize = 64;

/// Why bytes are no artifact that this version runs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArtifactError {
    /// There are no bytes: the program has faults, or the module is a fragment.
    #[error("the artifact is empty: the program did not compile")]
    Empty,
    /// More bytes than an artifact has.
    #[error("the artifact has {bytes} bytes; {ARTIFACT_BYTES_MAX} are allowed")]
    TooLarge {
        /// How many there are.
        bytes: usize,
    },
    /// Not an ONNX file.
    #[error("these bytes are not an artifact: {0}")]
    Malformed(#[from] ScanError),
    /// Text that is not UTF-8, or a field twice that stands once.
    #[error("these bytes are not an artifact: they hold what an ONNX file does not")]
    Content,
    /// Another version of ONNX.
    #[error("the model is ONNX of version {found}, and this version runs {ONNX_IR_VERSION}")]
    IncompatibleOnnxVersion {
        /// Its `ir_version`.
        found: i64,
    },
    /// An ONNX file that no compiler of ours has been over.
    #[error("the model is not compiled")]
    NotCompiled,
    /// Compiled for another version of the engine.
    #[error("the artifact is compiled as `{found}`, and this version runs `{}`", keys::COMPILED_CURRENT_VERSION)]
    IncompatibleCompiledVersion {
        /// Its passport.
        found: String,
    },
    /// Of another version of bb's IR.
    #[error("the artifact has bb's IR version `{found}`, and this version runs `{FRAMEWORK_IR_VERSION}`")]
    IncompatibleIrVersion {
        /// The version, empty where it says none.
        found: String,
    },
}

/// The file of a model. The same model gives the same bytes.
pub fn write(model: &ModelProto) -> Vec<u8> {
    encode::model(model, How::AsItIs)
}

/// The model in a file, if it carries the passport of this version. A scan of the bytes bounds what decoding builds.
///
/// # Errors
/// Says why an engine cannot run it.
pub fn read(bytes: &[u8]) -> Result<ModelProto, ArtifactError> {
    let model = decode(bytes)?;
    match model.metadata(keys::COMPILED_KEY) {
        None => return Err(ArtifactError::NotCompiled),
        Some(keys::COMPILED_CURRENT_VERSION) => {}
        Some(found) => return Err(ArtifactError::IncompatibleCompiledVersion { found: found.to_owned() }),
    }
    let found = model.metadata(keys::FRAMEWORK_IR_VERSION_KEY).unwrap_or_default();
    if found != FRAMEWORK_IR_VERSION {
        return Err(ArtifactError::IncompatibleIrVersion { found: found.to_owned() });
    }
    Ok(model)
}

/// The model in a file, compiled or not.
///
/// # Errors
/// Says why the bytes are no ONNX file of bb's version.
pub fn decode(bytes: &[u8]) -> Result<ModelProto, ArtifactError> {
    let model = decode_any(bytes)?;
    match model.ir_version() {
        ONNX_IR_VERSION => Ok(model),
        found => Err(ArtifactError::IncompatibleOnnxVersion { found }),
    }
}

/// The model in a file of any version of ONNX, of whatever origin.
///
/// # Errors
/// Says why the bytes are no ONNX file.
pub fn decode_any(bytes: &[u8]) -> Result<ModelProto, ArtifactError> {
    if bytes.is_empty() {
        return Err(ArtifactError::Empty);
    }
    if bytes.len() > ARTIFACT_BYTES_MAX {
        return Err(ArtifactError::TooLarge { bytes: bytes.len() });
    }
    scan::scan(bytes, &shape::MODEL, &Budget { depth_max: DEPTH_MAX, memory_max: memory_max(bytes.len()) })?;
    ModelProto::decode(bytes).map_err(|_| ArtifactError::Content)
}

/// How much memory decoding may take. A real program takes ten times its bytes; an attribute without anything in it
/// would take two hundred times its two.
const fn memory_max(bytes: usize) -> usize {
    bytes.saturating_mul(32).saturating_add(1 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::onnx::{FunctionProto, NodeProto};
    use crate::verify::Level;
    use crate::verify::sample::model;
    use proptest::prelude::*;

    #[test]
    fn only_a_compiled_model_of_this_version_is_read() {
        let sealed = model(Level::Sealed);
        assert_eq!(read(&write(&sealed)), Ok(sealed.clone()));
        let changed = |change: fn(&mut ModelProto)| {
            let mut model = sealed.clone();
            change(&mut model);
            read(&write(&model)).expect_err("the change makes it another")
        };
        assert_eq!(changed(|m| m.remove_metadata(keys::COMPILED_KEY)), ArtifactError::NotCompiled);
        assert_eq!(
            changed(|m| m.set_metadata(keys::COMPILED_KEY, "v0")),
            ArtifactError::IncompatibleCompiledVersion { found: "v0".into() }
        );
        assert_eq!(
            changed(|m| m.set_metadata(keys::FRAMEWORK_IR_VERSION_KEY, "0")),
            ArtifactError::IncompatibleIrVersion { found: "0".into() }
        );
        assert_eq!(changed(|m| m.ir_version = Some(9)), ArtifactError::IncompatibleOnnxVersion { found: 9 });
    }

    #[test]
    fn what_is_no_file_is_refused_and_says_why() {
        assert_eq!(read(&[]), Err(ArtifactError::Empty));
        let bytes = write(&model(Level::Sealed));
        assert!(matches!(read(&bytes[..bytes.len() - 1]), Err(ArtifactError::Malformed(ScanError::Truncated { .. }))));
        assert!(matches!(read(b"hello, world"), Err(ArtifactError::Malformed(_))));
        // A text of one byte that is not UTF-8.
        assert_eq!(read(&[0x12, 1, 0xff]), Err(ArtifactError::Content));
    }

    #[test]
    fn bytes_that_would_become_two_hundred_times_as_much_are_refused_before_decoding() {
        let node = NodeProto { attribute: vec![Default::default(); 1 << 16], ..NodeProto::default() };
        let function = FunctionProto { node: vec![node], ..FunctionProto::default() };
        let bytes = ModelProto { functions: vec![function], ..ModelProto::default() }.encode_to_vec();
        assert!(matches!(read(&bytes), Err(ArtifactError::Malformed(ScanError::Memory { .. }))));
    }

    #[test]
    fn messages_nested_too_deep_are_refused() {
        let mut model = ModelProto::default();
        for _ in 0..40 {
            let node = NodeProto {
                attribute: vec![crate::proto::onnx::AttributeProto { g: model.graph, ..Default::default() }],
                ..NodeProto::default()
            };
            model.graph = Some(crate::proto::onnx::GraphProto { node: vec![node], ..Default::default() });
        }
        assert_eq!(read(&write(&model)), Err(ArtifactError::Malformed(ScanError::Nesting { max: DEPTH_MAX })));
    }

    #[test]
    fn a_real_program_stays_far_below_the_bound() {
        let bytes = write(&model(Level::Sealed));
        let budget = Budget { depth_max: DEPTH_MAX, memory_max: usize::MAX };
        let counted = scan::scan(&bytes, &shape::MODEL, &budget).expect("just encoded");
        assert!(counted.memory < 16 * bytes.len(), "{} bytes take {}", bytes.len(), counted.memory);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..20), end: prop::sample::Index) {
            let mut bytes = write(&model(Level::Sealed));
            for (at, byte) in flips {
                let at = at.index(bytes.len());
                bytes[at] ^= byte;
            }
            let _ = read(&bytes[..end.index(bytes.len())]);
            // The scan is no stricter than prost about files that prost itself writes.
            if let Ok(model) = ModelProto::decode(bytes.as_slice()) {
                let again = model.encode_to_vec();
                prop_assert!(!matches!(decode(&again), Err(ArtifactError::Content)));
            }
        }
    }
}
