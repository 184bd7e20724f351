//! What tract gives a value for, where there is none.

use tract_onnx::tract_core::ops::cnn::{Conv, MaxPool, PaddingSpec, PoolSpec, SumPool};
use tract_onnx::tract_hir::internal::*;

/// Refuses to reduce what has no elements: tract has values of its own for that.
pub fn refuse_empty(model: &InferenceModel) -> TractResult<()> {
    for node in model.nodes() {
        let Some(input) = node.inputs.first().filter(|_| node.op.name().starts_with("Reduce")) else { continue };
        let shape = model.outlet_fact(*input)?.shape.as_concrete_finite()?;
        ensure!(shape.is_none_or(|shape| !shape.contains(&0)), "{} of no elements", node.op.name());
    }
    Ok(())
}

/// Refuses a window that does not fit into what it looks at.
pub fn refuse(model: &TypedModel) -> TractResult<()> {
    for node in &model.nodes {
        let Some(input) = node.inputs.first() else { continue };
        let Some(shape) = model.outlet_fact(*input)?.shape.as_concrete() else { continue };
        let pool = node.op_as::<MaxPool>().map(|op| &op.pool_spec);
        let pool = pool.or_else(|| node.op_as::<SumPool>().map(|op| &op.pool_spec));
        let pool = pool.or_else(|| node.op_as::<Conv>().map(|op| &op.pool_spec));
        if let Some(pool) = pool {
            refuse_window(pool, shape)?;
        }
    }
    Ok(())
}

fn refuse_window(pool: &PoolSpec, shape: &[usize]) -> TractResult<()> {
    let shape = pool.data_format.shape(shape)?;
    for (at, (size, window)) in shape.hw_dims().iter().zip(&pool.kernel_shape).enumerate() {
        let padded = match &pool.padding {
            PaddingSpec::SameLower | PaddingSpec::SameUpper => continue,
            PaddingSpec::Valid => *size,
            PaddingSpec::Explicit(front, behind) | PaddingSpec::ExplicitOnnxPool(front, behind, _) => {
                size + front[at] + behind[at]
            }
        };
        let spans = (window - 1) * pool.dilations.as_ref().map_or(1, |steps| steps[at]) + 1;
        ensure!(spans <= padded, "a window of {window} that spans {spans} does not fit into {padded}");
    }
    Ok(())
}
