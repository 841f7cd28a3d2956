//! The same message again: stored once, said again until somebody else has it.

use domain::gates::OnLate;
use jiff::SignedDuration;
use testkit::{hand_over, said};

use crate::world::{World, now};

#[tokio::test]
async fn a_repeat_says_what_was_stored_and_renders_nothing_anew() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let stage = world.stage().await?;
    world
        .run(
            "insert into millrace.contacts (tenant_id, contact_id, number, country, first_name, \
                 created_at, updated_at)
             select 'acme', '00000000-0000-0000-0000-000000000000', '+1', 'US', 'x', now(), now()",
        )
        .await?;

    hand_over(&stage, now(), vec![world.message(200, "makes the contact")]).await?;
    world.run("update millrace.contacts set first_name = 'Ada'").await?;

    let mut message = world.campaign(200);
    message.head.id = domain::ids::MessageId::from_campaign(
        crate::world::CAMPAIGN,
        domain::ids::ContactId::of(&world.tenant, "+12125550200"),
        0,
    );

    let first = said(hand_over(&stage, now(), vec![message.clone()]).await?);
    assert!(first[0].1.contains("Hi Ada"));

    world.run("update millrace.contacts set first_name = 'Eve'").await?;

    // The same request, tried again by its sender an hour later.
    let later = now() + SignedDuration::from_hours(1);
    message.head.submitted_at = later;
    let again = said(hand_over(&world.stage().await?, later, vec![message]).await?);

    assert_eq!(first, again);
    Ok(())
}

/// A paused campaign goes on: who has a message keeps its text, who has none gets the new name.
#[tokio::test]
async fn a_text_is_made_once_of_the_contact_as_it_is_then() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let stage = world.stage().await?;
    let people = vec![world.message(200, "x"), world.message(201, "x")];
    hand_over(&stage, now(), people).await?;
    let campaign = |n| {
        let mut message = world.campaign(n);
        let contact = domain::ids::ContactId::of(&world.tenant, message.head.to.as_str());
        let id = domain::ids::MessageId::from_campaign(crate::world::CAMPAIGN, contact, 0);
        message.head.id = id;
        message
    };

    world.run("update millrace.contacts set first_name = 'Ada'").await?;
    let queued = campaign(200);
    hand_over(&stage, now(), vec![queued.clone()]).await?;
    world.run("update millrace.contacts set first_name = 'Eve'").await?;
    let texts = said(hand_over(&stage, now(), vec![queued, campaign(201)]).await?);

    let said = |name: &str| texts.iter().filter(|(_, json)| json.contains(name)).count();
    assert_eq!((said("Hi Ada"), said("Hi Eve")), (1, 1));
    Ok(())
}

#[tokio::test]
async fn what_is_to_become_of_a_late_message_is_stored_and_said_each_time() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let stage = world.stage().await?;
    let mut message = world.message(200, "Hi");
    message.head.on_late = Some(OnLate::Drop);

    let first = said(hand_over(&stage, now(), vec![message.clone()]).await?);
    let again = said(hand_over(&stage, now(), vec![message]).await?);

    assert!(first[0].1.contains(r#""on_late":"drop""#), "{first:?}");
    assert_eq!(first, again);

    let stored = "select count(*) from millrace.messages where on_late = 'drop'";
    assert_eq!(world.number(stored).await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_repeat_after_the_gates_says_again_that_it_was_accepted_and_nothing_else()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let stage = world.stage().await?;
    let message = world.message(200, "Hi");
    let first = said(hand_over(&stage, now(), vec![message.clone()]).await?);

    // Its process died before it could say either, and what it had said was handed on by another.
    world
        .run(
            "update millrace.messages set state = 3, version = 2, \
                    sender_id = gen_random_uuid(), gate = 'rate', code = 'x', due = now(), \
                    passport = passport || '[{\"stage\": \"gate\", \
                        \"at\": \"2026-03-02T17:00:01Z\", \"verdict\": \"admit\"}]'",
        )
        .await?;

    let later = now() + SignedDuration::from_hours(1);
    let again = said(hand_over(&stage, later, vec![message]).await?);
    assert_eq!(again, first[1..]);
    Ok(())
}

#[tokio::test]
async fn two_workers_with_the_same_batch_store_once_and_say_the_same() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let (one, two) = (world.stage().await?, world.stage().await?);

    let messages: Vec<_> = (100..400).map(|n| world.message(n, "Hi")).collect();
    let mut other_order = messages.clone();
    other_order.reverse();

    let (one, two) =
        tokio::join!(hand_over(&one, now(), messages), hand_over(&two, now(), other_order));
    let mut two = two?;
    two.reverse();

    assert_eq!(said(one?), said(two));
    assert_eq!(world.number("select count(*) from millrace.messages").await?, 300);
    assert_eq!(world.number("select count(*) from millrace.contacts").await?, 300);
    Ok(())
}

#[tokio::test]
async fn a_message_named_twice_in_one_batch_is_stored_once() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let message = world.message(200, "Hi");
    let outcomes = hand_over(&world.stage().await?, now(), vec![message.clone(), message]).await?;

    let said = said(outcomes);
    assert_eq!(said.len(), 4);
    assert_eq!(said[..2], said[2..]);
    assert_eq!(world.number("select count(*) from millrace.messages").await?, 1);
    Ok(())
}
