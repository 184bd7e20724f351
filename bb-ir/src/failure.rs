//! Why a value will not come, as peers tell each other.

use std::fmt;

macro_rules! codes { ($($(#[doc = $doc:literal])* $name:ident = $number:literal;)*) => {
    /// What a failure fill says. Append-only; an appended code raises bb's IR version, which every digest holds, so
    /// that peers who exchange values know the same codes.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    #[non_exhaustive]
    #[repr(u32)]
    pub enum FailureCode { $($(#[doc = $doc])* $name = $number),* }

    impl FailureCode {
        /// Every code.
        pub const ALL: &[FailureCode] = &[$(FailureCode::$name),*];

        /// The code's name.
        pub const fn name(self) -> &'static str {
            match self { $(FailureCode::$name => stringify!($name)),* }
        }
        /// What it means.
        pub const fn meaning(self) -> &'static str {
            match self { $(FailureCode::$name => concat!($($doc),*).trim_ascii_start()),* }
        }
    }
} }
codes! {
    /// An op erred, panicked or was past its deadline.
    OpFailed = 1;
    /// Time ran out.
    Deadline = 2;
    /// The connection to the peer was lost.
    PeerLost = 3;
    /// A send was refused.
    SendRefused = 4;
    /// Fewer members answered than were needed.
    QuorumNotReached = 5;
    /// Something it needs failed.
    Cancelled = 6;
    /// The component panicked before and takes no more calls.
    ComponentFailed = 7;
    /// The bootstrap failed.
    BootstrapFailed = 8;
    /// The peer could not be reached.
    Unreachable = 9;
    /// The peer was started anew.
    PeerRestarted = 10;
}

impl FailureCode {
    /// The code of that number.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.number() == number)
    }
    /// The number on the wire.
    pub const fn number(self) -> u32 {
        self as u32
    }
}

impl fmt::Display for FailureCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_numbered_from_one_without_gaps() {
        let numbers: Vec<u32> = FailureCode::ALL.iter().map(|code| code.number()).collect();
        assert_eq!(numbers, (1..=10).collect::<Vec<_>>());
        assert_eq!(FailureCode::from_number(5), Some(FailureCode::QuorumNotReached));
        assert_eq!((FailureCode::from_number(0), FailureCode::from_number(11)), (None, None));
    }
}
