//! When a parked message is said again, when not, and what its rows hold then.

use domain::{
    ids::MessageId,
    message::{class::MessageClass, state::MessageState},
    zones::{OnFile, Zone, resolve},
};
use serde_json::{Value, json};
use store::parked::wake::{Way, What};

use super::world::{
    World, after, in_next_turn, message, now, publish, tick, tick_to_the_end, told,
};

/// Messages that are held because nobody can read them.
const HELD: &str = "select count(*) from millrace.messages where state = 2 and code = 'unreadable'";

#[tokio::test]
async fn a_due_row_goes_back_to_its_lane_in_the_next_turn_and_is_gone_once_stored()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let promo = message(&world.tenant, MessageClass::Promo, 1);
    let answer = message(&world.tenant, MessageClass::Conversational, 2);
    world.park_all(&[(promo.clone(), Some(after(-2))), (answer.clone(), Some(now()))]).await?;

    let source = world.source().await?;
    let first = tick(&source, now()).await?;
    assert!(!first.more);

    let mut said = told(&publish(first).await?);
    said.sort_by(|one, other| one.0.cmp(&other.0));
    let (promo, answer) = (in_next_turn(&promo), in_next_turn(&answer));
    assert_eq!(
        said,
        [
            ("msg.enriched.bulk".to_owned(), promo.head.id, 2, promo),
            ("msg.enriched.urgent".to_owned(), answer.head.id, 2, answer),
        ]
    );

    assert_eq!(world.parked().await?, []);
    let second = tick(&source, after(60)).await?;
    assert!(second.say.is_empty() && second.published.is_none());
    Ok(())
}

#[tokio::test]
async fn until_it_is_stored_a_release_is_said_again_the_same() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let one = message(&world.tenant, MessageClass::Promo, 1);
    world.park(&one, Some(now())).await?;

    let first = tick(&world.source().await?, now()).await?;
    assert_eq!(world.parked().await?, [(one.head.id, 1)], "the row stays for the PubAck");
    let released = world.row(&one).await?;

    let second = tick(&world.source().await?, after(5)).await?;

    let keys = |say: &[wire::frame::Outgoing]| say.iter().map(|out| out.key).collect::<Vec<_>>();
    assert_eq!(first.say.len(), 1);
    assert_eq!(keys(&first.say), keys(&second.say));
    assert_eq!(first.say[0].json, second.say[0].json);
    assert_eq!(world.row(&one).await?, released, "the turn is raised once");

    publish(first).await?;
    assert_eq!(world.parked().await?, []);

    publish(second).await?;
    assert_eq!(world.row(&one).await?, released);
    Ok(())
}

#[tokio::test]
async fn a_released_message_is_accepted_in_the_next_turn_and_nothing_else_of_it_changes()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let (deferred, other) = (
        message(&world.tenant, MessageClass::Promo, 1),
        message(&world.tenant, MessageClass::Promo, 2),
    );

    world.park_all(&[(deferred.clone(), Some(now())), (other.clone(), Some(after(1)))]).await?;
    let (before, beside) = (world.row(&deferred).await?, world.row(&other).await?);

    let decided = [
        "gate",
        "code",
        "due",
        "sender_id",
        "policy_version",
        "sendable_until",
        "reserved_at",
        "claim_owner",
        "call_by",
    ];
    assert!(decided.iter().all(|column| !before[column].is_null()), "{before}");

    publish(tick(&world.source().await?, now()).await?).await?;

    let mut expected = before;
    expected["turn"] = json!(2);
    expected["state"] = json!(MessageState::Accepted.code());
    decided.iter().for_each(|column| expected[column] = Value::Null);
    assert_eq!(world.row(&deferred).await?, expected);
    assert_eq!(world.row(&other).await?, beside);
    Ok(())
}

