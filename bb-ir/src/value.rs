//! Values while a program runs.

use crate::peer::PeerId;
use crate::types::ElementKind;
use bytes::Bytes;
use std::sync::Arc;

/// What an op reads and writes.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// An optional input that the node leaves out.
    Absent,
    /// Something happened.
    Trigger,
    /// Numbers. Scalars are tensors of rank 0.
    Tensor(RawTensor),
    /// Who.
    Peer(PeerId),
    /// A string's UTF-8, bytes, a user's payload as protobuf, or an entry of `missing`.
    Bytes(Bytes),
    /// Several: a cohort is a sequence of peers, a closed gather a sequence per value.
    Seq(Arc<[Value]>),
}

impl Value {
    /// A number.
    #[inline]
    pub fn scalar<E: Scalar>(value: E) -> Self {
        Value::Tensor(RawTensor::scalar(value))
    }
    /// The tensor in it.
    #[inline]
    pub fn as_tensor(&self) -> Option<&RawTensor> {
        match self {
            Value::Tensor(t) => Some(t),
            _ => None,
        }
    }
    /// The number in it, if it is one of that type.
    #[inline]
    pub fn as_scalar<E: Scalar>(&self) -> Option<E> {
        self.as_tensor()?.as_scalar()
    }
    /// The peer in it.
    #[inline]
    pub fn as_peer(&self) -> Option<&PeerId> {
        match self {
            Value::Peer(p) => Some(p),
            _ => None,
        }
    }
    /// The sequence in it.
    #[inline]
    pub fn as_seq(&self) -> Option<&[Value]> {
        match self {
            Value::Seq(s) => Some(s),
            _ => None,
        }
    }
    /// How many bytes of memory its contents take: what a budget is charged.
    #[inline]
    pub fn bytes(&self) -> u64 {
        match self {
            // What most are, without a call.
            Value::Tensor(t) => t.data().len() as u64,
            other => other.bytes_of_others(),
        }
    }
    fn bytes_of_others(&self) -> u64 {
        match self {
            Value::Absent | Value::Trigger => 0,
            Value::Tensor(t) => t.data().len() as u64,
            Value::Peer(p) => p.as_bytes().len() as u64,
            Value::Bytes(b) => b.len() as u64,
            Value::Seq(s) => s.iter().map(Value::bytes).sum(),
        }
    }
}

/// Dimensions, up to [`Dims::RANK_MAX`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Dims {
    rank: u8,
    sizes: [u64; Dims::RANK_MAX],
}
impl Dims {
    /// The highest rank.
    pub const RANK_MAX: usize = 8;

    /// These dimensions; `None` where there are too many or their product overflows.
    pub fn new(sizes: &[u64]) -> Option<Self> {
        if sizes.len() > Self::RANK_MAX {
            return None;
        }
        sizes.iter().try_fold(1u64, |n, d| n.checked_mul(*d))?;
        let mut dims = Dims { rank: sizes.len() as u8, ..Dims::default() };
        dims.sizes[..sizes.len()].copy_from_slice(sizes);
        Some(dims)
    }
    /// The sizes.
    #[inline]
    pub fn as_slice(&self) -> &[u64] {
        &self.sizes[..usize::from(self.rank)]
    }
    /// Their product: 1 for rank 0.
    pub fn elements(&self) -> u64 {
        self.as_slice().iter().product()
    }
}
impl std::fmt::Debug for Dims {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_slice().fmt(f)
    }
}

/// Element type, dimensions and shared little-endian bytes, row-major.
#[derive(Clone)]
pub struct RawTensor {
    element: ElementKind,
    body: Body,
}

/// Small, because a value moves several times on its way through an op.
#[derive(Clone)]
enum Body {
    /// A number lies in the tensor itself, so that arithmetic on it allocates nothing.
    Scalar([u64; 1]),
    /// One dimension.
    Vector([u64; 1], Bytes),
    Shaped(Arc<Dims>, Bytes),
}

impl Body {
    /// Data of that many bytes as the dimensions say, aligned.
    fn of(dims: Dims, data: Bytes) -> Self {
        match dims.as_slice() {
            [] => {
                let mut inline = [0u64; 1];
                bytemuck::cast_slice_mut::<u64, u8>(&mut inline)[..data.len()].copy_from_slice(&data);
                Body::Scalar(inline)
            }
            [length] => Body::Vector([*length], data),
            _ => Body::Shaped(Arc::new(dims), data),
        }
    }
}

