//! Types of values: as Rust sees them, as ONNX writes them, and as peers compare them.

use crate::keys::TRIGGER_DENOTATION;
use crate::proto::onnx::{TensorShapeProto, TypeProto, tensor_shape_proto, type_proto};
use sha2_const_stable::Sha256;

/// The denotation of a peer value.
pub const PEER_DENOTATION: &str = "bb.peer";
/// The denotation of a `String`.
pub const STRING_DENOTATION: &str = "bb.string";
/// The denotation of a `Vec<u8>`.
pub const BYTES_DENOTATION: &str = "bb.bytes";
/// The denotation of a `Duration`: an i64 of rank 0, nanoseconds.
pub const DURATION_DENOTATION: &str = "bb.duration";
/// The denotation of an entry of a gather's `missing`: u32 LE failure code, multihash.
pub const MISSING_DENOTATION: &str = "bb.missing";

/// What a tensor holds. The numbers are those of ONNX's `TensorProto.DataType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum ElementKind {
    F32 = 1,
    U8 = 2,
    I8 = 3,
    U16 = 4,
    I16 = 5,
    I32 = 6,
    I64 = 7,
    Bool = 9,
    F64 = 11,
    U32 = 12,
    U64 = 13,
}

impl ElementKind {
    /// All of them.
    pub const ALL: [ElementKind; 11] = [
        Self::F32,
        Self::U8,
        Self::I8,
        Self::U16,
        Self::I16,
        Self::I32,
        Self::I64,
        Self::Bool,
        Self::F64,
        Self::U32,
        Self::U64,
    ];

    /// The element type of that ONNX number.
    pub fn from_onnx(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|k| *k as i32 == number)
    }
    /// The size of one element in bytes.
    pub const fn size(self) -> usize {
        match self {
            Self::U8 | Self::I8 | Self::Bool => 1,
            Self::U16 | Self::I16 => 2,
            Self::F32 | Self::I32 | Self::U32 => 4,
            Self::I64 | Self::F64 | Self::U64 => 8,
        }
    }
    /// Rust's name of it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::U8 => "u8",
            Self::I8 => "i8",
            Self::U16 => "u16",
            Self::I16 => "i16",
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::Bool => "bool",
            Self::F64 => "f64",
            Self::U32 => "u32",
            Self::U64 => "u64",
        }
    }
}

/// One dimension of a shape.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dim {
    /// Of this size.
    Size(u64),
    /// Of a size that has a name.
    Named(String),
    /// Nothing is known.
    Unknown,
}

/// The type of a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// A tensor. No element type = any; no shape = any rank.
    Tensor {
        /// What it holds.
        element: Option<ElementKind>,
        /// Its dimensions.
        shape: Option<Vec<Dim>>,
    },
    /// `uint8[n]` with a denotation: a peer, a string, bytes, a user's payload. A user's is its whole canonical text,
    /// `<crate>.<Type>{1:tensor(f32),…}`, so that the hash follows from the model alone.
    Denoted(String),
    /// i64 of rank 0 with the denotation `bb.duration`.
    Duration,
    /// `uint8[0]`, `bb.trigger`.
    Trigger,
    /// Several values of one type.
    Seq(Box<ValueType>),
}

impl ValueType {
    /// A number: a tensor of rank 0.
    pub fn scalar(element: ElementKind) -> Self {
        ValueType::Tensor { element: Some(element), shape: Some(Vec::new()) }
    }
    /// A tensor of any shape.
    pub fn tensor(element: ElementKind) -> Self {
        ValueType::Tensor { element: Some(element), shape: None }
    }
    /// A peer.
    pub fn peer() -> Self {
        ValueType::Denoted(PEER_DENOTATION.into())
    }

    /// As ONNX writes it.
    pub fn to_proto(&self) -> TypeProto {
        let tensor = |element: i32, dims: Option<&[Dim]>, denotation: Option<&str>| TypeProto {
            denotation: denotation.map(Into::into),
            value: Some(type_proto::Value::TensorType(type_proto::Tensor {
                elem_type: Some(element),
                shape: dims.map(shape_to_proto),
            })),
        };
        match self {
            ValueType::Tensor { element, shape } => tensor(element.map_or(0, |e| e as i32), shape.as_deref(), None),
            ValueType::Denoted(d) => tensor(ElementKind::U8 as i32, Some(&[Dim::Unknown]), Some(d)),
            ValueType::Duration => tensor(ElementKind::I64 as i32, Some(&[]), Some(DURATION_DENOTATION)),
            ValueType::Trigger => tensor(ElementKind::U8 as i32, Some(&[Dim::Size(0)]), Some(TRIGGER_DENOTATION)),
            ValueType::Seq(of) => TypeProto {
                denotation: None,
                value: Some(type_proto::Value::SequenceType(Box::new(type_proto::Sequence {
                    elem_type: Some(Box::new(of.to_proto())),
                }))),
            },
        }
    }

