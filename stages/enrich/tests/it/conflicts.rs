//! Another body under an id that is taken: the first stands, the others are listed, told, and never
//! go on to the gates.

use domain::ids::{conflict_id, event_id};
use jiff::SignedDuration;
use stage::Outcome;
use testkit::{hand_over, said};
use wire::{Event, EventKind, event::MessageData, message::BatchKey};

use crate::world::{World, now, subjects};

const CONFLICTS: &str = "select count(*) from millrace.message_conflicts";

#[tokio::test]
async fn another_body_under_the_same_id_is_rejected_and_the_first_stands() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let stage = world.stage().await?;
    hand_over(&stage, now(), vec![world.message(200, "first")]).await?;

    let batch = vec![world.message(200, "second"), world.message(200, "third")];
    let told = said(hand_over(&stage, now(), batch.clone()).await?);
    assert_eq!(told.len(), 2);

    for ((subject, json), body) in told.iter().zip(&batch) {
        assert_eq!(subject, "events.acme.message.rejected");
        let event: Event = serde_json::from_str(json)?;

        let hash = wire::unhex(&body.body_hash).expect("a hash");
        let entity = conflict_id(body.head.id, &hash);
        assert_eq!(event.kind, EventKind::MessageRejected);
        assert_eq!((event.id, event.version), (event_id(entity, "message.rejected", 1), 1));

        let data: MessageData = serde_json::from_str(event.data.get())?;
        assert_eq!((data.message, data.code.as_deref()), (body.head.id, Some("other_body")));
    }

    assert_ne!(told[0].1, told[1].1);
    assert_eq!(world.number(CONFLICTS).await?, 2);
    let stands = "select count(*) from millrace.messages where body = 'first' and version = 1";
    assert_eq!(world.number(stands).await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_rejection_says_the_same_whatever_becomes_of_the_first() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let stage = world.stage().await?;
    hand_over(&stage, now(), vec![world.message(200, "first")]).await?;

    let second = vec![world.message(200, "second")];
    let told = said(hand_over(&stage, now(), second.clone()).await?);

    world
        .run(
            "update millrace.messages set state = 22, turn = 3, version = 9, segments = 4,
                 cost_micros = 31600, sender_id = gen_random_uuid(), carrier_sid = 'SM1'",
        )
        .await?;

    let later = now() + SignedDuration::from_hours(1);
    assert_eq!(told, said(hand_over(&stage, later, second).await?));
    assert_eq!(world.number(CONFLICTS).await?, 1);
    Ok(())
}

/// No row exists when either is accepted, so the api lets both through.
#[tokio::test]
async fn two_bodies_of_one_key_in_one_batch_are_one_message_and_one_conflict() -> anyhow::Result<()>
{
    let world = World::begin().await?;
    let (first, second) = (world.message(200, "first"), world.message(200, "second"));
    let batch = vec![first.clone(), second.clone(), first, second];

    let outcomes = hand_over(&world.stage().await?, now(), batch).await?;
    let told = subjects(outcomes);

    let count = |subject: &str| told.iter().filter(|one| *one == subject).count();
    // Said again for each copy; the copies are the same messages and events.
    assert_eq!(count("msg.enriched.urgent"), 2);
    assert_eq!(count("events.acme.message.accepted"), 2);
    assert_eq!(count("events.acme.message.rejected"), 2);
    assert_eq!(told.len(), 6);

    assert_eq!(world.number(CONFLICTS).await?, 1);
    let stands = "select count(*) from millrace.messages where body = 'first'";
    assert_eq!(world.number(stands).await?, 1);
    Ok(())
}

