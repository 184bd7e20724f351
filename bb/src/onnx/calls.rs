//! What models are called with, and what they give.

use crate::place::{On, Place};
use crate::record::{SiteRef, Source};
use crate::tensor::{ElementType, Shape, Tensor};
use bb_ir::types::ValueType;

/// What a model is called with: a tensor, or a tuple of tensors at one place.
#[diagnostic::on_unimplemented(
    message = "a model cannot be called with `{Self}`",
    label = "neither a tensor nor a tuple of tensors at one place",
    note = "all inputs of a model live at one place: move them there first, `graph.wire(value, to)`"
)]
pub trait OnnxInputs {
    /// Where they live, and the model runs.
    type Place: Place;
    #[doc(hidden)]
    fn sites(&self) -> Vec<SiteRef>;
}

/// What a call of a model gives: a tensor, or a tuple of tensors.
#[diagnostic::on_unimplemented(
    message = "a model that runs on `{P}` cannot give `{Self}`",
    label = "neither a tensor on `{P}` nor a tuple of them",
    note = "say what it gives, for example `let scores: On<{P}, Tensor> = model.call(x);`"
)]
pub trait OnnxOutputs<P> {
    #[doc(hidden)]
    fn types() -> Vec<ValueType>;
    #[doc(hidden)]
    fn emit(source: &mut Source) -> Self;
}

/// A tensor of any element type, as a Rust type says it.
pub trait OnnxTensor {
    #[doc(hidden)]
    fn value_type() -> ValueType;
}
impl<E: ElementType, S: Shape> OnnxTensor for Tensor<E, S> {
    fn value_type() -> ValueType {
        ValueType::Tensor { element: E::ELEMENT, shape: S::dims() }
    }
}

impl<P: Place, T: OnnxTensor> OnnxInputs for On<P, T> {
    type Place = P;
    fn sites(&self) -> Vec<SiteRef> {
        vec![self.site]
    }
}
impl<P: Place, T: OnnxTensor> OnnxOutputs<P> for On<P, T> {
    fn types() -> Vec<ValueType> {
        vec![T::value_type()]
    }
    fn emit(source: &mut Source) -> Self {
        On::at(source.take())
    }
}

macro_rules! tuples { ($($($t:ident $i:tt),*;)*) => { $(
    impl<P: Place, $($t: OnnxTensor),*> OnnxInputs for ($(On<P, $t>,)*) {
        type Place = P;
        fn sites(&self) -> Vec<SiteRef> { vec![$(self.$i.site),*] }
    }
    impl<P: Place, $($t: OnnxTensor),*> OnnxOutputs<P> for ($(On<P, $t>,)*) {
        fn types() -> Vec<ValueType> { vec![$($t::value_type()),*] }
        fn emit(source: &mut Source) -> Self { ($(On::<P, $t>::at(source.take()),)*) }
    }
)* } }
tuples! { A 0, B 1; A 0, B 1, C 2; A 0, B 1, C 2, D 3; A 0, B 1, C 2, D 3, E 4; A 0, B 1, C 2, D 3, E 4, F 5; }
