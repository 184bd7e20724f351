//! The engine's time: nanoseconds since two days before the node's start.

use bb_engine::Time;
use tokio::time::Instant;

/// More than any call's budget: a restored engine has times of before its crash.
const ORIGIN: u64 = 2 * 86_400 * 1_000_000_000;

/// Shared by everything of one node.
#[derive(Clone, Copy)]
pub(crate) struct Clock(Instant);

impl Clock {
    pub fn start() -> Self {
        Clock(Instant::now())
    }
    pub fn now(&self) -> Time {
        Time(u64::try_from(self.0.elapsed().as_nanos()).map_or(u64::MAX, |ns| ns.saturating_add(ORIGIN)))
    }
    /// When that is on the runtime's clock; a day away at most.
    pub fn instant(&self, time: Time) -> Instant {
        let away = self.now().until(time).min(std::time::Duration::from_secs(86_400));
        Instant::now() + away
    }
}
