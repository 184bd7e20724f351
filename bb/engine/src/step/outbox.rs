//! What was sent to a peer and has not been acknowledged: kept, sent again, or given up (SEMANTICS 1.12).
//!
//! Numbers are settled from the front. A message that is given up leaves its number behind, which has to arrive all the
//! same: the other side waits for it before it acknowledges what follows.

use super::checkpoint::{SentImage, sent_image};
use super::frame::FrameRef;
use super::rtt::Rtt;
use crate::event::ExecutionId;
use crate::outgoing::Outgoing;
use crate::time::Time;
use bb_ir::peer::PeerId;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

/// How many messages may be on their way to a peer, which tells as many apart.
pub const WINDOW: u64 = 4096;
/// How long a message whose connection was lost waits for the next one.
const RECONNECT_WITHIN: Duration = Duration::from_secs(10);
/// The same after this node itself was restored: its peers have to notice first.
pub const RESTORED_WITHIN: Duration = Duration::from_secs(60);
/// How long a failure may still arrive after its execution's time.
const FAILURE_GRACE: Duration = Duration::from_secs(5);
/// How fast what is in flight is taken to travel at least.
const BYTES_PER_SECOND_MIN: u64 = 1 << 20;
/// How often the wait for an acknowledgement is doubled at most.
const DOUBLINGS_MAX: u32 = 6;
/// How many messages are sent again at once.
const AGAIN_MAX: usize = 64;
/// And how soon the next ones.
const AGAIN_PAUSE: Duration = Duration::from_millis(1);

const NEVER: Time = Time(u64::MAX);

/// A message that is on its way, and what fails with it.
pub struct Sent {
    pub frame: FrameRef,
    pub wire: u64,
    /// The lane of this frame whose member it is for.
    pub lane: Option<u32>,
    pub outgoing: Outgoing,
}

impl Sent {
    /// What it is of, said by this peer.
    pub fn execution(&self, me: &PeerId) -> ExecutionId {
        let name = self.outgoing.envelope.execution.as_ref().expect("what has fills says what it is of");
        let origin = name.origin.as_ref().unwrap_or(me).clone();
        ExecutionId { origin, epoch: name.epoch, counter: name.counter }
    }
}

struct InFlight {
    /// None once it is given up.
    message: Option<Sent>,
    sent_at: Time,
    tries: u32,
    /// Its connection was lost; until then another may come.
    lost_until: Option<Time>,
}

/// One peer's messages in flight.
pub struct Outbox {
    /// The number of the first.
    first: u64,
    /// Up to where no crash takes back what is settled: what was acknowledged, or is in a checkpoint. It is what Hello says.
    safe: u64,
    /// The first of each checkpoint that is being written, where it is another.
    saving: VecDeque<(u64, u64)>,
    flight: VecDeque<InFlight>,
    /// How many of them have gone out: no more than the other side keeps apart.
    out: usize,
    /// Bytes of values in them.
    bytes: u64,
    /// When the timer that stands for them rings.
    rings: Option<Time>,
    /// Whether it was told that they are many.
    high: bool,
}
impl Default for Outbox {
    fn default() -> Self {
        Outbox::beginning(1)
    }
}

/// What an acknowledgement settles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    pub numbers: u64,
    /// Those whose messages were not given up.
    pub messages: u64,
    /// How long the last of them took, if it was sent once (Karn's rule).
    pub took: Option<Duration>,
}

/// What becomes of a message that is not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// It is sent again.
    Again,
    /// It is too late.
    Expired,
    /// No connection came.
    Lost,
}

