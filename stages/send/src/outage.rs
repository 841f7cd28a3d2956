//! Accounts whose carrier is away: calls in a row that brought no answer. Such an account rests, so
//! that what is left of its texts waits in line and is not put in doubt one after another.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use carriers::{CarrierReply, Doubt};
use tokio::time::Instant;

/// So many calls in a row without an answer, and the account rests.
const IN_A_ROW: u32 = 16;

/// How long it rests first, and at most: each rest that changes nothing is followed by one twice as
/// long, once another call was in vain.
const FIRST: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(30);

/// So many accounts are remembered; beyond that, all are counted anew.
const MOST: usize = 1_024;

/// What this process knows of the accounts whose carriers do not answer.
#[derive(Debug, Default)]
pub(crate) struct Outages(Mutex<HashMap<String, Outage>>);

/// Calls of an account since it last answered.
#[derive(Debug, Default)]
struct Outage {
    in_vain: u32,
    /// How often it has rested since, and until when.
    rests: u32,
    until: Option<Instant>,
}

impl Outages {
    /// Notes what a call brought, and says for how long the account rests from now on, if it does.
    pub(crate) fn note(
        &self,
        account: &str,
        answer: &CarrierReply,
        now: Instant,
    ) -> Option<Duration> {
        let mut outages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_none(answer) {
            outages.remove(account);
            return None;
        }
        if outages.len() >= MOST && !outages.contains_key(account) {
            outages.clear();
        }

        let outage = outages.entry(account.to_owned()).or_default();
        outage.in_vain = outage.in_vain.saturating_add(1);
        if outage.in_vain < IN_A_ROW || outage.until.is_some_and(|until| now < until) {
            return None;
        }

        let rest = LONGEST.min(FIRST * 2_u32.pow(outage.rests.min(8)));
        outage.rests += 1;
        outage.until = Some(now + rest);
        Some(rest)
    }
}

/// Whether the carrier did not answer: it could not be reached, cut the call off, or only said that
/// something is wrong with itself.
fn is_none(answer: &CarrierReply) -> bool {
    match answer {
        CarrierReply::NotSent { code: None, throttle } => throttle.is_none(),
        CarrierReply::Unknown { why } => match why {
            Doubt::TimedOut | Doubt::Broken => true,
            // What stands before a carrier does not write as the carrier does.
            Doubt::Status { status, .. } | Doubt::Unreadable { status } => *status >= 500,
        },
        CarrierReply::NotSent { code: Some(_), .. }
        | CarrierReply::Accepted { .. }
        | CarrierReply::Refused { .. }
        | CarrierReply::AuthFailed { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AWAY: CarrierReply =
        CarrierReply::Unknown { why: Doubt::Status { status: 503, code: None } };
    const UNREACHED: CarrierReply = CarrierReply::NotSent { code: None, throttle: None };

    #[test]
    fn an_account_rests_after_sixteen_calls_in_vain_and_longer_each_time() {
        let (outages, start) = (Outages::default(), Instant::now());
        let note = |answer: &CarrierReply, seconds| {
            outages.note("main", answer, start + Duration::from_secs(seconds))
        };
        for _ in 0..15 {
            assert_eq!(note(&UNREACHED, 0), None);
        }
        assert_eq!(outages.note("other", &AWAY, start), None, "each account by itself");
        assert_eq!(note(&AWAY, 0), Some(Duration::from_secs(2)));
        assert_eq!(note(&AWAY, 1), None, "it rests already");
        for (second, rest) in [(2, 4), (6, 8), (14, 16), (30, 30), (60, 30)] {
            assert_eq!(note(&AWAY, second), Some(Duration::from_secs(rest)), "second {second}");
        }
    }

    #[test]
    fn a_page_of_a_gateway_is_no_answer_of_the_carriers() {
        let unreadable = |status| CarrierReply::Unknown { why: Doubt::Unreadable { status } };
        for (status, is_away) in [(502, true), (503, true), (404, false), (200, false)] {
            assert_eq!(is_none(&unreadable(status)), is_away, "{status}");
        }
    }

    #[test]
    fn an_answer_ends_it_whatever_it_says() {
        let refused = CarrierReply::AuthFailed { code: 20_003 };
        let (outages, start) = (Outages::default(), Instant::now());
        for _ in 0..3 {
            for _ in 0..15 {
                assert_eq!(outages.note("main", &AWAY, start), None);
            }
            assert_eq!(outages.note("main", &refused, start), None);
        }
    }

    #[test]
    fn no_more_accounts_are_remembered_than_may_be() {
        let (outages, now) = (Outages::default(), Instant::now());
        for index in 0..3 * MOST {
            outages.note(&index.to_string(), &AWAY, now);
        }
        assert!(outages.0.lock().expect("not poisoned").len() <= MOST);
    }
}
