//! The inbox: conversations are listed, read and answered.

mod acts;
mod withdrawn;

use domain::ids::{ContactId, ConversationId, SenderId, TenantId, carrier_id};
use jiff::Timestamp;
use serde_json::{Value, json};
use store::{
    Role,
    conversations::inbound::{self, Meaning, NewText, Writer},
    recipients::consent::ConsentMethod,
    settings::api_keys::KeyRole,
};
use uuid::Uuid;
use wire::{Event, Submitted};

use crate::{
    harness::{Caller, World},
    settings::carrier,
};

const OURS: &str = "+12125550199";

/// Somebody who writes to us.
struct Person {
    number: &'static str,
    to: &'static str,
}

const ANA: Person = Person { number: "+12125550123", to: OURS };
const BEN: Person = Person { number: "+12125550124", to: OURS };

fn acme() -> TenantId {
    "acme".parse().expect("a tenant")
}

impl Person {
    /// Their conversation with a sender that is in no pool.
    fn conversation(&self) -> ConversationId {
        let contact = ContactId::of(&acme(), self.number);
        ConversationId::of(contact, SenderId::of(&acme(), self.to))
    }

    /// What `inbound` makes of a text of theirs.
    fn text(&self, body: &str, at: Timestamp) -> NewText {
        let (tenant, contact) = (acme(), ContactId::of(&acme(), self.number));
        let sender = SenderId::of(&tenant, self.to);
        let address = self.number.parse().expect("an address");
        NewText {
            tenant,
            id: carrier_id(self.to, &format!("{} {body}", self.number)),
            conversation: ConversationId::of(contact, sender),
            contact,
            writer: Writer::Person { address, country: "US".into() },
            channel: domain::message::class::Channel::Sms,
            sender,
            to: self.to.into(),
            is_to_sender: true,
            group: sender.0,
            body: body.into(),
            meaning: Meaning::Text,
            method: ConsentMethod::Keyword,
            rule: None,
            received_at: at,
        }
    }
}

/// An ingress of a company with one sender, in no pool.
async fn world() -> (World, Caller) {
    let world = World::start().await;
    let admin = world.caller("acme", KeyRole::Admin).await;
    carrier(&admin, "main", OURS).await;
    world.run("delete from millrace.pools").await;
    (world, admin)
}

/// So many minutes before the time of the world.
fn before(world: &World, minutes: i64) -> Timestamp {
    let now = *world.now.lock().expect("no panic");
    now - jiff::SignedDuration::from_mins(minutes)
}

/// Stores texts as the stage `inbound` does, one after the other.
async fn receive(world: &World, texts: Vec<NewText>) {
    let store = world.database.store(Role::Pipeline).await.expect("a store");
    for text in texts {
        let mut tx = store.scoped([&text.tenant]).await.expect("a transaction");
        inbound::receive(&mut tx, &mut [text]).await.expect("stored");
        tx.commit().await.expect("committed");
    }
}

/// A company to which Ana has written, and the path of her conversation.
async fn asked() -> (World, Caller, String) {
    let (world, admin) = world().await;
    let at = before(&world, 5);
    receive(&world, vec![ANA.text("Are you open on Sunday?", at)]).await;
    let path = format!("/v1/conversations/{}", ANA.conversation());
    (world, admin, path)
}

async fn ids(caller: &Caller, query: &str) -> Vec<Value> {
    let page = caller.get(&format!("/v1/conversations?{query}")).await.expect(200);
    page["data"].as_array().expect("data").iter().map(|one| one["id"].clone()).collect()
}

/// The types of the events of conversations, as they are said.
async fn told(world: &World, kind: &str) -> usize {
    let subject = format!("events.acme.conversation.{kind}");
    world.published::<Event>("EVENTS", &subject).await.len()
}

