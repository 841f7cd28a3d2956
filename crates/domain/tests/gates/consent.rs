//! Which consent each class needs by policy, when it ends, and stops of one program.

use domain::{
    gates::{Basis, ConsentPolicy, Needed, Policy},
    ids::CampaignId,
    message::class::MessageClass::{
        self, Compliance, Conversational, Journey, Promo, Transactional,
    },
};
use uuid::Uuid;

use crate::desk::{Desk, at};

const CLASSES: [MessageClass; 5] = [Promo, Journey, Conversational, Transactional, Compliance];

/// A desk whose person has written lately, so that only consent can stop a message.
fn desk(class: MessageClass) -> Desk {
    let mut desk = Desk::of(class);
    desk.recipient().last_inbound_at = Some(desk.now);
    desk
}

#[test]
fn each_need_is_met_by_its_grounds_alone() {
    let weak = "block dnc consent_insufficient";
    let (needs, grounds) = (
        [Needed::None, Needed::Any, Needed::Express, Needed::ExpressWritten],
        [None, Some(Basis::SoftOptIn), Some(Basis::Implied), Some(Basis::Express)],
    );
    let table = [
        [true, true, true, true, true],
        [true, true, true, true, true],
        [false, false, false, true, true],
        [false, false, false, false, true],
    ];

    for (needed, row) in needs.into_iter().zip(table) {
        let grounds = grounds.into_iter().chain([Some(Basis::ExpressWritten)]);
        for (basis, enough) in grounds.zip(row) {
            let mut desk = desk(Promo);
            desk.policy().consent.promo = needed;
            desk.recipient().consent_basis = basis;
            let says = if enough { "admit 1" } else { weak };
            assert_eq!(desk.says(), says, "{needed:?} by {basis:?}");
        }
    }
}

#[test]
fn a_policy_asks_each_class_for_its_own_consent() {
    for (index, asked) in CLASSES.into_iter().enumerate() {
        for class in CLASSES {
            let mut desk = desk(class);
            let mut consent = ConsentPolicy::NOTHING;
            *[
                &mut consent.promo,
                &mut consent.journey,
                &mut consent.conversational,
                &mut consent.transactional,
                &mut Needed::Any,
            ][index] = Needed::Any;
            desk.policy().consent = consent;
            desk.recipient().marketing_consent_at = None;
            let blocked = class == asked && class != Compliance;
            let says = if blocked { "block dnc no_consent" } else { "admit 1" };
            assert_eq!(desk.says(), says, "{class:?} when {asked:?} needs consent");
        }
    }
}

#[test]
fn the_switch_of_older_policies_still_overrules() {
    let old = Policy::read(r#"{"require_consent": false}"#).expect("a policy");
    let new = Policy::read(r#"{"require_consent": false, "consent": {"promo": "express"}}"#);
    for policy in [old, new.expect("a policy")] {
        assert_eq!(policy.consent_for(Promo), Needed::None);
    }
    let on = Policy::read(r#"{"require_consent": true}"#).expect("a policy");

    assert_eq!(
        CLASSES.map(|class| on.consent_for(class)),
        [Needed::Any, Needed::Any, Needed::None, Needed::None, Needed::None,]
    );
}

#[test]
fn an_implied_consent_ends_to_the_instant_and_no_message_outlives_it() {
    let mut desk = desk(Promo);
    desk.recipient().consent_basis = Some(Basis::Implied);
    let end = at("2026-03-02T18:00:00Z");
    desk.recipient().consent_expires_at = Some(end);
    assert_eq!(desk.sendable_until(), end);

    let mut desk = Desk { counters: Default::default(), ..desk };
    desk.now = end;
    assert_eq!(desk.says(), "block dnc consent_expired");

    desk.class = Transactional;
    assert_eq!(desk.says(), "admit 1", "it rests on no consent");
}

#[test]
fn a_stop_of_one_program_stops_its_messages_alone() {
    let out = "block dnc program_opted_out";
    for (stopped, says) in [
        ("marketing", [out, out, "admit 1", "admit 1", "admit 1"]),
        ("transactional", ["admit 1", "admit 1", "admit 1", out, "admit 1"]),
        ("conversational", ["admit 1", "admit 1", out, "admit 1", "admit 1"]),
        ("newsletter", ["admit 1"; 5]),
    ] {
        for (class, says) in CLASSES.into_iter().zip(says) {
            let mut desk = desk(class);
            desk.recipient().stopped_programs = vec!["other".into(), stopped.into()];
            assert_eq!(desk.says(), says, "{class:?} after a stop of {stopped}");
        }
    }
}

#[test]
fn a_campaign_names_the_program_of_its_messages() {
    let (news, receipts) = (CampaignId(Uuid::from_u128(1)), CampaignId(Uuid::from_u128(2)));
    for (campaign, says) in [
        (Some(news), "block dnc program_opted_out"),
        (Some(receipts), "admit 1"),
        (None, "admit 1"),
    ] {
        let mut desk = desk(Transactional);
        desk.tenant().programs = [(news, "news".into()), (receipts, "receipts".into())].into();
        desk.recipient().stopped_programs = vec!["news".into()];
        desk.campaign = campaign;
        assert_eq!(desk.says(), says, "{campaign:?}");
    }
}
