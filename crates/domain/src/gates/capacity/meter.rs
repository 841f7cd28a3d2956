//! Meters: how much of a sender's messages is admitted and not yet claimed by `send`. It bounds
//! what the pipe holds of a sender: whatever finds no room waits in a row.

use jiff::SignedDuration;

use crate::message::class::Lane;

/// How far ahead of a sender's pace a lane may run in the pipe. Bulk leaves half of the second to
/// urgent.
pub fn depth(lane: Lane) -> SignedDuration {
    match lane {
        Lane::Urgent => SignedDuration::from_millis(1_000),
        Lane::Bulk => SignedDuration::from_millis(500),
    }
}

/// One value for each lane.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ByLane<T> {
    /// Of the urgent lane.
    pub urgent: T,
    /// Of the bulk lane.
    pub bulk: T,
}

impl<T: Copy> ByLane<T> {
    /// The same for both.
    pub fn both(value: T) -> Self {
        Self { urgent: value, bulk: value }
    }

    /// The value of a lane.
    pub fn of(&self, lane: Lane) -> T {
        match lane {
            Lane::Urgent => self.urgent,
            Lane::Bulk => self.bulk,
        }
    }
}

/// A sender's pace as the gates see it. What was admitted to it is counted ([`CounterKind`]).
///
/// [`CounterKind`]: super::kind::CounterKind
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meter {
    /// How long a segment takes: at the sender's pace, or at its tenant's part of the account's
    /// where that is slower.
    pub segment: ByLane<SignedDuration>,
    /// Segments that `send` has ever claimed.
    pub claimed: ByLane<i64>,
    /// For how long nothing may be claimed, from the instant of the batch; may be negative.
    pub rests: SignedDuration,
    /// Whether messages wait in its line.
    pub is_awaited: ByLane<bool>,
}

impl Meter {
    /// How long a message has to wait until it may be admitted, from what was ever admitted; none
    /// where it may be now. Urgent messages see urgent ones alone.
    pub fn wait(&self, lane: Lane, admitted: ByLane<i64>) -> Option<SignedDuration> {
        let held = |lane| (admitted.of(lane) - self.claimed.of(lane)).max(0);
        let segments = match lane {
            Lane::Urgent => held(Lane::Urgent),
            Lane::Bulk => held(Lane::Urgent) + held(Lane::Bulk),
        };

        let takes = i32::try_from(segments).unwrap_or(i32::MAX);
        let ahead = self.segment.of(lane).saturating_mul(takes).max(self.rests);
        let wait = ahead.saturating_sub(depth(lane));
        (!wait.is_negative()).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter(claimed: i64) -> Meter {
        Meter {
            segment: ByLane::both(SignedDuration::from_millis(100)),
            claimed: ByLane { urgent: claimed, bulk: claimed },
            rests: SignedDuration::ZERO,
            is_awaited: ByLane::default(),
        }
    }

    fn wait(millis: i64) -> Option<SignedDuration> {
        Some(SignedDuration::from_millis(millis))
    }

    #[test]
    fn a_second_of_urgent_messages_and_half_a_second_of_all_is_let_in() {
        let admitted = |urgent, bulk| ByLane { urgent, bulk };
        assert_eq!(meter(0).wait(Lane::Urgent, admitted(9, 50)), None, "it sees urgent alone");
        assert_eq!(meter(0).wait(Lane::Urgent, admitted(10, 0)), wait(0));
        assert_eq!(meter(0).wait(Lane::Bulk, admitted(2, 2)), None);
        assert_eq!(meter(0).wait(Lane::Bulk, admitted(2, 4)), wait(100));
        assert_eq!(meter(7).wait(Lane::Bulk, admitted(9, 9)), None, "what is claimed has left");
    }

    #[test]
    fn a_sender_that_rests_takes_nothing_in_before_its_rest_is_nearly_over() {
        let resting = |millis| Meter { rests: SignedDuration::from_millis(millis), ..meter(0) };
        assert_eq!(resting(400).wait(Lane::Bulk, ByLane::default()), None);
        assert_eq!(resting(60_000).wait(Lane::Bulk, ByLane::default()), wait(59_500));
        assert_eq!(resting(60_000).wait(Lane::Urgent, ByLane::default()), wait(59_000));
    }

    #[test]
    fn more_claimed_than_admitted_counts_as_nothing_held() {
        assert_eq!(meter(90).wait(Lane::Bulk, ByLane { urgent: 0, bulk: 4 }), None);
    }
}
