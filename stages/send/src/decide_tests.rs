//! Tables for the last look before a carrier call.

use domain::{
    gates::{ConsentPolicy, Policy, RecipientStatus, SenderFacts, SwitchMode, TenantFacts},
    health::SenderHealth,
    ids::{CampaignId, ContactId, MessageId, SenderId, TenantId},
    message::{class::Channel, passport::Passport},
    money::Micros,
    zones::{Candidates, Evidence, Place, Zone},
};
use store::{
    capacity::pace::{PaceLocks, SenderLock},
    messages::row::StoredMessage,
};
use uuid::Uuid;
use wire::{Enriched, message::Head, message::Route};

use std::collections::HashMap;

use super::*;

const SENDER: SenderId = SenderId(Uuid::from_u128(3));
const CAMPAIGN: CampaignId = CampaignId(Uuid::from_u128(4));

fn tenant() -> TenantId {
    "acme".parse().expect("valid")
}

/// Where it is 13:46 when the tests decide: inside every window.
fn london() -> Zone {
    Zone::parse("Europe/London").expect("a zone")
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + second).expect("in range")
}

pub(crate) fn admitted(class: MessageClass) -> Admitted {
    let head = Head {
        id: MessageId(Uuid::from_u128(7)),
        tenant: tenant(),
        turn: 2,
        class,
        channel: Channel::Sms,
        to: "+12125550100".parse().expect("an address"),
        campaign: Some(CAMPAIGN),
        submitted_at: at(-60),
        expires_at: None,
        on_late: None,
        trace: None,
    };

    let (zones, evidence) = (Candidates::Zones(vec![london()]), Evidence::Contact);
    let message = Enriched {
        contact: ContactId::of(&head.tenant, "+12125550100"),
        head,
        text: "hello".into(),
        media: Vec::new(),
        template: None,
        rich: None,
        segments: 1,
        cost: Micros(7_900),
        place: Place { zones, evidence, country: None, states: Vec::new() },
        senders: vec![SENDER],
        placed: None,
        passport: Passport::default(),
    };

    let route = Route {
        sender: SENDER,
        number: "+12125550001".into(),
        account: "main".into(),
        weight: 1,
        pace: 10,
        sendable_until: at(3_600),
        policy_version: 5,
    };
    Admitted { message, route }
}

/// What is known, all of it in favour of the call.
struct Known {
    current: Option<Current>,
    recipient: Option<RecipientStatus>,
    sender: Option<SenderFacts>,
    account_fault: Option<&'static str>,
    platform: SwitchMode,
    tenant: TenantFacts,
    /// Where the sender's texts end, in seconds from the database's now.
    next_free: i64,
}

impl Known {
    fn good() -> Self {
        let message = admitted(MessageClass::Promo).message;
        let stored = StoredMessage {
            tenant: tenant(),
            id: message.head.id,
            turn: 2,
            state: MessageState::Queued,
            class: MessageClass::Promo,
            contact: message.contact,
            campaign: None,
            sender: Some(SENDER),
            billed: false,
            segments: 1,
            cost: message.cost,
            gate: None,
            code: None,
            due: None,
            version: 3,
            changed_at: at(-1),
        };

        let sender = SenderFacts {
            channel: Channel::Sms,
            id: SENDER,
            number: "+12125550001".into(),
            account: "main".into(),
            weight: 1,
            country: None,
            zone: london(),
            pace: 10,
            active_since: at(-1_000_000),
            daily_cap: 1_000,
            usable: true,
            health: SenderHealth::default(),
            account_is_held: false,
        };

        let recipient =
            RecipientStatus { marketing_consent_at: Some(at(-90)), ..RecipientStatus::default() };

        Self {
            current: Some(Current { message: stored, claim: None, attempt: 0 }),
            recipient: Some(recipient),
            sender: Some(sender),
            account_fault: None,
            platform: SwitchMode::On,
            tenant: TenantFacts { policy_version: 5, ..TenantFacts::new(london()) },
            next_free: -5,
        }
    }

    fn with(change: impl FnOnce(&mut Self)) -> Self {
        let mut known = Self::good();
        change(&mut known);
        known
    }

