//! How fast an account answers, from its last calls and from those that are under way.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// An account whose median call takes longer is slow.
pub(crate) const SLOW: Duration = Duration::from_millis(500);

/// How many of the last calls count.
const LAST: usize = 32;

/// What its calls say of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speed {
    /// None has ended yet, and most of those under way began a moment ago.
    Unknown,
    /// Its median call is within [`SLOW`].
    Quick,
    /// It is not.
    Slow,
}

/// The calls of one account.
#[derive(Debug, Default)]
pub(crate) struct Tempo {
    /// When each call that is under way began.
    under_way: Vec<Instant>,
    /// How long the last ones took, the oldest first.
    last: VecDeque<Duration>,
}

impl Tempo {
    /// A call begins.
    pub(crate) fn begin(&mut self, at: Instant) {
        self.under_way.push(at);
    }

    /// A call that began then has ended.
    pub(crate) fn end(&mut self, begun: Instant, now: Instant) {
        if let Some(index) = self.under_way.iter().position(|at| *at == begun) {
            self.under_way.swap_remove(index);
        }
        if self.last.len() == LAST {
            self.last.pop_front();
        }
        self.last.push_back(now - begun);
    }

    /// The median call: of those under way, once most of them are slow, else of the last ones.
    /// Nothing while nothing is known.
    pub(crate) fn median(&self, now: Instant) -> Duration {
        let under_way = median(self.under_way.iter().map(|begun| now - *begun));
        if under_way > SLOW { under_way } else { median(self.last.iter().copied()) }
    }

    /// What they say.
    pub(crate) fn speed(&self, now: Instant) -> Speed {
        if self.median(now) > SLOW {
            Speed::Slow
        } else if self.last.is_empty() {
            Speed::Unknown
        } else {
            Speed::Quick
        }
    }
}

fn median(calls: impl Iterator<Item = Duration>) -> Duration {
    let mut calls: Vec<Duration> = calls.collect();
    let middle = calls.len() / 2;
    if calls.is_empty() { Duration::ZERO } else { *calls.select_nth_unstable(middle).1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_calls_count_until_most_of_those_under_way_are_slow() {
        let (start, mut tempo) = (Instant::now(), Tempo::default());
        let after = |millis| start + Duration::from_millis(millis);
        assert_eq!(tempo.median(start), Duration::ZERO);

        for _ in 0..40 {
            tempo.begin(start);
            tempo.end(start, after(30));
        }
        tempo.begin(start);
        tempo.begin(after(7_000));
        tempo.begin(after(7_000));
        assert_eq!(tempo.median(after(7_100)), Duration::from_millis(30));
        assert_eq!(tempo.median(after(8_000)), Duration::from_secs(1));
    }
}
