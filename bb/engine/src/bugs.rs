//! Faults built in on purpose: what finds none of them finds no others either.
//!
//! With the feature `seeded-bugs` a test can switch one on, for its thread; without it `has` is `false` at compile time
//! and nothing of them is left. `cargo test -p bb-sim --features seeded-bugs` sees that the campaign catches each.

macro_rules! bugs {
    ($($(#[doc = $doc:literal])* $name:ident,)*) => {
        /// A fault of the engine that is there on purpose.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Bug { $($(#[doc = $doc])* $name,)* }
        impl Bug {
            /// All of them.
            pub const ALL: &[Bug] = &[$(Bug::$name,)*];
        }
    };
}

bugs! {
    /// A message that comes twice counts twice.
    DedupOff,
    /// A message for a frame that has ended opens it again.
    LateApplied,
    /// A quorum is reached one short of it.
    QuorumOffByOne,
    /// A member that arrives counts for two.
    MemberCountsTwice,
    /// The time of a gather is never out.
    WithinNever,
    /// What a frame held is not given back when it ends.
    ChargeNotReleased,
    /// A frame in which nothing can happen any more stays.
    FrameNotEnded,
    /// An execution has no end in time where it was called.
    CallDeadlineIgnored,
    /// What is left of a deadline is taken for a time of day.
    DeadlineAbsolute,
    /// A peer that waits for a wire is not told that it will not come.
    FailureNotTold,
    /// Lanes are numbered from one.
    WrongLane,
    /// An op that waits for two values runs at the first.
    FiresEarly,
    /// An op runs twice.
    FiresTwice,
    /// What is not acknowledged is not sent again.
    ResendNever,
    /// Nothing is acknowledged.
    AckNever,
    /// One message too many is acknowledged.
    AckTooMuch,
    /// The number of a message that was given up is never told.
    NumberSkipped,
    /// A peer that was started again is taken for its former process.
    EpochIgnored,
    /// A peer that answers is taken for one that does not.
    AnswersIgnored,
    /// The outside sees what no checkpoint holds.
    OutputsBeforeCheckpoint,
    /// What was in flight is not restored.
    ResendLostAtRestore,
    /// What has arrived is not restored.
    DedupLostAtRestore,
    /// How many calls were made is not restored.
    CounterLostAtRestore,
    /// Methods that were under way are not run again.
    RunLostAtRestore,
    /// Deadlines are not restored.
    TimersLostAtRestore,
    /// A call does not wait for the bootstrap of what it touches.
    BootstrapNotAwaited,
    /// A bootstrap that has run runs again after a restore.
    BootstrapRunsAgain,
    /// Something depends on what no seed decides.
    Ambient,
}

#[cfg(not(feature = "seeded-bugs"))]
#[inline(always)]
pub(crate) const fn has(_: Bug) -> bool {
    false
}

#[cfg(feature = "seeded-bugs")]
pub(crate) use switch::has;
#[cfg(feature = "seeded-bugs")]
pub use switch::seed;

#[cfg(feature = "seeded-bugs")]
mod switch {
    use super::Bug;
    use std::cell::Cell;

    thread_local! {
        static SEEDED: Cell<Option<Bug>> = const { Cell::new(None) };
    }
    /// Switches this fault on for the thread, and every other off.
    pub fn seed(bug: Option<Bug>) {
        SEEDED.set(bug);
    }
    pub(crate) fn has(bug: Bug) -> bool {
        SEEDED.get() == Some(bug)
    }
}