#[tokio::test]
async fn a_conversation_is_listed_shown_and_found() {
    let (world, admin, path) = asked().await;
    admin
        .post("/v1/contacts", &json!({ "phone": ANA.number, "first_name": "Ana" }))
        .await
        .expect(200);
    let at = before(&world, 3);
    receive(&world, vec![BEN.text("Where is my order?", at)]).await;

    let shown = admin.get(&path).await.expect(200);
    assert_eq!(shown["contact_name"], "Ana");
    assert_eq!(shown["address"], ANA.number);
    assert_eq!((&shown["status"], &shown["owner"]), (&json!("open"), &json!("assistant")));
    assert_eq!(shown["unread"], 1);
    assert_eq!(shown["last_text"]["direction"], "in");
    assert_eq!(shown["last_text"]["body"], "Are you open on Sunday?");
    assert_eq!(shown["reply_seconds_left"], 24 * 3_600 - 300);

    let (ana, ben) = (json!(ANA.conversation()), json!(BEN.conversation()));
    assert_eq!(ids(&admin, "").await, [ben.clone(), ana.clone()], "the newest first");
    for (query, expected) in [
        ("q=sunday", vec![&ana]),
        ("q=ana", vec![&ana]),
        ("q=5550124", vec![&ben]),
        ("q=nobody", vec![]),
        ("unread=true", vec![&ben, &ana]),
        ("unassigned=true", vec![&ben, &ana]),
        ("owner=person", vec![]),
        ("channel=whatsapp", vec![]),
        ("status=closed", vec![]),
        ("attention=true", vec![]),
    ] {
        let found = ids(&admin, query).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{query}");
    }
    let contact = ContactId::of(&acme(), ANA.number);
    assert_eq!(ids(&admin, &format!("contact={contact}")).await, [ana]);
    assert_eq!(
        admin.get("/v1/conversations?status=gone").await.problem(422),
        [("status".to_owned(), "unknown".to_owned())]
    );
    admin.get(&format!("/v1/conversations/{}", Uuid::nil())).await.problem(404);
}

#[tokio::test]
async fn a_list_goes_on_behind_its_cursor_whatever_its_filter_lets_through() {
    let (world, admin) = world().await;
    let at = before(&world, 9);
    let numbers = ["+12125550101", "+12125550102", "+12125550103", "+12125550104", "+12125550105"];
    let texts = numbers.map(|number| Person { number, to: OURS }.text("Hello", at));
    receive(&world, texts.into()).await;

    for query in ["limit=2", "limit=2&unread=true"] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = admin.get(&format!("/v1/conversations?{query}{cursor}")).await.expect(200);
            seen.extend(page["data"].as_array().expect("data").iter().map(|one| one["id"].clone()));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        let each: std::collections::BTreeSet<String> = seen.iter().map(Value::to_string).collect();
        assert_eq!((seen.len(), each.len()), (5, 5), "{query}");
    }
}

