//! What peers tell each other of their programs' wires.

use crate::hello::WireOffer;
use crate::types::{ElementKind, ValueType};
use std::collections::BTreeMap;
use std::fmt;

/// A wire of one offer that is none of the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireDifference {
    /// Its id: this side's, where there are two.
    pub wire: u64,
    /// What this side says of it.
    pub ours: Option<String>,
    /// What the other side says.
    pub theirs: Option<String>,
}

impl fmt::Display for WireDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.ours, &self.theirs) {
            (Some(ours), Some(theirs)) => write!(f, "the wire {ours} is {theirs} there"),
            (Some(ours), None) => write!(f, "the wire {ours} is not there"),
            (None, Some(theirs)) => write!(f, "there is a wire {theirs}"),
            (None, None) => f.write_str("nothing"),
        }
    }
}

/// What differs between two programs' wires. Ids follow from the order in which wires are written, so wires between the
/// same classes that carry the same are the same; of those left, wires between the same classes belong together.
pub fn of_offers(ours: &[WireOffer], theirs: &[WireOffer]) -> Vec<WireDifference> {
    let (ours, theirs) = leave_out_equals(ours, theirs, |w| (&*w.from_class, &*w.to_class, &*w.type_hashes));
    let mut open: BTreeMap<(&str, &str), Vec<&WireOffer>> = BTreeMap::new();
    for wire in theirs.iter().rev() {
        open.entry((&wire.from_class, &wire.to_class)).or_default().push(wire);
    }
    let mut found: Vec<WireDifference> = ours
        .iter()
        .map(|wire| {
            let other = open.get_mut(&(&*wire.from_class, &*wire.to_class)).and_then(Vec::pop);
            WireDifference { wire: wire.id, ours: Some(text(wire)), theirs: other.map(text) }
        })
        .collect();
    let left = open.into_values().flatten();
    found.extend(left.map(|wire| WireDifference { wire: wire.id, ours: None, theirs: Some(text(wire)) }));
    found.sort_by_key(|difference| (difference.wire, difference.ours.is_none()));
    found
}

/// What has no twin under `key` on the other side, in its order.
fn leave_out_equals<'a, K: Ord>(
    ours: &'a [WireOffer],
    theirs: &'a [WireOffer],
    key: impl Fn(&'a WireOffer) -> K,
) -> (Vec<&'a WireOffer>, Vec<&'a WireOffer>) {
    let mut there: BTreeMap<K, usize> = BTreeMap::new();
    for wire in theirs {
        *there.entry(key(wire)).or_default() += 1;
    }
    let mut both: BTreeMap<K, usize> = BTreeMap::new();
    let mut take = |wire: &&'a WireOffer| match there.get_mut(&key(wire)).filter(|n| **n > 0) {
        Some(n) => {
            *n -= 1;
            *both.entry(key(wire)).or_default() += 1;
            false
        }
        None => true,
    };
    let ours = ours.iter().filter(|wire| take(wire)).collect();
    let left = theirs.iter().filter(|wire| match both.get_mut(&key(wire)).filter(|n| **n > 0) {
        Some(n) => {
            *n -= 1;
            false
        }
        None => true,
    });
    (ours, left.collect())
}

/// `Server -> Client of f32, peer`. A type of somebody's own is known by its number alone.
fn text(wire: &WireOffer) -> String {
    let tensors = ElementKind::ALL.map(ValueType::tensor);
    let known =
        [ValueType::peer(), ValueType::Seq(Box::new(ValueType::peer())), ValueType::Duration, ValueType::Trigger];
    let name = |hash: &u64| {
        let tensor = tensors.iter().find(|ty| ty.hash() == *hash).and_then(|ty| match ty {
            ValueType::Tensor { element, .. } => element.map(|e| e.name().to_owned()),
            _ => None,
        });
        let other = || known.iter().find(|ty| ty.hash() == *hash).map(ValueType::to_string);
        tensor.or_else(other).unwrap_or_else(|| format!("{hash:016x}"))
    };
    let types: Vec<String> = wire.type_hashes.iter().map(name).collect();
    format!("{} -> {} of {}", wire.from_class, wire.to_class, types.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(id: u64, from: &str, to: &str, of: &[ElementKind]) -> WireOffer {
        let type_hashes = of.iter().map(|kind| ValueType::tensor(*kind).hash()).collect();
        WireOffer { id, from_class: from.into(), to_class: to.into(), type_hashes }
    }
    fn sentences(ours: &[WireOffer], theirs: &[WireOffer]) -> Vec<String> {
        of_offers(ours, theirs).iter().map(WireDifference::to_string).collect()
    }

    #[test]
    fn a_wire_between_others_is_all_that_is_told() {
        use ElementKind::{F32, U64};
        let ours = [wire(0, "A", "B", &[F32]), wire(1, "B", "A", &[F32, U64])];
        let theirs = [wire(0, "A", "B", &[F32]), wire(1, "A", "C", &[U64]), wire(2, "B", "A", &[F32, U64])];
        assert_eq!(sentences(&ours, &ours), [""; 0]);
        assert_eq!(sentences(&ours, &theirs), ["there is a wire A -> C of u64"]);
        assert_eq!(sentences(&theirs, &ours), ["the wire A -> C of u64 is not there"]);
    }

    #[test]
    fn another_type_is_told_of_both() {
        use ElementKind::{F32, F64};
        let ours = [wire(0, "A", "B", &[F32]), wire(1, "A", "B", &[F32])];
        let theirs = [wire(0, "A", "B", &[F32]), wire(1, "A", "B", &[F64])];
        assert_eq!(sentences(&ours, &theirs), ["the wire A -> B of f32 is A -> B of f64 there"]);
        let strange = [WireOffer { type_hashes: vec![7], ..wire(0, "A", "B", &[]) }];
        assert_eq!(sentences(&strange, &[]), ["the wire A -> B of 0000000000000007 is not there"]);
    }
}
