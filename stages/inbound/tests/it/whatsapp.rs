//! Messages on WhatsApp: what they open and stop is kept by their channel.

use domain::message::class::Channel;
use serde_json::{Value, json};
use wire::{Event, InboundText, Submitted, WebhookRequest, event::ReceivedData, frame::Outgoing};

use super::world::{World, subjects};

pub const NUMBER: &str = "106540352242922";

/// A callback of one change.
pub fn callback(world: &World, n: u128, field: &str, mut value: Value) -> WebhookRequest {
    value["metadata"] = json!({ "phone_number_id": NUMBER });
    let changes = json!([{ "field": field, "value": value }]);
    let body = json!({ "entry": [{ "id": "1", "changes": changes }] });
    WebhookRequest {
        id: uuid::Uuid::from_u128(n),
        carrier: "whatsapp".into(),
        body: body.to_string().into_bytes(),
        ..world.text("SM1", "")
    }
}

pub fn message(world: &World, n: u128, from: Value, body: &str) -> WebhookRequest {
    let mut message =
        json!({ "id": format!("wamid.{n}"), "type": "text", "text": { "body": body } });
    for (name, value) in from.as_object().into_iter().flatten() {
        message[name] = value.clone();
    }
    callback(world, n, "messages", json!({ "messages": [message] }))
}

/// A message of another type than text, with what it holds.
fn of_type(world: &World, n: u128, kind: &str, content: Value) -> WebhookRequest {
    let id = format!("wamid.{n}");
    let message = json!({ "id": id, "from": "12125550123", "type": kind, kind: content });
    callback(world, n, "messages", json!({ "messages": [message] }))
}

/// The data of the first event of what was said: the text that came.
fn event(said: &[Outgoing]) -> anyhow::Result<ReceivedData> {
    let event: Event = serde_json::from_slice(&said[0].json)?;
    Ok(serde_json::from_str(event.data.get())?)
}

pub async fn world() -> anyhow::Result<World> {
    let world = World::begin().await?;
    world.account(false).await?;
    world.sender(NUMBER, json!({ "channel": "whatsapp" })).await?;
    Ok(world)
}

#[tokio::test]
async fn a_message_opens_the_window_of_whatsapp_alone_and_is_answered_there() -> anyhow::Result<()>
{
    let world = world().await?;
    let from = json!({ "from": "12125550123" });
    let said = world.receive(vec![message(&world, 1, from, "When are you open?")]).await?;
    assert_eq!(
        subjects(&said),
        ["events.acme.message.received", "inbound.acme", "events.acme.conversation.opened"]
    );
    let text: InboundText = serde_json::from_slice(&said[1].json)?;
    assert_eq!((text.channel, text.address.as_str()), (Channel::Whatsapp, "+12125550123"));

    let open = "select string_agg(channel, ' ') from millrace.standings
                where last_inbound_at is not null";
    assert_eq!(world.one(open).await?, "whatsapp");
    Ok(())
}

#[tokio::test]
async fn a_button_that_is_pressed_is_a_text_with_what_it_brings_back() -> anyhow::Result<()> {
    let world = world().await?;
    let reply = json!({ "type": "button_reply", "button_reply": { "id": "yes", "title": "Yes" } });
    let row = json!({ "type": "list_reply", "list_reply": { "id": "mon", "title": "Monday" } });
    for (n, kind, content, payload, body) in [
        (1, "interactive", reply, "yes", "Yes"),
        (2, "interactive", row, "mon", "Monday"),
        (3, "button", json!({ "payload": "confirm", "text": "Confirm" }), "confirm", "Confirm"),
    ] {
        let said = world.receive(vec![of_type(&world, n, kind, content)]).await?;
        let told = ["events.acme.message.received", "inbound.acme"];
        let opened = (n == 1).then_some("events.acme.conversation.opened");
        let told: Vec<&str> = told.into_iter().chain(opened).collect();
        assert_eq!(subjects(&said), told, "{kind}");
        let event: Value = serde_json::from_slice(&said[0].json)?;
        let data = &event["data"];
        assert_eq!((&data["payload"], &data["meaning"]), (&json!(payload), &json!("text")));
        assert_eq!(data["carrier_id"], format!("wamid.{n}"));
        let text: InboundText = serde_json::from_slice(&said[1].json)?;
        assert_eq!((text.body.as_str(), text.payload.as_deref()), (body, Some(payload)));
    }

    let open = "select string_agg(channel, ' ') from millrace.standings
                where last_inbound_at is not null";
    assert_eq!(world.one(open).await?, "whatsapp");
    Ok(())
}

