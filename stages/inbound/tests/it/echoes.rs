//! What people of the company write on the phone that has the number itself: it stands in the
//! conversation, takes it from the assistant, and is read as nothing else.

use jiff::Timestamp;
use serde_json::{Value, json};
use stage::{Batch, Cx, Stage};
use wire::{Event, WebhookRequest};

use super::{
    whatsapp::{NUMBER, callback, message, world},
    world::{World, subjects},
};

const OWNER: &str = "select string_agg(owner || ' ' || epoch, ', ') from millrace.conversations";
const ENTRIES: &str = "select count(*) from millrace.conversation_entries where kind = 'phone'";

/// A callback that tells of one text that was written on the phone.
fn echo(world: &World, n: u128, more: Value) -> WebhookRequest {
    let mut message = json!({
        "from": "15550783881", "to": "12125550123", "id": format!("wamid.echo{n}"),
        "timestamp": "1759600100", "type": "text", "text": { "body": "We open at nine." },
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        message[name] = value.clone();
    }
    callback(world, n, "smb_message_echoes", json!({ "message_echoes": [message] }))
}

/// The types of the events that wait in the outbox.
async fn owed(world: &World) -> anyhow::Result<Vec<String>> {
    let events = "select coalesce(json_agg(event::json), '[]')::text from millrace.unsaid_events";
    let events: Vec<Event> = serde_json::from_str(&world.one(events).await?)?;
    let mut kinds: Vec<String> =
        events.iter().map(|event| event.outgoing().subject.to_string()).collect();
    kinds.sort_unstable();
    Ok(kinds)
}

#[tokio::test]
async fn who_answers_on_the_phone_takes_the_conversation_from_the_assistant_once()
-> anyhow::Result<()> {
    let world = world().await?;
    let from = json!({ "from": "12125550123" });
    world.receive(vec![message(&world, 1, from, "When do you open?")]).await?;
    assert_eq!(world.one(OWNER).await?, "assistant 1");

    for _ in 0..2 {
        let said = world.receive(vec![echo(&world, 2, json!({}))]).await?;
        assert!(subjects(&said).is_empty(), "nobody answers it, and nothing is made of it");
    }
    assert_eq!(world.one(OWNER).await?, "person 2", "a repeat takes nothing over");

    let entry = "select kind || ' ' || author || ' ' || body from millrace.conversation_entries";
    assert_eq!(world.one(entry).await?, "phone phone We open at nine.");
    assert_eq!(
        owed(&world).await?,
        ["events.acme.conversation.replied", "events.acme.conversation.taken_over"]
    );
    let trail = "select string_agg(actor || ' ' || action, ', ') from millrace.audit_log";
    assert_eq!(world.one(trail).await?, "phone conversation.replied");
    let texts = "select count(*) from millrace.inbound_texts";
    assert_eq!(world.number(texts).await?, 1, "it is no text of a person");

    let next = world.receive(vec![echo(&world, 3, json!({}))]).await?;
    assert!(next.is_empty());
    assert_eq!(world.one(OWNER).await?, "person 3", "every answer of a person begins an epoch");
    Ok(())
}

#[tokio::test]
async fn stop_that_the_company_writes_itself_is_no_stop() -> anyhow::Result<()> {
    let world = world().await?;
    world.receive(vec![message(&world, 1, json!({ "from": "12125550123" }), "Hi")]).await?;
    let stop = json!({ "text": { "body": "STOP" } });
    assert!(world.receive(vec![echo(&world, 2, stop)]).await?.is_empty());
    let out = "select (select count(*) from millrace.standings where opted_out_at is not null)
                    + (select count(*) from millrace.consents)";
    assert_eq!(world.number(out).await?, 0);
    assert_eq!(world.number(ENTRIES).await?, 1);
    Ok(())
}

/// An answer of the assistant to every text so far, which has no row yet.
const ANSWERED: &str = "insert into millrace.ai_replies (tenant_id, message_id, conversation_id,
         inbound_id, body, reason, at)
     select tenant_id, gen_random_uuid(), conversation_id, inbound_id, 'At nine.', 'answered',
            received_at
     from millrace.inbound_texts";

