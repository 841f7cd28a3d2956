//! The pace of each sender: where the texts released so far end. Machine time, which the caller
//! reads. It only keeps RELEASED short: the pace itself is a row that the claim of `send` moves.

use std::collections::HashMap;

use domain::{
    gcra::{Gcra, Slot, time_of},
    ids::SenderId,
};
use jiff::{SignedDuration, Timestamp};

/// Senders that are remembered at most; those that are idle are forgotten first.
const MAX_SENDERS: usize = 10_000;

/// The deepest that any lane may fill, and the segments of a text longer than any: together the
/// furthest that a sender can rightly be ahead.
const LONGEST_DEPTH: SignedDuration = SignedDuration::from_secs(1);
const LONGEST_TEXT: u16 = 16;

/// The paces of all senders.
#[derive(Debug, Default)]
pub(crate) struct SenderPaces {
    now: Timestamp,
    senders: HashMap<SenderId, Gcra>,
}

impl SenderPaces {
    /// Begins a batch at this instant: whoever waited asks again.
    pub(crate) fn begin(&mut self, now: Timestamp) {
        self.now = now;
        if self.senders.len() > MAX_SENDERS {
            self.senders.retain(|_, pace| pace.next_free() > now);
        }
        for pace in self.senders.values_mut() {
            *pace = Gcra::resume(pace.next_free(), now);
        }
    }

    /// Asks for a text of so many segments on a sender of `pace` segments per second, that may run
    /// ahead by `depth`.
    pub(crate) fn ask(
        &mut self,
        sender: SenderId,
        pace: u32,
        segments: u16,
        depth: SignedDuration,
    ) -> Slot {
        let now = self.now;
        let known = self.senders.entry(sender).or_insert(Gcra::resume(now, now));

        // A clock that was set back must not stop a sender: it is never further ahead than this.
        let furthest = now.saturating_add(LONGEST_DEPTH + time_of(LONGEST_TEXT, pace));
        let furthest = furthest.unwrap_or(Timestamp::MAX);
        if known.next_free() > furthest {
            *known = Gcra::resume(furthest, now);
        }
        known.ask(now, time_of(segments, pace), depth)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const DEPTH: SignedDuration = SignedDuration::from_secs(1);

    fn sender(n: u128) -> SenderId {
        SenderId(Uuid::from_u128(n))
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_000_000 + millis).expect("an instant")
    }

    #[test]
    fn a_second_of_the_pace_goes_at_once_and_the_rest_in_its_turn() {
        let mut paces = SenderPaces::default();
        paces.begin(at(0));
        let slots: Vec<_> = (0..5).map(|_| paces.ask(sender(1), 2, 1, DEPTH)).collect();
        let wait = |millis| Slot::After(SignedDuration::from_millis(millis));
        assert_eq!(slots, [Slot::Now, Slot::Now, Slot::Now, wait(500), wait(1_000)]);

        paces.begin(at(500));
        assert_eq!(paces.ask(sender(1), 2, 1, DEPTH), Slot::Now);
        assert_eq!(paces.ask(sender(1), 2, 1, DEPTH), wait(500));
    }

    #[test]
    fn a_text_longer_than_a_second_of_the_pace_still_goes() {
        let mut paces = SenderPaces::default();
        paces.begin(at(0));
        assert_eq!(paces.ask(sender(1), 1, 10, DEPTH), Slot::Now);
        assert_eq!(paces.ask(sender(1), 1, 10, DEPTH), Slot::After(SignedDuration::from_secs(9)));

        paces.begin(at(9_000));
        assert_eq!(paces.ask(sender(1), 1, 10, DEPTH), Slot::Now);
    }

    #[test]
    fn senders_do_not_wait_for_each_other_and_a_short_text_not_overtakes_one_that_waits() {
        let mut paces = SenderPaces::default();
        paces.begin(at(0));
        assert_eq!(paces.ask(sender(1), 1, 2, DEPTH), Slot::Now);
        assert!(matches!(paces.ask(sender(1), 1, 5, DEPTH), Slot::After(_)));
        assert!(matches!(paces.ask(sender(1), 1, 1, DEPTH), Slot::After(_)));
        assert_eq!(paces.ask(sender(2), 1, 1, DEPTH), Slot::Now);
    }

    #[test]
    fn urgent_goes_where_bulk_has_to_wait() {
        let mut paces = SenderPaces::default();
        paces.begin(at(0));
        let (bulk, urgent) = (SignedDuration::from_millis(500), DEPTH);
        let released = (0..20).filter(|_| paces.ask(sender(1), 10, 1, bulk) == Slot::Now).count();
        assert_eq!(released, 6);

        paces.begin(at(0));
        assert_eq!(paces.ask(sender(1), 10, 1, urgent), Slot::Now);
    }

    #[test]
    fn a_clock_that_is_set_back_stops_no_sender() {
        let mut paces = SenderPaces::default();
        paces.begin(at(3_600_000));
        assert_eq!(paces.ask(sender(1), 1, 1, DEPTH), Slot::Now);

        paces.begin(at(0));
        assert_eq!(paces.ask(sender(1), 1, 1, DEPTH), Slot::After(SignedDuration::from_secs(16)));
    }

    proptest! {
        /// Whatever is asked when, what has been released is never further ahead of the pace than
        /// the depth and one text.
        #[test]
        fn released_is_never_deeper_than_allowed(
            asks in proptest::collection::vec((0_i64..400, 1_u16..=10), 1..200), pace in 1_u32..50
        ) {
            let mut paces = SenderPaces::default();
            let (mut now, mut released) = (0_i64, 0_i64);

            for (gap, segments) in asks {
                now += gap;
                paces.begin(at(now));
                if paces.ask(sender(1), pace, segments, DEPTH) == Slot::Now {
                    released += i64::from(segments);
                }

                let allowed = (now + 1_000) * i64::from(pace) / 1_000 + 10;
                prop_assert!(released <= allowed + 1, "{released} > {allowed}");
            }
        }
    }
}
