//! Rust types as types of values, and values of them while a program runs.

use crate::On;
use crate::gather::{Gathered, Partial, Reason};
use crate::module::Values;
use crate::place::{PeerClass, Place};
use crate::record::Source;
use crate::tensor::{ElementType, Shape, Tensor};
use crate::wire::{Peer, Peers};
use bb_ir::component::OpError;
use bb_ir::peer::PeerId;
use bb_ir::types::{BYTES_DENOTATION, MISSING_DENOTATION, STRING_DENOTATION, ValueType};
use bb_ir::value::{RawTensor, Scalar, Value};
use std::time::Duration;

/// One value of a program's type: what it is, and whom it names where it names peers.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueInfo {
    /// The type.
    pub ty: ValueType,
    /// For peers and cohorts: their class.
    pub peer_class: Option<&'static str>,
}
impl From<ValueType> for ValueInfo {
    fn from(ty: ValueType) -> Self {
        ValueInfo { ty, peer_class: None }
    }
}

/// One argument of a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Argument {
    /// This value.
    Value(Value),
    /// The members of the class that are connected when the call is made.
    AllPeers {
        /// The node itself as well.
        and_self: bool,
    },
}

/// The values behind a Rust value: one of most types, several of a gather or a tuple.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the type of a value in a program",
    label = "not a type of values",
    note = "values are tensors, numbers, bool, `String`, `Vec<u8>`, `Duration`, peers, and structs with `#[derive(bb::WireType)]`"
)]
pub trait Typed: Sized + Send + 'static {
    /// The types of its values, in order.
    fn infos() -> Vec<ValueInfo>;
    /// Its values, in order.
    fn into_values(self, out: &mut Vec<Value>);
    /// Its values as the arguments of a call: a cohort may be one that the call resolves.
    fn into_arguments(self, out: &mut Vec<Argument>) {
        let mut values = Vec::new();
        self.into_values(&mut values);
        out.extend(values.into_iter().map(Argument::Value));
    }
    /// Takes its values from the front.
    ///
    /// # Errors
    /// Says what was found instead.
    fn from_values(values: &mut dyn Iterator<Item = Value>) -> Result<Self, OpError>;
    /// What an op records gives, at its place.
    #[doc(hidden)]
    fn emit_at<P: Place>(source: &mut Source) -> On<P, Self> {
        Values::emit(source)
    }
}

/// The next value, or an error that names the type wanted. `read` gives back what it cannot read.
fn next<T>(
    values: &mut dyn Iterator<Item = Value>,
    read: impl FnOnce(Value) -> Result<T, Value>,
) -> Result<T, OpError> {
    match values.next() {
        Some(value) => read(value).map_err(|found| unfit::<T>(Some(&found))),
        None => Err(unfit::<T>(None)),
    }
}
/// The same, where reading needs no ownership: the value is not moved again.
fn next_ref<T>(values: &mut dyn Iterator<Item = Value>, read: impl FnOnce(&Value) -> Option<T>) -> Result<T, OpError> {
    let next = values.next();
    next.as_ref().and_then(read).ok_or_else(|| unfit::<T>(next.as_ref()))
}

#[cold]
fn unfit<T>(found: Option<&Value>) -> OpError {
    let wanted = std::any::type_name::<T>();
    OpError::new(match found {
        Some(found) => format!("`{found:?}` is not a `{wanted}`"),
        None => format!("a value is missing where a `{wanted}` is taken"),
    })
}

macro_rules! scalars { ($($t:ty)*) => { $(impl Typed for $t {
    fn infos() -> Vec<ValueInfo> { vec![ValueType::scalar(<$t as Scalar>::KIND).into()] }
    fn into_values(self, out: &mut Vec<Value>) { out.push(Value::scalar(self)); }
    fn from_values(values: &mut dyn Iterator<Item = Value>) -> Result<Self, OpError> { next_ref(values, Value::as_scalar) }
})* } }
scalars!(f32 f64 i8 i16 i32 i64 u8 u16 u32 u64 bool);

impl<E: ElementType, S: Shape> Typed for Tensor<E, S> {
    fn infos() -> Vec<ValueInfo> {
        vec![ValueType::Tensor { element: E::ELEMENT, shape: S::dims() }.into()]
    }
    fn into_values(self, out: &mut Vec<Value>) {
        out.push(Value::Tensor(self.into_raw()));
    }
    fn from_values(values: &mut dyn Iterator<Item = Value>) -> Result<Self, OpError> {
        next(values, |v| match v {
            Value::Tensor(raw) => Tensor::from_raw(raw.clone()).ok_or(Value::Tensor(raw)),
            other => Err(other),
        })
    }
}