/// Answers that are marked as cancelled.
const MARKED: &str = "select count(*) from millrace.cancel_marks k
                      join millrace.ai_replies r on r.message_id = k.message_id";

#[tokio::test]
async fn what_the_assistant_has_said_and_has_not_gone_out_is_withdrawn() -> anyhow::Result<()> {
    let world = world().await?;
    world.receive(vec![message(&world, 1, json!({ "from": "12125550123" }), "Hi")]).await?;
    world.run(ANSWERED).await?;

    world.receive(vec![echo(&world, 2, json!({}))]).await?;
    assert_eq!(world.number(MARKED).await?, 1, "enrich finds the mark before it stores a row");
    Ok(())
}

#[tokio::test]
async fn a_repeat_withdraws_nothing_that_the_assistant_says_once_it_was_handed_the_conversation()
-> anyhow::Result<()> {
    let world = world().await?;
    world.receive(vec![message(&world, 1, json!({ "from": "12125550123" }), "Hi")]).await?;
    world.receive(vec![echo(&world, 2, json!({}))]).await?;
    world.run("update millrace.conversations set owner = 'assistant', epoch = epoch + 1").await?;
    world.run(ANSWERED).await?;

    world.receive(vec![echo(&world, 2, json!({}))]).await?;
    assert_eq!(world.number(MARKED).await?, 0, "the assistant has it");
    assert_eq!(world.one(OWNER).await?, "assistant 3");

    world.run("update millrace.conversations set owner = 'person'").await?;
    world.receive(vec![echo(&world, 2, json!({}))]).await?;
    assert_eq!(world.number(MARKED).await?, 1, "a repeat does what a fault has left undone");
    Ok(())
}

#[tokio::test]
async fn whom_the_company_writes_to_first_has_a_conversation_that_is_a_persons()
-> anyhow::Result<()> {
    let world = world().await?;
    let file = json!({ "to": "12125550199", "type": "image", "image": { "id": "1003383421" } });
    world.receive(vec![echo(&world, 1, file)]).await?;
    let opened = "select count(*) from millrace.conversations
                  where opened_at is not null and is_person and last_inbound_at is null";
    assert_eq!(world.number(opened).await?, 1);
    assert_eq!(world.one(OWNER).await?, "person 2");
    assert!(owed(&world).await?.contains(&"events.acme.conversation.opened".to_owned()));

    let from = json!({ "from": "12125550199" });
    let said = world.receive(vec![message(&world, 2, from, "Thank you")]).await?;
    assert_eq!(subjects(&said), ["events.acme.message.received", "inbound.acme"]);
    assert_eq!(world.one(OWNER).await?, "person 2", "one conversation, which stays theirs");
    Ok(())
}

#[tokio::test]
async fn signs_what_is_taken_back_and_what_is_nobodys_are_no_answers() -> anyhow::Result<()> {
    let world = world().await?;
    world.receive(vec![message(&world, 1, json!({ "from": "12125550123" }), "Hi")]).await?;
    let sign =
        json!({ "type": "reaction", "reaction": { "message_id": "wamid.1", "emoji": "👍" } });
    let back = json!({ "type": "revoke", "revoke": { "original_message_id": "wamid.1" } });
    let mut elsewhere = echo(&world, 4, json!({}));
    let body = String::from_utf8(elsewhere.body)?.replace(NUMBER, "106540352242999");
    elsewhere.body = body.into_bytes();
    let requests = vec![echo(&world, 2, sign), echo(&world, 3, back), elsewhere];

    assert!(world.receive(requests).await?.is_empty());
    assert_eq!(world.one(OWNER).await?, "assistant 1");
    assert_eq!(world.number(ENTRIES).await?, 0);
    Ok(())
}

#[tokio::test]
async fn who_was_written_to_by_number_and_id_is_one_contact_whichever_they_write_by()
-> anyhow::Result<()> {
    let world = world().await?;
    let id = "US.13491208655302741918";
    world.receive(vec![echo(&world, 1, json!({ "to_user_id": id }))]).await?;

    world.receive(vec![message(&world, 2, json!({ "from_user_id": id }), "Thank you")]).await?;
    assert_eq!(world.one(OWNER).await?, "person 2", "one conversation, which stays theirs");
    let addresses = "select string_agg(kind, ' ' order by kind) from millrace.contact_addresses";
    assert_eq!(world.one(addresses).await?, "carrier_id phone");
    Ok(())
}