impl Outbox {
    /// Nothing; the next message has this number.
    pub fn beginning(first: u64) -> Self {
        let (flight, saving) = (VecDeque::new(), VecDeque::new());
        Outbox { first, safe: first, saving, flight, out: 0, bytes: 0, rings: None, high: false }
    }
    /// As it was saved, without a connection.
    pub fn restored(first: u64, messages: Vec<Option<Sent>>, now: Time) -> Self {
        let bytes = messages.iter().flatten().map(|m| m.outgoing.bytes() as u64).sum();
        let lost_until = Some(now.after(RESTORED_WITHIN));
        let flight = |message| InFlight { message, sent_at: now, tries: 1, lost_until };
        let flight: VecDeque<_> = messages.into_iter().map(flight).collect();
        Outbox { out: flight.len().min(WINDOW as usize), flight, bytes, ..Outbox::beginning(first) }
    }
    /// The first number, and what is in flight from there on.
    pub fn image(&self, now: Time, numbers: &FxHashMap<FrameRef, u32>) -> (u64, Vec<SentImage>) {
        let image =
            |it: &InFlight| it.message.as_ref().map_or_else(SentImage::default, |m| sent_image(m, now, numbers));
        (self.first, self.flight.iter().map(image).collect())
    }
    /// The next message's number.
    pub fn next_number(&self) -> u64 {
        self.first + self.flight.len() as u64
    }
    /// The first number that is not settled.
    pub fn first_unsettled(&self) -> u64 {
        self.first
    }
    /// The first number that a Hello may not call settled.
    pub fn first_unsafe(&self) -> u64 {
        self.safe
    }
    /// A checkpoint of this number holds what is settled.
    pub fn saved_by(&mut self, checkpoint: u64) {
        if self.first > self.saving.back().map_or(self.safe, |(_, first)| *first) {
            self.saving.push_back((checkpoint, self.first));
        }
    }
    /// It, and all before it, are written.
    pub fn safe_by(&mut self, checkpoint: u64) {
        while let Some((number, first)) = self.saving.front().copied()
            && number <= checkpoint
        {
            self.saving.pop_front();
            self.safe = self.safe.max(first);
        }
    }
    /// Bytes of values that have not been acknowledged.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
    /// Numbers that are not settled.
    pub fn len(&self) -> usize {
        self.flight.len()
    }
    /// Whether bytes in flight have become more than half of `max`, or less than a quarter again.
    pub fn pressure(&mut self, max: u64) -> Option<bool> {
        let changes = if self.high { self.bytes < max / 4 } else { self.bytes > max / 2 };
        if changes {
            self.high = !self.high;
        }
        changes.then_some(self.high)
    }
    /// Messages that have been neither acknowledged nor given up.
    pub fn messages(&self) -> usize {
        self.flight.iter().filter(|f| f.message.is_some()).count()
    }

    /// Whether there is any.
    pub fn has_messages(&self) -> bool {
        self.flight.iter().any(|f| f.message.is_some())
    }
    /// Gives back the room of what was in flight.
    pub fn shrink(&mut self) {
        self.flight.shrink_to_fit();
    }