#[tokio::test]
async fn a_reply_goes_to_the_gates_and_takes_the_conversation_from_the_assistant() {
    let (world, admin, path) = asked().await;
    let answer = json!({ "body": "We are, until six." });
    let first = admin.post_once(&format!("{path}/reply"), "one", &answer).await.expect(202);
    let again = admin.post_once(&format!("{path}/reply"), "one", &answer).await.expect(202);
    assert_eq!(first["id"], again["id"]);

    let sent: Vec<Submitted> = world.published("SUBMITTED", "msg.submitted.urgent").await;
    let replies: std::collections::BTreeSet<_> = sent.iter().map(|one| one.head.id.0).collect();
    assert_eq!(replies.len(), 1, "one message, however often it is asked for");
    let head = &sent[0].head;
    assert_eq!(head.class.as_str(), "conversational");
    assert_eq!(head.to.as_str(), ANA.number);
    assert_eq!(sent[0].from, wire::message::From::Sender(SenderId::of(&acme(), OURS)));

    let shown = admin.get(&path).await.expect(200);
    assert_eq!((&shown["owner"], &shown["unread"]), (&json!("person"), &json!(0)));
    assert_eq!(shown["last_text"]["direction"], "out");
    let epoch = "select epoch::bigint from millrace.conversations";
    assert_eq!(world.number(epoch).await, 2, "a repeat takes nothing over");
    world.becomes(0, "select count(*) from millrace.unsaid_events").await;
    assert_eq!(told(&world, "replied").await, 1);
    assert_eq!(told(&world, "taken_over").await, 1);

    let other = json!({ "body": "We are not." });
    let next = admin.post_once(&format!("{path}/reply"), "two", &other).await.expect(202);
    assert_ne!(next["id"], first["id"]);
    assert_eq!(world.number(epoch).await, 3, "every answer of a person begins an epoch");
    let trail = admin.get("/v1/audit?action=conversation.replied").await.expect(200);
    assert_eq!(trail["data"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn a_reply_is_priced_before_it_is_sent_and_nothing_is_written() {
    let (world, admin, path) = asked().await;
    let rows = world.tables().await;
    let body = "x".repeat(161);
    let preview =
        admin.post(&format!("{path}/preview"), &json!({ "body": body })).await.expect(200);
    assert_eq!((&preview["segments"], &preview["encoding"]), (&json!(2), &json!("GSM-7")));
    assert_ne!(preview["cost"]["amount"], "0");
    assert_ne!(preview["reply_until"], Value::Null);

    let wrong = admin.post(&format!("{path}/preview"), &json!({})).await.problem(422);
    assert_eq!(wrong, [("body".to_owned(), "required".to_owned())]);
    assert_eq!(world.tables().await, rows);
}

#[tokio::test]
async fn who_wrote_too_long_ago_and_a_machine_are_not_answered() {
    let (world, admin) = world().await;
    let at = before(&world, 25 * 60);
    receive(&world, vec![ANA.text("Hello", at)]).await;
    let path = format!("/v1/conversations/{}", ANA.conversation());
    assert_eq!(admin.get(&path).await.expect(200)["reply_until"], Value::Null);
    let answer = json!({ "body": "Hello!" });
    admin.post(&format!("{path}/reply"), &answer).await.problem(409);

    let at = before(&world, 1);
    let code: domain::sender_code::SenderCode = "12345".parse().expect("a code");
    let mut text = ANA.text("Your code is 4711", at);
    text.contact = ContactId::of(&acme(), "12345");
    text.conversation = ConversationId::of(text.contact, text.sender);
    (text.writer, text.meaning) = (Writer::Code(code), Meaning::Automatic);
    let path = format!("/v1/conversations/{}", text.conversation);
    receive(&world, vec![text]).await;
    assert_eq!(admin.get(&path).await.expect(200)["address"], "12345");
    admin.post(&format!("{path}/reply"), &answer).await.problem(409);
    assert!(world.published::<Submitted>("SUBMITTED", "msg.submitted.urgent").await.is_empty());
}

#[tokio::test]
async fn texts_messages_notes_and_acts_stand_in_one_order() {
    let (world, admin, path) = asked().await;
    let note = json!({ "body": "She asks every week." });
    let noted = admin.post_once(&format!("{path}/notes"), "n", &note).await.expect(201);
    let again = admin.post_once(&format!("{path}/notes"), "n", &note).await.expect(201);
    assert_eq!(noted["id"], again["id"]);
    let answer = json!({ "body": "We are, until six." });
    let reply = admin.post(&format!("{path}/reply"), &answer).await.expect(202);
    let labels = json!({ "labels": ["VIP", "order", "vip "] });
    let labelled = admin.put(&format!("{path}/labels"), &labels).await.expect(200);
    assert_eq!(labelled["labels"], json!(["order", "vip"]));
    assert_eq!(ids(&admin, "label=vip").await.len(), 1);

    // What enrich makes of the reply, what the assistant and a campaign have said, and another
    // sender's message.
    let sent: Vec<Submitted> = world.published("SUBMITTED", "msg.submitted.urgent").await;
    let contact = ContactId::of(&acme(), ANA.number);
    let sender = SenderId::of(&acme(), OURS);
    let conversation = ANA.conversation();
    let row = |id: Uuid, body: &str, sender: SenderId, at: &str| {
        format!(
            "insert into millrace.messages (tenant_id, message_id, state, class, channel,
                 contact_id, number, body, segments, cost_micros, body_hash, submitted_at,
                 changed_at, passport,
                 sender_id)
             values ('acme', '{id}', 0, 'conversational', 'sms', '{contact}', '+12125550123',
                 '{body}', 1, 7900, '', '{at}', now(), '[]', '{sender}');"
        )
    };
    let assistants = Uuid::from_u128(7);
    let other = SenderId::of(&acme(), "+12125550100");
    world
        .run(
            &[
                row(sent[0].head.id.0, "We are, until six.", sender, "2026-05-01T15:00:00Z"),
                row(assistants, "A colleague will say.", sender, "2026-05-01T14:56:00Z"),
                row(Uuid::from_u128(8), "Spring sale", sender, "2026-05-01T12:00:00Z"),
                row(Uuid::from_u128(9), "Of another sender", other, "2026-05-01T12:00:00Z"),
                format!(
                    "insert into millrace.ai_replies (tenant_id, message_id, conversation_id,
                     inbound_id, body, reason, at)
                 values ('acme', '{assistants}', '{conversation}', '{assistants}', 'x', 'answered',
                     now())"
                ),
            ]
            .join("\n"),
        )
        .await;

    let page = admin.get(&format!("{path}/messages")).await.expect(200);
    let entries = page["data"].as_array().expect("data");
    let bodies: Vec<_> = entries.iter().map(|one| (&one["kind"], &one["body"])).collect();
    let out = json!("out");
    assert!(bodies.contains(&(&json!("note"), &json!("She asks every week."))));
    assert!(bodies.contains(&(&json!("in"), &json!("Are you open on Sunday?"))));
    assert_eq!(bodies.last(), Some(&(&out, &json!("Spring sale"))), "the newest first");
    assert!(!bodies.contains(&(&out, &json!("Of another sender"))));
    let by = |writer: &str| entries.iter().find(|one| one["writer"] == writer).expect(writer);
    assert_eq!(by("person")["id"], reply["id"]);
    assert_eq!(by("assistant")["body"], "A colleague will say.");
    assert_eq!(by("other")["body"], "Spring sale");
    let act = entries.iter().find(|one| one["kind"] == "act").expect("an act");
    assert_eq!(act["act"], "labelled");

    // Page by page it is the same.
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = admin.get(&format!("{path}/messages?limit=2{cursor}")).await.expect(200);
        seen.extend(page["data"].as_array().expect("data").clone());
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(&seen, entries);
}

#[tokio::test]
async fn texts_to_numbers_that_are_no_senders_are_listed_apart() {
    let (world, admin) = world().await;
    let (first, second) = (before(&world, 2), before(&world, 1));
    let elsewhere = Person { number: ANA.number, to: "+12125550177" };
    let texts = vec![elsewhere.text("Hello?", first), elsewhere.text("Anybody?", second)];
    receive(&world, texts).await;

    assert!(ids(&admin, "").await.is_empty(), "no conversation opens");
    admin.get(&format!("/v1/conversations/{}", elsewhere.conversation())).await.problem(404);
    let page = admin.get("/v1/quarantined-texts?limit=1").await.expect(200);
    assert_eq!(page["data"][0]["body"], "Anybody?");
    assert_eq!(page["data"][0]["to"], "+12125550177");
    let cursor = page["next_cursor"].as_str().expect("there is more");
    let next = admin.get(&format!("/v1/quarantined-texts?limit=1&cursor={cursor}")).await;
    assert_eq!(next.expect(200)["data"][0]["body"], "Hello?");
}

#[tokio::test]
async fn messages_to_each_address_of_a_contact_stand_in_its_conversation() {
    let (world, admin, path) = asked().await;
    let at = before(&world, 4);
    receive(&world, vec![BEN.text("Hello", at)]).await;
    let [ana, ben] = [&ANA, &BEN].map(|one| ContactId::of(&acme(), one.number));
    let sender = SenderId::of(&acme(), OURS);
    world
        .run(&format!(
            "update millrace.contacts set merged_into = '{ana}' where contact_id = '{ben}';
             insert into millrace.messages (tenant_id, message_id, state, class, channel,
                 contact_id, number, body, segments, cost_micros, body_hash, submitted_at,
                 changed_at, passport, sender_id)
             values ('acme', gen_random_uuid(), 22, 'conversational', 'sms', '{ben}',
                 '{}', 'To the other phone', 1, 7900, '', '2026-05-01T14:59:00Z', now(), '[]',
                 '{sender}')",
            BEN.number
        ))
        .await;

    let page = admin.get(&format!("{path}/messages")).await.expect(200);
    let entries = page["data"].as_array().expect("data");
    let bodies: Vec<_> = entries.iter().filter_map(|one| one["body"].as_str()).collect();
    assert_eq!(bodies, ["To the other phone", "Are you open on Sunday?"]);
}
