//! Aggregators: one of many.

mod fed_avg;
mod median;

pub use fed_avg::FedAvg;
pub use median::Median;

use bb::ir::codec;
use bb::ir::types::{ElementKind, ValueType};
use bb::ir::value::Value;
use bb::{OpError, Partial, PeerId, Tensor};

/// The updates, if they are as many numbers of one shape.
fn checked(updates: Partial<(Tensor, u64)>, shape: &[u64]) -> Result<Vec<(Tensor, u64)>, OpError> {
    let wrong = |peer: &PeerId, what: String| Err(OpError::new(format!("the update of {peer} {what}")));
    for (peer, (update, _)) in updates.iter() {
        if update.shape() != shape {
            return wrong(peer, format!("has the shape {:?}, the model {shape:?}", update.shape()));
        }
        if update.as_slice().iter().any(|v| !v.is_finite()) {
            return wrong(peer, "holds a number that is not finite".into());
        }
    }
    let updates: Vec<_> = updates.into_rows().into_iter().map(|(_, update)| update).collect();
    if updates.is_empty() { Err(OpError::new("there is no update to fold")) } else { Ok(updates) }
}

/// A model as it is kept.
fn written(model: &Tensor) -> Vec<u8> {
    let (head, body) = codec::encode(&Value::Tensor(model.as_raw().clone()), &|_| Vec::new());
    [head, body].concat()
}
/// A model that was kept, if it has the shape of the one it takes the place of.
fn read(state: &[u8], shape: &[u64]) -> Result<Tensor, OpError> {
    let ty = ValueType::Tensor { element: Some(ElementKind::F32), shape: None };
    let decoded = codec::decode(&ty, state.to_vec().into()).map_err(|e| OpError::new(e.to_string()))?;
    let model = decoded.value.as_tensor().cloned().and_then(Tensor::<f32>::from_raw);
    let fits = model.filter(|m| m.shape() == shape && m.as_slice().iter().all(|v| v.is_finite()));
    fits.ok_or_else(|| OpError::new(format!("it is no model of shape {shape:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bb::roles::Aggregator;

    #[test]
    fn a_model_is_kept_and_taken_up_by_one_of_its_shape() {
        let tensor = |values: &[f32]| Tensor::from_vec(&[values.len() as u64], values.to_vec()).expect("as many");
        let kept = FedAvg::new(tensor(&[1.0, -2.5])).checkpoint().expect("its model");
        let mut average = FedAvg::new(tensor(&[0.0, 0.0]));
        average.restore(&kept).expect("it fits");
        assert_eq!(average.params().as_slice(), [1.0, -2.5]);
        let mut median = Median::new(tensor(&[0.0, 0.0]));
        median.restore(&kept).expect("it fits");
        assert_eq!(median.checkpoint(), Some(kept.clone()));
        for (mut other, state) in [
            (FedAvg::new(tensor(&[0.0])), kept.clone()),
            (FedAvg::new(tensor(&[0.0, 0.0])), kept[1..].to_vec()),
            (FedAvg::new(tensor(&[0.0, 0.0])), written(&tensor(&[0.0, f32::NAN]))),
        ] {
            other.restore(&state).expect_err("it does not fit");
            assert!(other.params().as_slice().iter().all(|v| *v == 0.0), "and changes nothing");
        }
    }
}