    /// What a `TypeProto` says; `None` where it is no type of bb's.
    pub fn from_proto(proto: &TypeProto) -> Option<Self> {
        match proto.value.as_ref()? {
            type_proto::Value::TensorType(t) => {
                let element = ElementKind::from_onnx(t.elem_type());
                // Most have none, and are not compared with others.
                if proto.denotation().is_empty() {
                    let known = element.is_some() || t.elem_type() == 0;
                    let shape = || t.shape.as_ref().map(shape_from_proto);
                    return known.then(|| ValueType::Tensor { element, shape: shape() });
                }
                match proto.denotation() {
                    TRIGGER_DENOTATION => Some(ValueType::Trigger),
                    DURATION_DENOTATION => Some(ValueType::Duration),
                    d => (element == Some(ElementKind::U8)).then(|| ValueType::Denoted(d.into())),
                }
            }
            type_proto::Value::SequenceType(s) => {
                Some(ValueType::Seq(Box::new(Self::from_proto(s.elem_type.as_ref()?)?)))
            }
            _ => None,
        }
    }

    /// Whether it is a sequence of peers.
    pub fn is_cohort(&self) -> bool {
        matches!(self, ValueType::Seq(of) if of.is_peer())
    }
    /// Whether it is a peer.
    pub fn is_peer(&self) -> bool {
        matches!(self, ValueType::Denoted(d) if d == PEER_DENOTATION)
    }

    /// The text that peers agree on: element type, not shape.
    pub fn canonical_text(&self) -> String {
        match self {
            ValueType::Tensor { element, .. } => format!("tensor({})", element.map_or("any", ElementKind::name)),
            ValueType::Denoted(d) => d.clone(),
            ValueType::Duration => DURATION_DENOTATION.into(),
            ValueType::Trigger => TRIGGER_DENOTATION.into(),
            ValueType::Seq(of) => format!("seq({})", of.canonical_text()),
        }
    }

    /// What a sender states of its payload: see [`hash_of_text`].
    pub fn hash(&self) -> u64 {
        hash_of_text(&self.canonical_text())
    }
}

/// The first 8 bytes, little-endian, of SHA-256("bb.type.v1" ‖ 0x00 ‖ canonical type text).
pub const fn hash_of_text(text: &str) -> u64 {
    let digest = Sha256::new().update(b"bb.type.v1\0").update(text.as_bytes()).finalize();
    match digest.first_chunk() {
        Some(first) => u64::from_le_bytes(*first),
        None => panic!("a digest has 32 bytes"),
    }
}

fn shape_to_proto(dims: &[Dim]) -> TensorShapeProto {
    use tensor_shape_proto::{Dimension, dimension::Value};
    TensorShapeProto {
        dim: dims
            .iter()
            .map(|d| Dimension {
                denotation: None,
                value: match d {
                    Dim::Size(n) => Some(Value::DimValue(i64::try_from(*n).unwrap_or(i64::MAX))),
                    Dim::Named(name) => Some(Value::DimParam(name.clone())),
                    Dim::Unknown => None,
                },
            })
            .collect(),
    }
}

fn shape_from_proto(shape: &TensorShapeProto) -> Vec<Dim> {
    use tensor_shape_proto::dimension::Value;
    shape
        .dim
        .iter()
        .map(|d| match &d.value {
            Some(Value::DimValue(n)) => u64::try_from(*n).map_or(Dim::Unknown, Dim::Size),
            Some(Value::DimParam(name)) => Dim::Named(name.clone()),
            None => Dim::Unknown,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_survive_the_way_through_onnx() {
        for t in [
            ValueType::scalar(ElementKind::U64),
            ValueType::tensor(ElementKind::F32),
            ValueType::Tensor { element: None, shape: Some(vec![Dim::Named("N".into()), Dim::Size(64), Dim::Unknown]) },
            ValueType::peer(),
            ValueType::Duration,
            ValueType::Trigger,
            ValueType::Seq(Box::new(ValueType::peer())),
            ValueType::Denoted("app.Report{1:tensor(f32),2:tensor(u64)}".into()),
        ] {
            assert_eq!(ValueType::from_proto(&t.to_proto()).as_ref(), Some(&t));
        }
    }

    /// The numbers come from Python's hashlib: `tests/vectors.py`.
    #[test]
    fn hashes_are_those_of_an_independent_implementation() {
        let tensor = |element| ValueType::tensor(element);
        let denoted = |text: &str| ValueType::Denoted(text.into());
        for (ty, hash) in [
            (tensor(ElementKind::F32), 0x6d435a86f95fcbf2),
            (ValueType::scalar(ElementKind::U64), 0xd383189290706db5),
            (tensor(ElementKind::Bool), 0xc94882dc8ff693ff),
            (ValueType::Tensor { element: None, shape: None }, 0x03b7359735d743a9),
            (ValueType::peer(), 0x0ec0d32a34fac487),
            (ValueType::Trigger, 0xe563dd79e32cb171),
            (denoted(STRING_DENOTATION), 0xa47664997d2e6447),
            (denoted(BYTES_DENOTATION), 0xeba3c0e49aaeb91e),
            (ValueType::Seq(Box::new(tensor(ElementKind::F32))), 0x80c33a0cc04ba5be),
            (denoted("app.Report{1:tensor(f32),2:tensor(u64)}"), 0x91c785d4046e1cde),
        ] {
            assert_eq!(ty.hash(), hash, "{}", ty.canonical_text());
        }
    }
}
