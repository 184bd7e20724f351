//! The bytes of a compiled partition: an ONNX file.

use crate::keys;
use crate::proto::onnx::ModelProto;
use crate::views::Metadata;
use prost::Message;

/// Why bytes are no artifact that this version runs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArtifactError {
    /// There are no bytes: the program has faults, or the module is a fragment.
    #[error("the artifact is empty: the program did not compile")]
    Empty,
    /// Not an ONNX file.
    #[error("these bytes are not an artifact: {0}")]
    Malformed(String),
    /// An ONNX file that no compiler of ours has been over.
    #[error("the model is not compiled")]
    NotCompiled,
    /// Compiled for another version of the engine.
    #[error("the artifact is compiled as `{found}`, and this version runs `{}`", keys::COMPILED_CURRENT_VERSION)]
    IncompatibleCompiledVersion {
        /// Its passport.
        found: String,
    },
}

/// The file of a model.
pub fn write(model: &ModelProto) -> Vec<u8> {
    model.encode_to_vec()
}

/// The model in a file, if it carries the passport of this version.
///
/// # Errors
/// Says why an engine cannot run it.
pub fn read(bytes: &[u8]) -> Result<ModelProto, ArtifactError> {
    if bytes.is_empty() {
        return Err(ArtifactError::Empty);
    }
    let model = ModelProto::decode(bytes).map_err(|e| ArtifactError::Malformed(e.to_string()))?;
    match model.metadata(keys::COMPILED_KEY) {
        None => Err(ArtifactError::NotCompiled),
        Some(keys::COMPILED_CURRENT_VERSION) => Ok(model),
        Some(found) => Err(ArtifactError::IncompatibleCompiledVersion { found: found.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_compiled_model_of_this_version_is_read() {
        let mut model = ModelProto { producer_name: Some("bb".into()), ..ModelProto::default() };
        assert_eq!(read(&write(&model)), Err(ArtifactError::NotCompiled));
        model.set_metadata(keys::COMPILED_KEY, "v0");
        assert_eq!(read(&write(&model)), Err(ArtifactError::IncompatibleCompiledVersion { found: "v0".into() }));
        model.set_metadata(keys::COMPILED_KEY, keys::COMPILED_CURRENT_VERSION);
        let bytes = write(&model);
        assert_eq!(read(&bytes), Ok(model));
        assert_eq!(read(&[]), Err(ArtifactError::Empty));
        assert!(matches!(read(&bytes[..bytes.len() - 1]), Err(ArtifactError::Malformed(_))));
    }
}
