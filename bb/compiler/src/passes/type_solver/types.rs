//! Types while they are being found out: as those of the IR, their dimensions under symbols.

use super::dims::{Dims, Extent, anonymous};
use bb_ir::types::{Dim, ElementKind, ValueType};
use std::rc::Rc;

/// The type of a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// A tensor. No element type = any; no shape = any rank.
    Tensor {
        /// What it holds.
        element: Option<ElementKind>,
        /// Its dimensions.
        shape: Option<Rc<[Extent]>>,
    },
    /// Several values of one type. A dimension without size and name may be another one in each.
    Seq(Box<Type>),
    /// What has no dimensions to be found out: peers, payloads of a user's own, durations, triggers.
    Plain(ValueType),
}

impl Type {
    /// A tensor.
    pub fn tensor(element: Option<ElementKind>, shape: Option<Vec<Extent>>) -> Self {
        Type::Tensor { element, shape: shape.map(Into::into) }
    }
    /// Several peers.
    pub fn peer() -> Self {
        Type::Plain(ValueType::peer())
    }

    /// The type that the IR writes so.
    pub fn of(written: &ValueType, dims: &mut Dims) -> Self {
        match written {
            ValueType::Tensor { element, shape } => {
                let shape = shape.as_ref().map(|all| all.iter().map(|dim| dims.extent(dim)).collect());
                Type::Tensor { element: *element, shape }
            }
            ValueType::Seq(of) => Type::Seq(Box::new(Type::of(of, dims))),
            plain => Type::Plain(plain.clone()),
        }
    }

    /// As the IR writes it. Names that stand for a caller's are left out.
    pub fn written(&self, dims: &Dims) -> ValueType {
        self.map(&mut |extent| match dims.dim(extent) {
            Dim::Named(name) if anonymous(&name) => Dim::Unknown,
            dim => dim,
        })
    }

    /// As the IR writes it, each dimension as `write` says.
    pub fn map(&self, write: &mut impl FnMut(Extent) -> Dim) -> ValueType {
        match self {
            Type::Tensor { element, shape } => {
                let shape = shape.as_ref().map(|extents| extents.iter().map(|e| write(*e)).collect());
                ValueType::Tensor { element: *element, shape }
            }
            Type::Seq(of) => ValueType::Seq(Box::new(of.map(write))),
            Type::Plain(plain) => plain.clone(),
        }
    }

    /// Its dimensions, of the values in a sequence as well.
    pub fn extents(&self) -> &[Extent] {
        match self {
            Type::Tensor { shape: Some(shape), .. } => shape,
            Type::Seq(of) => of.extents(),
            Type::Tensor { shape: None, .. } | Type::Plain(_) => &[],
        }
    }

    /// Of one value among several: only sizes and names hold for all of them.
    pub fn among_several(&self, dims: &Dims) -> Type {
        match self {
            Type::Tensor { element, shape: Some(shape) } => {
                let all = |extent: &Extent| match dims.resolve(*extent) {
                    symbol @ Extent::Symbol(_) if dims.name(symbol).is_none() => Extent::Any,
                    known => known,
                };
                Type::Tensor { element: *element, shape: Some(shape.iter().map(all).collect()) }
            }
            other => other.clone(),
        }
    }

    /// As a value has it: a dimension that nothing is said of is one all the same, so that others can be it.
    pub fn of_a_value(self, dims: &mut Dims) -> Type {
        match self {
            Type::Tensor { element, shape: Some(shape) } if shape.contains(&Extent::Any) => {
                let one = |extent: &Extent| if *extent == Extent::Any { dims.fresh() } else { *extent };
                Type::Tensor { element, shape: Some(shape.iter().map(one).collect()) }
            }
            other => other,
        }
    }
}

/// In a user's words: `tensor of f32 with the shape (N, 64)`.
pub fn show(of: &ValueType) -> String {
    match of {
        ValueType::Tensor { element, shape } => {
            let element = element.map_or("any element", |e| e.name());
            match shape.as_deref() {
                None => format!("tensor of `{element}`"),
                Some([]) => format!("`{element}`"),
                Some(dims) => format!("tensor of `{element}` with the shape {}", show_dims(dims)),
            }
        }
        ValueType::Denoted(what) => format!("`{what}`"),
        ValueType::Duration => "`Duration`".into(),
        ValueType::Trigger => "trigger".into(),
        ValueType::Seq(of) => format!("sequence of {}", show(of)),
    }
}

fn show_dims(dims: &[Dim]) -> String {
    let dims = dims.iter().map(|d| match d {
        Dim::Size(n) => n.to_string(),
        Dim::Named(name) => name.clone(),
        Dim::Unknown => "_".into(),
    });
    format!("({})", dims.collect::<Vec<_>>().join(", "))
}