#[tokio::test]
async fn what_is_not_due_and_what_is_held_stays_until_it_is_due() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let later = message(&world.tenant, MessageClass::Promo, 1);
    let held = message(&world.tenant, MessageClass::Promo, 2);
    world.park_all(&[(later.clone(), Some(after(60))), (held.clone(), None)]).await?;
    let rows = [world.row(&later).await?, world.row(&held).await?];

    let source = world.source().await?;
    let early = tick(&source, after(59)).await?;
    assert!(early.say.is_empty() && early.published.is_none());
    assert_eq!([world.row(&later).await?, world.row(&held).await?], rows);
    assert_eq!(world.parked().await?.len(), 2);

    let due = told(&publish(tick(&source, after(60)).await?).await?);
    assert_eq!(due.iter().map(|said| said.1).collect::<Vec<_>>(), [later.head.id]);
    assert_eq!(world.row(&held).await?, rows[1], "no time frees what is held");

    world.wake(What::Cause(super::world::CAUSE), Way::On).await?;
    let woken = told(&publish(tick(&source, after(61)).await?).await?);
    assert_eq!(woken.iter().map(|said| said.1).collect::<Vec<_>>(), [held.head.id]);
    Ok(())
}

#[tokio::test]
async fn a_message_that_has_moved_on_says_nothing_and_its_row_goes() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let ended: Vec<MessageState> = MessageState::ALL
        .into_iter()
        .filter(|state| state.is_final() || state.is_at_carrier())
        .collect();

    let message = |n| message(&world.tenant, MessageClass::Promo, n);
    let alive = message(0);
    world.park(&alive, Some(now())).await?;

    let mut gone = Vec::new();
    for (state, n) in ended.into_iter().zip(1..) {
        world.park(&message(n), Some(after(-1))).await?;
        world.put(&message(n), state).await?;
        gone.push((message(n), world.row(&message(n)).await?));
    }
    assert!(gone.len() > 5);

    let said = told(&publish(tick(&world.source().await?, now()).await?).await?);
    assert_eq!(said.iter().map(|said| said.1).collect::<Vec<_>>(), [alive.head.id]);
    assert_eq!(world.parked().await?, []);
    for (message, before) in gone {
        assert_eq!(world.row(&message).await?, before, "a release lowers no state");
    }
    Ok(())
}

#[tokio::test]
async fn a_release_that_the_gates_have_answered_is_not_said_again_and_spares_the_new_row()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let one = message(&world.tenant, MessageClass::Promo, 1);
    world.park(&one, Some(now())).await?;

    let source = world.source().await?;
    let unmarked = tick(&source, now()).await?;
    assert_eq!(unmarked.say.len(), 1);

    let again = in_next_turn(&one);
    world.park(&again, Some(after(600))).await?;
    assert_eq!(world.parked().await?, [(one.head.id, 1), (one.head.id, 2)]);

    let late = tick(&source, after(1)).await?;
    assert!(late.say.is_empty(), "turn 2 is decided");

    publish(late).await?;
    publish(unmarked).await?;
    assert_eq!(world.parked().await?, [(one.head.id, 2)]);

    let due = told(&publish(tick(&source, after(600)).await?).await?);
    assert_eq!(due.iter().map(|said| said.2).collect::<Vec<_>>(), [3]);
    Ok(())
}

#[tokio::test]
async fn a_payload_that_cannot_be_read_is_held_and_holds_up_no_other() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let broken = message(&world.tenant, MessageClass::Promo, 1);
    let whole = message(&world.tenant, MessageClass::Promo, 2);
    world.park_all(&[(broken.clone(), Some(after(-9))), (whole.clone(), Some(now()))]).await?;

    let mut connection = world.database.superuser().await?;
    sqlx::query("update millrace.parked set payload = '{}' where message_id = $1")
        .bind(broken.head.id.0)
        .execute(&mut connection)
        .await?;

    let said = told(&publish(tick(&world.source().await?, now()).await?).await?);
    assert_eq!(said.iter().map(|said| said.1).collect::<Vec<_>>(), [whole.head.id]);
    assert_eq!(world.parked().await?, [(broken.head.id, 2)]);
    assert_eq!(world.number(HELD).await?, 1);
    Ok(())
}

