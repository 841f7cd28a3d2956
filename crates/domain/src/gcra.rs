//! Pace: how fast something may go, as one instant. The generic cell rate algorithm (ITU-T I.371):
//! what has gone so far ends somewhere on the time line, and the next may go while that end is at
//! most a burst ahead of the clock. So what comes together goes together, and no span holds more
//! than its share and one burst.
//!
//! The one implementation: pace rows of the claim, what throttle releases, and what schedule does.
//! Pure: whose clock it is, is the caller's choice.

use jiff::{SignedDuration, Timestamp};

/// The pace of one sender, tenant or account while a batch is worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gcra {
    /// Where what has gone so far ends.
    next_free: Timestamp,
    /// Where the next one that has to wait would begin.
    queue_end: Timestamp,
}

/// When something may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// Now; its time has been taken.
    Now,
    /// After this long, behind those that asked before it in this batch.
    After(SignedDuration),
}

impl Gcra {
    /// A pace whose time is taken up to an instant, for a batch that begins now: whoever waited
    /// asks again.
    pub fn resume(next_free: Timestamp, now: Timestamp) -> Self {
        Self { next_free, queue_end: next_free.max(now) }
    }

    /// Where what has gone so far ends.
    pub fn next_free(&self) -> Timestamp {
        self.next_free
    }

    /// How long it takes until the next may go; none where it may go now.
    pub fn wait(&self, now: Timestamp, burst: SignedDuration) -> Option<SignedDuration> {
        let ahead = self.queue_end.duration_since(later(now, burst));
        ahead.is_positive().then_some(ahead)
    }

    /// Asks for so much time, that may begin up to `burst` ahead of now. Whoever has to wait takes
    /// its time in the queue of this batch alone.
    pub fn ask(&mut self, now: Timestamp, takes: SignedDuration, burst: SignedDuration) -> Slot {
        if let Some(wait) = self.wait(now, burst) {
            self.queue_end = later(self.queue_end, takes);
            return Slot::After(wait);
        }

        self.next_free = later(self.next_free.max(now), takes);
        self.queue_end = self.next_free;
        Slot::Now
    }
}

/// The time that a text takes: its segments over the pace, in segments per second.
pub fn time_of(segments: u16, pace: u32) -> SignedDuration {
    let micros = i64::from(segments.max(1)) * 1_000_000;
    SignedDuration::from_micros(micros.div_euclid(i64::from(pace.max(1))).max(1))
}

/// The same at a pace that need not be whole.
pub fn time_at(segments: u16, per_second: f64) -> SignedDuration {
    let seconds = f64::from(segments.max(1)) / per_second.max(1e-6);
    SignedDuration::try_from_secs_f64(seconds).unwrap_or(SignedDuration::MAX)
}

fn later(start: Timestamp, by: SignedDuration) -> Timestamp {
    start.saturating_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BURST: SignedDuration = SignedDuration::from_millis(250);

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_000_000 + millis).expect("in range")
    }

    fn wait(millis: i64) -> Slot {
        Slot::After(SignedDuration::from_millis(millis))
    }

    #[test]
    fn a_burst_goes_at_once_and_the_rest_waits_its_turn() {
        let mut pace = Gcra::resume(at(-60_000), at(0));
        let slots: Vec<Slot> = (0..6).map(|_| pace.ask(at(0), time_of(1, 10), BURST)).collect();
        assert_eq!(slots, [Slot::Now, Slot::Now, Slot::Now, wait(50), wait(150), wait(250)]);
        assert_eq!(pace.next_free(), at(300), "an idle minute is not saved up");
    }

    #[test]
    fn a_long_text_goes_when_its_turn_comes_and_holds_the_next_back_for_all_of_it() {
        let mut pace = Gcra::resume(at(0), at(0));
        assert_eq!(pace.ask(at(0), time_of(10, 1), BURST), Slot::Now);
        assert_eq!(pace.ask(at(0), time_of(1, 1), BURST), wait(9_750));
    }

    #[test]
    fn a_short_text_does_not_overtake_one_that_waits() {
        let second = SignedDuration::from_secs(1);
        let mut pace = Gcra::resume(at(0), at(0));
        assert_eq!(pace.ask(at(0), time_of(2, 1), second), Slot::Now);
        assert_eq!(pace.ask(at(0), time_of(5, 1), second), wait(1_000));
        assert_eq!(pace.ask(at(0), time_of(1, 1), second), wait(6_000));
    }

    #[test]
    fn who_waited_asks_again_in_the_next_batch() {
        let mut pace = Gcra::resume(at(0), at(0));
        for _ in 0..9 {
            pace.ask(at(0), time_of(1, 10), BURST);
        }
        let mut pace = Gcra::resume(pace.next_free(), at(100));
        assert_eq!(pace.ask(at(100), time_of(1, 10), BURST), Slot::Now);
    }

    proptest! {
        /// Whatever is asked when, what has gone is never further ahead of the pace than the burst
        /// and one text.
        #[test]
        fn what_has_gone_is_never_further_ahead_than_a_burst(
            asks in proptest::collection::vec((0_i64..400, 1_u16..=10), 1..200),
            per_second in 1_u32..50,
        ) {
            let (mut now, mut gone, mut next_free) = (0_i64, 0_i64, at(0));
            for (gap, segments) in asks {
                now += gap;
                let mut pace = Gcra::resume(next_free, at(now));
                if pace.ask(at(now), time_of(segments, per_second), BURST) == Slot::Now {
                    gone += i64::from(segments);
                }
                next_free = pace.next_free();
                let allowed = (now + BURST.as_millis() as i64) * i64::from(per_second) / 1_000 + 10;
                prop_assert!(gone <= allowed + 1, "{gone} > {allowed}");
            }
        }
    }
}
