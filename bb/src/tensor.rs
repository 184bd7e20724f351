//! Tensors: the element type is a Rust type, the shape is written down where it is known.

use crate::typed::Typed;
use bb_ir::types::{Dim as IrDim, ElementKind};
use bb_ir::value::{RawTensor, Scalar};
use std::marker::PhantomData;

/// A typed view of shared elements: cloning and sending copy none of them.
///
/// `E` is the element type, `S` is [`AnyShape`] or a tuple of dimensions, `(N, D<64>)`.
///
/// ```
/// let t: bb::Tensor = bb::Tensor::from_vec(&[2, 2], vec![1.0, 2.0, 3.0, 4.0]).unwrap();
/// assert_eq!(t.shape(), [2, 2]);
/// assert_eq!(t.as_slice(), [1.0, 2.0, 3.0, 4.0]);
/// assert_eq!(bb::Tensor::from([1.0, 2.0]).shape(), [2]);
/// ```
pub struct Tensor<E: ElementType = f32, S: Shape = AnyShape> {
    raw: RawTensor,
    types: PhantomData<fn() -> (E, S)>,
}

impl<E: ElementType, S: Shape> Tensor<E, S> {
    /// The tensor, if it holds such elements and has such a shape as far as both are said.
    pub fn from_raw(raw: RawTensor) -> Option<Self> {
        let element = E::ELEMENT.is_none_or(|kind| kind == raw.element());
        let shape = S::dims().is_none_or(|dims| {
            dims.len() == raw.shape().len()
                && dims.iter().zip(raw.shape()).all(|(d, n)| !matches!(d, IrDim::Size(size) if size != n))
        });
        (element && shape).then_some(Tensor { raw, types: PhantomData })
    }
    /// The tensor without its types.
    pub fn as_raw(&self) -> &RawTensor {
        &self.raw
    }
    /// The tensor without its types.
    pub fn into_raw(self) -> RawTensor {
        self.raw
    }
    /// The sizes of its dimensions; empty for a scalar.
    pub fn shape(&self) -> &[u64] {
        self.raw.shape()
    }
    /// How many elements it has.
    pub fn elements(&self) -> u64 {
        self.raw.elements()
    }
}

impl<E: ElementType + Scalar, S: Shape> Tensor<E, S> {
    /// A tensor that takes over `values`, row-major; `None` where there are not as many as `shape` says, or where it is
    /// not a shape `S`.
    pub fn from_vec(shape: &[u64], values: Vec<E>) -> Option<Self> {
        Self::from_raw(RawTensor::from_vec(shape, values)?)
    }
    /// The elements, row-major, copied.
    pub fn to_vec(&self) -> Vec<E> {
        self.raw.to_vec().expect("the element type was checked when the tensor was made")
    }
}

impl<E: ElementType + Scalar<Plain = E> + bytemuck::Pod, S: Shape> Tensor<E, S> {
    /// The elements, row-major.
    pub fn as_slice(&self) -> &[E] {
        self.raw.as_slice().expect("the element type was checked when the tensor was made")
    }
}

impl<E: ElementType, S: Shape> Clone for Tensor<E, S> {
    fn clone(&self) -> Self {
        Tensor { raw: self.raw.clone(), types: PhantomData }
    }
}
impl<E: ElementType, S: Shape> PartialEq for Tensor<E, S> {
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw
    }
}
/// A vector without elements.
impl<E: ElementType + Scalar> Default for Tensor<E> {
    fn default() -> Self {
        Self::from_vec(&[0], Vec::new()).expect("no elements are as many as [0] says")
    }
}
/// A vector: one dimension, as many elements as there are.
impl<E: ElementType + Scalar> From<Vec<E>> for Tensor<E> {
    fn from(values: Vec<E>) -> Self {
        let shape = [values.len() as u64];
        Self::from_vec(&shape, values).expect("the shape was made of their number")
    }
}
/// A vector of `N` elements.
impl<E: ElementType + Scalar, const N: usize> From<[E; N]> for Tensor<E> {
    fn from(values: [E; N]) -> Self {
        Vec::from(values).into()
    }
}
/// Its type, its shape and its first elements: what a test says that compares two of them.
impl<E: ElementType, S: Shape> std::fmt::Debug for Tensor<E, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tensor<{:?}>(", self.raw)?;
        match self.raw.element() {
            ElementKind::F32 => first::<f32>(&self.raw, f),
            ElementKind::F64 => first::<f64>(&self.raw, f),
            ElementKind::I8 => first::<i8>(&self.raw, f),
            ElementKind::I16 => first::<i16>(&self.raw, f),
            ElementKind::I32 => first::<i32>(&self.raw, f),
            ElementKind::I64 => first::<i64>(&self.raw, f),
            ElementKind::U8 => first::<u8>(&self.raw, f),
            ElementKind::U16 => first::<u16>(&self.raw, f),
            ElementKind::U32 => first::<u32>(&self.raw, f),
            ElementKind::U64 => first::<u64>(&self.raw, f),
            ElementKind::Bool => first::<bool>(&self.raw, f),
        }?;
        f.write_str(")")
    }
}

/// The first elements of a tensor of `E`.
fn first<E: Scalar + std::fmt::Debug>(raw: &RawTensor, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    const SHOWN: usize = 8;
    for (i, bytes) in raw.data().chunks_exact(raw.element().size()).take(SHOWN).enumerate() {
        let element = E::from_plain(bytemuck::pod_read_unaligned(bytes));
        write!(f, "{}{element:?}", if i == 0 { "" } else { ", " })?;
    }
    f.write_str(if raw.elements() > SHOWN as u64 { ", …" } else { "" })
}