#[tokio::test]
async fn where_the_person_may_be_is_looked_up_at_the_release() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let one = message(&world.tenant, MessageClass::Promo, 1);
    world.park(&one, Some(now())).await?;

    let contact = json!({
        "tenant_id": "acme", "contact_id": one.contact, "number": one.head.to, "country": "US",
        "time_zone": "Pacific/Honolulu", "created_at": now(), "updated_at": now(),
    });
    world.insert("contacts", &[contact]).await?;

    let said = told(&publish(tick(&world.source().await?, now()).await?).await?);

    let moved = OnFile { zone: Zone::parse("Pacific/Honolulu").ok(), ..OnFile::default() };
    assert_eq!(said[0].3.place.zones, resolve(one.head.to.phone().as_ref(), &moved).zones);
    assert_ne!(said[0].3.place.zones, one.place.zones);
    Ok(())
}

#[tokio::test]
async fn rows_that_only_a_newer_version_can_read_are_set_aside_and_keep_no_other_waiting()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let newer: Vec<_> = (0..200)
        .map(|n| (message(&world.tenant, MessageClass::Promo, n), Some(after(-2))))
        .collect();
    let known = message(&world.tenant, MessageClass::Promo, 200);
    world.park_all(&newer).await?;
    world.run("update millrace.parked set payload = '{\"head\": 1}'").await?;
    let vip = "update millrace.messages set class = 'vip'
               where message_id = (select message_id from millrace.messages limit 1)";
    world.run(vip).await?;
    world.park(&known, Some(now())).await?;

    // None of them is looked at a second time by this process. All are held, and all but the one
    // of an unknown class are said to be.
    let source = world.source().await?;
    assert_eq!(tick_to_the_end(&source).await?, [known.head.id]);
    assert_eq!(world.number(HELD).await?, 200);
    assert_eq!(world.number("select count(*) from millrace.unsaid_events").await?, 199);
    let version = "select max(version) from millrace.messages";
    assert_eq!(world.number(version).await?, 4, "the world parks them as version 3");
    Ok(())
}

#[tokio::test]
async fn what_was_set_aside_comes_back_with_the_version_that_can_read_it() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let newer = message(&world.tenant, MessageClass::Promo, 1);
    world.park(&newer, Some(after(-2))).await?;
    world.lane(&newer, "express").await?;
    assert_eq!(tick_to_the_end(&world.source().await?).await?, []);

    // The same version starts again, to no avail.
    assert_eq!(started(&world, 1).await?, []);
    assert_eq!((world.number(HELD).await?, world.parked().await?), (1, vec![(newer.head.id, 3)]));

    world.lane(&newer, "bulk").await?;
    assert_eq!(started(&world, 2).await?, [(newer.head.id, 4)]);
    assert_eq!(world.parked().await?, []);
    Ok(())
}

#[tokio::test]
async fn a_message_in_a_state_of_a_newer_version_keeps_its_row_until_that_version_comes()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let newer = message(&world.tenant, MessageClass::Promo, 1);
    world.park(&newer, Some(after(-2))).await?;
    let deferred = world.number("select state::bigint from millrace.messages").await?;
    world.run("update millrace.messages set state = 99").await?;

    assert_eq!(tick_to_the_end(&world.source().await?).await?, []);
    assert_eq!(started(&world, 1).await?, []);
    assert_eq!(world.parked().await?, [(newer.head.id, 1)]);
    assert_eq!(world.number("select state::bigint from millrace.messages").await?, 99);

    world.run(&format!("update millrace.messages set state = {deferred}")).await?;
    assert_eq!(started(&world, 2).await?, [(newer.head.id, 2)]);
    assert_eq!(world.parked().await?, []);
    Ok(())
}

/// What a process releases that starts so many seconds later: it wakes, and then looks.
async fn started(world: &World, seconds: i64) -> anyhow::Result<Vec<(MessageId, u32)>> {
    let source = world.source().await?;
    publish(tick(&source, after(seconds)).await?).await?;
    let released = told(&publish(tick(&source, after(seconds)).await?).await?);
    Ok(released.iter().map(|one| (one.1, one.2)).collect())
}
