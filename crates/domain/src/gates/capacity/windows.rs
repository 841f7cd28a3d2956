//! The windows that capacities are counted in: minutes, hours, days and months.

use jiff::{SignedDuration, Timestamp, Zoned};

use crate::zones::Zone;

/// The windows that hold at one instant in one zone. Minutes and hours are cut from UTC and are the
/// same everywhere; days and months are the zone's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// The start of the minute.
    pub minute_start: Timestamp,
    /// The start of the hour.
    pub hour_start: Timestamp,
    /// The start of the day.
    pub day_start: Timestamp,
    /// The start of the next day.
    pub next_day_start: Timestamp,
    /// The start of the month.
    pub month_start: Timestamp,
    /// The start of the next month.
    pub next_month_start: Timestamp,
}

impl Windows {
    /// The windows at an instant.
    pub fn at(now: Timestamp, zone: Zone) -> Self {
        let local = now.to_zoned(zone.rules().clone());
        let first = local.first_of_month();
        let last = local.last_of_month();

        Self {
            minute_start: floor(now, MINUTE),
            hour_start: floor(now, HOUR),
            day_start: start_of_day(Ok(local.clone()), Timestamp::MIN),
            next_day_start: start_of_day(local.tomorrow(), Timestamp::MAX),
            month_start: start_of_day(first, Timestamp::MIN),
            next_month_start: start_of_day(last.and_then(|last| last.tomorrow()), Timestamp::MAX),
        }
    }

    /// The start of the next minute.
    pub fn next_minute(&self) -> Timestamp {
        later(self.minute_start, MINUTE)
    }

    /// The start of the next hour.
    pub fn next_hour(&self) -> Timestamp {
        later(self.hour_start, HOUR)
    }
}

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

fn floor(now: Timestamp, seconds: i64) -> Timestamp {
    let start = now.as_second().div_euclid(seconds) * seconds;
    Timestamp::from_second(start).unwrap_or(Timestamp::MIN)
}

fn later(start: Timestamp, seconds: i64) -> Timestamp {
    start.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

/// Days at the ends of time have no start; no business date comes near.
fn start_of_day(day: Result<Zoned, jiff::Error>, endless_at: Timestamp) -> Timestamp {
    day.and_then(|day| day.start_of_day()).map_or(endless_at, |start| start.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    fn zone(name: &str) -> Zone {
        Zone::parse(name).expect("a zone")
    }

    #[test]
    fn days_and_months_are_the_zones_own() {
        let windows = Windows::at(at("2026-03-01T04:30:10Z"), zone("America/New_York"));
        assert_eq!(windows.minute_start, at("2026-03-01T04:30:00Z"));
        assert_eq!(windows.hour_start, at("2026-03-01T04:00:00Z"));
        assert_eq!(windows.day_start, at("2026-02-28T05:00:00Z"));
        assert_eq!(windows.next_day_start, at("2026-03-01T05:00:00Z"));
        assert_eq!(windows.month_start, at("2026-02-01T05:00:00Z"));
        assert_eq!(windows.next_month_start, at("2026-03-01T05:00:00Z"));
        assert_eq!(windows.next_minute(), at("2026-03-01T04:31:00Z"));
        assert_eq!(windows.next_hour(), at("2026-03-01T05:00:00Z"));
    }

    #[test]
    fn the_day_on_which_clocks_change_is_as_long_as_it_is() {
        let windows = Windows::at(at("2026-03-08T12:00:00Z"), zone("America/New_York"));
        assert_eq!(windows.next_day_start.duration_since(windows.day_start).as_hours(), 23);
    }
}