    fn decide(&self, message: &Admitted) -> Decision {
        let lock = SenderLock { tenant: tenant(), sender: SENDER, next_free: at(self.next_free) };
        let locks = PaceLocks { senders: vec![lock], now: at(0), ..PaceLocks::default() };

        let mut of_tenant = self.tenant.clone();
        of_tenant.senders.extend(self.sender.clone().map(|sender| (sender.id, sender)));

        // As the load does: an answer that the law asks for needs no row.
        let status = self.recipient.clone();
        let compliance = message.message.head.class == MessageClass::Compliance;
        let status = status.or_else(|| compliance.then(RecipientStatus::default));
        let recipient = message.candidate().recipient();
        let gates = gates::Facts {
            platform: self.platform,
            tenants: HashMap::from([(tenant(), of_tenant)]),
            recipients: status.map(|status| (recipient, status)).into_iter().collect(),
        };

        let facts = Facts {
            has_permit: true,
            now: at(0),
            call_by: Duration::from_millis(200),
            request_timeout: Duration::from_secs(10),
            current: self.current.as_ref(),
            recipient_is_locked: self.recipient.is_some(),
            sender: self.sender.as_ref(),
            account_fault: self.account_fault,
            gates: &gates,
        };

        let mut paces = Paces::new(locks, HashMap::new(), &HashMap::new());
        decide(message, &facts, &mut Memo::new(at(0)), &mut paces)
    }

    fn recipient(&mut self) -> &mut RecipientStatus {
        self.recipient.as_mut().expect("known")
    }

    fn policy(&mut self) -> &mut Policy {
        self.tenant.policy.as_mut().expect("known")
    }

    fn stored(&mut self) -> &mut StoredMessage {
        &mut self.current.as_mut().expect("known").message
    }
}

fn ending(decision: Decision) -> (MessageState, &'static str) {
    match decision {
        Decision::End(ending) => (ending.state, ending.code),
        other => panic!("{other:?} is no ending"),
    }
}

#[test]
fn with_everything_in_favour_the_call_is_made() {
    for class in MessageClass::ALL {
        assert_eq!(Known::good().decide(&admitted(class)), Decision::Call, "{class:?}");
    }
}

#[test]
fn the_turn_of_the_row_decides_before_anything_else() {
    let message = admitted(MessageClass::Promo);
    let turn = |turn| Known::with(|known| known.stored().turn = turn).decide(&message);
    assert_eq!(turn(3), Decision::Nothing);
    assert_eq!(turn(1), Decision::Dead("turn_ahead_of_row"));

    let gone = Known::with(|known| known.current = None);
    assert_eq!(gone.decide(&message), Decision::Dead("message_without_row"));
}

#[test]
fn a_message_that_is_not_queued_is_never_called() {
    for state in MessageState::ALL.into_iter().filter(|state| *state != MessageState::Queued) {
        let known = Known::with(|known| known.stored().state = state);
        let want = match state {
            MessageState::Accepted => Decision::Dead("not_admitted"),
            // Who cancels says so.
            MessageState::Cancelled => Decision::Nothing,
            _ => Decision::SayAgain,
        };

        assert_eq!(known.decide(&admitted(MessageClass::Transactional)), want, "{state:?}");
    }
}

#[test]
fn a_claim_belongs_to_its_owner_until_its_call_must_be_over_and_is_in_doubt_after() {
    let message = admitted(MessageClass::Promo);
    let claimed = |second| {
        let claim = Claim { owner: Uuid::from_u128(1), call_by: at(second) };
        let known = Known::with(|known| known.current.as_mut().expect("known").claim = Some(claim));
        known.decide(&message)
    };

    for second in [0, -3, -10] {
        assert!(matches!(claimed(second), Decision::Wait(_)), "{second}");
    }
    assert_eq!(ending(claimed(-11)), (MessageState::InDoubt, "call_unanswered"));
}

