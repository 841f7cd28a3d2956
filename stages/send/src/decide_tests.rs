//! Tables for the last look before a carrier call.

use domain::{
    class::Channel,
    gates::{Consent, ConsentPolicy},
    ids::{CampaignId, ContactId, MessageId, SenderId, TenantId},
    money::Micros,
    passport::Passport,
    zones::{Candidates, Evidence, Place},
};
use store::{capacity::pace::PaceLock, messages::row::StoredMessage};
use uuid::Uuid;
use wire::{
    Enriched,
    message::{Head, Route},
};

use super::*;

const SENDER: SenderId = SenderId(Uuid::from_u128(3));
const CAMPAIGN: CampaignId = CampaignId(Uuid::from_u128(4));

fn tenant() -> TenantId {
    "acme".parse().expect("valid")
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + second).expect("in range")
}

pub(crate) fn admitted(class: MessageClass) -> Admitted {
    let to: domain::phone::PhoneNumber =
        serde_json::from_str("\"+12125550100\"").expect("a number");
    let head = Head {
        id: MessageId(Uuid::from_u128(7)),
        tenant: tenant(),
        turn: 2,
        class,
        channel: Channel::Sms,
        to,
        campaign: Some(CAMPAIGN),
        submitted_at: at(-60),
        expires_at: None,
        on_late: None,
        trace: None,
    };
    let message = Enriched {
        contact: ContactId::of(&head.tenant, "+12125550100"),
        head,
        text: "hello".into(),
        segments: 1,
        cost: Micros(7_900),
        place: Place {
            zones: Candidates::Unknown,
            evidence: Evidence::None,
            country: None,
            states: Vec::new(),
        },
        senders: vec![SENDER],
        passport: Passport::default(),
    };
    let route = Route {
        sender: SENDER,
        number: "+12125550001".into(),
        account: "main".into(),
        pace: 10,
        sendable_until: at(3_600),
        policy_version: 5,
    };
    Admitted { message, route }
}

