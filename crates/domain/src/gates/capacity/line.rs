//! Lines: a message that is over a capacity is due behind those that wait for it already, so that a
//! backlog is asked again about once a message and not all of it at every opening.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{kind::CounterKind, windows::Windows};
use crate::zones::Zone;

/// A capacity that messages wait in line for: the key of its row and, behind `line:`, of what wakes
/// them before their time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineKey {
    /// What is counted.
    pub kind: CounterKind,
    /// The campaign or the sender; none for what counts the whole tenant.
    pub target: Option<Uuid>,
}

/// A line as one message finds it. It moves as fast as the capacity allows: `next_due` is when the
/// next message fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::gates) struct CapacityLine {
    pub(in crate::gates) key: LineKey,
    /// When the next message fits behind those that wait; none where nobody does.
    pub(in crate::gates) next_due: Option<Timestamp>,
    /// Start of the next window of the capacity.
    pub(in crate::gates) opens_at: Timestamp,
    /// How much fits into a window.
    pub(in crate::gates) limit: i64,
    /// How much of it the message takes.
    pub(in crate::gates) amount: i64,
    /// Whose days and months the windows are.
    pub(in crate::gates) zone: Zone,
}

impl CapacityLine {
    /// When the message is asked again. A capacity of a minute or an hour is spread over it; one of
    /// a day or a month is there when the day begins.
    pub(in crate::gates) fn due(&self) -> Timestamp {
        window_of(self.key.kind, self.fits_at(), self.zone).max(self.opens_at)
    }

    /// When the next message fits behind this one.
    pub(in crate::gates) fn behind(&self) -> Timestamp {
        let window = match self.key.kind {
            CounterKind::QuotaMinute => 60,
            CounterKind::QuotaHour => 3_600,
            CounterKind::QuotaDay
            | CounterKind::SpendDay
            | CounterKind::CampaignDay
            | CounterKind::SenderDay => DAY,
            CounterKind::SpendMonth | CounterKind::CampaignMonth => 30 * DAY,
            CounterKind::AdmittedUrgent | CounterKind::AdmittedBulk => PACE_WINDOW,
        };

        // The message's share of the window. One larger than the capacity never fits: it takes all.
        let micros = i128::from(window) * 1_000_000;
        let share = micros * i128::from(self.amount) / i128::from(self.limit.max(1));
        let share = i64::try_from(share.clamp(0, micros)).unwrap_or(i64::MAX);

        let fits_at = self.fits_at();
        fits_at.saturating_add(SignedDuration::from_micros(share)).unwrap_or(fits_at)
    }

    /// When the message fits: behind the others, and not before the next window.
    fn fits_at(&self) -> Timestamp {
        self.next_due.map_or(self.opens_at, |next| next.max(self.opens_at))
    }
}

const DAY: i64 = 24 * 3_600;

/// The span in which the capacity of a line for a sender's pace is counted, in seconds.
pub(in crate::gates) const PACE_WINDOW: i64 = 3_600;

impl fmt::Display for LineKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.target {
            Some(target) => write!(f, "{}:{target}", self.kind.as_str()),
            None => f.write_str(self.kind.as_str()),
        }
    }
}

impl LineKey {
    /// The key of this text, as [`Display`](fmt::Display) writes it.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, target) = match text.split_once(':') {
            Some((kind, target)) => (kind, Some(target.parse().ok()?)),
            None => (text, None),
        };
        Some(Self { kind: CounterKind::from_name(kind)?, target })
    }

    /// Whether nobody waits any more at an instant in a line whose next message fits at `next_due`:
    /// the window of that instant has begun.
    pub fn is_over(&self, next_due: Timestamp, now: Timestamp, zone: Zone) -> bool {
        window_of(self.kind, next_due, zone) <= now
    }
}