impl Typed for () {
    fn infos() -> Vec<ValueInfo> {
        vec![ValueType::Trigger.into()]
    }
    fn into_values(self, out: &mut Vec<Value>) {
        out.push(Value::Trigger);
    }
    fn from_values(values: &mut dyn Iterator<Item = Value>) -> Result<Self, OpError> {
        // A call without outputs gives no value at all.
        values.next();
        Ok(())
    }
}

impl Typed for Duration {
    fn infos() -> Vec<ValueInfo> {
        vec![ValueType::Duration.into()]
    }
    fn into_values(self, out: &mut Vec<Value>) {
        out.push(Value::scalar(i64::try_from(self.as_nanos()).unwrap_or(i64::MAX)));
    }
    fn from_values(values: &mut dyn Iterator<Item = Value>) -> Result<Self, OpError> {
        next_ref(values, |v| Some(Duration::from_nanos(u64::try_from(v.as_scalar::<i64>()?).ok()?)))
    }
}

impl Typed for String {
    fn infos() -> Vec<ValueInfo> {
        vec![ValueType::Denoted(STRING_DENOTATION.into()).into()]
    }
    fn into_values(self, out: &mut Vec<Value>) {
        out.push(Value::Bytes(self.into()));
    }
    fn from_values(values: &mut dyn Iterator<Item = Value>) -> Result<Self, OpError> {
        next(values, |v| match v {
            Value::Bytes(b) => String::from_utf8(b.into()).map_err(|e| Value::Bytes(e.into_bytes().into())),
            other => Err(other),
        })
    }
}

impl Typed for Vec<u8> {
    fn infos() -> Vec<ValueInfo> {
        vec![ValueType::Denoted(BYTES_DENOTATION.into()).into()]
    }
    fn into_values(self, out: &mut Vec<Value>) {
        out.push(Value::Bytes(self.into()));
    }
    fn from_values(values: &mut dyn Iterator<Item = Value>) -> Result<Self, OpError> {
        next(values, |v| match v {
            Value::Bytes(b) => Ok(b.into()),
            other => Err(other),
        })
    }
}

impl<C: PeerClass> Typed for Peer<C> {
    fn infos() -> Vec<ValueInfo> {
        vec![ValueInfo { ty: ValueType::peer(), peer_class: Some(C::NAME) }]
    }
    fn into_values(self, out: &mut Vec<Value>) {
        out.push(Value::Peer(self.into_id()));
    }
    fn from_values(values: &mut dyn Iterator<Item = Value>) -> Result<Self, OpError> {
        next_ref(values, |v| v.as_peer().cloned().map(Peer::of))
    }
}

/// What a cohort's type is.
fn cohort(class: &'static str) -> ValueInfo {
    ValueInfo { ty: ValueType::Seq(Box::new(ValueType::peer())), peer_class: Some(class) }
}

impl<C: PeerClass> Typed for Peers<C> {
    fn infos() -> Vec<ValueInfo> {
        vec![cohort(C::NAME)]
    }
    fn into_values(self, out: &mut Vec<Value>) {
        out.push(Value::Seq(self.into_ids().into_iter().map(Value::Peer).collect()));
    }
    fn into_arguments(self, out: &mut Vec<Argument>) {
        out.push(match self.is_all() {
            Some(and_self) => Argument::AllPeers { and_self },
            None => Argument::Value(Value::Seq(self.into_ids().into_iter().map(Value::Peer).collect())),
        });
    }
    fn from_values(values: &mut dyn Iterator<Item = Value>) -> Result<Self, OpError> {
        next_ref(values, |v| peers(v).map(Peers::of))
    }
}

fn peers(value: &Value) -> Option<Vec<PeerId>> {
    value.as_seq()?.iter().map(|p| p.as_peer().cloned()).collect()
}

macro_rules! tuples { ($($($t:ident)*;)*) => { $(
    #[allow(non_snake_case)]
    impl<$($t: Typed),*> Typed for ($($t,)*) {
        fn infos() -> Vec<ValueInfo> { let mut all = Vec::new(); $(all.extend($t::infos());)* all }
        fn into_values(self, out: &mut Vec<Value>) { let ($($t,)*) = self; $($t.into_values(out);)* }
        fn into_arguments(self, out: &mut Vec<Argument>) { let ($($t,)*) = self; $($t.into_arguments(out);)* }
        fn from_values(values: &mut dyn Iterator<Item = Value>) -> Result<Self, OpError> { Ok(($($t::from_values(values)?,)*)) }
    }
)* } }
tuples! { A B; A B C; A B C D; A B C D E; A B C D E F; A B C D E F G; A B C D E F G H; }