#[test]
fn opt_outs_and_lists_stop_the_classes_that_the_gate_table_names() {
    use MessageClass::{Compliance, Conversational, Journey, Promo, Transactional};
    let out = |recipient: &mut RecipientStatus| recipient.opted_out_at = Some(at(-1));
    let listed = |recipient: &mut RecipientStatus| recipient.do_not_contact_at = Some(at(-1));
    let left = |recipient: &mut RecipientStatus| {
        let programs = ["marketing", "conversational", "transactional"];
        recipient.stopped_programs = programs.map(String::from).to_vec();
    };
    let unasked = |recipient: &mut RecipientStatus| recipient.marketing_consent_at = None;
    let expired = |recipient: &mut RecipientStatus| recipient.consent_expires_at = Some(at(0));

    type Change<'a> = (&'a str, &'a dyn Fn(&mut RecipientStatus), &'a [MessageClass]);
    let changes: [Change<'_>; 5] = [
        ("opted_out", &out, &[Promo, Journey, Conversational, Transactional]),
        ("do_not_contact", &listed, &[Promo, Journey, Conversational]),
        ("program_opted_out", &left, &[Promo, Journey, Conversational, Transactional]),
        ("no_consent", &unasked, &[Promo, Journey]),
        ("consent_expired", &expired, &[Promo, Journey]),
    ];

    for (code, change, stopped) in changes {
        for class in [Promo, Journey, Conversational, Transactional, Compliance] {
            let known = Known::with(|known| change(known.recipient()));
            let decision = known.decide(&admitted(class));

            if stopped.contains(&class) {
                assert_eq!(ending(decision), (MessageState::Blocked, code), "{class:?}");
            } else {
                assert_eq!(decision, Decision::Call, "{class:?} {code}");
            }
        }
    }
}

#[test]
fn no_carrier_is_called_with_an_address_that_its_channel_does_not_reach() {
    for class in MessageClass::ALL {
        let mut message = admitted(class);
        message.message.head.to = "US.13491208655302741918".parse().expect("an address");
        let ended = ending(Known::good().decide(&message));
        assert_eq!(ended, (MessageState::Blocked, "no_phone_number"));
    }
}

#[test]
fn a_number_that_nothing_is_stored_about_gets_nothing_but_compliance() {
    let known = Known::with(|known| known.recipient = None);
    for class in MessageClass::ALL.into_iter().filter(|class| *class != MessageClass::Compliance) {
        let ended = ending(known.decide(&admitted(class)));
        assert_eq!(ended, (MessageState::Blocked, "standing_unknown"));
    }
    assert_eq!(known.decide(&admitted(MessageClass::Compliance)), Decision::Call);
}

#[test]
fn a_policy_without_consent_lets_marketing_go_without() {
    let known = Known::with(|known| {
        known.recipient().marketing_consent_at = None;
        known.policy().consent = ConsentPolicy::NOTHING;
    });
    assert_eq!(known.decide(&admitted(MessageClass::Promo)), Decision::Call);
}

#[test]
fn consent_is_judged_under_the_policy_of_the_admission_alone() {
    let known = Known::with(|known| {
        known.policy().consent = ConsentPolicy::STRICTEST;
    });
    let promo = admitted(MessageClass::Promo);
    assert_eq!(ending(known.decide(&promo)), (MessageState::Blocked, "consent_insufficient"));

    let changed = Known::with(|known| {
        known.policy().consent = ConsentPolicy::STRICTEST;
        known.tenant.policy_version = 6;
    });
    assert_eq!(ending(changed.decide(&promo)), (MessageState::Deferred, "policy_changed"));
}

/// What a switch stands over.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Over {
    Platform,
    Tenant,
    Campaign,
    Sender,
}

fn switched(known: &mut Known, over: Over, mode: SwitchMode) {
    let switches = &mut known.tenant.switches;
    match over {
        Over::Platform => known.platform = mode,
        Over::Tenant => switches.tenant = mode,
        Over::Campaign => drop(switches.campaigns.insert(CAMPAIGN, mode)),
        Over::Sender => drop(switches.senders.insert(SENDER, mode)),
    }
}

#[test]
fn a_switch_holds_when_paused_and_blocks_when_stopped() {
    use MessageState::{Blocked, Cancelled, Deferred, Held};
    use SwitchMode::{Paused, Stopped};
    for (over, mode, want) in [
        (Over::Platform, Paused, (Held, "platform_paused")),
        (Over::Platform, Stopped, (Blocked, "platform_stopped")),
        (Over::Tenant, Paused, (Held, "tenant_paused")),
        (Over::Tenant, Stopped, (Blocked, "tenant_stopped")),
        (Over::Campaign, Paused, (Held, "campaign_paused")),
        (Over::Campaign, Stopped, (Cancelled, "campaign_stopped")),
        (Over::Sender, Paused, (Deferred, "sender_paused")),
        (Over::Sender, Stopped, (Deferred, "sender_stopped")),
    ] {
        let known = Known::with(|known| switched(known, over, mode));
        assert_eq!(ending(known.decide(&admitted(MessageClass::Promo))), want);

        let compliance = known.decide(&admitted(MessageClass::Compliance));
        match over {
            Over::Platform => assert_eq!(ending(compliance), want),
            Over::Tenant | Over::Campaign | Over::Sender => {
                assert_eq!(compliance, Decision::Call);
            }
        }
    }
}

