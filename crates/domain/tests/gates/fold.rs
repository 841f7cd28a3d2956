//! A batch is a fold: each admission lowers what the next message sees, and no sum passes its cap.

use domain::{
    gates::{Caps, CounterKind, Verdict},
    message::class::MessageClass,
    money::Micros,
};
use proptest::prelude::*;

use crate::desk::{Desk, at};

/// The verdicts of so many messages, one after the other.
fn batch(desk: &mut Desk, count: u128) -> Vec<String> {
    let mut verdicts = Vec::new();
    for message in 0..count {
        desk.message = message;
        let says = desk.says();
        verdicts.push(says.split(' ').take(3).collect::<Vec<_>>().join(" "));
    }
    verdicts
}

#[test]
fn two_promotions_to_one_number_in_one_batch_are_one() {
    let mut desk = Desk::new();
    assert_eq!(batch(&mut desk, 2), ["admit 1", "block suppression suppressed"]);
}

#[test]
fn a_fourth_marketing_message_in_one_batch_waits_for_tomorrow() {
    let mut desk = Desk::of(MessageClass::Journey);
    desk.recipient().marketing_at = vec![at("2026-03-02T16:00:00Z")];
    assert_eq!(batch(&mut desk, 3), ["admit 1", "admit 1", "defer rate frequency"]);
}

#[test]
fn a_quota_is_used_up_within_the_batch() {
    let mut desk = Desk::of(MessageClass::Transactional);
    desk.policy().quota.per_minute = 2;
    assert_eq!(batch(&mut desk, 3), ["admit 1", "admit 1", "defer rate quota_minute"]);
}

#[test]
fn a_batch_fills_one_sender_and_goes_on_with_the_next() {
    let mut desk = Desk::of(MessageClass::Transactional);
    desk.sender(1).daily_cap = 2;
    desk.sender(2).daily_cap = 1;
    let full = "defer warmup sender_cap";
    assert_eq!(batch(&mut desk, 4), ["admit 1", "admit 1", "admit 2", full]);
}

#[test]
fn what_is_given_back_can_be_taken_again() {
    let mut desk = Desk::of(MessageClass::Transactional);
    desk.policy().quota.per_minute = 1;
    let decision = desk.decide();
    assert_eq!(desk.says().split(' ').next(), Some("defer"));

    desk.counters.give_back(&decision.reserved);
    assert_eq!(desk.counters.added(), []);
    assert_eq!(desk.says(), "admit 1");
}

#[test]
fn only_an_admission_reserves() {
    let mut desk = Desk::new();
    desk.recipient().opted_out_at = Some(at("2026-02-01T00:00:00Z"));
    assert_eq!(desk.decide().reserved, []);
    assert_eq!(desk.counters.added(), []);

    desk.now = at("2026-03-03T03:00:00Z");
    desk.recipient().opted_out_at = None;
    assert_eq!(desk.decide().reserved, []);
    assert_eq!(desk.counters.added(), []);
}

proptest! {
    #[test]
    fn no_sum_ever_passes_its_cap(
        costs in proptest::collection::vec(1_i64..50_000, 1..200),
        daily in 0_i64..400_000, spent in 0_i64..400_000, quota in 0_u32..150, cap in 1_u32..150,
    ) {
        let mut desk = Desk::of(MessageClass::Transactional);
        desk.tenant().caps = Caps { daily: Some(Micros(daily)), monthly: None };
        desk.policy().quota.per_day = quota;
        desk.sender(1).daily_cap = cap;
        desk.senders.truncate(1);
        let reserved = desk.decide().reserved;
        desk.counters = Default::default();
        let day = reserved.iter().find(|(key, _)| key.kind == CounterKind::SpendDay);
        if let Some((key, _)) = day {
            desk.counters.load(key.clone(), spent);
        }
        let (mut sum, mut admitted) = (if day.is_some() { spent } else { 0 }, 0);
        for (message, cost) in costs.into_iter().enumerate() {
            desk.message = message as u128;
            desk.cost = Micros(cost);
            if let Verdict::Admit { .. } = desk.decide().verdict {
                sum += cost;
                admitted += 1;
                prop_assert!(sum <= daily);
            }
        }

        prop_assert!(admitted <= quota.min(cap));

        let added = desk.counters.added();
        let of = |kind| {
            let counted = added.iter().filter(|(key, _)| key.kind == kind);
            counted.map(|(_, n)| n).sum::<i64>()
        };

        prop_assert_eq!(of(CounterKind::QuotaDay), i64::from(admitted));
        prop_assert_eq!(of(CounterKind::SenderDay), i64::from(admitted));
    }
}
