//! What every aggregator keeps: one row of numbers that is always whole.

use bb::ir::codec;
use bb::ir::types::{ElementKind, ValueType};
use bb::ir::value::Value;
use bb::{OpError, Tensor};

/// The parameters as they are now; every change of them is finite and of the same shape.
#[derive(Clone, Debug)]
pub(super) struct Model(Tensor);

impl Model {
    pub fn new(start: Tensor) -> Self {
        Model(start)
    }
    pub fn tensor(&self) -> &Tensor {
        &self.0
    }
    pub fn shape(&self) -> &[u64] {
        self.0.shape()
    }
    pub fn values(&self) -> &[f32] {
        self.0.as_slice()
    }

    /// The model of the same shape whose numbers are all this one.
    pub fn all(&self, value: f32) -> Model {
        let values = vec![value; self.values().len()];
        Model(Tensor::from_vec(self.shape(), values).expect("there is a number for each of the model's"))
    }
    /// The model of the same shape with these numbers.
    pub fn with(&self, values: impl IntoIterator<Item = f64>) -> Result<Model, OpError> {
        let values: Vec<f32> = values.into_iter().map(|v| v as f32).collect();
        if let Some(at) = values.iter().position(|v| !v.is_finite()) {
            return Err(OpError::new(format!("parameter {at} would not be finite")));
        }
        let tensor = Tensor::from_vec(self.shape(), values).expect("there is a number for each of the model's");
        Ok(Model(tensor))
    }
    /// Takes these numbers, and gives the model that they make.
    pub fn replace(&mut self, values: impl IntoIterator<Item = f64>) -> Result<Tensor, OpError> {
        *self = self.with(values)?;
        Ok(self.0.clone())
    }

    /// The model as it is kept.
    pub fn written(&self) -> Vec<u8> {
        bytes(&Value::Tensor(self.0.as_raw().clone()))
    }
    /// The model that was kept, if it is of this one's shape.
    pub fn read(&self, state: &[u8]) -> Result<Model, OpError> {
        self.fitting(&decoded(state, &of_numbers())?)
    }
    /// Models of one shape as they are kept together.
    pub fn written_all(models: &[&Model]) -> Vec<u8> {
        bytes(&Value::Seq(models.iter().map(|m| Value::Tensor(m.0.as_raw().clone())).collect()))
    }
    /// The `N` models that were kept together, if all are of this one's shape.
    pub fn read_all<const N: usize>(&self, state: &[u8]) -> Result<[Model; N], OpError> {
        let Value::Seq(values) = decoded(state, &ValueType::Seq(Box::new(of_numbers())))? else {
            return Err(OpError::new("it is no sequence"));
        };
        let models: Vec<Model> = values.iter().map(|v| self.fitting(v)).collect::<Result<_, _>>()?;
        let found = models.len();
        models.try_into().map_err(|_| OpError::new(format!("it holds {found} rows of numbers instead of {N}")))
    }
    fn fitting(&self, value: &Value) -> Result<Model, OpError> {
        let tensor = value.as_tensor().cloned().and_then(Tensor::<f32>::from_raw);
        let fits = tensor.filter(|t| t.shape() == self.shape() && t.as_slice().iter().all(|v| v.is_finite()));
        fits.map(Model).ok_or_else(|| OpError::new(format!("it is no model of shape {:?}", self.shape())))
    }
}

fn of_numbers() -> ValueType {
    ValueType::Tensor { element: Some(ElementKind::F32), shape: None }
}
fn bytes(value: &Value) -> Vec<u8> {
    let (head, body) = codec::encode(value, &|_| Vec::new());
    [&head[..], &body].concat()
}
fn decoded(state: &[u8], ty: &ValueType) -> Result<Value, OpError> {
    codec::decode(ty, state.to_vec().into()).map(|d| d.value).map_err(|e| OpError::new(e.to_string()))
}

/// An aggregator's methods, where its field `model` is all it holds.
macro_rules! holds_its_model {
    () => {
        fn params(&mut self) -> Tensor {
            self.model().clone()
        }
        fn checkpoint(&self) -> Option<Vec<u8>> {
            Some(self.model.written())
        }
        fn restore(&mut self, state: &[u8]) -> Result<(), OpError> {
            self.model = self.model.read(state)?;
            Ok(())
        }
    };
}
pub(super) use holds_its_model;
