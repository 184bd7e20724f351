//! The engine's time: nanoseconds since the node's start.

use bb_engine::Time;
use tokio::time::Instant;

/// Shared by everything of one node.
#[derive(Clone, Copy)]
pub(crate) struct Clock(Instant);

impl Clock {
    pub fn start() -> Self {
        Clock(Instant::now())
    }
    pub fn now(&self) -> Time {
        Time(u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }
    /// When that is on the runtime's clock; a day away at most.
    pub fn instant(&self, time: Time) -> Instant {
        let away = self.now().until(time).min(std::time::Duration::from_secs(86_400));
        Instant::now() + away
    }
}
