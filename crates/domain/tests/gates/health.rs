//! Senders that do badly: who carries their messages, and what waits for them.

use domain::{
    gates::SenderFacts,
    health::{HealthState, SenderHealth},
    message::class::MessageClass,
};
use jiff::Timestamp;

use crate::desk::{Desk, at, sender_id};

/// When a sender of these tests has rested.
const RESTED: &str = "2026-03-02T18:00:00Z";

fn quarantine(sender: &mut SenderFacts, rests_until: Option<Timestamp>) {
    sender.health = SenderHealth { state: HealthState::Quarantined, rests_until };
}

fn probe(sender: &mut SenderFacts) {
    sender.health = SenderHealth { state: HealthState::Probing, rests_until: None };
}

#[test]
fn another_sender_of_the_pool_carries_what_a_quarantined_one_would() {
    for class in [MessageClass::Promo, MessageClass::Transactional] {
        let mut desk = Desk::of(class);
        quarantine(desk.sender(1), Some(at(RESTED)));
        assert_eq!(desk.says(), "admit 2", "{class:?}");
    }
}

#[test]
fn where_every_sender_is_quarantined_marketing_waits_for_the_first_and_the_rest_goes_on() {
    let mut desk = Desk::new();
    desk.message = 0;
    quarantine(desk.sender(1), Some(at("2026-03-02T19:00:00Z")));
    quarantine(desk.sender(2), Some(at(RESTED)));
    assert_eq!(desk.says(), format!("defer eligible sender_quarantined {RESTED}"));
    let wake = desk.decide().wake.map(|wake| wake.to_string());
    assert_eq!(wake, Some(format!("health:sender:{}", sender_id(2))));
    assert!(desk.reason().contains("is quarantined"), "{}", desk.reason());

    desk.class = MessageClass::Transactional;
    assert_eq!(desk.says(), "admit 1", "a text from a poor sender is better than none");
}

#[test]
fn what_waits_comes_back_over_half_an_hour_and_never_before_the_rest_is_over() {
    let mut desk = Desk::new();
    desk.senders.truncate(1);
    quarantine(desk.sender(1), Some(at(RESTED)));
    for (message, until) in [(1, "18:00:01"), (1_800, "18:30:00"), (1_801, "18:00:00")] {
        desk.message = message;
        let expected = format!("defer eligible sender_quarantined 2026-03-02T{until}Z");
        assert_eq!(desk.says(), expected);
    }
}

#[test]
fn a_sender_that_somebody_has_quarantined_is_waited_for_until_that_ends() {
    let mut desk = Desk::new();
    desk.senders.truncate(1);
    quarantine(desk.sender(1), None);
    let held = format!("hold eligible sender_quarantined health:sender:{}", sender_id(1));
    assert_eq!(desk.says(), held);
}

#[test]
fn a_probe_takes_one_message_in_twenty_and_the_others_take_another_sender() {
    let mut desk = Desk::new();
    probe(desk.sender(1));
    let by_first = |desk: &mut Desk| {
        let admitted = (0..100).filter(|message| {
            desk.message = *message;
            desk.counters = Default::default();
            desk.says() == "admit 1"
        });
        admitted.count()
    };
    assert_eq!(by_first(&mut desk), 5);

    desk.senders.truncate(1);
    assert_eq!(by_first(&mut desk), 5);
    let waits = (0..100).filter(|message| {
        desk.message = *message;
        desk.counters = Default::default();
        desk.says().starts_with("defer eligible sender_quarantined 2026-03-02T17:3")
    });
    assert!(waits.count() > 90);
}

#[test]
fn a_sender_of_a_held_account_is_passed_over_while_another_one_fits() {
    for class in [MessageClass::Promo, MessageClass::Conversational] {
        let mut desk = Desk::of(class);
        desk.recipient().last_inbound_at = Some(at("2026-03-02T16:00:00Z"));
        desk.sender(1).account_is_held = true;
        assert_eq!(desk.says(), "admit 2", "{class:?}");

        desk.sender(2).account_is_held = true;
        desk.counters = Default::default();
        assert_eq!(desk.says(), "admit 1", "it is held with the others, until the account works");
    }
}

#[test]
fn a_sender_for_another_country_takes_no_ones_place() {
    let mut desk = Desk::new();
    desk.sender(2).country = "AU".parse().ok();
    desk.sender(1).account_is_held = true;
    assert_eq!(desk.says(), "admit 1");

    desk.sender(1).account_is_held = false;
    quarantine(desk.sender(1), Some(at(RESTED)));
    assert!(desk.says().starts_with("defer eligible sender_quarantined"));
}

#[test]
fn a_quarantined_sender_comes_before_one_whose_account_does_not_work() {
    let mut desk = Desk::of(MessageClass::Transactional);
    desk.sender(1).account_is_held = true;
    quarantine(desk.sender(2), Some(at(RESTED)));
    assert_eq!(desk.says(), "admit 2");
}

#[test]
fn what_may_not_go_at_all_is_blocked_and_does_not_wait() {
    let mut desk = Desk::new();
    desk.place.country = "JP".parse().ok();
    quarantine(desk.sender(1), None);
    quarantine(desk.sender(2), None);
    assert_eq!(desk.says(), "block eligible country_not_allowed");
}
