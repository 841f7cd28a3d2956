//! How many of a campaign's messages may be in the pipe at once: enough to keep its senders busy,
//! few enough that pause and stop act at once and a neighbour is not delayed.

use std::collections::BTreeMap;

use domain::{
    gates::{CounterKind, LineKey},
    ids::CampaignId,
    zones::Zone,
};
use jiff::{SignedDuration, Timestamp};
use store::campaigns::flight::SenderPace;

/// Seconds of its senders' pace that a campaign may have in the pipe.
const SECONDS_AHEAD: i64 = 10;

/// The smallest and the largest window, in messages.
const SMALLEST: i64 = 64;
const LARGEST: i64 = 8_192;

/// How long a campaign is left alone that has nothing to feed and nothing in the pipe: what it
/// waits for may be a receipt in three days.
pub(crate) const REST_OF_WAITING: SignedDuration = SignedDuration::from_millis(500);

/// How many more messages fit the window, from the pool's pace in segments per second and the
/// messages in flight.
pub(crate) fn room(pace: i64, in_flight: i64) -> i64 {
    let window = (pace * SECONDS_AHEAD).clamp(SMALLEST, LARGEST);
    (window - in_flight).max(0)
}

/// What senders carry together, in segments per second: no more on any carrier account than it
/// takes of the tenant.
pub(crate) fn pace(carriers: &[SenderPace]) -> i64 {
    let mut accounts: BTreeMap<&str, (i64, Option<f64>)> = BTreeMap::new();
    for carrier in carriers {
        accounts.entry(&carrier.account).or_insert((0, carrier.account_rate)).0 += carrier.pace;
    }
    let taken = |(pace, rate): (i64, Option<f64>)| rate.map_or(pace, |rate| pace.min(rate as i64));
    accounts.into_values().map(taken).sum()
}

/// Whether more of a campaign would find room at the gates: nobody stands in line for a capacity
/// of its tenant or its own, nor for every one of its senders.
pub(crate) fn is_open(
    campaign: CampaignId,
    carriers: &[SenderPace],
    lines: &[(LineKey, Timestamp)],
    zone: Option<Zone>,
    now: Timestamp,
) -> bool {
    let Some(zone) = zone else { return true };

    let waits = |key: &LineKey, next_due, zone| !key.is_over(next_due, now, zone);
    let is_shared = |key: &LineKey| match key.kind {
        CounterKind::SenderDay => false,
        // Who waits for a sender's pace is counted as in flight.
        CounterKind::AdmittedUrgent | CounterKind::AdmittedBulk => false,
        CounterKind::CampaignDay | CounterKind::CampaignMonth => key.target == Some(campaign.0),
        CounterKind::QuotaMinute
        | CounterKind::QuotaHour
        | CounterKind::QuotaDay
        | CounterKind::SpendDay
        | CounterKind::SpendMonth => true,
    };
    if lines.iter().any(|(key, next_due)| is_shared(key) && waits(key, *next_due, zone)) {
        return false;
    }

    let is_full = |carrier: &SenderPace| {
        let key = LineKey { kind: CounterKind::SenderDay, target: Some(carrier.sender.0) };
        let line = lines.iter().find(|(of, _)| *of == key);
        line.is_some_and(|(key, next_due)| waits(key, *next_due, carrier.zone))
    };
    carriers.is_empty() || !carriers.iter().all(is_full)
}

#[cfg(test)]
mod tests {
    use domain::ids::SenderId;
    use uuid::Uuid;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    fn carrier(n: u128) -> SenderPace {
        let zone = Zone::parse("UTC").expect("a zone");
        let (account, account_rate) = ("own".to_owned(), None);
        SenderPace { sender: SenderId(Uuid::from_u128(n)), pace: 1, account, account_rate, zone }
    }

    fn line(kind: CounterKind, target: Option<u128>, next_due: &str) -> (LineKey, Timestamp) {
        (LineKey { kind, target: target.map(Uuid::from_u128) }, at(next_due))
    }

    fn open(lines: &[(LineKey, Timestamp)]) -> bool {
        let (campaign, zone) = (CampaignId(Uuid::from_u128(9)), Zone::parse("UTC").ok());
        let now = at("2026-03-02T17:00:00Z");
        is_open(campaign, &[carrier(1), carrier(2)], lines, zone, now)
    }

    #[test]
    fn who_stands_in_line_for_a_shared_capacity_goes_first() {
        use CounterKind::{CampaignDay, QuotaMinute, SpendDay};

        assert!(open(&[]));

        assert!(!open(&[line(SpendDay, None, "2026-03-04T01:00:00Z")]));
        assert!(open(&[line(SpendDay, None, "2026-03-02T23:00:00Z")]), "its day has begun");

        assert!(!open(&[line(QuotaMinute, None, "2026-03-02T17:00:01Z")]));

        assert!(!open(&[line(CampaignDay, Some(9), "2026-03-04T01:00:00Z")]));
        assert!(open(&[line(CampaignDay, Some(8), "2026-03-04T01:00:00Z")]), "another campaign");
    }

    #[test]
    fn a_sender_that_has_room_keeps_the_campaign_open() {
        let full = |n| line(CounterKind::SenderDay, Some(n), "2026-03-03T01:00:00Z");

        assert!(open(&[full(1)]));
        assert!(!open(&[full(1), full(2)]));
        assert!(open(&[full(1), full(3)]), "a sender of another pool");
    }

    #[test]
    fn senders_carry_together_what_their_accounts_take() {
        let of = |account: &str, account_rate, pace| SenderPace {
            account: account.to_owned(),
            account_rate,
            pace,
            ..carrier(1)
        };
        let limited = [of("a", Some(40.0), 30), of("a", Some(40.0), 30), of("b", None, 7)];
        assert_eq!(pace(&limited), 47);
        assert_eq!(pace(&[of("a", Some(40.0), 30)]), 30);
        assert_eq!(pace(&[]), 0);
    }

    #[test]
    fn a_slow_pool_still_has_a_window_and_a_fast_one_a_bounded_one() {
        assert_eq!(room(1, 0), SMALLEST);
        assert_eq!(room(100, 0), 1_000);
        assert_eq!(room(100_000, 0), LARGEST);
    }

    #[test]
    fn a_full_window_has_no_room() {
        assert_eq!(room(100, 1_000), 0);
        assert_eq!(room(100, 5_000), 0);
        assert_eq!(room(100, 990), 10);
    }
}
