//! What the assistant has said and has not gone out does not go out once a person has the
//! conversation, whichever way they came to have it.

use domain::{
    ids::{ContactId, SenderId},
    message::state::MessageState,
};
use serde_json::{Value, json};
use store::{
    Role,
    conversations::echoes::{self, EchoEntry},
    messages::withdraw::PERSON_ANSWERS,
};
use uuid::Uuid;
use wire::{Event, event::MessageData};

use super::{ANA, OURS, acme, asked, before, ids, told as conversation_told};
use crate::harness::{Caller, World};

const MARKS: &str = "select count(*) from millrace.cancel_marks";

/// An answer of the assistant in Ana's conversation, with the state of its row where it has one.
async fn answer(world: &World, id: Uuid, state: Option<MessageState>) {
    let (contact, sender) = (ContactId::of(&acme(), ANA.number), SenderId::of(&acme(), OURS));
    let conversation = ANA.conversation();
    let row = state.map(|state| {
        format!(
            "insert into millrace.messages (tenant_id, message_id, state, class, channel,
                 contact_id, number, body, segments, cost_micros, body_hash, submitted_at,
                 changed_at, passport, sender_id)
             values ('acme', '{id}', {}, 'conversational', 'sms', '{contact}', '{}', 'At nine.',
                 1, 7900, '', now(), now(), '[]', '{sender}');",
            state.code(),
            ANA.number
        )
    });
    let reply = format!(
        "insert into millrace.ai_replies (tenant_id, message_id, conversation_id, inbound_id, body,
             reason, at)
         values ('acme', '{id}', '{conversation}', '{id}', 'At nine.', 'answered', now());"
    );
    world.run(&(row.unwrap_or_default() + &reply)).await;
}

/// How a message stands, and the reason of its last stamp.
async fn stands(admin: &Caller, id: Uuid) -> (Value, Value) {
    let shown = admin.get(&format!("/v1/messages/{id}")).await.expect(200);
    let stamps = shown["passport"].as_array().cloned().unwrap_or_default();
    (shown["status"].clone(), stamps.last().map(|one| one["reason"].clone()).unwrap_or_default())
}

#[tokio::test]
async fn an_answer_that_has_not_gone_out_is_withdrawn_by_whoever_comes_to_have_the_conversation() {
    let agent = Uuid::from_u128(77);
    for (act, body) in [
        ("take-over", json!({})),
        ("reply", json!({ "body": "I am Ben, and I know." })),
        ("assign", json!({ "assignee": agent })),
    ] {
        let (world, admin, path) = asked().await;
        world
            .run(&format!(
                "insert into millrace.persons (person_id, email, email_verified_at, name,
                     password_hash, created_at)
                 values ('{agent}', 'a@example.com', now(), 'A', '', now());
                 insert into millrace.members (tenant_id, person_id, role, created_at)
                 values ('acme', '{agent}', 'agent', now())"
            ))
            .await;
        let [waits, queued, gone, coming] = [1, 2, 3, 4].map(Uuid::from_u128);
        answer(&world, waits, Some(MessageState::Deferred)).await;
        answer(&world, queued, Some(MessageState::Queued)).await;
        answer(&world, gone, Some(MessageState::Sent)).await;
        answer(&world, coming, None).await;

        let done = admin.post(&format!("{path}/{act}"), &body).await;
        assert!(done.status.is_success(), "{act}: {}", done.status);

        for id in [waits, queued] {
            let cancelled = (json!("cancelled"), json!(PERSON_ANSWERS));
            assert_eq!(stands(&admin, id).await, cancelled, "{act}");
        }
        assert_eq!(stands(&admin, gone).await.0, json!("sent"), "{act}: the carrier has it");
        let marked = "select count(*) from millrace.cancel_marks where message_id = \
                      '00000000-0000-0000-0000-000000000004'";
        assert_eq!((world.number(MARKS).await, world.number(marked).await), (1, 1), "{act}");

        world.becomes(0, "select count(*) from millrace.unsaid_events").await;
        let told: Vec<Event> = world.published("EVENTS", "events.acme.message.cancelled").await;
        let of: std::collections::BTreeSet<Uuid> = told
            .iter()
            .map(|event| serde_json::from_str::<MessageData>(event.data.get()).expect("data"))
            .map(|data| data.message.0)
            .collect();
        assert_eq!(of, [waits, queued].into(), "{act}");
    }
}

#[tokio::test]
async fn an_answer_whose_call_has_begun_is_not_called_back() {
    let (world, admin, path) = asked().await;
    let called = Uuid::from_u128(1);
    answer(&world, called, Some(MessageState::Queued)).await;
    world.run("update millrace.messages set claim_owner = gen_random_uuid()").await;
    admin.post(&format!("{path}/take-over"), &json!({})).await.expect(200);
    assert_eq!(stands(&admin, called).await.0, json!("queued"));
    assert_eq!(world.number(MARKS).await, 0);
}