/// What is known, all of it in favour of the call.
struct Known {
    current: Option<Current>,
    standing: Option<Standing>,
    sender: Option<SenderFacts>,
    account_fault: Option<&'static str>,
    switches: HashMap<SwitchKey, SwitchMode>,
    /// Where the sender's line ends, in seconds from the database's now.
    line: i64,
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
            number: "+12125550001".into(),
            account: "main".into(),
            carrier_sid: "AC1".into(),
            base_url: "https://api.twilio.com".into(),
            sealed_token: "x".into(),
            pace: 10,
            usable: true,
            policy_version: 5,
            consent: ConsentPolicy::default(),
        };
        Self {
            current: Some(Current { message: stored, claim: None, attempt: 0 }),
            standing: Some(Standing {
                opted_out: false,
                do_not_contact: false,
                program_stopped: false,
                consent: Some(Consent { basis: None, expires_at: None }),
            }),
            sender: Some(sender),
            account_fault: None,
            switches: HashMap::new(),
            line: -5,
        }
    }

    fn with(change: impl FnOnce(&mut Self)) -> Self {
        let mut known = Self::good();
        change(&mut known);
        known
    }

    fn decide(&self, message: &Admitted) -> Decision {
        let lock =
            PaceLock { tenant: tenant(), key: Pace::sender_key(SENDER), next_free: at(self.line) };
        let facts = Facts {
            now: at(0),
            call_by: Duration::from_millis(300),
            request_timeout: Duration::from_secs(10),
            current: self.current.as_ref(),
            standing: self.standing,
            sender: self.sender.as_ref(),
            account_fault: self.account_fault,
            switches: &self.switches,
        };
        decide(message, &facts, &mut Pace::new(at(0), vec![lock]))
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
    let out = |standing: &mut Standing| standing.opted_out = true;
    let listed = |standing: &mut Standing| standing.do_not_contact = true;
    let left = |standing: &mut Standing| standing.program_stopped = true;
    let unasked = |standing: &mut Standing| standing.consent = None;
    let expired = |standing: &mut Standing| {
        standing.consent = Some(Consent { basis: None, expires_at: Some(at(0)) });
    };
    type Change<'a> = (&'a str, &'a dyn Fn(&mut Standing), &'a [MessageClass]);
    let changes: [Change<'_>; 5] = [
        ("opted_out", &out, &[Promo, Journey, Conversational, Transactional]),
        ("do_not_contact", &listed, &[Promo, Journey, Conversational]),
        ("program_opted_out", &left, &[Promo, Journey, Conversational, Transactional]),
        ("no_consent", &unasked, &[Promo, Journey]),
        ("consent_expired", &expired, &[Promo, Journey]),
    ];
    for (code, change, stopped) in changes {
        for class in [Promo, Journey, Conversational, Transactional, Compliance] {
            let known = Known::with(|known| change(known.standing.as_mut().expect("known")));
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
fn a_number_that_nothing_is_stored_about_gets_nothing_but_compliance() {
    let known = Known::with(|known| known.standing = None);
    for class in MessageClass::ALL.into_iter().filter(|class| *class != MessageClass::Compliance) {
        let ended = ending(known.decide(&admitted(class)));
        assert_eq!(ended, (MessageState::Blocked, "standing_unknown"));
    }
    assert_eq!(known.decide(&admitted(MessageClass::Compliance)), Decision::Call);
}

#[test]
fn a_policy_without_consent_lets_marketing_go_without() {
    let known = Known::with(|known| {
        known.standing.as_mut().expect("known").consent = None;
        known.sender.as_mut().expect("known").consent = ConsentPolicy::NOTHING;
    });
    assert_eq!(known.decide(&admitted(MessageClass::Promo)), Decision::Call);
}

#[test]
fn consent_is_judged_under_the_policy_of_the_admission_alone() {
    let known = Known::with(|known| {
        let sender = known.sender.as_mut().expect("known");
        sender.consent = ConsentPolicy::STRICTEST;
    });
    let promo = admitted(MessageClass::Promo);
    assert_eq!(ending(known.decide(&promo)), (MessageState::Blocked, "consent_insufficient"));
    let changed = Known::with(|known| {
        let sender = known.sender.as_mut().expect("known");
        (sender.consent, sender.policy_version) = (ConsentPolicy::STRICTEST, 6);
    });
    assert_eq!(ending(changed.decide(&promo)), (MessageState::Deferred, "policy_changed"));
}

#[test]
fn a_switch_holds_when_paused_and_blocks_when_stopped() {
    use MessageState::{Blocked, Deferred, Held};
    use SwitchMode::{Paused, Stopped};
    for (key, mode, want) in [
        (SwitchKey::Platform, Paused, (Held, "platform_paused")),
        (SwitchKey::Platform, Stopped, (Blocked, "platform_stopped")),
        (SwitchKey::Tenant(tenant()), Paused, (Held, "tenant_paused")),
        (SwitchKey::Tenant(tenant()), Stopped, (Blocked, "tenant_stopped")),
        (SwitchKey::Campaign(tenant(), CAMPAIGN), Paused, (Held, "campaign_paused")),
        (SwitchKey::Campaign(tenant(), CAMPAIGN), Stopped, (Blocked, "campaign_stopped")),
        (SwitchKey::Sender(tenant(), SENDER), Paused, (Deferred, "sender_paused")),
        (SwitchKey::Sender(tenant(), SENDER), Stopped, (Deferred, "sender_paused")),
    ] {
        let known = Known::with(|known| known.switches = HashMap::from([(key.clone(), mode)]));
        assert_eq!(ending(known.decide(&admitted(MessageClass::Promo))), want);
        let compliance = known.decide(&admitted(MessageClass::Compliance));
        match key {
            SwitchKey::Platform => assert_eq!(ending(compliance), want),
            SwitchKey::Tenant(_) | SwitchKey::Campaign(..) | SwitchKey::Sender(..) => {
                assert_eq!(compliance, Decision::Call);
            }
        }
    }
}

#[test]
fn a_stop_outweighs_a_pause_and_a_pause_says_what_wakes_it() {
    let known = Known::with(|known| {
        known.switches.insert(SwitchKey::Platform, SwitchMode::Paused);
        known.switches.insert(SwitchKey::Campaign(tenant(), CAMPAIGN), SwitchMode::Stopped);
    });
    let ended = ending(known.decide(&admitted(MessageClass::Promo)));
    assert_eq!(ended, (MessageState::Blocked, "campaign_stopped"));
    let key = SwitchKey::Campaign(tenant(), CAMPAIGN);
    let known = Known::with(|known| known.switches = HashMap::from([(key, SwitchMode::Paused)]));
    let Decision::End(held) = known.decide(&admitted(MessageClass::Promo)) else { panic!("held") };
    assert_eq!(held.wake, Some(format!("switch:campaign:{CAMPAIGN}")));
    assert_eq!(held.due, None);
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
    type Change = (&'static str, fn(&mut SenderFacts));
    let changes: [Change; 3] = [
        ("policy_changed", |sender| sender.policy_version = 6),
        ("sender_gone", |sender| sender.usable = false),
        ("sender_moved", |sender| sender.account = "other".into()),
    ];
    for (code, change) in changes {
        let known = Known::with(|known| change(known.sender.as_mut().expect("known")));
        let Decision::End(back) = known.decide(&admitted(MessageClass::Promo)) else {
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
    let line =
        |seconds| Known::with(|known| known.line = seconds).decide(&admitted(MessageClass::Promo));
    assert_eq!(line(0), Decision::Call);
    assert_eq!(line(1), Decision::Wait(Duration::from_millis(750)));
    assert_eq!(line(3), Decision::Wait(MAX_WAIT));
    let Decision::End(parked) = line(60) else { panic!("parked") };
    assert_eq!((parked.state, parked.code), (MessageState::Deferred, "pace"));
    let due = parked.due.expect("due").duration_since(at(0));
    assert_eq!(due, SignedDuration::from_millis(59_750));
}