impl RawTensor {
    /// A tensor over `data`; `None` where the length is not that of the dimensions, or a boolean is neither 0 nor 1.
    /// Misaligned data is copied once.
    pub fn new(element: ElementKind, dims: Dims, data: Bytes) -> Option<Self> {
        let length = dims.elements().checked_mul(element.size() as u64)?;
        if data.len() as u64 != length || (element == ElementKind::Bool && data.iter().any(|b| *b > 1)) {
            return None;
        }
        let data = if dims.rank == 0 || (data.as_ptr() as usize).is_multiple_of(element.size()) {
            data
        } else {
            let mut aligned = vec![0u64; data.len().div_ceil(8)];
            bytemuck::cast_slice_mut::<u64, u8>(&mut aligned)[..data.len()].copy_from_slice(&data);
            Bytes::from_owner(Owned(aligned)).slice(..data.len())
        };
        Some(RawTensor { element, body: Body::of(dims, data) })
    }
    /// A number.
    #[inline]
    pub fn scalar<E: Scalar>(value: E) -> Self {
        let mut inline = [0u64; 1];
        let value = [value.to_plain()];
        let bytes = bytemuck::cast_slice::<E::Plain, u8>(&value);
        bytemuck::cast_slice_mut::<u64, u8>(&mut inline)[..bytes.len()].copy_from_slice(bytes);
        RawTensor { element: E::KIND, body: Body::Scalar(inline) }
    }
    /// A tensor that takes over `values`; `None` where there are not as many as the dimensions say.
    pub fn from_vec<E: Scalar>(dims: &[u64], values: Vec<E>) -> Option<Self> {
        let dims = Dims::new(dims)?;
        if dims.elements() != values.len() as u64 {
            return None;
        }
        if let ([one], 0) = (values.as_slice(), dims.rank) {
            return Some(Self::scalar(*one));
        }
        let data = Bytes::from_owner(Owned(E::into_plain(values)));
        Some(RawTensor { element: E::KIND, body: Body::of(dims, data) })
    }
    /// What it holds.
    #[inline]
    pub fn element(&self) -> ElementKind {
        self.element
    }
    /// The dimensions.
    pub fn dims(&self) -> Dims {
        match &self.body {
            Body::Scalar(_) => Dims::default(),
            Body::Vector([length], _) => {
                let mut dims = Dims { rank: 1, ..Dims::default() };
                dims.sizes[0] = *length;
                dims
            }
            Body::Shaped(dims, _) => **dims,
        }
    }
    /// The sizes of the dimensions.
    #[inline]
    pub fn shape(&self) -> &[u64] {
        match &self.body {
            Body::Scalar(_) => &[],
            Body::Vector(length, _) => length,
            Body::Shaped(dims, _) => dims.as_slice(),
        }
    }
    /// How many elements.
    #[inline]
    pub fn elements(&self) -> u64 {
        self.shape().iter().product()
    }
    /// The elements' bytes.
    #[inline]
    pub fn data(&self) -> &[u8] {
        match &self.body {
            Body::Scalar(inline) => &bytemuck::cast_slice::<u64, u8>(inline)[..self.element.size()],
            Body::Vector(_, data) | Body::Shaped(_, data) => data,
        }
    }
    /// The elements' bytes, shared.
    pub fn to_bytes(&self) -> Bytes {
        match &self.body {
            Body::Scalar(_) => Bytes::copy_from_slice(self.data()),
            Body::Vector(_, data) | Body::Shaped(_, data) => data.clone(),
        }
    }
    /// The elements; `None` where they are of another type. (Booleans are not a plain type: see [`RawTensor::data`].)
    pub fn as_slice<E: Scalar<Plain = E> + bytemuck::Pod>(&self) -> Option<&[E]> {
        (self.element == E::KIND).then(|| bytemuck::cast_slice(self.data()))
    }
    /// The elements, copied.
    pub fn to_vec<E: Scalar>(&self) -> Option<Vec<E>> {
        let plain: &[E::Plain] = (self.element == E::KIND).then(|| bytemuck::cast_slice(self.data()))?;
        Some(plain.iter().map(|p| E::from_plain(*p)).collect())
    }
    /// The number, where it is one of that type.
    #[inline]
    pub fn as_scalar<E: Scalar>(&self) -> Option<E> {
        match &self.body {
            Body::Scalar(inline) if self.element == E::KIND => {
                let bytes = &bytemuck::cast_slice::<u64, u8>(inline)[..size_of::<E::Plain>()];
                Some(E::from_plain(bytemuck::pod_read_unaligned(bytes)))
            }
            _ => None,
        }
    }
    /// The same bytes as elements of another type of that size; `None` where the size differs or a boolean would be
    /// neither 0 nor 1.
    pub fn retyped(&self, element: ElementKind) -> Option<Self> {
        (element.size() == self.element.size()).then(|| RawTensor::new(element, self.dims(), self.to_bytes()))?
    }
    /// The same elements in other dimensions; `None` where their number differs.
    pub fn reshaped(&self, dims: &[u64]) -> Option<Self> {
        let dims = Dims::new(dims)?;
        if dims.elements() != self.elements() {
            return None;
        }
        RawTensor::new(self.element, dims, self.to_bytes())
    }
}
impl PartialEq for RawTensor {
    fn eq(&self, other: &Self) -> bool {
        self.element == other.element && self.shape() == other.shape() && self.data() == other.data()
    }
}
impl std::fmt::Debug for RawTensor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{:?}", self.element.name(), self.shape())
    }
}

