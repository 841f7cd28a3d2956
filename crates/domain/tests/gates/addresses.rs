//! People whom a carrier knows by an id of its own: the gates keep them by it, as by a number.

use domain::{
    address::Address,
    gates::{Gate, Recheck, RecipientStatus, Verdict},
    message::class::{Channel, MessageClass},
};

use crate::desk::{Desk, at, number, tenant};

fn carrier_id() -> Address {
    "US.13491208655302741918".parse().expect("an address")
}

/// Marketing on WhatsApp to somebody without a number, who has consented and has just written.
fn desk(class: MessageClass) -> Desk {
    let mut desk = Desk::of(class).on_whatsapp();
    desk.address = carrier_id();
    let now = Some(desk.now);
    let status = RecipientStatus {
        marketing_consent_at: now,
        last_inbound_at: now,
        ..RecipientStatus::default()
    };
    desk.facts.recipients.insert((tenant(), carrier_id(), Channel::Whatsapp), status);
    desk
}

#[test]
fn an_opt_out_kept_by_a_carriers_id_blocks_at_the_gates_and_at_the_last_look() {
    let mut desk = desk(MessageClass::Promo);
    assert_eq!(desk.says(), "admit 1");
    assert_eq!(desk.recheck(0), Recheck::Admit);

    desk.recipient().opted_out_at = Some(at("2026-02-01T00:00:00Z"));
    assert_eq!(desk.says(), "block dnc opted_out");
    let Recheck::Block { cause } = desk.recheck(0) else { panic!("not blocked") };
    assert_eq!((cause.gate, cause.code), (Gate::Dnc, "opted_out"));
    assert!(!cause.reason.contains("13491208655302741918"), "{}", cause.reason);
}

#[test]
fn what_is_known_of_a_number_says_nothing_about_a_carriers_id() {
    let mut desk = desk(MessageClass::Promo);
    let key = (tenant(), number(), Channel::Whatsapp);
    let opted_out = Some(at("2026-02-01T00:00:00Z"));
    let status = RecipientStatus { opted_out_at: opted_out, ..RecipientStatus::default() };
    desk.facts.recipients.insert(key, status);
    assert_eq!(desk.says(), "admit 1");

    desk.address = "US.ENT.11815799212886844830".parse().expect("an address");
    assert_eq!(desk.says(), "hold eligible standing_unreadable policy", "nothing is known of it");
}

#[test]
fn marketing_of_one_batch_is_counted_by_the_carriers_id() {
    let mut desk = desk(MessageClass::Journey);
    desk.policy().frequency.messages = 1;
    assert_eq!(desk.says(), "admit 1");
    assert!(
        matches!(desk.decide().verdict, Verdict::Defer { cause, .. } if cause.code == "frequency")
    );
}
