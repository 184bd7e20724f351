//! Sizes of dimensions: which are the same, and which are known.
//!
//! A union-find. A class has a size once anything says one, and a name where the program gives one; the values whose
//! shapes mention it watch it.

use crate::index::{NodeIx, ValueIx};
use bb_ir::diagnostics::SourcePlace;
use bb_ir::types::Dim;
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// A size that is not written as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(u32);

impl Symbol {
    fn at(self) -> usize {
        self.0 as usize
    }
}

/// The size of one dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Nothing is said of it.
    Any,
    /// This.
    Size(u64),
    /// The size of that class.
    Symbol(Symbol),
}

/// Who says of a dimension how large it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Because {
    /// Nobody in particular.
    #[default]
    Unsaid,
    /// This node.
    Node(NodeIx),
    /// What stands there in the source: a call that is no node any more.
    Place(Rc<SourcePlace>),
}

/// What is known of symbols that are one.
#[derive(Default)]
struct Class {
    size: Option<u64>,
    /// The name the program gives, and how many were given before.
    name: Option<(u32, Rc<str>)>,
    because: Because,
    /// How many others are one with it.
    others: u32,
    watchers: Vec<ValueIx>,
}

/// Two sizes of one dimension.
#[derive(Debug)]
pub struct Clash(pub Extent, pub Extent);

/// All symbols of a function and what it calls.
#[derive(Default)]
pub struct Dims {
    parent: Vec<Symbol>,
    classes: Vec<Class>,
    by_name: FxHashMap<Rc<str>, Symbol>,
    /// In the order in which they were named.
    names: Vec<(Rc<str>, Symbol)>,
    woken: Vec<ValueIx>,
}

impl Dims {
    /// A dimension of which nothing is known yet.
    pub fn fresh(&mut self) -> Extent {
        let symbol = Symbol(u32::try_from(self.parent.len()).expect("fewer than 2^32 dimensions"));
        self.parent.push(symbol);
        self.classes.push(Class::default());
        Extent::Symbol(symbol)
    }

    /// The dimension of that name, the same in the whole program.
    pub fn named(&mut self, name: &str) -> Extent {
        if let Some(symbol) = self.by_name.get(name) {
            return Extent::Symbol(*symbol);
        }
        let made = self.fresh();
        if let Extent::Symbol(symbol) = made {
            let name: Rc<str> = name.into();
            let number = u32::try_from(self.names.len()).expect("fewer than 2^32 names");
            self.classes[symbol.at()].name = Some((number, name.clone()));
            self.by_name.insert(name.clone(), symbol);
            self.names.push((name, symbol));
        }
        made
    }

    /// The dimension that the IR writes so.
    pub fn extent(&mut self, dim: &Dim) -> Extent {
        match dim {
            Dim::Size(n) => Extent::Size(*n),
            Dim::Named(name) => self.named(name),
            Dim::Unknown => Extent::Any,
        }
    }

    fn root(&self, mut symbol: Symbol) -> Symbol {
        while self.parent[symbol.at()] != symbol {
            symbol = self.parent[symbol.at()];
        }
        symbol
    }

    /// As much as is known of it now: a size, or the one symbol that stands for its class.
    pub fn resolve(&self, extent: Extent) -> Extent {
        let Extent::Symbol(symbol) = extent else { return extent };
        let root = self.root(symbol);
        self.classes[root.at()].size.map_or(Extent::Symbol(root), Extent::Size)
    }

    /// The name of a dimension.
    pub fn name(&self, extent: Extent) -> Option<&str> {
        let Extent::Symbol(symbol) = extent else { return None };
        self.classes[self.root(symbol).at()].name.as_ref().map(|(_, name)| &**name)
    }

    /// Who says how large it is.
    pub fn because(&self, extent: Extent) -> &Because {
        match extent {
            Extent::Symbol(symbol) => &self.classes[self.root(symbol).at()].because,
            Extent::Any | Extent::Size(_) => &Because::Unsaid,
        }
    }

    /// The dimension as types write it.
    pub fn dim(&self, extent: Extent) -> Dim {
        match self.resolve(extent) {
            Extent::Any => Dim::Unknown,
            Extent::Size(n) => Dim::Size(n),
            symbol => self.name(symbol).map_or(Dim::Unknown, |name| Dim::Named(name.to_owned())),
        }
    }

    /// `value` wants to know when more is known of this dimension.
    pub fn watch(&mut self, extent: Extent, value: ValueIx) {
        if let Extent::Symbol(root) = self.resolve(extent) {
            self.classes[root.at()].watchers.push(value);
        }
    }