/// What a tensor may hold: an [`Element`], or [`AnyElement`].
#[diagnostic::on_unimplemented(
    message = "a tensor cannot hold `{Self}`",
    label = "not an element type",
    note = "the element types are f32, f64, i8 to i64, u8 to u64 and bool; `AnyElement` where a component takes all of them"
)]
pub trait ElementType: 'static {
    /// Which one, if it is known.
    const ELEMENT: Option<ElementKind>;
}
/// An element type that is known.
#[diagnostic::on_unimplemented(
    message = "the element type of this tensor has to be known here, but it is `{Self}`",
    label = "`{Self}` is not one element type",
    note = "say which one it is: `.narrow::<f32>()`"
)]
pub trait Element: ElementType + Scalar + Typed + std::fmt::Debug {}
/// An element type with arithmetic.
#[diagnostic::on_unimplemented(
    message = "there is no arithmetic on tensors of `{Self}`",
    label = "of `{Self}`",
    note = "convert `bool` with `.cast::<f32>()`; of `AnyElement` say which it is with `.narrow::<f32>()`"
)]
pub trait Number: Element {}
macro_rules! elements { ($($t:ident)*) => { $(
    impl ElementType for $t { const ELEMENT: Option<ElementKind> = Some(<$t as Scalar>::KIND); }
    #[diagnostic::do_not_recommend] impl Element for $t {}
)* } }
elements!(f32 f64 i8 i16 i32 i64 u8 u16 u32 u64 bool);
macro_rules! numbers { ($($t:ident)*) => { $( #[diagnostic::do_not_recommend] impl Number for $t {} )* } }
numbers!(f32 f64 i8 i16 i32 i64 u8 u16 u32 u64);

/// Any element type: for roles such as a backend. Narrowed while compiling.
pub struct AnyElement;
impl ElementType for AnyElement {
    const ELEMENT: Option<ElementKind> = None;
}

/// [`AnyShape`], or a tuple of dimensions: `(N, D<64>)`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a shape",
    label = "not a shape",
    note = "a shape is `AnyShape` or a tuple of dimensions, `(N, D<64>)`; one dimension alone is `(N,)`"
)]
pub trait Shape: 'static {
    /// The dimensions, if anything is said.
    fn dims() -> Option<Vec<IrDim>>;
}
/// Nothing is said about the shape.
pub struct AnyShape;
impl Shape for AnyShape {
    fn dims() -> Option<Vec<IrDim>> {
        None
    }
}
/// One dimension with a name: `#[derive(bb::Dim)] pub struct N;`, or a known one: `D<64>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a dimension",
    label = "not a dimension",
    note = "a dimension is `D<64>` or a name of your own: `#[derive(bb::Dim)] pub struct {Self};`"
)]
pub trait Dim: 'static {
    /// As it is recorded.
    fn dim() -> IrDim;
}
/// A dimension of known size.
pub struct D<const N: u64>;
impl<const N: u64> Dim for D<N> {
    fn dim() -> IrDim {
        IrDim::Size(N)
    }
}
/// A shape of which something is said.
pub trait Dims: Shape {}
macro_rules! shapes { ($($($t:ident)*;)*) => { $(
    impl<$($t: Dim),*> Shape for ($($t,)*) {
        fn dims() -> Option<Vec<IrDim>> { Some(vec![$($t::dim()),*]) }
    }
    impl<$($t: Dim),*> Dims for ($($t,)*) {}
)* } }
shapes! { ; A; A B; A B C; A B C E; A B C E F; A B C E F G; }

/// Elements of this type may go where `F` are taken.
#[diagnostic::on_unimplemented(
    message = "this is a tensor of `{Self}`, but a tensor of `{F}` is taken here",
    label = "of `{Self}`, not of `{F}`",
    note = "convert it: `.cast::<{F}>()`; of `AnyElement` say which it is: `.narrow::<{F}>()`"
)]
pub trait HoldsFor<F> {}
#[diagnostic::do_not_recommend]
impl<E: ElementType> HoldsFor<E> for E {}
#[diagnostic::do_not_recommend]
impl<E: Element> HoldsFor<AnyElement> for E {}

/// A tensor of this shape may go where the shape `Z` is taken.
#[diagnostic::on_unimplemented(
    message = "this tensor has the shape `{Self}`, but `{Z}` is taken here",
    label = "shape `{Self}`, not `{Z}`",
    note = "if they are the same, say so: `.shaped::<{Z}>()`; the build checks it"
)]
pub trait ShapeFor<Z> {}
#[diagnostic::do_not_recommend]
impl<S: Shape> ShapeFor<S> for S {}
#[diagnostic::do_not_recommend]
impl<S: Dims> ShapeFor<AnyShape> for S {}
#[diagnostic::do_not_recommend]
impl<Z: Dims> ShapeFor<Z> for AnyShape {}

/// Elements of both operands.
#[diagnostic::on_unimplemented(
    message = "this is a tensor of `{Self}`, the other one a tensor of `{E}`",
    label = "of `{E}` and of `{Self}`",
    note = "convert one of them: `.cast::<{E}>()`; of `AnyElement` say which it is: `.narrow::<{E}>()`"
)]
pub trait SameElement<E> {}
#[diagnostic::do_not_recommend]
impl<E: Element> SameElement<E> for E {}
#[diagnostic::do_not_recommend]
impl<E: ElementType> SameElement<AnyElement> for E {}
