//! Which updates are ones at all: as many finite numbers as the model has.

use bb::{OpError, Partial, PeerId, Tensor};

/// All updates; one that is none makes them no whole.
pub(super) fn all_sound(updates: Partial<(Tensor, u64)>, shape: &[u64]) -> Result<Vec<(Tensor, u64)>, OpError> {
    for (peer, (update, _)) in updates.iter() {
        if let Some(fault) = fault(update, shape) {
            return Err(OpError::new(format!("the update of {peer} {fault}")));
        }
    }
    let updates: Vec<_> = updates.into_rows().into_iter().map(|(_, update)| update).collect();
    if updates.is_empty() { Err(none(None)) } else { Ok(updates) }
}

/// The updates that are ones, and how many are not.
pub(super) struct Sorted {
    pub sound: Vec<Tensor>,
    pub unsound: usize,
    first: Option<String>,
}

impl Sorted {
    /// Sets aside what is no update; there has to be one that is.
    pub fn new(updates: Partial<(Tensor, u64)>, shape: &[u64]) -> Result<Self, OpError> {
        let mut sorted = Sorted { sound: Vec::new(), unsound: 0, first: None };
        for (peer, (update, _)) in updates.into_rows() {
            match fault(&update, shape) {
                None => sorted.sound.push(update),
                Some(fault) => sorted.set_aside(&peer, &fault),
            }
        }
        if sorted.sound.is_empty() { Err(none(sorted.first)) } else { Ok(sorted) }
    }
    fn set_aside(&mut self, peer: &PeerId, fault: &str) {
        self.unsound += 1;
        self.first.get_or_insert_with(|| format!("the update of {peer} {fault}"));
    }

    /// How many of the sound ones may still be lies, if `liars` of all may be and each unsound one is.
    pub fn liars_left(&self, liars: usize) -> Result<usize, OpError> {
        liars.checked_sub(self.unsound).ok_or_else(|| self.too_many(liars))
    }
    /// That more are unsound than the `bearable`.
    pub fn too_many(&self, bearable: usize) -> OpError {
        let (unsound, all) = (self.unsound, self.sound.len() + self.unsound);
        let first = self.first.as_deref().unwrap_or_default();
        OpError::new(format!("{unsound} of {all} updates are none, and {bearable} can be borne: {first}"))
    }
    /// That fewer came than it takes.
    pub fn too_few(&self, liars: usize, needed: usize) -> OpError {
        let all = self.sound.len() + self.unsound;
        OpError::new(format!("{all} updates came; with {liars} liars among them it takes {needed}"))
    }
}

fn none(first: Option<String>) -> OpError {
    OpError::new(match first {
        None => "there is no update to fold".into(),
        Some(first) => format!("there is no update to fold: {first}"),
    })
}
fn fault(update: &Tensor, shape: &[u64]) -> Option<String> {
    if update.shape() != shape {
        return Some(format!("has the shape {:?}, the model {shape:?}", update.shape()));
    }
    update.as_slice().iter().any(|v| !v.is_finite()).then(|| "holds a number that is not finite".into())
}

/// The mean of the updates, weighted by samples. Sums are taken in f64 and in the order of lanes.
pub(super) fn weighted_mean(updates: &[(Tensor, u64)], elements: usize) -> Result<Vec<f64>, OpError> {
    let total: f64 = updates.iter().map(|(_, samples)| *samples as f64).sum();
    if total == 0.0 {
        return Err(OpError::new("no update was trained on a sample"));
    }
    let mut sum = vec![0.0f64; elements];
    for (update, samples) in updates {
        let weight = *samples as f64 / total;
        for (sum, value) in sum.iter_mut().zip(update.as_slice()) {
            *sum += weight * f64::from(*value);
        }
    }
    Ok(sum)
}
/// The mean of some rows, each counting the same.
pub(super) fn mean<'a>(rows: impl ExactSizeIterator<Item = &'a [f32]>, elements: usize) -> Vec<f64> {
    let count = rows.len() as f64;
    let mut sum = vec![0.0f64; elements];
    for row in rows {
        sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
    }
    sum.iter().map(|sum| sum / count).collect()
}
/// Gives `each` the numbers that the updates have for a parameter, in order of size, parameter by parameter.
pub(super) fn columns(updates: &[Tensor], mut each: impl FnMut(&[f32])) {
    let mut column = vec![0.0f32; updates.len()];
    for i in 0..updates.first().map_or(0, |u| u.as_slice().len()) {
        for (value, update) in column.iter_mut().zip(updates) {
            *value = update.as_slice()[i];
        }
        column.sort_unstable_by(f32::total_cmp);
        each(&column);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn tensor(values: &[f32]) -> Tensor {
        Tensor::from_vec(&[values.len() as u64], values.to_vec()).expect("as many")
    }
    /// Rows of peers 1, 2, …, of one sample each.
    pub fn updates<const N: usize>(rows: &[[f32; N]]) -> Partial<(Tensor, u64)> {
        let row = |(i, values): (usize, &[f32; N])| {
            (PeerId::from_bytes(vec![i as u8 + 1]).expect("short"), (tensor(values), 1))
        };
        Partial::new(rows.iter().enumerate().map(row).collect(), Vec::new())
    }

    #[test]
    fn what_is_no_update_is_named() {
        let rows = updates(&[[1.0, 2.0], [1.0, f32::NAN]]);
        assert!(all_sound(rows, &[2]).expect_err("one is none").to_string().contains("not finite"));
        let error = Sorted::new(updates(&[[1.0], [2.0]]), &[2]).err().expect("none is one").to_string();
        assert!(error.contains("no update to fold") && error.contains("has the shape [1], the model [2]"), "{error}");
    }
}
