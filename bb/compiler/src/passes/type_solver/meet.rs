//! What two statements about one value mean together.

use super::Fact;
use super::dims::{Because, Clash, Dims, Extent};
use super::types::Type;
use bb_ir::types::ValueType;
use std::rc::Rc;

/// Why two statements about a value cannot both hold.
#[derive(Debug)]
pub enum TypeError {
    /// They name two element types, or two kinds of value.
    Elements,
    /// They name two ranks.
    Ranks,
    /// They name two sizes of one dimension.
    Sizes(Clash),
}

/// What a type is together with what is said of it; `None` where it stays as it is. That two dimensions are one is
/// written down in `dims`.
pub fn meet(dims: &mut Dims, known: &Type, said: &Type, because: &Because) -> Result<Option<Type>, TypeError> {
    match (known, said) {
        (Type::Tensor { element, shape }, Type::Tensor { element: also, shape: dimensions }) => {
            let both = match (element, also) {
                (Some(a), Some(b)) if a != b => return Err(TypeError::Elements),
                (a, b) => a.or(*b),
            };
            let met = match (shape, dimensions) {
                (Some(known), Some(said)) => meet_shapes(dims, known, said, because)?,
                (None, Some(said)) => Some(said.clone()),
                (_, None) => None,
            };
            let changed = both != *element || met.is_some();
            Ok(changed.then(|| Type::Tensor { element: both, shape: met.or_else(|| shape.clone()) }))
        }
        (Type::Seq(known), Type::Seq(said)) => {
            Ok(meet(dims, known, said, because)?.map(|met| Type::Seq(Box::new(met))))
        }
        (Type::Plain(a), Type::Plain(b)) if a == b => Ok(None),
        // As ONNX sees it everything is a tensor: what a denotation adds, a value keeps.
        (_, Type::Tensor { element: None, shape: None }) => Ok(None),
        (Type::Tensor { element: None, shape: None }, other) => Ok(Some(other.clone())),
        _ => Err(TypeError::Elements),
    }
}

fn meet_shapes(
    dims: &mut Dims,
    known: &Rc<[Extent]>,
    said: &Rc<[Extent]>,
    because: &Because,
) -> Result<Option<Rc<[Extent]>>, TypeError> {
    if Rc::ptr_eq(known, said) {
        return Ok(None);
    }
    if known.len() != said.len() {
        return Err(TypeError::Ranks);
    }
    for (a, b) in known.iter().zip(&**said) {
        dims.unify(*a, *b, because).map_err(TypeError::Sizes)?;
    }
    let more = |(a, b): (&Extent, &Extent)| *a == Extent::Any && *b != Extent::Any;
    if !known.iter().zip(&**said).any(more) {
        return Ok(None);
    }
    Ok(Some(known.iter().zip(&**said).map(|(a, b)| if *a == Extent::Any { *b } else { *a }).collect()))
}

/// What both say together, and what that says of names of dimensions.
pub fn meet_written(a: &ValueType, b: &ValueType) -> Result<(ValueType, Vec<Fact>), TypeError> {
    let mut dims = Dims::default();
    let (known, said) = (Type::of(a, &mut dims), Type::of(b, &mut dims));
    let met = meet(&mut dims, &known, &said, &Because::Unsaid)?;
    Ok((met.as_ref().unwrap_or(&known).written(&dims), dims.facts()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bb_ir::types::{Dim, ElementKind};

    fn shaped(dims: &[Dim]) -> ValueType {
        ValueType::Tensor { element: Some(ElementKind::F32), shape: Some(dims.to_vec()) }
    }
    fn named(name: &str) -> Dim {
        Dim::Named(name.into())
    }

    #[test]
    fn a_size_is_narrower_than_a_name_and_a_name_than_nothing() {
        let a = shaped(&[named("N"), Dim::Unknown, named("K")]);
        let b = shaped(&[Dim::Unknown, Dim::Size(64), named("M")]);
        let (both, facts) = meet_written(&a, &b).expect("they meet");
        assert_eq!(both, shaped(&[named("N"), Dim::Size(64), named("K")]));
        assert_eq!(facts, [("M".to_owned(), named("K"))]);
        let (both, facts) = meet_written(&both, &shaped(&[Dim::Size(3), Dim::Unknown, Dim::Unknown])).expect("a size");
        assert_eq!(both, shaped(&[Dim::Size(3), Dim::Size(64), named("K")]));
        assert_eq!(facts, [("N".to_owned(), Dim::Size(3))]);
    }

    #[test]
    fn one_name_is_one_size() {
        let twice = shaped(&[named("N"), named("N")]);
        assert!(matches!(meet_written(&twice, &shaped(&[Dim::Size(2), Dim::Size(3)])), Err(TypeError::Sizes(_))));
        assert!(meet_written(&twice, &shaped(&[Dim::Size(2), Dim::Size(2)])).is_ok());
    }

    #[test]
    fn sizes_ranks_and_elements_that_differ_do_not_meet() {
        let error = |a: &ValueType, b: &ValueType| meet_written(a, b).expect_err("they differ");
        assert!(matches!(error(&shaped(&[Dim::Size(3)]), &shaped(&[Dim::Size(4)])), TypeError::Sizes(_)));
        assert!(matches!(error(&shaped(&[]), &shaped(&[Dim::Size(4)])), TypeError::Ranks));
        assert!(matches!(error(&shaped(&[]), &ValueType::scalar(ElementKind::I64)), TypeError::Elements));
        assert!(matches!(error(&ValueType::peer(), &ValueType::Trigger), TypeError::Elements));
    }

    #[test]
    fn a_denotation_stays_with_what_only_looks_like_a_tensor() {
        let any = ValueType::Tensor { element: None, shape: None };
        for of in [ValueType::Duration, ValueType::peer()] {
            assert_eq!(meet_written(&of, &any).expect("they meet").0, of);
            assert_eq!(meet_written(&any, &of).expect("they meet").0, of);
        }
    }
}
