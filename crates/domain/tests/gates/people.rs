//! Switches in detail, suppression's end, frequency's window.

use domain::{gates::SwitchMode, ids::CampaignId, message::class::MessageClass};
use uuid::Uuid;

use crate::desk::{Desk, at, sender_id};

#[test]
fn a_stopped_campaign_blocks_even_while_its_tenant_is_paused() {
    let mut desk = Desk::new();
    let campaign = CampaignId(Uuid::nil());
    desk.campaign = Some(campaign);
    desk.tenant().switches.campaigns.insert(campaign, SwitchMode::Paused);
    assert_eq!(desk.says(), format!("hold kill_switch campaign_paused switch:campaign:{campaign}"));

    desk.tenant().switches.tenant = SwitchMode::Paused;
    assert_eq!(desk.says(), "hold kill_switch tenant_paused switch:tenant");

    desk.tenant().switches.campaigns.insert(campaign, SwitchMode::Stopped);
    assert_eq!(desk.says(), "block kill_switch campaign_stopped");

    desk.campaign = None;
    desk.tenant().switches.tenant = SwitchMode::On;
    assert_eq!(desk.says(), "admit 1", "another campaign's switch is not ours");
}

#[test]
fn a_paused_sender_is_passed_over_and_waited_for_only_when_it_is_the_last() {
    let mut desk = Desk::new();
    desk.tenant().switches.senders.insert(sender_id(1), SwitchMode::Paused);
    assert_eq!(desk.says(), "admit 2");

    desk.tenant().switches.senders.insert(sender_id(2), SwitchMode::Stopped);
    let held = format!("hold kill_switch sender_paused switch:sender:{}", sender_id(1));
    assert_eq!(desk.says(), held);

    desk.tenant().switches.senders.insert(sender_id(1), SwitchMode::Stopped);
    assert_eq!(desk.says(), "block kill_switch sender_stopped");
}

#[test]
fn suppression_ends_after_exactly_ninety_days_and_says_when() {
    let mut desk = Desk::new();
    desk.recipient().last_promo_at = Some(at("2025-12-02T17:00:01Z"));
    let decision = desk.decide();
    let gate = decision.gates.last().expect("a gate");

    assert_eq!(gate.until, Some(at("2026-03-02T17:00:01Z")));
    assert!(gate.reason.as_ref().is_some_and(|reason| reason.contains("90 days")));

    desk.recipient().last_promo_at = Some(at("2025-12-02T17:00:00Z"));
    assert_eq!(desk.says(), "admit 1");
}

#[test]
fn frequency_counts_a_rolling_span_of_any_order() {
    let mut desk = Desk::of(MessageClass::Journey);
    let times = ["2026-03-02T12:00:00Z", "2026-02-01T00:00:00Z", "2026-03-02T09:00:00Z"];
    desk.recipient().marketing_at = times.map(at).to_vec();
    assert_eq!(desk.says(), "admit 1", "two of them are in the last 24 hours");

    desk.policy().frequency.messages = 2;
    let mut desk = Desk { counters: Default::default(), ..desk };
    assert_eq!(desk.says(), "defer rate frequency 2026-03-03T14:00:00Z");

    desk.policy().frequency.messages = 0;
    assert_eq!(desk.says(), "block rate frequency");
}

#[test]
fn reasons_hold_no_number_of_a_person() {
    let mut desk = Desk::new();
    desk.recipient().opted_out_at = Some(at("2026-02-01T00:00:00Z"));
    let gates = desk.decide().gates;
    let reason = gates.last().and_then(|gate| gate.reason.clone()).expect("a reason");
    assert!(reason.contains("2026-02-01") && !reason.contains("5550123"), "{reason}");
}