#[test]
fn a_stop_outweighs_a_pause_and_a_pause_says_what_wakes_it() {
    let known = Known::with(|known| {
        switched(known, Over::Platform, SwitchMode::Paused);
        switched(known, Over::Campaign, SwitchMode::Stopped);
    });
    let ended = ending(known.decide(&admitted(MessageClass::Promo)));
    assert_eq!(ended, (MessageState::Cancelled, "campaign_stopped"));

    let known = Known::with(|known| switched(known, Over::Campaign, SwitchMode::Paused));
    let Decision::End(held) = known.decide(&admitted(MessageClass::Promo)) else { panic!("held") };
    assert_eq!(held.wake, Some(format!("switch:campaign:{CAMPAIGN}")));
    assert_eq!(held.due, None);
}

#[test]
fn no_call_begins_at_an_hour_that_is_not_allowed_any_more() {
    let known = Known::with(|known| {
        known.policy().quiet_hours.window = "daily 09:00-13:46".parse().expect("a window");
    });

    let ended = ending(known.decide(&admitted(MessageClass::Promo)));
    assert_eq!(ended, (MessageState::Deferred, "quiet_hours"));
    assert_eq!(known.decide(&admitted(MessageClass::Transactional)), Decision::Call);
}

#[test]
fn no_call_begins_that_could_end_after_its_window() {
    let until = |second: i64, expires: Option<i64>| {
        let mut message = admitted(MessageClass::Promo);
        message.route.sendable_until = at(second);
        message.message.head.expires_at = expires.map(at);
        Known::good().decide(&message)
    };

    assert_eq!(until(11, None), Decision::Call);
    assert_eq!(ending(until(10, None)), (MessageState::Deferred, "window_closed"));
    assert_eq!(ending(until(10, Some(60))), (MessageState::Deferred, "window_closed"));
    assert_eq!(ending(until(10, Some(10))), (MessageState::Expired, "expired"));
}

#[test]
fn what_was_admitted_under_other_facts_goes_back_to_the_gates_at_once() {
    type Change = (&'static str, fn(&mut Known));
    let changes: [Change; 3] = [
        ("policy_changed", |known| known.tenant.policy_version = 6),
        ("sender_gone", |known| known.sender.as_mut().expect("known").usable = false),
        ("sender_moved", |known| {
            known.sender.as_mut().expect("known").account = "other".into();
        }),
    ];

    for (code, change) in changes {
        let Decision::End(back) = Known::with(change).decide(&admitted(MessageClass::Promo)) else {
            panic!("{code} ends the turn")
        };
        assert_eq!((back.state, back.code), (MessageState::Deferred, code));
        assert_eq!(back.due, Some(at(0)));
    }

    let gone = Known::with(|known| known.sender = None);
    assert_eq!(ending(gone.decide(&admitted(MessageClass::Promo))).1, "sender_gone");
}

#[test]
fn an_account_that_cannot_be_called_holds_its_messages() {
    let known = Known::with(|known| known.account_fault = Some("account_token_unread"));
    let Decision::End(held) = known.decide(&admitted(MessageClass::Promo)) else { panic!("held") };
    assert_eq!((held.state, held.wake.as_deref()), (MessageState::Held, Some("account:main")));
}

#[test]
fn pace_makes_a_message_wait_and_a_long_wait_is_parked() {
    let waits_for = |seconds| {
        Known::with(|known| known.next_free = seconds).decide(&admitted(MessageClass::Promo))
    };

    assert_eq!(waits_for(0), Decision::Call);
    assert_eq!(waits_for(1), Decision::Wait(Duration::from_millis(900)));
    assert_eq!(waits_for(2), Decision::Wait(MAX_WAIT));

    let Decision::End(parked) = waits_for(60) else { panic!("parked") };
    assert_eq!((parked.state, parked.code), (MessageState::Deferred, "pace"));
    let due = parked.due.expect("due").duration_since(at(0));
    assert_eq!(due, SignedDuration::from_millis(59_900));
}