/// What somebody is still to look at.
const OPEN: &str = "select concat_ws(' ', unread, attention, status, snoozed_until is not null)
                    from millrace.conversations";

#[tokio::test]
async fn an_answer_that_is_told_late_leaves_what_came_since_for_somebody_to_look_at()
-> anyhow::Result<()> {
    let world = world().await?;
    world.receive(vec![message(&world, 1, json!({ "from": "12125550123" }), "Hi")]).await?;
    world
        .run(
            "update millrace.conversations set unread = 2, attention = 'review',
                 status = 'snoozed', snoozed_until = now()",
        )
        .await?;

    // The text came at 1000 s; the answer is of the end of a second before.
    let before = json!({ "timestamp": "990" });
    world.receive(vec![echo(&world, 2, before)]).await?;
    assert_eq!(world.one(OPEN).await?, "2 review snoozed t");
    assert_eq!(world.one(OWNER).await?, "person 2", "it is a person's all the same");
    let at = "select extract(epoch from at)::bigint from millrace.conversation_entries";
    assert_eq!(world.number(at).await?, 991);
    let last = "select count(*) from millrace.conversations v
                join millrace.inbound_texts i on i.inbound_id = v.last_text_id";
    assert_eq!(world.number(last).await?, 1, "the last text is the person's");

    // An answer to it, told with a clock that is ahead: it is of the time at which it was told.
    world.receive(vec![echo(&world, 3, json!({}))]).await?;
    assert_eq!(world.one(OPEN).await?, "0 open f");
    let last = "select extract(epoch from max(at))::bigint from millrace.conversation_entries";
    assert_eq!(world.number(last).await?, 1_000);
    Ok(())
}

#[tokio::test]
async fn an_echo_that_cannot_be_stored_has_no_other_request_come_again() -> anyhow::Result<()> {
    let world = world().await?;
    world
        .run(
            "alter table millrace.conversation_entries
             add constraint none_of_phones check (kind <> 'phone')",
        )
        .await?;
    let text = message(&world, 1, json!({ "from": "12125550124" }), "Hi");
    let (batch, mut said) = Batch::new(vec![echo(&world, 2, json!({})), text]);
    let cx = Cx::at(Timestamp::UNIX_EPOCH, stage::machine::now());
    assert!(world.stage.handle(&cx, batch).await.is_err());
    let mut answered = Vec::new();
    while let Some((index, _)) = said.recv().await {
        answered.push(index);
    }
    assert_eq!(answered, [1], "the text is done, and the echo is left");

    world.run("alter table millrace.conversation_entries drop constraint none_of_phones").await?;
    world.receive(vec![echo(&world, 2, json!({}))]).await?;
    assert_eq!(world.number(ENTRIES).await?, 1);
    Ok(())
}

#[tokio::test]
async fn answers_are_withdrawn_in_however_many_conversations_a_request_tells_of()
-> anyhow::Result<()> {
    let world = world().await?;
    let people: Vec<String> = (0..66).map(|n| format!("121255501{n:02}")).collect();
    let text =
        |n: usize| json!({ "id": format!("wamid.{n}"), "type": "text", "text": { "body": "Hi" } });
    let to_us = people.iter().enumerate().map(|(n, person)| {
        let mut message = text(n);
        message["from"] = person.as_str().into();
        message
    });
    let to_us = json!({ "messages": to_us.collect::<Vec<Value>>() });
    world.receive(vec![callback(&world, 1, "messages", to_us)]).await?;
    world.run(ANSWERED).await?;

    let by_phone = people.iter().enumerate().map(|(n, person)| {
        let mut message = text(100 + n);
        message["to"] = person.as_str().into();
        message
    });
    let by_phone = json!({ "message_echoes": by_phone.collect::<Vec<Value>>() });
    world.receive(vec![callback(&world, 2, "smb_message_echoes", by_phone)]).await?;
    assert_eq!(world.number(MARKED).await?, 66);
    Ok(())
}
