//! Budgets, quotas and warm-up: what is full, and for how long.

use domain::{
    gates::{Caps, CounterKey, CounterKind, Windows, capacity::sender_day::SenderDay},
    ids::CampaignId,
    message::class::MessageClass,
    money::Micros,
};
use jiff::Timestamp;
use uuid::Uuid;

use crate::desk::{Desk, at, sender, tenant};

fn used(desk: &mut Desk, kind: CounterKind, target: Option<Uuid>, from: &str, amount: i64) {
    let key = CounterKey { tenant: tenant(), kind, target, window_start: at(from) };
    desk.counters.load(key, amount);
}

#[test]
fn the_window_that_opens_last_decides_how_long_a_budget_defers() {
    let mut desk = Desk::new();
    let cap = Some(Micros(10_000));
    desk.tenant().caps = Caps { daily: cap, monthly: cap };
    used(&mut desk, CounterKind::SpendDay, None, "2026-03-02T05:00:00Z", 5_000);
    assert_eq!(desk.says(), "defer budget daily_budget 2026-03-03T14:00:00Z");

    used(&mut desk, CounterKind::SpendMonth, None, "2026-03-01T05:00:00Z", 5_000);
    assert_eq!(desk.says(), "defer budget monthly_budget 2026-04-01T13:00:00Z");
}

#[test]
fn a_campaigns_cap_is_its_own() {
    let mut desk = Desk::new();
    let campaign = CampaignId(Uuid::from_u128(5));
    let caps = Caps { daily: Some(Micros(10_000)), monthly: None };
    desk.tenant().campaign_caps.insert(campaign, caps);
    used(&mut desk, CounterKind::CampaignDay, Some(campaign.0), "2026-03-02T05:00:00Z", 5_000);
    assert_eq!(desk.says(), "admit 1", "a message of no campaign");

    desk.campaign = Some(campaign);
    assert_eq!(desk.says(), "defer budget campaign_daily_budget 2026-03-03T14:00:00Z");
}

#[test]
fn the_widest_full_quota_decides() {
    let mut desk = Desk::of(MessageClass::Transactional);
    desk.message = 0;
    desk.policy().quota.per_hour = 10;
    desk.policy().quota.per_day = 20;
    used(&mut desk, CounterKind::QuotaHour, None, "2026-03-02T17:00:00Z", 10);
    assert_eq!(desk.says(), "defer rate quota_hour 2026-03-02T18:00:00Z");

    used(&mut desk, CounterKind::QuotaDay, None, "2026-03-02T05:00:00Z", 20);
    assert_eq!(desk.says(), "defer rate quota_day 2026-03-03T05:00:00Z");
}

#[test]
fn a_full_sender_makes_room_for_the_next_of_the_pool() {
    let mut desk = Desk::of(MessageClass::Transactional);
    let first = Some(desk.sender(1).id.0);
    used(&mut desk, CounterKind::SenderDay, first, "2026-03-02T05:00:00Z", 999);
    assert_eq!(desk.says(), "admit 1");
    used(&mut desk, CounterKind::SenderDay, first, "2026-03-02T05:00:00Z", 1_000);
    assert_eq!(desk.says(), "admit 2");
}

#[test]
fn the_warmup_curve_counts_days_of_the_senders_own_zone() {
    let policy = Default::default();
    let cap = |since: &str, now: &str| {
        let mut sender = sender(1);
        sender.active_since = at(since);
        let now: Timestamp = at(now);
        SenderDay::of(&sender, &policy, now, &Windows::at(now, sender.zone)).cap
    };

    // 23:30 on the first in New York: half an hour later is the second day.
    let since = "2026-03-02T04:30:00Z";
    let days = [
        ("2026-03-02T04:30:00Z", 50),
        ("2026-03-02T04:59:59Z", 50),
        ("2026-03-02T05:00:00Z", 100),
        ("2026-03-03T05:00:00Z", 200),
        ("2026-03-04T05:00:00Z", 300),
        ("2026-03-05T04:59:59Z", 300),
        ("2026-03-05T05:00:00Z", 1_000),
        ("2027-03-05T05:00:00Z", 1_000),
    ];

    for (now, expected) in days {
        assert_eq!(cap(since, now), expected, "{now}");
    }
}

#[test]
fn a_sender_with_a_small_cap_never_gets_more_than_that() {
    let policy = Default::default();
    let mut sender = sender(1);
    sender.active_since = at("2026-03-02T12:00:00Z");
    sender.daily_cap = 30;
    let now = at("2026-03-02T17:00:00Z");
    let day = SenderDay::of(&sender, &policy, now, &Windows::at(now, sender.zone));
    assert_eq!(day.cap, 30);
}
