//! Time as the host sees it.

use std::time::Duration;

/// Nanoseconds since an origin that the host chooses. Only differences mean anything.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Time(pub u64);

impl Time {
    /// So much later; the end of time where that is beyond it.
    pub fn after(self, duration: Duration) -> Time {
        Time(self.0.saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }
    /// How long it is until `later`; nothing where that is past.
    pub fn until(self, later: Time) -> Duration {
        Duration::from_nanos(later.0.saturating_sub(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_saturates_at_its_ends() {
        assert_eq!(Time(5).after(Duration::from_nanos(7)), Time(12));
        assert_eq!(Time(u64::MAX - 1).after(Duration::MAX), Time(u64::MAX));
        assert_eq!(Time(12).until(Time(5)), Duration::ZERO);
        assert_eq!(Time(5).until(Time(12)), Duration::from_nanos(7));
    }
}
