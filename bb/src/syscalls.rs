//! What the engine itself does for a program: time, chance, the first of several, and what leaves a graph at its side.

use crate::data::{Numeric, WireType};
use crate::gather::Limit;
use crate::place::{On, PeerClass, Place};
use crate::record::{Gives, Graph, Policy, SiteRef, constant, starts, syscall};
use bb_ir::ops::syscall as attributes;
use bb_ir::ops::{
    SYSCALL_AFTER, SYSCALL_ANY, SYSCALL_CLOCK, SYSCALL_EMIT, SYSCALL_INTERVAL, SYSCALL_LIMIT, SYSCALL_METRIC,
    SYSCALL_RANDOM,
};
use bb_ir::types::{ElementKind, ValueType};
use bb_ir::views::attribute;
use std::time::Duration;

fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// Sources: they run when the call starts, or with [`Graph::after`] when a value is there.
impl Graph {
    /// What the clock of the node shows, in nanoseconds. It began at any time: only the difference of two clocks of one
    /// node means anything.
    ///
    /// ```ignore
    /// let before = graph.clock::<Server>();
    /// let took = graph.after(answer).clock::<Server>() - before;
    /// ```
    #[track_caller]
    pub fn clock<C: PeerClass>(&self) -> On<C, i64> {
        let trigger = starts::<C>(self);
        On::at(
            syscall::<C>(
                SYSCALL_CLOCK,
                &[],
                Some(trigger),
                Gives::One(ValueType::scalar(ElementKind::I64).into()),
                vec![],
            )
            .take(),
        )
    }
    /// A number drawn from the node's seed, evenly from all of `u64`.
    #[track_caller]
    pub fn random<C: PeerClass>(&self) -> On<C, u64> {
        let trigger = starts::<C>(self);
        On::at(syscall::<C>(SYSCALL_RANDOM, &[], Some(trigger), Gives::One(number()), vec![]).take())
    }
    /// Starts an execution of the module every `period`, on every node that hosts `C`, which is the caller then: for a
    /// module without inputs. The number of the execution since the node started, from 1; what the module gives comes as
    /// the node's events.
    #[track_caller]
    pub fn interval<C: PeerClass>(&self, period: Duration) -> On<C, u64> {
        let trigger = starts::<C>(self);
        let period = vec![attribute::int(attributes::PERIOD_NS, nanoseconds(period))];
        On::at(syscall::<C>(SYSCALL_INTERVAL, &[], Some(trigger), Gives::One(number()), period).take())
    }
    /// The first of these values that is there; the others are ignored. It fails where all of them do.
    ///
    /// # Panics
    /// If there are none.
    #[track_caller]
    pub fn any<P: Place, T: WireType>(&self, of: impl IntoIterator<Item = On<P, T>>) -> On<P, T> {
        let inputs: Vec<SiteRef> = of.into_iter().map(On::site).collect();
        assert!(!inputs.is_empty(), "`any` of no values is none");
        On::at(syscall::<P>(SYSCALL_ANY, &inputs, None, Gives::Like, vec![]).take())
    }
}

fn number() -> crate::typed::ValueInfo {
    ValueType::scalar(ElementKind::U64).into()
}

impl<P: Place, T: WireType> On<P, T> {
    /// The value, so much later: a `Duration` such as `secs(3)`, or a value `On<P, Duration>`.
    #[track_caller]
    pub fn after(self, time: impl Limit<P>) -> On<P, T> {
        let time = match time.policy() {
            Policy::Within(time) => constant::<P, Duration>(time),
            value => value.site().expect("a limit is a duration, or a value"),
        };
        On::at(syscall::<P>(SYSCALL_AFTER, &[self.site, time], None, Gives::Like, vec![]).take())
    }
    /// The value, where no more than `count` have come by here on this node in any `per`; else the op fails, and with it
    /// what needs the value. All executions count together.
    ///
    /// The limit is kept by the generic cell rate algorithm (ITU-T I.371): a burst of `count` is let through, and then one
    /// in each `per / count`.
    ///
    /// # Panics
    /// If `count` or `per` is zero.
    #[track_caller]
    pub fn limit(self, count: u32, per: Duration) -> On<P, T> {
        assert!(count > 0 && !per.is_zero(), "a limit lets something through");
        let attributes = vec![
            attribute::int(attributes::COUNT, count.into()),
            attribute::int(attributes::PERIOD_NS, nanoseconds(per)),
        ];
        On::at(syscall::<P>(SYSCALL_LIMIT, &[self.site], None, Gives::Like, attributes).take())
    }
    /// Tells the node's host the value under a name, where it is and as soon as it is there: an event, beside the outputs
    /// of the module.
    #[track_caller]
    pub fn emit(self, topic: &str) {
        let topic = vec![attribute::string(attributes::TOPIC, topic)];
        syscall::<P>(SYSCALL_EMIT, &[self.site], None, Gives::Nothing, topic);
    }
}

impl<P: Place, T: Numeric> On<P, T> {
    /// Tells the node's host one number under a name: an event for whoever keeps metrics.
    ///
    /// A tensor of more than one element fails the op.
    #[track_caller]
    pub fn metric(self, name: &str) {
        let name = vec![attribute::string(attributes::TOPIC, name)];
        syscall::<P>(SYSCALL_METRIC, &[self.site], None, Gives::Nothing, name);
    }
}
