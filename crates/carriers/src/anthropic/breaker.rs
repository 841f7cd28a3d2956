//! Keeps a process from calling a model that does not answer: after some failures in a row no call
//! begins for a while, and one that then fails makes the while longer.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

/// After how many failures in a row no call begins for a while.
const FAILURES: u32 = 5;

/// The first while, which doubles with each further failure.
const FIRST: Duration = Duration::from_secs(5);

/// The longest time without calls.
const LONGEST: Duration = Duration::from_secs(120);

/// A circuit breaker. Shared by everybody in the process who calls; each process learns for itself.
#[derive(Debug, Default)]
pub struct Breaker(Mutex<Count>);

#[derive(Debug, Default, Clone, Copy)]
struct Count {
    failures: u32,
    paused_until: Option<Timestamp>,
}

impl Breaker {
    /// Until when no call may begin, by machine time; none where one may.
    pub fn paused_until(&self, machine: Timestamp) -> Option<Timestamp> {
        self.count(|count| count.paused_until.filter(|until| *until > machine))
    }

    /// A call was answered, whatever it said.
    pub fn answered(&self) {
        self.count(|count| *count = Count::default());
    }

    /// A call failed that may be repeated. `after` is the wait that the API asked for, which holds
    /// for every call of the process.
    pub fn failed(&self, machine: Timestamp, after: Option<Duration>) {
        self.count(|count| {
            count.failures = count.failures.saturating_add(1);
            let own = count
                .failures
                .checked_sub(FAILURES)
                .map(|more| FIRST.saturating_mul(1 << more.min(10)).min(LONGEST));
            if let Some(wait) = own.max(after) {
                let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
                let until = machine.saturating_add(wait).unwrap_or(Timestamp::MAX);
                count.paused_until = count.paused_until.max(Some(until));
            }
        });
    }

    fn count<R>(&self, act: impl FnOnce(&mut Count) -> R) -> R {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn seconds(breaker: &Breaker) -> Option<i64> {
        breaker.paused_until(NOW).map(Timestamp::as_second)
    }

    #[test]
    fn failures_in_a_row_stop_the_calls_for_ever_longer_and_an_answer_starts_them_again() {
        let breaker = Breaker::default();
        let mut closed = Vec::new();
        for _ in 0..7 {
            breaker.failed(NOW, None);
            closed.push(seconds(&breaker));
        }
        assert_eq!(closed, [None, None, None, None, Some(5), Some(10), Some(20)]);

        breaker.answered();
        assert_eq!(seconds(&breaker), None);
    }

    #[test]
    fn a_wait_that_is_asked_for_holds_from_the_first_failure_on() {
        let breaker = Breaker::default();
        breaker.failed(NOW, Some(Duration::from_secs(30)));
        assert_eq!(seconds(&breaker), Some(30));
        assert_eq!(breaker.paused_until(NOW + SignedDuration::from_secs(30)), None);
    }
}
