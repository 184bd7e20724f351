//! The places of a program.

use crate::index::ValueIx;
use bb_ir::keys;
use rustc_hash::FxHashMap;

/// A place, by its number; 0 is the entry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PlaceIx(pub u32);
impl PlaceIx {
    /// Where calls start.
    pub const ENTRY: PlaceIx = PlaceIx(0);
}

/// One peer, or each of a cohort.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// One peer.
    One,
    /// Each peer of a cohort.
    Each,
}

/// (class, anchor), and how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The class of its peers.
    pub class: String,
    /// One or each.
    pub kind: Kind,
    /// The peer value that names it; none for the entry.
    pub anchor: Option<ValueIx>,
}

/// Every place, numbered as they are found.
#[derive(Clone, Debug)]
pub struct Places {
    table: Vec<Place>,
    by_anchor: FxHashMap<(ValueIx, Kind), PlaceIx>,
}

impl Places {
    /// With the entry alone.
    pub fn starting_at(class: String) -> Self {
        let entry = Place { class, kind: Kind::One, anchor: None };
        Places { table: vec![entry], by_anchor: FxHashMap::default() }
    }
    /// The place a peer value names. A peer value has one class, so the anchor tells.
    pub fn named_by(&mut self, anchor: ValueIx, kind: Kind, class: &str) -> PlaceIx {
        let table = &mut self.table;
        *self.by_anchor.entry((anchor, kind)).or_insert_with(|| {
            table.push(Place { class: class.to_owned(), kind, anchor: Some(anchor) });
            PlaceIx(u32::try_from(table.len() - 1).expect("fewer than 2^32 places"))
        })
    }
    /// A place.
    pub fn get(&self, place: PlaceIx) -> &Place {
        &self.table[place.0 as usize]
    }
    /// All of them, by number.
    pub fn iter(&self) -> impl Iterator<Item = (PlaceIx, &Place)> {
        (0u32..).map(PlaceIx).zip(&self.table)
    }
    /// The table as a model has it: keys and values. Anchors go by their names in the whole program.
    pub fn rows(&self, name: impl Fn(ValueIx) -> String) -> impl Iterator<Item = (String, String)> {
        self.iter().map(move |(place, Place { class, kind, anchor })| {
            let kind = match kind {
                Kind::One => "one",
                Kind::Each => "each",
            };
            let anchor = anchor.map_or("entry".to_owned(), &name);
            (format!("{}{}", keys::PLACE_TABLE_PREFIX, place.0), format!("{class}|{kind}|{anchor}"))
        })
    }
}
