//! What is different between two programs, in words: for a review, and for whoever meets a peer with another build.
//!
//! Names that were minted and the order of statements mean nothing, so nothing is said of them: ops are paired by what
//! they are, what they read and who reads them. Gates and copies are left out, since they follow from the rest.

mod offers;
mod pairs;
mod say;
mod view;

use crate::digest::ProgramDigest;
use crate::proto::onnx::ModelProto;
pub use offers::{WireDifference, of_offers};
use std::fmt;
use view::View;

/// What a change is about. Changes are told in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum About {
    /// The program as a whole.
    Program,
    /// A class of peers.
    Class,
    /// An input.
    Input,
    /// A slot for a component.
    Role,
    /// A sub-module.
    Module,
    /// A wire.
    Wire,
    /// An op.
    Op,
    /// What an op gives.
    Type,
    /// An output.
    Output,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// What it is about.
    pub about: About,
    /// A sentence.
    pub text: String,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What is different.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Empty for programs that mean the same.
    pub changes: Vec<Change>,
    /// The digests, where there are two: peers with the one do not meet peers with the other, even if nothing but the order
    /// of statements is different.
    pub digests: Option<(ProgramDigest, ProgramDigest)>,
}

impl Difference {
    /// Between the artifacts of some classes before and after a change. All of a program's classes say most; one alone
    /// does as well, as do two whole programs that are not cut yet.
    pub fn of<'m>(
        before: impl IntoIterator<Item = &'m ModelProto>,
        after: impl IntoIterator<Item = &'m ModelProto>,
    ) -> Self {
        let (before, after) = (View::of(before), View::of(after));
        let digests = before.digest.zip(after.digest).filter(|(a, b)| a != b);
        Difference { changes: say::changes(before, &after), digests }
    }

    /// Whether the programs mean the same. Their digests may differ all the same.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// A line per change, and one for the digests.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in &self.changes {
            writeln!(f, "{change}")?;
        }
        match &self.digests {
            Some((before, after)) => writeln!(f, "peers of the two builds do not meet: {before} and {after}"),
            None => Ok(()),
        }
    }
}
