//! Every reason for which a text is asked about, answered at once, or met with silence.

use std::sync::Arc;

use domain::{
    address::Address,
    assistant::{AssistantScope, Cues},
    ids::{ContactId, ConversationId, MessageId, SenderId, TenantId},
    lexicon::wording,
    message::class::Channel,
    money::Micros,
};
use store::conversations::replies::{HadAnswers, Used};
use uuid::Uuid;

use super::*;
use ReplyReason as R;

/// Monday noon in New York.
fn now() -> Timestamp {
    "2026-11-30T17:00:00Z".parse().expect("an instant")
}

fn question(body: &str) -> Question {
    let tenant: TenantId = "demo".parse().expect("valid");
    let address: Address = "+12125550123".parse().expect("valid");
    let contact = ContactId::of(&tenant, address.as_str());
    let sender = SenderId::of(&tenant, "+12125550199");
    let conversation = ConversationId::of(contact, sender);
    let ask = Ask {
        tenant,
        inbound: Uuid::nil(),
        conversation,
        epoch: 1,
        message: MessageId::from_burst(conversation, 1, Uuid::nil()),
        address,
        channel: Channel::Sms,
        contact,
        wording: wording(body),
        burst: None,
    };
    Question { ask, sender, body: body.to_owned(), received_at: now(), trace: None }
}

fn facts(settings: &str) -> ReplyFacts {
    let settings = AssistantSettings::read(settings);
    ReplyFacts {
        inbound: Uuid::nil(),
        ownership: Ownership { owner: ConversationOwner::Assistant, assignee: None, epoch: 1 },
        silenced: false,
        had: HadAnswers::default(),
        assistant: Arc::new(AssistantFacts {
            scope: AssistantScope::Company,
            target: Uuid::nil(),
            cues: settings.as_ref().map(Cues::of).unwrap_or_default(),
            settings,
            zone: Zone::parse("America/New_York").ok(),
            company: "Acme".into(),
            used_on: None,
            used: Used::default(),
        }),
        joined: false,
        decided: None,
    }
}

/// What is decided about "When?", in a word: `ask`, what is said, or why nothing is.
fn decided(facts: &ReplyFacts) -> String {
    about("When?", facts)
}

fn about(body: &str, facts: &ReplyFacts) -> String {
    match decide(now(), &question(body), Some(facts), true) {
        ReplyIntent::Ask(_) => "ask".into(),
        Say(body, _) => body.into(),
        Silence(reason) => reason.as_str().into(),
    }
}

#[test]
fn a_question_is_asked_of_the_model() {
    assert_eq!(decided(&facts("{}")), "ask");
}

#[test]
fn who_opted_out_or_has_a_person_gets_no_word_of_the_assistant() {
    assert_eq!(decided(&ReplyFacts { silenced: true, ..facts("{}") }), "opted_out");

    for owner in [ConversationOwner::Person, ConversationOwner::Nobody] {
        let ownership = Ownership { owner, assignee: None, epoch: 1 };
        assert_eq!(decided(&ReplyFacts { ownership, ..facts("{}") }), "person_answers");
    }
    let ownership = Ownership { owner: ConversationOwner::Assistant, assignee: None, epoch: 2 };
    let over = ReplyFacts { ownership, ..facts("{}") };
    assert_eq!(decided(&over), "epoch_over");
    assert_eq!(still(&question("x").ask, &over), Some(R::EpochOver));
}

#[test]
fn what_a_thread_and_its_person_have_had_is_counted() {
    let had = |had: HadAnswers| decided(&ReplyFacts { had, ..facts("{}") });
    let in_thread = |in_thread| had(HadAnswers { in_thread, ..HadAnswers::default() });
    assert_eq!((in_thread(2).as_str(), in_thread(3).as_str()), ("ask", "answers_per_hour"));

    let today = |today| had(HadAnswers { today, ..HadAnswers::default() });
    assert_eq!((today(19).as_str(), today(20).as_str()), ("ask", "answers_per_day"));

    assert_eq!(had(HadAnswers { to_same_words: true, ..HadAnswers::default() }), "repeated");
    assert_eq!(had(HadAnswers { says_same: true, ..HadAnswers::default() }), "echo");
    assert_eq!(had(HadAnswers { texts: 61, ..HadAnswers::default() }), "flood");

    let three = ReplyFacts {
        had: HadAnswers { in_thread: 3, ..HadAnswers::default() },
        ..facts(r#"{"budget": {"answers_per_hour": 4}}"#)
    };
    assert_eq!(decided(&three), "ask");
    assert_eq!(still(&question("x").ask, &three), None);
}

#[test]
fn fixed_answers_come_before_the_model_and_a_person_before_both() {
    let given = facts(
        r#"{"keywords": [{"words": ["when"], "answer": "At nine."}], "escalate_on": ["lawyer"]}"#,
    );
    assert_eq!(about("WHEN?", &given), "At nine.");
    assert_eq!(about("My lawyer asks when", &given), "escalated");
    assert_eq!(about("Why?", &given), "ask");

    let off = facts(r#"{"enabled": false, "keywords": [{"words": ["when"], "answer": "Nine."}]}"#);
    assert_eq!(decided(&off), "ai_off");
    let question = question("when");
    let without_model = decide(now(), &question, Some(&given), false);
    assert_eq!(without_model, Say("At nine.", R::Keyword));
}

#[test]
fn outside_the_hours_it_says_so_once_and_then_a_person_goes_on() {
    let closed = facts(r#"{"hours": "sun 09:00-10:00"}"#);
    assert_eq!(decided(&closed), "closed");

    let told = facts(r#"{"hours": "sun 09:00-10:00", "closed_answer": "Back on Sunday."}"#);
    assert_eq!(decided(&told), "Back on Sunday.");
    let had = HadAnswers { closed_answers: 1, ..HadAnswers::default() };
    assert_eq!(decided(&ReplyFacts { had, ..told }), "closed");
}

#[test]
fn a_day_has_its_tokens_and_its_money() {
    let today = day_of(now(), Zone::parse("America/New_York").expect("a zone"));
    let used = |settings: &str, tokens, cost, day| {
        let mut facts = facts(settings);
        let assistant = Arc::make_mut(&mut facts.assistant);
        assistant.used = Used { tokens, cost: Micros(cost) };
        assistant.used_on = Some(day);
        decided(&facts)
    };
    let tokens = r#"{"budget": {"tokens_per_day": 100}}"#;
    assert_eq!(used(tokens, 99, 0, today), "ask");
    assert_eq!(used(tokens, 100, 0, today), "budget");
    assert_eq!(used(tokens, 100, 0, today.yesterday().expect("a day")), "ask");

    let money = r#"{"budget": {"cost_micros_per_day": 50}, "price": {"input_micros": 1,
                    "output_micros": 1}}"#;
    assert_eq!(used(money, 0, 50, today), "budget");
}

#[test]
fn what_is_old_empty_or_unknown_goes_to_a_person() {
    let late = Question { received_at: now() - SignedDuration::from_mins(61), ..question("When?") };
    let facts_of = facts("{}");
    assert_eq!(decide(now(), &late, Some(&facts_of), true), Silence(R::TooOld));
    assert_eq!(about("  ", &facts_of), "empty");
    assert_eq!(decided(&facts(r#"{"mood": "sunny"}"#)), "bad_settings");
    assert_eq!(decide(now(), &question("When?"), None, true), Silence(R::NoFacts));
    assert_eq!(decide(now(), &question("When?"), Some(&facts_of), false), Silence(R::AiOff));
    assert!(R::TooOld.hands_off() && R::Empty.hands_off() && !R::NoFacts.hands_off());
}
