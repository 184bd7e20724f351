//! Aggregators: one of many.

mod fed_avg;
mod median;

pub use fed_avg::FedAvg;
pub use median::Median;

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
