//! When a text without a receipt is asked about, and when it is given up: pure.

use std::time::Duration;

use domain::message::state::MessageState;
use jiff::Timestamp;
use store::messages::receipt::poll::{ReceiptWatch, Watched};

/// How long texts wait for their receipts; business time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// From `sent` to the first fetch.
    pub(super) fetch: Duration,
    /// From `sent` to the end.
    pub(super) horizon: Duration,
}

impl Times {
    /// Whether a message waits for its receipt, and long enough to be asked about.
    pub(super) fn is_due(&self, one: &Watched, looked_at: Timestamp) -> bool {
        waits(one) && after(one.since, self.fetch) <= looked_at
    }

    /// Whether nothing is expected any more of a text that was sent then.
    pub(super) fn is_over(&self, since: Timestamp, looked_at: Timestamp) -> bool {
        after(since, self.horizon) <= looked_at
    }

    /// When the messages that are left are looked at next, by the instants at which they were sent,
    /// and how many looks count by then. `held_back` is how long to wait at least, where some
    /// message could not be asked about: such a look does not count.
    pub(super) fn next(
        &self,
        watch: &ReceiptWatch,
        left: &[Timestamp],
        held_back: Option<Duration>,
    ) -> (Timestamp, i32) {
        let (mut due, mut looks) = (Timestamp::MAX, watch.looks);
        for since in left {
            due = due.min(after(*since, self.horizon));

            // Too young to be asked about in this look: it is waited for exactly.
            let old_enough_at = after(*since, self.fetch);
            if old_enough_at > watch.looked_at {
                due = due.min(old_enough_at);
                continue;
            }

            let wait = held_back.map_or_else(
                || self.fetch.saturating_mul(1 << (watch.looks.clamp(0, 20) + 1)),
                |at_least| at_least.max(self.fetch),
            );
            due = due.min(after(watch.looked_at, wait));
            looks = watch.looks + i32::from(held_back.is_none());
        }
        (due, looks)
    }

    /// When a watch is looked at again that names messages which only a newer version can read.
    pub(super) fn after_a_wait(&self, looked_at: Timestamp) -> Timestamp {
        after(looked_at, self.fetch)
    }

    /// The horizon in words.
    pub(super) fn horizon_in_words(&self) -> String {
        let seconds = self.horizon.as_secs();
        match (seconds % 3_600, seconds % 60) {
            (0, _) => format!("{} hours", seconds / 3_600),
            (_, 0) => format!("{} minutes", seconds / 60),
            (_, _) => format!("{seconds} seconds"),
        }
    }
}

/// Whether the carrier has a message, and no receipt has said its end.
pub(super) fn waits(one: &Watched) -> bool {
    one.state == MessageState::Sent && !one.state.is_final_with(one.code.as_deref())
}

fn after(since: Timestamp, wait: Duration) -> Timestamp {
    since.checked_add(wait).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use domain::{
        ids::MessageId,
        message::state::{MessageState::Delivered, NO_RECEIPT},
    };
    use uuid::Uuid;

    use super::*;

    const TIMES: Times =
        Times { fetch: Duration::from_secs(600), horizon: Duration::from_secs(259_200) };

    fn minute(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).expect("in range")
    }

    fn watch(looks: i32, looked_at: Timestamp) -> ReceiptWatch {
        let tenant = "acme".parse().expect("valid");
        let (messages, unread) = (Vec::new(), Vec::new());
        ReceiptWatch { tenant, id: Uuid::nil(), looks, looked_at, messages, unread }
    }

    fn watched(state: MessageState, code: Option<&str>) -> Watched {
        Watched {
            id: MessageId(Uuid::nil()),
            state,
            code: code.map(Into::into),
            since: minute(0),
            sid: Some("SM1".into()),
            account: Some("main".into()),
        }
    }

    #[test]
    fn a_text_is_asked_about_ten_minutes_after_it_was_sent_and_only_while_it_waits() {
        let sent = watched(MessageState::Sent, None);
        assert!(!TIMES.is_due(&sent, minute(9)) && TIMES.is_due(&sent, minute(10)));
        assert!(!TIMES.is_due(&watched(MessageState::Sent, Some(NO_RECEIPT)), minute(10)));
        assert!(!TIMES.is_due(&watched(Delivered, None), minute(10)));
        assert!(
            !TIMES.is_over(minute(0), minute(4_319)) && TIMES.is_over(minute(0), minute(4_320))
        );
    }

    #[test]
    fn each_wait_is_twice_the_one_before_and_the_last_ends_at_the_horizon() {
        let (mut at, mut looks) = (minute(10), 0);
        let mut waits = Vec::new();
        while at < minute(4_320) {
            let (due, more) = TIMES.next(&watch(looks, at), &[minute(0)], None);
            waits.push(due.duration_since(at).as_mins());
            (at, looks) = (due, more);
        }
        assert_eq!(waits, [20, 40, 80, 160, 320, 640, 1_280, 1_770]);
        assert_eq!(at, minute(4_320));
    }

    #[test]
    fn a_look_at_which_nobody_could_be_asked_is_made_again_soon_and_does_not_count() {
        let look = watch(5, minute(700));
        let held_back = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(TIMES.next(&look, &[minute(0)], held_back(0)), (minute(710), 5));
        assert_eq!(TIMES.next(&look, &[minute(0)], held_back(1_800)), (minute(730), 5));
    }

    #[test]
    fn a_text_that_is_too_young_is_waited_for_exactly() {
        let look = watch(0, minute(10));
        assert_eq!(TIMES.next(&look, &[minute(3)], None), (minute(13), 0));
        assert_eq!(TIMES.next(&look, &[minute(0), minute(3)], None), (minute(13), 1));
    }

    #[test]
    fn the_horizon_is_told_in_words() {
        let words =
            |seconds| Times { horizon: Duration::from_secs(seconds), ..TIMES }.horizon_in_words();
        assert_eq!(words(259_200), "72 hours");
        assert_eq!((words(300), words(90)), ("5 minutes".into(), "90 seconds".into()));
    }
}
