//! How often what struck.

use crate::fate::Kind;
use std::fmt;
use std::ops::AddAssign;

macro_rules! faults {
    ($($(#[doc = $doc:literal])* $name:ident $($kind:ident)?;)*) => {
        /// How often each kind of fault struck.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Faults {
            $($(#[doc = $doc])* pub $name: u64,)*
        }
        impl Faults {
            pub(crate) fn count(&mut self, kind: Kind) {
                match kind {
                    $($(Kind::$kind => self.$name += 1,)?)*
                    // The world counts what they do: nodes killed, groups cut off.
                    Kind::Crash | Kind::Part => {}
                }
            }
        }
        impl AddAssign for Faults {
            fn add_assign(&mut self, other: Self) {
                $(self.$name += other.$name;)*
            }
        }
        /// The kinds that struck, and how often.
        impl fmt::Display for Faults {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let rows = [$((self.$name, stringify!($name))),*];
                let struck: Vec<String> =
                    rows.iter().filter(|row| row.0 > 0).map(|(n, name)| format!("{n} {name}")).collect();
                f.write_str(if struck.is_empty() { "none" } else { "" })?;
                f.write_str(&struck.join(", "))
            }
        }
    };
}

faults! {
    /// Messages lost.
    dropped Drop;
    /// Messages that arrived twice.
    duplicated Duplicate;
    /// Messages that were free to overtake others, or to be overtaken.
    reordered Overtake;
    /// Messages that waited until those before them had left.
    queued;
    /// Nodes killed.
    killed;
    /// Groups cut off.
    partitioned;
    /// Messages with bits turned round.
    flipped Flip;
    /// Messages cut short.
    cut Cut;
    /// Messages in whose place an earlier one went.
    replayed Replay;
    /// Methods whose results held no numbers.
    not_numbers Nan;
    /// Methods whose results had another shape.
    misshapen Shape;
    /// Methods that refused.
    refused Error;
    /// Methods that panicked.
    panicked Panic;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_struck_is_counted_added_and_named() {
        let mut faults = Faults::default();
        assert_eq!(faults.to_string(), "none");
        faults.count(Kind::Nan);
        faults.count(Kind::Drop);
        faults += faults;
        assert_eq!(faults, Faults { dropped: 2, not_numbers: 2, ..Faults::default() });
        assert_eq!(faults.to_string(), "2 dropped, 2 not_numbers");
    }
}