#[tokio::test]
async fn a_conversation_that_is_nobodys_or_the_assistants_withdraws_nothing() {
    let (world, admin, path) = asked().await;
    let waits = Uuid::from_u128(1);
    answer(&world, waits, Some(MessageState::Deferred)).await;
    admin.post(&format!("{path}/close"), &json!({})).await.expect(200);
    admin.post(&format!("{path}/reopen"), &json!({})).await.expect(200);
    assert_eq!(stands(&admin, waits).await.0, json!("deferred"));
}

#[tokio::test]
async fn what_a_fault_has_left_is_withdrawn_by_the_repeat_of_the_request() {
    let (world, admin, path) = asked().await;
    let waits = Uuid::from_u128(1);
    admin.post(&format!("{path}/take-over"), &json!({})).await.expect(200);
    answer(&world, waits, Some(MessageState::Deferred)).await;
    admin.post(&format!("{path}/take-over"), &json!({})).await.expect(200);
    assert_eq!(stands(&admin, waits).await.0, json!("cancelled"));
    let epoch = "select epoch::bigint from millrace.conversations";
    assert_eq!(world.number(epoch).await, 2, "and the conversation stays as it is");
}

#[tokio::test]
async fn what_was_written_on_the_phone_stands_in_the_conversation_and_in_the_timeline() {
    let (world, admin, path) = asked().await;
    let at = before(&world, 1);
    let echo = EchoEntry {
        tenant: acme(),
        id: Uuid::from_u128(5),
        sender: SenderId::of(&acme(), OURS),
        channel: domain::message::class::Channel::Sms,
        address: ANA.number.parse().expect("an address"),
        body: "We are, until six.".into(),
        at,
    };
    let store = world.database.store(Role::Pipeline).await.expect("a store");
    let mut tx = store.scoped([&acme()]).await.expect("a transaction");
    let recorded = echoes::record(&mut tx, &[echo.clone(), echo]).await.expect("recorded");
    tx.commit().await.expect("committed");
    assert_eq!(recorded, [(acme(), ANA.conversation())]);

    let page = admin.get(&format!("{path}/messages")).await.expect(200);
    let entry = &page["data"][0];
    assert_eq!((&entry["kind"], &entry["writer"]), (&json!("out"), &json!("person")));
    assert_eq!((&entry["author"], &entry["body"]), (&json!("phone"), &json!("We are, until six.")));
    assert_eq!((&entry["status"], &entry["cost"]), (&Value::Null, &Value::Null));
    assert_eq!(page["data"].as_array().map(Vec::len), Some(2), "once, and Ana's question");

    let shown = admin.get(&path).await.expect(200);
    assert_eq!((&shown["owner"], &shown["unread"]), (&json!("person"), &json!(0)));
    assert_eq!(
        (&shown["last_text"]["direction"], &shown["last_text"]["body"]),
        (&json!("out"), &json!("We are, until six."))
    );
    assert_eq!(ids(&admin, "q=until+six").await, [json!(ANA.conversation())]);

    let contact = ContactId::of(&acme(), ANA.number);
    let timeline = admin.get(&format!("/v1/contacts/{contact}/timeline")).await.expect(200);
    let of_phone = &timeline["data"][0];
    assert_eq!((&of_phone["kind"], &of_phone["phone"]["body"]), (&json!("phone"), &entry["body"]));

    world.becomes(0, "select count(*) from millrace.unsaid_events").await;
    assert_eq!(conversation_told(&world, "replied").await, 1);
    assert_eq!(conversation_told(&world, "taken_over").await, 1);
    let trail = admin.get("/v1/audit?action=conversation.replied").await.expect(200);
    assert_eq!(trail["data"][0]["actor"], "phone");
}

#[tokio::test]
async fn what_a_newer_version_writes_beside_the_texts_is_left_out_and_shortens_no_page() {
    let (world, admin, path) = asked().await;
    let conversation = ANA.conversation();
    world
        .run(&format!(
            "alter table millrace.conversation_entries
                 drop constraint conversation_entries_kind_check;
             insert into millrace.conversation_entries (tenant_id, entry_id, conversation_id, kind,
                 author, at)
             values ('acme', gen_random_uuid(), '{conversation}', 'call', 'ben', now())"
        ))
        .await;
    let page = admin.get(&format!("{path}/messages?limit=1")).await.expect(200);
    let bodies: Vec<&Value> =
        page["data"].as_array().expect("a list").iter().map(|one| &one["body"]).collect();
    assert_eq!(bodies, [&json!("Are you open on Sunday?")]);
}
