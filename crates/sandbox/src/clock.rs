//! The two clocks: machine time, which the carriers' own dates use, and business time, which
//! `PUT /sandbox/clock` drives and the ledger records.

use std::time::Duration;

use domain::clock::{BusinessClock, MAX_RATE};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// Holds the business clock and tells everybody who subscribed when it is set.
pub(crate) struct Clock {
    setting: watch::Sender<Option<BusinessClock>>,
}

/// The body of `PUT /sandbox/clock`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    /// The business instant to go to; without it time goes on from where it is.
    now: Option<Timestamp>,
    /// Business seconds per machine second.
    rate: Option<f64>,
}

/// The answer of `GET` and `PUT /sandbox/clock`.
#[derive(Debug, Serialize)]
pub(crate) struct Reading {
    now: Timestamp,
    rate: f64,
    /// False while business time is the machine's.
    set: bool,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { setting: watch::Sender::new(None) }
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Option<BusinessClock>> {
        self.setting.subscribe()
    }

    /// Takes over a clock that the platform already goes by, unless one has been set here. The
    /// platform knows it already, so subscribers are not told.
    pub(crate) fn restore(&self, clock: BusinessClock) {
        self.setting.send_if_modified(|setting| {
            setting.get_or_insert(clock);
            false
        });
    }

    /// Business time at a machine instant.
    pub(crate) fn business(&self, machine: Timestamp) -> Timestamp {
        self.setting.borrow().map_or(machine, |clock| clock.at(machine))
    }

    pub(crate) fn read(&self, machine: Timestamp) -> Reading {
        let setting = *self.setting.borrow();
        let rate = setting.map_or(1.0, |clock| clock.rate);
        Reading { now: self.business(machine), rate, set: setting.is_some() }
    }

    /// Sets the clock. The first setting may name any instant; later ones only go forward.
    ///
    /// # Errors
    /// One sentence for the caller: backwards, or a rate outside 0 to 86,400.
    pub(crate) fn set(&self, change: &Change, machine: Timestamp) -> Result<(), String> {
        let rate = change.rate.unwrap_or(1.0);
        if !(0.0..=MAX_RATE).contains(&rate) {
            return Err(format!("rate must be from 0 to {MAX_RATE}"));
        }
        if change.now.is_none() && change.rate.is_none() {
            return Err("name `now`, `rate` or both".to_owned());
        }

        let mut refused = None;
        self.setting.send_if_modified(|setting| {
            let current = setting.map(|clock| clock.at(machine));
            let now = change.now.or(current).unwrap_or(machine);
            match current {
                Some(current) if now < current => {
                    refused = Some(format!("the clock only goes forward, and it is {current}"));
                    false
                }
                Some(_) | None => {
                    *setting = Some(BusinessClock { now, set_at: machine, rate });
                    true
                }
            }
        });

        refused.map_or(Ok(()), Err)
    }
}

/// Machine time. Nothing else in the sandbox reads it.
#[expect(clippy::disallowed_methods, reason = "the simulated world has a clock of its own")]
pub(crate) fn machine_now() -> Timestamp {
    Timestamp::now()
}

/// `at` moved back by `age`.
pub(crate) fn before(at: Timestamp, age: Duration) -> Timestamp {
    let age = SignedDuration::try_from(age).unwrap_or(SignedDuration::MAX);
    at.checked_sub(age).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().expect("a timestamp")
    }

    fn change(now: &str, rate: f64) -> Change {
        Change { now: Some(time(now)), rate: Some(rate) }
    }

    #[test]
    fn a_restored_clock_is_gone_by_but_not_told_and_yields_to_one_that_was_set() {
        let machine = time("2026-11-20T10:00:00Z");
        let restored =
            BusinessClock { now: time("2026-03-08T06:55:00Z"), set_at: machine, rate: 0.0 };
        let clock = Clock::new();
        let mut followed = clock.subscribe();

        clock.restore(restored);
        assert_eq!(clock.business(machine), restored.now);
        assert!(!followed.has_changed().expect("the clock is there"));

        clock.set(&change("2026-03-09T00:00:00Z", 0.0), machine).expect("forward");
        assert!(followed.has_changed().expect("the clock is there"));

        followed.mark_unchanged();
        clock.restore(restored);
        assert_eq!(clock.business(machine), time("2026-03-09T00:00:00Z"));
    }

    #[test]
    fn the_first_setting_may_lie_in_the_past_and_later_ones_only_go_forward() {
        let clock = Clock::new();
        let machine = time("2026-11-20T10:00:00Z");
        assert_eq!(clock.business(machine), machine);

        clock.set(&change("2026-03-08T06:55:00Z", 60.0), machine).expect("the first setting");
        let later = time("2026-11-20T10:00:10Z");
        assert_eq!(clock.business(later), time("2026-03-08T07:05:00Z"));

        let back = clock.set(&change("2026-03-08T07:04:59Z", 1.0), later);
        assert!(back.expect_err("backwards").contains("forward"));
        assert_eq!(clock.business(later), time("2026-03-08T07:05:00Z"));

        clock.set(&change("2026-03-08T07:05:00Z", 0.0), later).expect("standing still");
        assert_eq!(clock.business(time("2026-11-20T11:00:00Z")), time("2026-03-08T07:05:00Z"));
    }

    #[test]
    fn a_rate_alone_goes_on_from_where_the_clock_is() {
        let clock = Clock::new();
        let machine = time("2026-11-20T10:00:00Z");
        clock.set(&Change { now: None, rate: Some(10.0) }, machine).expect("a rate");
        assert_eq!(clock.business(time("2026-11-20T10:00:01Z")), time("2026-11-20T10:00:10Z"));
    }

    #[test]
    fn a_rate_outside_its_limits_is_refused() {
        let clock = Clock::new();
        for rate in [-1.0, 86_401.0, f64::NAN, f64::INFINITY] {
            assert!(clock.set(&change("2026-03-08T07:05:00Z", rate), machine_now()).is_err());
        }
    }
}
