//! Shapes that the signatures of roles and ops name.

use super::dims::Dims;
use super::relations::{Said, Statement, View};
use super::types::Type;
use crate::index::NodeIx;
use bb_ir::keys;
use bb_ir::shape_text;
use bb_ir::types::ValueType;
use bb_ir::views::Metadata;

/// What the signature of the op at `at` says of its arguments.
pub(super) fn relate(view: &View<'_, '_>, dims: &mut Dims, at: NodeIx, said: &mut Said) {
    let Some(text) = view.index.node(at).metadata(keys::TAKES_KEY) else { return };
    for (input, shape) in shape_text::parse_takes(text).unwrap_or_default() {
        let Some(value) = view.index.inputs(at).get(input).copied().flatten() else { continue };
        let mut is = Type::of(&ValueType::Tensor { element: None, shape: Some(shape) }, dims);
        let mut known = view.types[value.at()].as_ref();
        while let Some(Type::Seq(of)) = known {
            is = Type::Seq(Box::new(is));
            known = Some(of);
        }
        said.types.push(Statement { value, is, from: None });
    }
}
