//! Components that do not do what they should.

use crate::fate::{Fate, Kind, Strike};
use bb::engine::ComponentFailure;
use bb::ir::types::ElementKind;
use bb::ir::value::{Dims, RawTensor, Value};
use bytes::Bytes;

/// One thing a component can do wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// Every floating-point number it gives is none.
    Nan,
    /// Every tensor it gives has one dimension, and one element too many.
    Shape,
    /// It refuses.
    Error,
    /// It panics, and is gone until its node starts again.
    Panic,
}

/// What a component does wrong: parts of its calls, 0 to 1, and chosen calls. Nothing where nothing is said.
///
/// ```
/// use bb_sim::{ComponentFaults, Wrong};
///
/// let often = ComponentFaults::default().nan(0.1).error(0.05);
/// let third = ComponentFaults::default().at(3, Wrong::Panic);
/// # assert_ne!(often, third);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ComponentFaults {
    nan: f64,
    shape: f64,
    error: f64,
    panic: f64,
    at: Vec<(u64, Wrong)>,
}

impl ComponentFaults {
    /// This part of the calls is [`Wrong::Nan`].
    pub fn nan(self, part: f64) -> Self {
        ComponentFaults { nan: part, ..self }
    }
    /// This part of the calls is [`Wrong::Shape`].
    pub fn shape(self, part: f64) -> Self {
        ComponentFaults { shape: part, ..self }
    }
    /// This part of the calls is [`Wrong::Error`].
    pub fn error(self, part: f64) -> Self {
        ComponentFaults { error: part, ..self }
    }
    /// This part of the calls is [`Wrong::Panic`].
    pub fn panic(self, part: f64) -> Self {
        ComponentFaults { panic: part, ..self }
    }
    /// This at the `number`th call, from 1, counted since the world began.
    pub fn at(mut self, number: u64, wrong: Wrong) -> Self {
        self.at.push((number, wrong));
        self
    }
}

/// A component with faults.
pub(crate) struct Faulty {
    /// Its slot's name.
    pub slot: String,
    pub faults: ComponentFaults,
    /// How often it was called.
    pub calls: u64,
}

/// What is wrong with one call, and its name.
pub(crate) type WrongCall = (Wrong, Strike);

impl Faulty {
    /// What is wrong with the call that is made now, the component's number being `component`.
    pub fn call(&mut self, fate: &Fate, node: usize, component: usize) -> Option<WrongCall> {
        self.calls += 1;
        let faults = &self.faults;
        let kinds = [
            (Wrong::Nan, Kind::Nan, faults.nan),
            (Wrong::Shape, Kind::Shape, faults.shape),
            (Wrong::Error, Kind::Error, faults.error),
            (Wrong::Panic, Kind::Panic, faults.panic),
        ];
        kinds.into_iter().find_map(|(wrong, kind, part)| {
            let strike = Strike { kind, node, of: component, number: self.calls };
            let chosen = faults.at.contains(&(self.calls, wrong));
            let part = if chosen { 1.0 } else { part };
            fate.would_strike(strike, part).then_some((wrong, strike))
        })
    }
}

impl Wrong {
    /// Why there are no results, where there are none.
    pub(crate) fn failure(self) -> Option<ComponentFailure> {
        match self {
            Wrong::Error => Some(ComponentFailure::Error("the simulator lets it refuse".into())),
            Wrong::Panic => Some(ComponentFailure::Panicked("the simulator lets it panic".into())),
            Wrong::Nan | Wrong::Shape => None,
        }
    }
    /// These results, gone wrong; `None` where nothing in them can.
    pub(crate) fn results(self, values: &[Value]) -> Option<Vec<Value>> {
        let wrong: Vec<Value> = values.iter().map(|value| self.value(value).unwrap_or_else(|| value.clone())).collect();
        let changed = values.iter().any(|value| self.value(value).is_some());
        changed.then_some(wrong)
    }
    fn value(self, value: &Value) -> Option<Value> {
        match value {
            Value::Tensor(tensor) if self == Wrong::Nan => not_a_number(tensor).map(Value::Tensor),
            Value::Tensor(tensor) if self == Wrong::Shape => longer(tensor).map(Value::Tensor),
            Value::Seq(all) => self.results(all).map(|all| Value::Seq(all.into())),
            _ => None,
        }
    }
}

fn not_a_number(tensor: &RawTensor) -> Option<RawTensor> {
    let elements = tensor.elements() as usize;
    let bytes: Vec<u8> = match tensor.element() {
        ElementKind::F32 => f32::NAN.to_le_bytes().repeat(elements),
        ElementKind::F64 => f64::NAN.to_le_bytes().repeat(elements),
        _ => return None,
    };
    RawTensor::new(tensor.element(), tensor.dims(), Bytes::from(bytes)).filter(|_| elements > 0)
}

fn longer(tensor: &RawTensor) -> Option<RawTensor> {
    let mut bytes = tensor.data().to_vec();
    bytes.resize(bytes.len() + tensor.element().size(), 0);
    RawTensor::new(tensor.element(), Dims::new(&[tensor.elements() + 1])?, bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(values: &[f32]) -> Value {
        Value::Tensor(RawTensor::from_vec(&[values.len() as u64], values.to_vec()).expect("as many"))
    }

    #[test]
    fn what_can_go_wrong_does_and_nothing_else() {
        let both = [tensor(&[1.0, 2.0]), Value::scalar(7u64)];
        let nan = Wrong::Nan.results(&both).expect("there are floats");
        assert!(nan[0].as_tensor().and_then(RawTensor::as_slice::<f32>).expect("f32").iter().all(|v| v.is_nan()));
        assert_eq!(nan[1], both[1]);
        let shape = Wrong::Shape.results(&both).expect("there are tensors");
        assert_eq!(shape[0], tensor(&[1.0, 2.0, 0.0]));
        assert_eq!(shape[1].as_tensor().expect("a tensor").shape(), [2]);
        assert_eq!(Wrong::Nan.results(&both[1..]), None);
        assert_eq!(Wrong::Shape.results(&[Value::Trigger]), None);
        let within = Wrong::Nan.results(&[Value::Seq(both.to_vec().into())]).expect("floats inside");
        assert_ne!(within, [Value::Seq(both.to_vec().into())]);
    }
}
