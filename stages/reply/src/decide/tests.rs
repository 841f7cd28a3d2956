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
use std::collections::{HashMap, HashSet};

use store::conversations::replies::{HadAnswers, Used};
use uuid::Uuid;

use super::{recheck::still, *};
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

/// The answer to a text of this number, in a thread of its own or the first one's.
fn answer(text: u128, own_thread: bool) -> ReplyDecision {
    let mut ask = question("When?").ask;
    ask.inbound = Uuid::from_u128(text);
    if own_thread {
        ask.conversation = ConversationId(Uuid::from_u128(text));
    }
    said(ask, "At nine.", R::Answered)
}

/// The same facts for each of these decisions.
fn facts_of(decisions: &[ReplyDecision], facts: &ReplyFacts) -> HashMap<Uuid, ReplyFacts> {
    decisions.iter().map(|one| (one.ask.inbound, facts.clone())).collect()
}

/// What is left of these decisions: `says`, or why nothing is said.
fn left(
    decisions: &[ReplyDecision],
    facts: &HashMap<Uuid, ReplyFacts>,
    overtaken: &[u128],
) -> Vec<&'static str> {
    let overtaken: HashSet<Uuid> = overtaken.iter().map(|one| Uuid::from_u128(*one)).collect();
    let left = recheck(decisions, facts, &overtaken);
    left.iter().map(|one| one.body.as_ref().map_or(one.reason.as_str(), |_| "says")).collect()
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

#[test]
fn what_is_recorded_at_once_is_counted_one_after_the_other() {
    let in_thread =
        |n| ReplyFacts { had: HadAnswers { in_thread: n, ..HadAnswers::default() }, ..facts("{}") };
    let two = [answer(1, false), answer(2, false)];
    assert_eq!(left(&two, &facts_of(&two, &in_thread(2)), &[]), ["says", "answers_per_hour"]);
    assert_eq!(left(&two, &facts_of(&two, &in_thread(2)), &[1]), ["says", "says"]);
    assert_eq!(left(&two, &facts_of(&two, &in_thread(1)), &[]), ["says", "says"]);

    // The person has their answers in all of their threads.
    let today =
        ReplyFacts { had: HadAnswers { today: 19, ..HadAnswers::default() }, ..facts("{}") };
    let two = [answer(1, true), answer(2, true)];
    assert_eq!(left(&two, &facts_of(&two, &today), &[]), ["says", "answers_per_day"]);
}

#[test]
fn what_changed_while_an_answer_was_made_ends_it() {
    let one = [answer(1, false)];
    assert_eq!(left(&one, &HashMap::new(), &[]), ["no_facts"]);
    let opted_out = ReplyFacts { silenced: true, ..facts("{}") };
    assert_eq!(left(&one, &facts_of(&one, &opted_out), &[]), ["opted_out"]);
    assert_eq!(left(&one, &facts_of(&one, &facts(r#"{"enabled": false}"#)), &[]), ["ai_off"]);

    // Who would give the conversation to people gives it only while the assistant has it.
    let hands_off = [silence(question("When?").ask, R::AiUnsure)];
    assert_eq!(left(&hands_off, &facts_of(&hands_off, &facts("{}")), &[]), ["ai_unsure"]);
    let ownership = Ownership { owner: ConversationOwner::Person, assignee: None, epoch: 1 };
    let taken = ReplyFacts { ownership, ..facts("{}") };
    assert_eq!(left(&hands_off, &facts_of(&hands_off, &taken), &[]), ["epoch_over"]);

    // A silence that tells nobody depends on nothing.
    let quiet = [silence(question("When?").ask, R::NoFacts)];
    assert!(!depends_on_facts(&quiet[0]) && depends_on_facts(&hands_off[0]));
    assert_eq!(left(&quiet, &HashMap::new(), &[]), ["no_facts"]);
}
