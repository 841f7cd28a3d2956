//! The machine's own clock and chance, for leases, time-outs, back-off and the age of what is held.
//! Business time is another thing: it comes in through [`crate::Cx`] and is never read here.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

/// What the machine's clock says. Nothing else below `boot` reads it.
#[expect(clippy::disallowed_methods, reason = "the home of the machine's clock below boot")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// A random number in `0.0..1.0`: processes that failed together do not come back together.
pub fn chance() -> f64 {
    let random = RandomState::new().build_hasher().finish();
    (random >> 11) as f64 / (1_u64 << 53) as f64
}

/// The wait before attempt `attempt + 1`, counted from 1: `base`, doubled with each attempt up to
/// `cap`, less a part of it that `chance` (`0.0..1.0`) sets between nothing and a half.
pub fn backoff(attempt: u32, base: Duration, cap: Duration, chance: f64) -> Duration {
    let doubled = base.saturating_mul(1 << attempt.saturating_sub(1).min(20));
    doubled.min(cap).mul_f64(1.0 - chance.clamp(0.0, 1.0) / 2.0)
}

/// What is done now and then, whoever asks how often: due at once, and again after so long.
#[derive(Debug)]
pub struct NowAndThen {
    every: SignedDuration,
    /// Machine time of the last time.
    last: Mutex<Timestamp>,
}

impl NowAndThen {
    /// So often at most.
    pub fn new(every: SignedDuration) -> Self {
        Self { every, last: Mutex::new(Timestamp::MIN) }
    }

    /// Whether it is time; then the next time is a while later.
    pub fn is_due(&self, machine: Timestamp) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = machine.duration_since(*last) >= self.every;
        if is_due {
            *last = machine;
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_back_off_doubles_up_to_its_cap_and_jitters_down_by_half_at_most() {
        let (base, cap) = (Duration::from_millis(100), Duration::from_secs(5));
        let millis = |attempt, chance| backoff(attempt, base, cap, chance).as_millis();

        assert_eq!(
            [1, 2, 3, 6, 7, 99, u32::MAX].map(|attempt| millis(attempt, 0.0)),
            [100, 200, 400, 3200, 5000, 5000, 5000]
        );
        assert_eq!([millis(0, 0.0), millis(1, 1.0), millis(7, 1.0)], [100, 50, 2500]);
    }

    #[test]
    fn now_and_then_is_at_once_and_then_once_in_a_while() {
        let gauge = NowAndThen::new(SignedDuration::from_secs(15));
        let at = |second| Timestamp::from_second(second).expect("an instant");
        let due = [0, 1, 14, 15, 29, 30, 100].map(|second| gauge.is_due(at(second)));
        assert_eq!(due, [true, false, false, true, false, true, true]);
    }

    #[test]
    fn chance_stays_below_one_and_differs() {
        let drawn: Vec<f64> = (0..100).map(|_| chance()).collect();

        assert!(drawn.iter().all(|c| (0.0..1.0).contains(c)));
        assert!(drawn.windows(2).any(|pair| pair[0] != pair[1]));
    }
}