#[tokio::test]
async fn a_sign_on_a_message_opens_no_conversation_whatever_it_looks_like() -> anyhow::Result<()> {
    let world = world().await?;
    for (n, emoji) in [(1, "👍"), (2, "STOP")] {
        let sign = json!({ "message_id": "wamid.HBgL", "emoji": emoji });
        let said = world.receive(vec![of_type(&world, n, "reaction", sign)]).await?;
        assert_eq!(subjects(&said), ["events.acme.message.received"], "{emoji}");
    }
    let gone = json!({ "message_id": "wamid.HBgL" });
    let said = world.receive(vec![of_type(&world, 3, "reaction", gone)]).await?;
    assert!(subjects(&said).is_empty(), "a sign that is taken back is nothing that was said");

    let open = "select count(*) from millrace.standings
                where last_inbound_at is not null or opted_out_at is not null";
    assert_eq!(world.number(open).await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_file_is_to_be_fetched_by_its_id() -> anyhow::Result<()> {
    let world = world().await?;
    let picture = json!({ "id": "1003383421387256", "mime_type": "image/jpeg", "caption": "Look" });
    let said = world.receive(vec![of_type(&world, 1, "image", picture)]).await?;
    let text: InboundText = serde_json::from_slice(&said[1].json)?;
    assert_eq!(text.body, "Look");

    let row = "select url || ' ' || state || ' ' || account from millrace.media";
    assert_eq!(world.one(row).await?, "1003383421387256 pending main");
    Ok(())
}

#[tokio::test]
async fn a_stop_on_whatsapp_is_confirmed_there_and_stops_no_sms() -> anyhow::Result<()> {
    let world = world().await?;
    let from = json!({ "from": "12125550123" });
    let said = world.receive(vec![message(&world, 1, from, "STOP")]).await?;
    let confirmation: Submitted = serde_json::from_slice(&said[2].json)?;
    assert_eq!(confirmation.head.channel, Channel::Whatsapp);

    let stopped = "select string_agg(channel, ' ') from millrace.standings
                   where opted_out_at is not null";
    assert_eq!(world.one(stopped).await?, "whatsapp");
    Ok(())
}

#[tokio::test]
async fn who_hides_their_number_is_a_person_under_the_carriers_id() -> anyhow::Result<()> {
    let world = world().await?;
    let from = json!({ "from_user_id": "US.13491208655302741918" });
    let said = world.receive(vec![message(&world, 1, from, "Hello?")]).await?;
    let text: InboundText = serde_json::from_slice(&said[1].json)?;
    assert_eq!(text.address.as_str(), "US.13491208655302741918");
    Ok(())
}

/// A message with what WhatsApp tells of the person beside it.
fn told(world: &World, n: u128, from: &str, body: &str) -> WebhookRequest {
    let message = json!({
        "id": format!("wamid.{n}"), "from": from, "type": "text", "text": { "body": body },
    });
    let person = json!({
        "wa_id": from, "user_id": "US.13491208655302741918", "profile": { "username": "ana.ruiz" },
    });
    callback(world, n, "messages", json!({ "contacts": [person], "messages": [message] }))
}

#[tokio::test]
async fn a_number_and_an_id_that_are_told_together_are_one_person_and_one_stop()
-> anyhow::Result<()> {
    let world = world().await?;
    let hidden = json!({ "from_user_id": "US.13491208655302741918" });
    world.receive(vec![message(&world, 1, hidden.clone(), "Hello?")]).await?;

    // The id was a contact of its own until the number is told with it.
    let both = world.receive(vec![told(&world, 2, "12125550123", "STOP")]).await?;
    let of_number = event(&both)?;
    let stopped = "select string_agg(number, ' ' order by number) from millrace.standings
                   where opted_out_at is not null and channel = 'whatsapp'";
    assert_eq!(world.one(stopped).await?, "+12125550123 US.13491208655302741918");

    // What is said under the id alone is said by that person from then on, also if it comes again.
    let start = message(&world, 3, hidden, "START");
    let of_id = event(&world.receive(vec![start.clone()]).await?)?;
    assert_eq!(of_id.contact, of_number.contact);
    let again = event(&world.receive(vec![start]).await?)?;
    assert_eq!(again.contact, of_number.contact);
    let out = "select count(*) from millrace.standings where opted_out_at is not null";
    assert_eq!(world.number(out).await?, 0, "taken back under one, taken back under both");

    let known = "select string_agg(kind, ' ' order by kind) from millrace.contact_addresses";
    assert_eq!(world.one(known).await?, "carrier_id phone username");
    Ok(())
}

#[tokio::test]
async fn a_name_that_does_not_fit_is_left_out_and_the_texts_are_heard() -> anyhow::Result<()> {
    let world = world().await?;
    let first = told(&world, 1, "12125550123", "Hello");
    let again = told(&world, 2, "12125550123", "Is anybody there?");
    world.receive(vec![first, again]).await?;
    let known = "select count(*) from millrace.contact_addresses";
    assert_eq!(world.number(known).await?, 3, "each once, however often it is told");

    // As many as a contact may have.
    world
        .run(
            "insert into millrace.contact_addresses (tenant_id, kind, address, contact_id, added_at)
             select a.tenant_id, 'username', 'name' || n, a.contact_id, now()
             from millrace.contact_addresses a, generate_series(1, 17) n where a.kind = 'phone'",
        )
        .await?;
    let mut renamed = told(&world, 3, "12125550123", "I have another name");
    renamed.body = String::from_utf8(renamed.body)?.replace("ana.ruiz", "ana.other").into_bytes();
    for _ in 0..2 {
        let said = world.receive(vec![renamed.clone()]).await?;
        assert_eq!(subjects(&said), ["events.acme.message.received", "inbound.acme"]);
    }
    assert_eq!(world.number(known).await?, 20);
    Ok(())
}

#[tokio::test]
async fn digits_in_another_form_are_the_person_of_the_number_and_are_kept_beside_it()
-> anyhow::Result<()> {
    let world = world().await?;
    let from = json!({ "from": "551187654321" });
    let said = world.receive(vec![message(&world, 1, from, "Oi")]).await?;
    let text: InboundText = serde_json::from_slice(&said[1].json)?;
    assert_eq!(text.address.as_str(), "+5511987654321");

    let kept = "select string_agg(kind || ' ' || address, ', ' order by kind)
                from millrace.contact_addresses";
    assert_eq!(world.one(kept).await?, "phone +5511987654321, whatsapp_id 551187654321");
    Ok(())
}

#[tokio::test]
async fn a_stop_of_marketing_at_the_carrier_stops_marketing_alone_and_once() -> anyhow::Result<()> {
    let world = world().await?;
    let choice = json!({ "user_preferences": [{ "wa_id": "12125550123", "value": "stop",
        "category": "marketing_messages", "timestamp": 1_731_705_721 }] });
    for n in 1..=2 {
        let repeat = callback(&world, n, "user_preferences", choice.clone());
        assert!(subjects(&world.receive(vec![repeat]).await?).is_empty());
    }

    let entry = "select channel || ' ' || (do_not_contact_at is not null) || ' '
                        || (opted_out_at is not null) from millrace.standings";
    assert_eq!(world.one(entry).await?, "whatsapp true false");
    assert_eq!(world.number("select count(*) from millrace.consents").await?, 1);
    Ok(())
}
