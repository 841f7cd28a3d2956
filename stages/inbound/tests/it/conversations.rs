//! Texts become conversations: one of a contact with each group of senders, whatever comes at once
//! and however often.

use inbound::InboundStage;
use jiff::Timestamp;
use serde_json::json;
use testkit::{hand_over, outgoing};
use uuid::Uuid;
use wire::{Event, InboundText, WebhookRequest};

use super::world::{OURS, World, json, subjects};

const OTHER: &str = "+12025550172";

/// A text of somebody to a number of ours, so many seconds after the tests begin.
fn text(world: &World, sid: &str, to: &str, body: &str, second: i64) -> WebhookRequest {
    let to = to.replace('+', "%2B");
    let form = format!("MessageSid={sid}&From=%2B12125550123&To={to}&Body={body}");
    WebhookRequest {
        received_at: Timestamp::from_second(1_000 + second).expect("in range"),
        body: form.into_bytes(),
        ..world.text(sid, "")
    }
}

/// What the conversations are, each by its status, who answers, and how much is unread.
const ALL: &str = "select coalesce(string_agg(concat_ws(' ', status, owner, unread,
        coalesce(attention, '-'), opened_at is not null), ', ' order by conversation_id), '')
    from millrace.conversations";

/// A brand, which every sender is of, and its inboxes.
const INBOXES: &str = "
    insert into millrace.brands (tenant_id, brand_id, name, display_name, colour, created_at)
    values ('acme', '00000000-0000-0000-0000-0000000000b0', 'a', 'a', '#000000', now());
    insert into millrace.inboxes (tenant_id, inbox_id, brand_id, name, created_at, archived_at)
    values ('acme', '00000000-0000-0000-0000-0000000000b1',
            '00000000-0000-0000-0000-0000000000b0', 'gone', '2026-01-01', now()),
           ('acme', '00000000-0000-0000-0000-0000000000b3',
            '00000000-0000-0000-0000-0000000000b0', 'old', '2026-01-02', null),
           ('acme', '00000000-0000-0000-0000-0000000000b2',
            '00000000-0000-0000-0000-0000000000b0', 'new', '2026-01-03', null);
    update millrace.senders set brand_id = '00000000-0000-0000-0000-0000000000b0'";

#[tokio::test]
async fn two_senders_of_a_pool_are_one_conversation_and_others_are_their_own() -> anyhow::Result<()>
{
    let world = World::begin().await?;
    world.account(false).await?;
    let ours = domain::ids::SenderId::of(&world.tenant, OURS);
    let other = world.sender(OTHER, json!({})).await?;
    let alone = "+12025550173";
    world.sender(alone, json!({})).await?;
    world.pool(&[ours, other]).await?;

    let batch = vec![
        text(&world, "SM1", OURS, "Hello", 1),
        text(&world, "SM2", OTHER, "Anybody there", 2),
        text(&world, "SM3", alone, "Hello", 3),
    ];
    let said = world.receive(batch).await?;

    assert_eq!(world.one(ALL).await?.matches("open assistant").count(), 2);
    let of_pool = "select concat_ws(' ', unread, sender_group, channel)
                   from millrace.conversations
                   where sender_group = '00000000-0000-0000-0000-000000000001'";
    assert_eq!(world.one(of_pool).await?, "2 00000000-0000-0000-0000-000000000001 sms");
    // Replies leave by the sender that was texted last.
    let last = "select n.number from millrace.conversations v
                join millrace.senders n using (tenant_id, sender_id) where v.unread = 2";
    assert_eq!(world.one(last).await?, OTHER);

    let opened = subjects(&said);
    let opened = opened.iter().filter(|one| one.ends_with("conversation.opened")).count();
    assert_eq!(opened, 2, "each opens once");
    Ok(())
}

#[tokio::test]
async fn first_texts_that_come_at_once_open_one_conversation_and_count_each_once()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    world.account(false).await?;
    let (one, two) =
        (InboundStage::new(world.pipeline().await?), InboundStage::new(world.pipeline().await?));

    let first = vec![text(&world, "SM1", OURS, "Hello", 1), text(&world, "SM2", OURS, "You", 2)];
    let second = vec![text(&world, "SM2", OURS, "You", 2), text(&world, "SM3", OURS, "There", 3)];
    let now = Timestamp::UNIX_EPOCH;
    let (first, second) =
        tokio::join!(hand_over(&one, now, first.clone()), hand_over(&two, now, second));
    let mut said = outgoing(first?);
    said.extend(outgoing(second?));

    assert_eq!(world.one(ALL).await?, "open assistant 3 - t");
    let conversations: std::collections::BTreeSet<Uuid> = said
        .iter()
        .filter(|one| one.subject.to_string() == "inbound.acme")
        .map(|one| serde_json::from_slice::<InboundText>(&one.json).map(|it| it.conversation.0))
        .collect::<Result<_, _>>()?;
    assert_eq!(conversations.len(), 1);
    let opened: std::collections::BTreeSet<Uuid> = said
        .iter()
        .filter(|one| one.subject.to_string().ends_with("conversation.opened"))
        .map(|one| serde_json::from_slice::<Event>(&one.json).map(|event| event.id))
        .collect::<Result<_, _>>()?;
    assert_eq!(opened.len(), 1, "one opening, however often it is told");
    Ok(())
}

