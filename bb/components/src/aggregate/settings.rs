//! Settings that are checked once, when an aggregator is made.

/// A setting is outside its range.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{setting} is {value}, and has to be {range}")]
#[non_exhaustive]
pub struct OutOfRange {
    /// Which one.
    pub setting: &'static str,
    /// What it was to be.
    pub value: f64,
    /// What it may be.
    pub range: &'static str,
}

pub(super) fn above_zero(setting: &'static str, value: f64) -> Result<f64, OutOfRange> {
    let inside = value.is_finite() && value > 0.0;
    if inside { Ok(value) } else { Err(OutOfRange { setting, value, range: "above 0 and finite" }) }
}
pub(super) fn below_one(setting: &'static str, value: f64) -> Result<f64, OutOfRange> {
    let inside = (0.0..1.0).contains(&value);
    if inside { Ok(value) } else { Err(OutOfRange { setting, value, range: "from 0 to below 1" }) }
}