struct Owned<P>(Vec<P>);
impl<P: bytemuck::Pod> AsRef<[u8]> for Owned<P> {
    fn as_ref(&self) -> &[u8] {
        bytemuck::cast_slice(&self.0)
    }
}

/// A Rust type that is an element of tensors.
pub trait Scalar: Copy + Send + Sync + 'static {
    /// Which element.
    const KIND: ElementKind;
    /// Its form in memory.
    type Plain: bytemuck::Pod + Send + Sync;
    /// From its form in memory.
    fn from_plain(plain: Self::Plain) -> Self;
    /// To its form in memory.
    fn to_plain(self) -> Self::Plain;
    /// Many of them; without a copy where the forms agree.
    fn into_plain(values: Vec<Self>) -> Vec<Self::Plain>;
}
macro_rules! scalars { ($($t:ty: $kind:ident),*) => { $(impl Scalar for $t {
    const KIND: ElementKind = ElementKind::$kind;
    type Plain = $t;
    fn from_plain(plain: $t) -> $t { plain }
    fn to_plain(self) -> $t { self }
    fn into_plain(values: Vec<$t>) -> Vec<$t> { values }
})* } }
scalars!(f32: F32, f64: F64, i8: I8, i16: I16, i32: I32, i64: I64, u8: U8, u16: U16, u32: U32, u64: U64);
impl Scalar for bool {
    const KIND: ElementKind = ElementKind::Bool;
    type Plain = u8;
    fn from_plain(plain: u8) -> bool {
        plain != 0
    }
    fn to_plain(self) -> u8 {
        u8::from(self)
    }
    fn into_plain(values: Vec<bool>) -> Vec<u8> {
        values.into_iter().map(u8::from).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_no_larger_than_a_cache_line() {
        assert!(size_of::<Value>() <= 64, "{}", size_of::<Value>());
    }

    #[test]
    fn scalars_lie_in_the_tensor_and_vectors_are_not_copied() {
        assert_eq!(RawTensor::scalar(-2.5f32).as_scalar::<f32>(), Some(-2.5));
        assert_eq!(RawTensor::scalar(7u64).as_scalar::<i64>(), None);
        assert_eq!(RawTensor::scalar(true).data(), [1]);
        let values = vec![1.0f32, 2.0, 3.0];
        let at = values.as_ptr();
        let tensor = RawTensor::from_vec(&[3], values).expect("three");
        assert_eq!(tensor.as_slice::<f32>().expect("f32").as_ptr(), at);
    }

    #[test]
    fn misaligned_bytes_are_copied_once_and_wrong_ones_refused() {
        let bytes = Bytes::from_owner([0u8; 17]);
        for start in 0..4 {
            let t = RawTensor::new(ElementKind::F32, Dims::new(&[3]).expect("small"), bytes.slice(start..start + 12));
            assert_eq!(t.expect("12 bytes").as_slice::<f32>(), Some(&[0.0; 3][..]));
        }
        assert!(RawTensor::new(ElementKind::F32, Dims::new(&[3]).expect("small"), bytes.slice(..11)).is_none());
        assert!(RawTensor::new(ElementKind::Bool, Dims::new(&[1]).expect("small"), Bytes::from_static(&[2])).is_none());
        assert!(Dims::new(&[1 << 40, 1 << 40]).is_none());
    }
}