#[tokio::test]
async fn a_repeat_counts_nothing_and_says_the_same() -> anyhow::Result<()> {
    let world = World::begin().await?;
    world.account(false).await?;
    let first = world.receive(vec![text(&world, "SM1", OURS, "Hello", 1)]).await?;
    let again = world.receive(vec![text(&world, "SM1", OURS, "Hello", 1)]).await?;

    assert_eq!(json(&first), json(&again));
    assert_eq!(world.one(ALL).await?, "open assistant 1 - t");
    Ok(())
}

#[tokio::test]
async fn stops_signs_and_calls_for_help_open_nothing_and_a_doubtful_stop_is_for_a_person()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    world.account(false).await?;
    let batch = vec![
        text(&world, "SM1", OURS, "STOP", 1),
        text(&world, "SM2", OURS, "HELP", 2),
        text(&world, "SM3", OURS, "Loved+an+image", 3),
    ];
    world.receive(batch).await?;
    assert_eq!(world.one(ALL).await?, "open assistant 0 - f", "nobody is to look at it");

    world.receive(vec![text(&world, "SM4", OURS, "please+stop+texting+me", 4)]).await?;
    assert_eq!(world.one(ALL).await?, "open assistant 1 review t");
    Ok(())
}

#[tokio::test]
async fn a_text_opens_what_was_closed_or_snoozed_and_what_was_closed_is_the_assistants()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    world.account(false).await?;
    world.receive(vec![text(&world, "SM1", OURS, "Hello", 1)]).await?;
    let taken = "update millrace.conversations set owner = 'person', assignee = gen_random_uuid(),
                     unread = 0, status = ";

    world.run(&format!("{taken} 'snoozed', snoozed_until = '2030-01-01'")).await?;
    world.receive(vec![text(&world, "SM2", OURS, "Still+there", 2)]).await?;
    assert_eq!(world.one(ALL).await?, "open person 1 - t");

    world.run(&format!("{taken} 'closed'")).await?;
    world.receive(vec![text(&world, "SM3", OURS, "Loved+an+image", 3)]).await?;
    assert_eq!(world.one(ALL).await?, "closed person 0 - t", "a sign opens nothing");
    world.receive(vec![text(&world, "SM4", OURS, "Hello+again", 4)]).await?;
    assert_eq!(world.one(ALL).await?, "open assistant 1 - t");

    let told = "select count(*) from millrace.unsaid_events
                where event like '%conversation.reopened%'";
    assert_eq!(world.number(told).await?, 2);
    Ok(())
}

#[tokio::test]
async fn a_machines_text_opens_a_conversation_that_is_no_persons() -> anyhow::Result<()> {
    let world = World::begin().await?;
    world.account(false).await?;
    let mut code = world.text("SM1", "");
    code.body = b"MessageSid=SM1&From=12345&To=%2B12025550171&Body=Your+code+is+4711".to_vec();
    let said = world.receive(vec![code]).await?;

    assert_eq!(
        subjects(&said),
        ["events.acme.message.received", "events.acme.conversation.opened"],
        "and nobody answers it"
    );
    let row = "select concat_ws(' ', address, is_person, unread) from millrace.conversations";
    assert_eq!(world.one(row).await?, "12345 f 1");
    Ok(())
}

#[tokio::test]
async fn a_text_to_a_number_that_is_no_sender_is_kept_apart_and_its_stop_holds()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    world.account(false).await?;
    let elsewhere = "+12025550179";
    let said = world.receive(vec![text(&world, "SM1", elsewhere, "Hello", 1)]).await?;
    assert_eq!(subjects(&said), ["events.acme.message.received"], "nobody answers it");
    let kept = "select unknown_to from millrace.inbound_texts";
    assert_eq!(world.one(kept).await?, elsewhere);
    assert_eq!(world.one(ALL).await?, "open assistant 0 - f", "no conversation opens");

    let said = world.receive(vec![text(&world, "SM2", elsewhere, "STOP", 2)]).await?;
    assert!(world.opted_out().await?);
    assert!(!subjects(&said).contains(&"msg.submitted.urgent".to_owned()));
    Ok(())
}

#[tokio::test]
async fn a_conversation_opens_in_the_oldest_inbox_of_its_senders_brand() -> anyhow::Result<()> {
    let world = World::begin().await?;
    world.account(false).await?;
    world.run(INBOXES).await?;

    let said = world.receive(vec![text(&world, "SM1", OURS, "Hello", 1)]).await?;
    let inbox = "select inbox_id::text from millrace.conversations";
    assert_eq!(world.one(inbox).await?, "00000000-0000-0000-0000-0000000000b3");
    let opened: Event = serde_json::from_slice(&said[2].json)?;
    assert!(opened.data.get().contains("0000000000b3"), "{}", opened.data);
    Ok(())
}

#[tokio::test]
async fn a_conversation_that_a_stop_has_made_opens_in_the_inbox_of_its_first_text()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    world.account(false).await?;
    world.receive(vec![text(&world, "SM1", OURS, "STOP", 1)]).await?;
    world.run(INBOXES).await?;
    world.receive(vec![text(&world, "SM2", OURS, "Hello", 2)]).await?;
    let place = "select concat_ws(' ', right(brand_id::text, 2), right(inbox_id::text, 2))
                 from millrace.conversations";
    assert_eq!(world.one(place).await?, "b0 b3");

    world.run("update millrace.inboxes set archived_at = now()").await?;
    world.receive(vec![text(&world, "SM3", OURS, "Anybody", 3)]).await?;
    assert_eq!(world.one(place).await?, "b0 b3", "what is open stays where it is");
    Ok(())
}