    /// The values that mention a dimension of which more is known since this was asked last.
    pub fn take_woken(&mut self) -> Vec<ValueIx> {
        std::mem::take(&mut self.woken)
    }

    /// Both are one size, as `because` says.
    pub fn unify(&mut self, a: Extent, b: Extent, because: &Because) -> Result<(), Clash> {
        match (self.resolve(a), self.resolve(b)) {
            (Extent::Any, _) | (_, Extent::Any) => Ok(()),
            (Extent::Size(x), Extent::Size(y)) if x == y => Ok(()),
            (Extent::Size(_), Extent::Size(_)) => Err(Clash(a, b)),
            (Extent::Symbol(symbol), Extent::Size(n)) | (Extent::Size(n), Extent::Symbol(symbol)) => {
                let class = &mut self.classes[symbol.at()];
                (class.size, class.because) = (Some(n), because.clone());
                self.woken.append(&mut class.watchers);
                Ok(())
            }
            (Extent::Symbol(x), Extent::Symbol(y)) => {
                if x != y {
                    self.join(x, y);
                }
                Ok(())
            }
        }
    }

    /// The smaller class becomes part of the larger. Of their watchers the fewer are woken: a node that sees the two
    /// become one reads values of both.
    fn join(&mut self, x: Symbol, y: Symbol) {
        let others = |symbol: Symbol| self.classes[symbol.at()].others;
        let (from, to) = if others(x) < others(y) { (x, y) } else { (y, x) };
        self.parent[from.at()] = to;
        let mut gone = std::mem::take(&mut self.classes[from.at()]);
        let kept = &mut self.classes[to.at()];
        kept.others += gone.others + 1;
        // A call hands names over, so those that had none are woken as well.
        match (gone.name.is_some(), kept.name.is_some()) {
            (true, false) => std::mem::swap(&mut gone.watchers, &mut kept.watchers),
            (false, true) => {}
            _ if gone.watchers.len() > kept.watchers.len() => std::mem::swap(&mut gone.watchers, &mut kept.watchers),
            _ => {}
        }
        self.woken.extend_from_slice(&gone.watchers);
        kept.watchers.append(&mut gone.watchers);
        kept.name = match (kept.name.take(), gone.name) {
            // A name of the program before one that stands for a caller's, then the one that was given first.
            (Some(a), Some(b)) => {
                Some(std::cmp::min_by(a, b, |(n, a), (m, b)| (anonymous(a), n).cmp(&(anonymous(b), m))))
            }
            (a, b) => a.or(b),
        };
    }

    /// What has been found out about names: a size, or that another name is the same.
    pub fn facts(&self) -> Vec<(String, Dim)> {
        let fact = |(name, symbol): &(Rc<str>, Symbol)| {
            let dim = self.dim(Extent::Symbol(*symbol));
            (dim != Dim::Named(name.to_string())).then(|| (name.to_string(), dim))
        };
        self.names.iter().filter_map(fact).collect()
    }
}

/// The name of a dimension that a caller's function does not name, while the callee is solved: no identifier of Rust.
pub fn anonymous_name(number: usize) -> String {
    format!("?{number}")
}
/// Whether a name is one of those.
pub fn anonymous(name: &str) -> bool {
    name.starts_with('?')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_one_is_said_of_all_and_whoever_watches_is_woken() {
        let mut dims = Dims::default();
        let (n, m, k) = (dims.named("N"), dims.named("M"), dims.fresh());
        let because = &Because::Node(NodeIx::new(7));
        dims.watch(n, ValueIx::new(1));
        dims.watch(m, ValueIx::new(2));
        assert!(dims.unify(n, k, because).is_ok() && dims.take_woken().is_empty());
        assert!(dims.unify(k, m, because).is_ok());
        assert_eq!(dims.take_woken().len(), 1);
        assert_eq!(dims.dim(m), Dim::Named("N".into()));
        assert!(dims.unify(m, Extent::Size(64), because).is_ok());
        assert_eq!(dims.take_woken().len(), 2);
        assert_eq!((dims.dim(n), dims.because(n)), (Dim::Size(64), because));
        assert!(dims.unify(n, Extent::Size(32), because).is_err());
        assert_eq!(dims.facts(), [("N".into(), Dim::Size(64)), ("M".into(), Dim::Size(64))]);
    }

    #[test]
    fn a_name_of_the_program_stays_in_front_of_one_that_stands_for_a_caller_s() {
        let mut dims = Dims::default();
        let (a, n) = (dims.named("?0"), dims.named("N"));
        assert!(dims.unify(a, n, &Because::Unsaid).is_ok());
        assert_eq!((dims.name(a), dims.facts()), (Some("N"), vec![("?0".into(), Dim::Named("N".into()))]));
    }
}