    /// A message is accepted, by [`Outbox::next_number`]. It goes out with [`Outbox::go_out`].
    pub fn push(&mut self, sent: Sent, now: Time) {
        self.bytes += sent.outgoing.bytes() as u64;
        self.flight.push_back(InFlight { message: Some(sent), sent_at: now, tries: 0, lost_until: None });
    }
    /// Whether a timer has to be set for what has gone out now: there is none, or it rings too late for it.
    pub fn needs_timer(&self, now: Time, rtt: &Rtt) -> bool {
        !self.flight.is_empty() && self.rings.is_none_or(|at| at > now.after(rtt.timeout() + self.slow()))
    }
    /// How much longer what is in flight takes because it is much.
    fn slow(&self) -> Duration {
        Duration::from_nanos(self.bytes.saturating_mul(1_000_000_000 / BYTES_PER_SECOND_MIN))
    }
    /// The next message that may go out: no more than a window are on their way. Nothing but its number, if it was given
    /// up before.
    pub fn go_out(&mut self, now: Time) -> Option<(u64, Option<Outgoing>)> {
        if self.out >= WINDOW as usize {
            return None;
        }
        let it = self.flight.get_mut(self.out)?;
        (it.sent_at, it.lost_until) = (now, None);
        self.out += 1;
        Some((self.first + self.out as u64 - 1, it.message.as_ref().map(|m| m.outgoing.clone())))
    }
    /// Everything up to `ack` has arrived.
    pub fn acknowledged(&mut self, ack: u64, now: Time) -> Settled {
        let mut settled = Settled::default();
        while self.first <= ack
            && let Some(it) = self.flight.pop_front()
        {
            self.first += 1;
            self.out = self.out.saturating_sub(1);
            settled.numbers += 1;
            settled.took = (it.tries == 0).then(|| it.sent_at.until(now));
            if let Some(message) = it.message {
                settled.messages += 1;
                self.bytes -= message.outgoing.bytes() as u64;
            }
        }
        self.safe = self.safe.max(self.first.min(ack.saturating_add(1)));
        settled
    }
    /// The peer is there: what is sent again ever more rarely, because it was not, is sent again soon. Whether anything is.
    pub fn heard(&mut self) -> bool {
        let rarely = self.flight.front().is_some_and(|it| it.tries > 1);
        if rarely {
            self.flight.iter_mut().for_each(|it| it.tries = it.tries.min(1));
        }
        rarely
    }
    fn get_mut(&mut self, number: u64) -> Option<&mut InFlight> {
        self.flight.get_mut(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }
    /// What to send again under a number, counted as one more try: the message, or nothing but the number.
    pub fn again(&mut self, number: u64, now: Time) -> Option<Outgoing> {
        let it = self.get_mut(number)?;
        it.tries = (it.tries + 1).min(DOUBLINGS_MAX);
        (it.sent_at, it.lost_until) = (now, None);
        it.message.as_ref().map(|m| m.outgoing.clone())
    }
    /// The first number that has not gone out.
    pub fn first_waiting(&self) -> u64 {
        self.first + self.out as u64
    }
    /// Whether a number is one of those that are on their way.
    pub fn has_gone_out(&self, number: u64) -> bool {
        (self.first..self.first_waiting()).contains(&number)
    }
    /// Whether a message has been sent more than once.
    pub fn was_sent_again(&mut self, number: u64) -> bool {
        self.get_mut(number).is_some_and(|it| it.tries > 0)
    }
    /// A message is given up; its number stays.
    pub fn give_up(&mut self, number: u64) -> Option<Sent> {
        let sent = self.get_mut(number)?.message.take()?;
        self.bytes -= sent.outgoing.bytes() as u64;
        Some(sent)
    }

    /// Whether a timer that rings now is the one that stands for them: an earlier one may have taken its place.
    pub fn rings(&self, now: Time) -> bool {
        self.rings.is_some_and(|at| at <= now)
    }
    /// Whether no timer is needed any more.
    pub fn is_at_rest(&mut self) -> bool {
        let rest = self.flight.is_empty();
        if rest {
            self.rings = None;
        }
        rest
    }

    /// The connection is lost. Messages in lanes are lost with it; these are their numbers.
    pub fn lost(&mut self, now: Time) -> Vec<u64> {
        let mut in_lanes = Vec::new();
        for (it, number) in self.flight.iter_mut().zip(self.first..).take(self.out) {
            it.lost_until = it.lost_until.or(Some(now.after(RECONNECT_WITHIN)));
            if it.message.as_ref().is_some_and(|m| m.lane.is_some()) {
                in_lanes.push(number);
            }
        }
        in_lanes
    }
    /// What a lost connection has left in flight. What had not gone out is behind the window, and still waits its turn.
    pub fn left_behind(&self) -> Vec<u64> {
        let all = self.flight.iter().zip(self.first..).take(self.out);
        all.filter(|(it, _)| it.lost_until.is_some()).map(|(_, number)| number).collect()
    }

    /// Without a connection, numbers whose messages were given up need not arrive: the next Hello settles them. That of a
    /// durable engine once a checkpoint does: one that does not may be restored, and would send them.
    pub fn forget_numbers(&mut self, durable: bool) {
        if self.flight.iter().all(|it| it.message.is_none()) {
            self.first = self.next_number();
            self.flight.clear();
            self.out = 0;
            self.safe = if durable { self.safe } else { self.first };
        }
    }
    /// A Hello that calls numbers unsettled from there on was said before they were forgotten: the other side waits for them.
    pub fn unsettle(&mut self, from: u64, now: Time) -> Range<u64> {
        let waited_for = from.min(self.first)..self.first;
        for _ in waited_for.clone() {
            self.flight.push_front(InFlight { message: None, sent_at: now, tries: 1, lost_until: None });
            self.out += 1;
        }
        self.first = waited_for.start;
        waited_for
    }
    /// The timer has rung: what there is to do, and when to ring again.
    pub fn due(&mut self, now: Time, rtt: &Rtt, connected: bool) -> (Vec<(u64, Due)>, Option<Time>) {
        let slow = self.slow();
        let (mut all, mut next, mut again) = (Vec::new(), None, 0);
        for ((it, number), i) in self.flight.iter().zip(self.first..).zip(0..) {
            let (mut at, what) =
                it.next(connected && i < self.out, it.sent_at.after(rtt.timeout() * (1 << it.tries) + slow), now);
            if at <= now && what == Due::Again {
                again += 1;
                at = if again > AGAIN_MAX { now.after(AGAIN_PAUSE) } else { at };
            }
            if at <= now {
                all.push((number, what));
            } else {
                next = Some(next.map_or(at, |next: Time| next.min(at)));
            }
        }
        // What is sent again is due once more.
        let soonest = (again > 0).then(|| now.after(rtt.timeout()));
        next = [next, soonest].into_iter().flatten().min().filter(|at| *at < NEVER);
        self.rings = next;
        (all, next)
    }
}

impl InFlight {
    /// What becomes of it next, and when, if it is not acknowledged before.
    fn next(&self, connected: bool, again_at: Time, now: Time) -> (Time, Due) {
        let again = if connected { again_at } else { NEVER };
        let Some(message) = &self.message else { return (again, Due::Again) };
        let grace = if message.outgoing.fails() { FAILURE_GRACE } else { Duration::ZERO };
        let late = message.outgoing.expires.after(grace);
        match self.lost_until {
            Some(until) if until <= late => (until, Due::Lost),
            None if again < late && now < late => (again, Due::Again),
            _ => (late, Due::Expired),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::SendId;
    use bb_ir::envelope::{Envelope, Fill, FillContent};
    use bb_ir::site::SiteAddress;
    use std::sync::Arc;

    const MS: Duration = Duration::from_millis(1);

    fn at(ms: u64) -> Time {
        Time(ms * 1_000_000)
    }
    fn sent(outbox: &mut Outbox, lane: Option<u32>, now: Time, expires: Time) -> u64 {
        let peer = PeerId::from_bytes(vec![1]).expect("short");
        let number = outbox.next_number();
        let content = FillContent::Trigger { type_hash: 1 };
        let fills = [Fill { address: SiteAddress([0; 8]), content }].into();
        let envelope = Arc::new(Envelope { fills, ..Envelope::bare(number, 0) });
        let outgoing = Outgoing { id: SendId { peer: 0, seq: number }, peer: peer.clone(), expires, envelope };
        outbox.push(Sent { frame: FrameRef::default(), wire: 0, lane, outgoing }, now);
        assert_eq!(outbox.go_out(now).map(|(n, _)| n), Some(number));
        number
    }

    #[test]
    fn what_is_not_acknowledged_is_sent_again_after_longer_and_longer_waits_until_it_is_too_late() {
        let (mut outbox, rtt) = (Outbox::default(), Rtt::default());
        let number = sent(&mut outbox, None, at(0), at(60_000));
        let (mut now, mut times) = (at(0), Vec::new());
        loop {
            let (all, next) = outbox.due(now, &rtt, true);
            match all.as_slice() {
                [] => {}
                [(1, Due::Again)] => {
                    times.push(now.0 / 1_000_000);
                    assert!(outbox.again(number, now).is_some());
                }
                [(1, Due::Expired)] => break,
                other => panic!("{other:?}"),
            }
            now = next.expect("it is still in flight");
        }
        assert_eq!((times, now), (vec![1000, 3000, 7000, 15_000, 31_000], at(60_000)));
        assert!(outbox.give_up(number).is_some() && outbox.give_up(number).is_none());
        assert_eq!((outbox.messages(), outbox.bytes()), (0, 0));
        assert_eq!(outbox.due(at(200_000), &rtt, true).0, [(1, Due::Again)], "its number has to arrive all the same");
        assert_eq!(outbox.again(number, now).map(|o| o.id.seq), None);
    }

    #[test]
    fn an_acknowledgement_settles_from_the_front_and_measures_what_was_sent_once() {
        let mut outbox = Outbox::default();
        for _ in 0..4 {
            sent(&mut outbox, None, at(0), at(60_000));
        }
        let settled = |numbers, took| Settled { numbers, messages: numbers, took };
        assert_eq!(outbox.acknowledged(2, at(30)), settled(2, Some(30 * MS)));
        assert_eq!((outbox.first_unsettled(), outbox.next_number()), (3, 5));
        outbox.again(3, at(40));
        assert_eq!(outbox.acknowledged(3, at(50)), settled(1, None), "Karn's rule");
        assert_eq!(outbox.acknowledged(2, at(50)), Settled::default());
        assert_eq!(outbox.acknowledged(u64::MAX, at(50)).numbers, 1);
        assert_eq!((outbox.first_unsettled(), outbox.messages()), (5, 0));
    }

    #[test]
    fn a_lost_connection_takes_lanes_with_it_and_the_rest_waits_for_the_next_one() {
        let (mut outbox, rtt) = (Outbox::default(), Rtt::default());
        sent(&mut outbox, None, at(0), at(60_000));
        sent(&mut outbox, Some(3), at(0), at(60_000));
        sent(&mut outbox, None, at(0), at(5_000));
        assert_eq!(outbox.lost(at(100)), [2]);
        outbox.give_up(2);
        assert_eq!(outbox.left_behind(), [1, 2, 3]);
        assert_eq!(outbox.due(at(4_000), &rtt, false), (vec![], Some(at(5_000))));
        assert_eq!(outbox.due(at(5_000), &rtt, false), (vec![(3, Due::Expired)], Some(at(10_100))));
        outbox.give_up(3);
        assert_eq!(outbox.due(at(10_100), &rtt, false), (vec![(1, Due::Lost)], None));
        outbox.give_up(1);
        assert_eq!(outbox.due(at(10_101), &rtt, false), (vec![], None));
        outbox.forget_numbers(false);
        assert_eq!((outbox.first_unsettled(), outbox.next_number()), (4, 4), "the next Hello says that all is settled");
    }

    #[test]
    fn a_durable_engine_calls_settled_what_was_acknowledged_or_is_in_a_checkpoint() {
        let mut outbox = Outbox::default();
        for _ in 0..3 {
            sent(&mut outbox, None, at(0), at(60_000));
        }
        outbox.acknowledged(1, at(1));
        outbox.lost(at(2));
        (2..=3).for_each(|number| _ = outbox.give_up(number));
        outbox.forget_numbers(true);
        assert_eq!((outbox.first_unsettled(), outbox.first_unsafe()), (4, 2));
        outbox.saved_by(7);
        outbox.safe_by(6);
        assert_eq!(outbox.first_unsafe(), 2);
        outbox.safe_by(7);
        assert_eq!(outbox.first_unsafe(), 4);
    }

    #[test]
    fn much_in_flight_is_given_time_to_arrive() {
        let mut outbox = Outbox { bytes: 8 << 20, ..Outbox::default() };
        sent(&mut outbox, None, at(0), at(60_000));
        let (all, next) = outbox.due(at(2_000), &Rtt::default(), true);
        assert!(all.is_empty() && next > Some(at(8_000)), "{next:?}");
    }

    #[test]
    fn no_more_than_a_window_are_on_their_way() {
        let mut outbox = Outbox::default();
        for _ in 0..WINDOW {
            sent(&mut outbox, None, at(0), at(60_000));
        }
        let peer = PeerId::from_bytes(vec![1]).expect("short");
        let id = SendId { peer: 0, seq: WINDOW + 1 };
        let outgoing = Outgoing { id, peer, expires: at(60_000), envelope: Arc::new(Envelope::bare(WINDOW + 1, 0)) };
        outbox.push(Sent { frame: FrameRef::default(), wire: 0, lane: None, outgoing }, at(0));
        assert!(outbox.go_out(at(1)).is_none());
        outbox.acknowledged(1, at(2));
        assert_eq!(outbox.go_out(at(2)).map(|(n, _)| n), Some(WINDOW + 1));
        assert!(outbox.go_out(at(3)).is_none());
    }
}