/// The database was away when they were accepted, so the api let both batches through.
#[tokio::test]
async fn of_two_batches_under_one_key_the_second_adds_nothing() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let of = |batch: &str, n, text| {
        let body_hash = wire::hex(&[batch.len() as u8; 32]);
        let key = BatchKey { id: uuid::Uuid::from_u128(7), body_hash };
        wire::Submitted { batch: Some(key), ..world.message(n, text) }
    };
    let first = vec![of("first", 200, "a"), of("first", 201, "b")];
    let second =
        vec![of("the second", 200, "a"), of("the second", 201, "x"), of("the second", 202, "c")];

    let stage = world.stage().await?;
    hand_over(&stage, now(), first.clone()).await?;
    let told = said(hand_over(&stage, now(), second.clone()).await?);

    let rejected = told.iter().filter(|(subject, _)| subject == "events.acme.message.rejected");
    let rejected: Vec<Event> =
        rejected.map(|(_, json)| serde_json::from_str(json)).collect::<Result<_, _>>()?;
    let ids = rejected.iter().map(|event| serde_json::from_str::<MessageData>(event.data.get()));
    let ids: Vec<_> = ids.map(|data| data.map(|data| data.message)).collect::<Result<_, _>>()?;
    assert_eq!(ids, [second[1].head.id, second[2].head.id]);

    assert_eq!(world.number(CONFLICTS).await?, 2);
    assert_eq!(world.number("select count(*) from millrace.messages").await?, 2);
    assert_eq!(told, said(hand_over(&stage, now(), second).await?), "said again");

    let both = hand_over(&world.stage().await?, now(), first).await?;
    assert!(subjects(both).iter().any(|subject| subject == "msg.enriched.urgent"));
    Ok(())
}

/// Neither is stored when the second comes, so the rows cannot tell which was first.
#[tokio::test]
async fn a_second_body_waits_for_the_first_that_could_not_be_stored_yet() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let stage = world.stage().await?;
    let of = |batch: &str, n, text| {
        let body_hash = wire::hex(&[batch.len() as u8; 32]);
        let key = BatchKey { id: uuid::Uuid::from_u128(7), body_hash };
        wire::Submitted { batch: Some(key), ..world.message(n, text) }
    };
    let first = vec![world.message(200, "first"), of("first", 201, "a")];
    let second =
        vec![world.message(200, "second"), of("the second", 201, "a"), of("the second", 202, "c")];

    world.run("alter table millrace.messages rename to away").await?;
    assert!(hand_over(&stage, now(), first.clone()).await.is_err());
    let waiting = hand_over(&stage, now(), second.clone()).await?;
    assert!(waiting.iter().all(|one| matches!(one, Outcome::Wait { .. })), "{waiting:?}");

    world.run("alter table millrace.away rename to messages").await?;
    let waiting = hand_over(&stage, now(), second.clone()).await?;
    assert!(waiting.iter().all(|one| matches!(one, Outcome::Wait { .. })), "it is not its turn");
    hand_over(&stage, now(), first).await?;
    let told = subjects(hand_over(&stage, now(), second).await?);

    let rejected = told.iter().filter(|subject| *subject == "events.acme.message.rejected");
    assert_eq!(rejected.count(), 2);
    assert_eq!(world.number(CONFLICTS).await?, 2);
    let stand = "select count(*) from millrace.messages where body in ('first', 'a')";
    assert_eq!(world.number(stand).await?, 2);
    assert_eq!(world.number("select count(*) from millrace.messages").await?, 2);
    Ok(())
}

#[tokio::test]
async fn two_workers_with_two_bodies_of_each_key_let_one_of_each_through() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let (one, two) = (world.stage().await?, world.stage().await?);
    let batch = |text: &'static str| (100..300).map(|n| world.message(n, text)).collect::<Vec<_>>();
    let (first, mut second) = (batch("first"), batch("second"));
    second.reverse();

    let (one, two) = tokio::join!(hand_over(&one, now(), first), hand_over(&two, now(), second));
    let told: Vec<(String, String)> = said(one?).into_iter().chain(said(two?)).collect();

    let texts = |subject: &str| {
        let told = told.iter().filter(|(to, _)| to == subject);
        let texts = told.map(|(_, json)| serde_json::from_str(json));
        texts.collect::<Result<Vec<serde_json::Value>, _>>()
    };
    let (enriched, rejected) =
        (texts("msg.enriched.urgent")?, texts("events.acme.message.rejected")?);
    assert_eq!((enriched.len(), rejected.len()), (200, 200));

    let mut ids: Vec<String> = enriched.iter().map(|one| one["head"]["id"].to_string()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 200, "of each key one body goes on");

    assert_eq!(world.number(CONFLICTS).await?, 200);
    Ok(())
}