/// The start of the window of a capacity that an instant is in; of the short ones, the instant.
fn window_of(kind: CounterKind, at: Timestamp, zone: Zone) -> Timestamp {
    match kind {
        CounterKind::QuotaMinute | CounterKind::QuotaHour => at,
        CounterKind::AdmittedUrgent | CounterKind::AdmittedBulk => at,
        CounterKind::QuotaDay
        | CounterKind::SpendDay
        | CounterKind::CampaignDay
        | CounterKind::SenderDay => Windows::at(at, zone).day_start,
        CounterKind::SpendMonth | CounterKind::CampaignMonth => Windows::at(at, zone).month_start,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    fn line(kind: CounterKind, opens_at: &str, limit: i64) -> CapacityLine {
        let zone = Zone::parse("America/New_York").expect("a zone");
        let key = LineKey { kind, target: None };
        CapacityLine { key, next_due: None, opens_at: at(opens_at), limit, amount: 1, zone }
    }

    /// The due times of so many messages that come one after the other.
    fn dues(mut line: CapacityLine, messages: usize) -> Vec<Timestamp> {
        let mut dues = Vec::new();
        for _ in 0..messages {
            dues.push(line.due());
            line.next_due = Some(line.behind());
        }
        dues
    }

    #[test]
    fn a_minutes_quota_is_spread_over_the_minutes_in_order() {
        let dues = dues(line(CounterKind::QuotaMinute, "2026-03-02T17:01:00Z", 60), 121);
        assert_eq!(dues[0], at("2026-03-02T17:01:00Z"));
        assert_eq!(dues[1], at("2026-03-02T17:01:01Z"));
        assert_eq!(dues[120], at("2026-03-02T17:03:00Z"));
    }

    #[test]
    fn a_days_cap_lets_as_many_come_at_each_days_beginning_as_it_carries() {
        let dues = dues(line(CounterKind::SenderDay, "2026-03-07T05:00:00Z", 50), 120);
        assert_eq!(dues[49], at("2026-03-07T05:00:00Z"));
        assert_eq!(dues[50], at("2026-03-08T05:00:00Z"));
        assert_eq!(dues[100], at("2026-03-09T04:00:00Z"), "the clocks have changed");
    }

    #[test]
    fn a_months_budget_opens_with_the_month() {
        let mut line = line(CounterKind::SpendMonth, "2026-04-01T04:00:00Z", 10_000);
        line.amount = 5_000;
        let dues = dues(line, 4);
        assert_eq!(dues[..2], [at("2026-04-01T04:00:00Z"); 2]);
        assert_eq!(dues[2..], [at("2026-05-01T04:00:00Z"); 2]);
    }

    #[test]
    fn what_never_fits_takes_a_window_and_not_for_ever() {
        let mut line = line(CounterKind::SpendDay, "2026-03-03T05:00:00Z", 0);
        line.amount = 7_900;
        assert_eq!(line.behind(), at("2026-03-04T05:00:00Z"));
    }

    #[test]
    fn a_line_of_the_past_is_no_line() {
        let mut line = line(CounterKind::SpendDay, "2026-03-03T05:00:00Z", 10);
        line.next_due = Some(at("2026-02-01T00:00:00Z"));
        assert_eq!(line.due(), at("2026-03-03T05:00:00Z"));
    }

    #[test]
    fn a_line_is_over_when_the_window_that_it_has_come_to_begins() {
        let zone = Zone::parse("America/New_York").expect("a zone");
        let key = LineKey { kind: CounterKind::SpendDay, target: None };
        let next_due = at("2026-03-03T15:00:00Z");
        assert!(!key.is_over(next_due, at("2026-03-03T04:59:59Z"), zone));
        assert!(key.is_over(next_due, at("2026-03-03T05:00:00Z"), zone));
    }

    #[test]
    fn keys_read_back() {
        for kind in CounterKind::ALL {
            for target in [None, Some(Uuid::from_u128(7))] {
                let key = LineKey { kind, target };
                assert_eq!(LineKey::parse(&key.to_string()), Some(key));
            }
        }

        assert_eq!(LineKey::parse("coffee"), None);
    }
}
