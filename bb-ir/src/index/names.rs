//! Names under dense numbers. Every pass numbers every value, also in build scripts, which nobody optimises: so the table
//! is a loop over slots of eight bytes.

use super::ValueIx;

/// Names, each with a number, in the order in which they came.
pub(super) struct Names<'f> {
    names: Vec<&'f str>,
    /// A power of two, and less than half of them taken.
    slots: Vec<Slot>,
}

/// The upper half of a name's hash, and its number from 1; 0 is a slot that is free.
#[derive(Clone, Copy)]
struct Slot {
    tag: u32,
    number: u32,
}

impl<'f> Names<'f> {
    /// For so many names at most.
    pub(super) fn with_room_for(names: usize) -> Self {
        let slots = vec![Slot { tag: 0, number: 0 }; (2 * names + 1).next_power_of_two()];
        Names { names: Vec::with_capacity(names), slots }
    }
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }
    pub(super) fn get(&self, value: ValueIx) -> &'f str {
        self.names[value.at()]
    }
    pub(super) fn find(&self, name: &str) -> Option<ValueIx> {
        let number = self.slots[self.slot(name, hash(name))].number;
        (number > 0).then(|| ValueIx(number - 1))
    }
    /// The number of a name with that hash, the next one where it has none.
    pub(super) fn number(&mut self, name: &'f str, hash: u64) -> ValueIx {
        let slot = self.slot(name, hash);
        if self.slots[slot].number == 0 {
            self.names.push(name);
            let number = u32::try_from(self.names.len()).expect("a function has fewer than 2^32 of anything");
            self.slots[slot] = Slot { tag: tag(hash), number };
        }
        ValueIx(self.slots[slot].number - 1)
    }

    /// Where a name is, or would be.
    fn slot(&self, name: &str, hash: u64) -> usize {
        let mut slot = hash as usize & (self.slots.len() - 1);
        loop {
            let Slot { tag: of, number } = self.slots[slot];
            if number == 0 || of == tag(hash) && self.names[number as usize - 1] == name {
                return slot;
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
    }
}

fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// Eight bytes at a time, folded into one another by the two halves of a product; the last eight may be some of those
/// before them again.
pub(super) fn hash(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let Some(last) = bytes.last_chunk() else { return fold(bytes.len() as u64, few(bytes)) };
    let mut hash = bytes.len() as u64;
    let mut rest = bytes;
    while let Some((word, behind)) = rest.split_first_chunk() {
        hash = fold(hash, u64::from_le_bytes(*word));
        rest = behind;
    }
    fold(hash, u64::from_le_bytes(*last))
}

/// Fewer than eight bytes as one number.
fn few(bytes: &[u8]) -> u64 {
    match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) => u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last)),
        _ => bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)),
    }
}

fn fold(a: u64, b: u64) -> u64 {
    const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
    let product = (a ^ b) as u128 * MIX as u128;
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_found_again_however_many_there_are() {
        for count in [0, 1, 2, 1_000] {
            let texts: Vec<String> = (0..count).map(|i| format!("{}_{i}", "value".repeat(i % 7))).collect();
            let mut names = Names::with_room_for(count);
            for twice in [0, 1] {
                for (i, text) in texts.iter().enumerate() {
                    assert_eq!(names.number(text, hash(text)), ValueIx::new(i), "{twice}");
                    assert_eq!((names.find(text), names.get(ValueIx::new(i))), (Some(ValueIx::new(i)), &**text));
                }
            }
            assert_eq!((names.len(), names.find("nobody"), names.find("")), (count, None, None));
        }
    }

    #[test]
    fn names_that_differ_in_their_number_alone_have_places_of_their_own() {
        let lower = |i: u32| hash(&format!("relu_{i}")) & 0xffff;
        let apart: BTreeSet<u64> = (0..10_000).map(lower).collect();
        // Of 65,536 places, 10,000 that are drawn at random are 9,274 different ones.
        assert!(apart.len() > 9_000, "{}", apart.len());
    }
}