/// The sequences of a gather of `T`, then `members`.
fn gathered_infos<T: Typed>() -> Vec<ValueInfo> {
    let mut infos: Vec<ValueInfo> = T::infos()
        .into_iter()
        .map(|i| ValueInfo { ty: ValueType::Seq(Box::new(i.ty)), peer_class: i.peer_class })
        .collect();
    infos.push(members_info());
    infos
}
/// `members`: a sequence of peers.
pub(crate) fn members_info() -> ValueInfo {
    ValueType::Seq(Box::new(ValueType::peer())).into()
}
/// `missing`: a sequence of codes with multihashes.
pub(crate) fn missing_info() -> ValueInfo {
    ValueType::Seq(Box::new(ValueType::Denoted(MISSING_DENOTATION.into()))).into()
}

/// One tuple per sender from a sequence per value, and the senders.
fn rows<T: Typed>(values: &mut dyn Iterator<Item = Value>) -> Result<Vec<(PeerId, T)>, OpError> {
    let columns: Vec<Value> = values.take(T::infos().len()).collect();
    let members = next_ref(values, peers)?;
    members
        .into_iter()
        .enumerate()
        .map(|(i, peer)| {
            let row: Option<Vec<Value>> = columns.iter().map(|c| c.as_seq()?.get(i).cloned()).collect();
            let row = row.ok_or_else(|| OpError::new("a gather has fewer values than members"))?;
            Ok((peer, T::from_values(&mut row.into_iter())?))
        })
        .collect()
}

fn columns<T: Typed>(rows: Vec<(PeerId, T)>, out: &mut Vec<Value>) {
    let mut columns: Vec<Vec<Value>> = T::infos().iter().map(|_| Vec::with_capacity(rows.len())).collect();
    let mut members = Vec::with_capacity(rows.len());
    for (peer, row) in rows {
        members.push(Value::Peer(peer));
        let mut values = Vec::new();
        row.into_values(&mut values);
        for (column, value) in columns.iter_mut().zip(values) {
            column.push(value);
        }
    }
    out.extend(columns.into_iter().map(|c| Value::Seq(c.into())));
    out.push(Value::Seq(members.into()));
}

impl<T: Typed> Typed for Gathered<T> {
    fn infos() -> Vec<ValueInfo> {
        gathered_infos::<T>()
    }
    fn into_values(self, out: &mut Vec<Value>) {
        columns(self.into_rows(), out);
    }
    fn from_values(values: &mut dyn Iterator<Item = Value>) -> Result<Self, OpError> {
        rows(values).map(Gathered::new)
    }
}

impl<T: Typed> Typed for Partial<T> {
    fn infos() -> Vec<ValueInfo> {
        let mut infos = gathered_infos::<T>();
        infos.push(missing_info());
        infos
    }
    fn into_values(self, out: &mut Vec<Value>) {
        let (rows, missing) = self.into_parts();
        columns(rows, out);
        let missing = missing.into_iter().map(|(peer, reason)| {
            let mut bytes = reason.code().to_le_bytes().to_vec();
            bytes.extend_from_slice(peer.as_bytes());
            Value::Bytes(bytes.into())
        });
        out.push(Value::Seq(missing.collect()));
    }
    fn from_values(values: &mut dyn Iterator<Item = Value>) -> Result<Self, OpError> {
        let rows = rows(values)?;
        let missing = next_ref(values, |v| {
            let entry = |v: &Value| {
                let Value::Bytes(bytes) = v else { return None };
                let code = u32::from_le_bytes(*bytes.first_chunk()?);
                Some((PeerId::from_bytes(bytes.slice(4..))?, Reason::from_code(code)))
            };
            v.as_seq()?.iter().map(entry).collect::<Option<Vec<_>>>()
        })?;
        Ok(Partial::new(rows, missing))
    }
}

/// A number of `values`, or a tensor: what a constant in a program holds.
pub(crate) fn constant_tensor<T: Typed>(value: T) -> RawTensor {
    let mut values = Vec::with_capacity(1);
    value.into_values(&mut values);
    match values.pop() {
        Some(Value::Tensor(t)) => t,
        Some(Value::Bytes(b)) => {
            RawTensor::from_vec(&[b.len() as u64], b.to_vec()).expect("as many bytes as the vector has")
        }
        _ => RawTensor::from_vec::<u8>(&[0], Vec::new()).expect("no bytes are as many as [0] says"),
    }
}
