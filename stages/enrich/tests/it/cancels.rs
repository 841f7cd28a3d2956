//! A cancel that comes before its message: the mark is obeyed, however the two meet.

use domain::{ids::MessageId, message::state::MessageState};
use jiff::Timestamp;
use store::{
    Role, Store,
    messages::cancel::{self, Marked},
};
use testkit::{hand_over, said};

use crate::world::{World, now, subjects};

async fn mark(store: &Store, world: &World, id: MessageId) -> anyhow::Result<Marked> {
    Ok(cancel::mark(store, &world.tenant, id, Timestamp::UNIX_EPOCH).await?)
}

#[tokio::test]
async fn a_marked_message_is_stored_as_cancelled_and_goes_nowhere() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let store = world.database.store(Role::Api).await?;
    let stage = world.stage().await?;

    let batch = vec![world.message(200, "withdrawn"), world.message(201, "stays")];
    assert_eq!(mark(&store, &world, batch[0].head.id).await?, Marked::Left);

    let first = said(hand_over(&stage, now(), batch.clone()).await?);
    let to: Vec<&str> = first.iter().map(|(subject, _)| subject.as_str()).collect();
    assert_eq!(
        to,
        ["events.acme.message.cancelled", "msg.enriched.urgent", "events.acme.message.accepted"]
    );

    assert_eq!(world.number("select count(*) from millrace.cancel_marks").await?, 0);
    let row = "select count(*) from millrace.messages
               where state = 11 and version = 1 and passport -> 0 ->> 'verdict' = 'cancel'";
    assert_eq!(world.number(row).await?, 1);
    assert_eq!(MessageState::Cancelled.code(), 11);

    // Delivered again, it says what it said.
    assert_eq!(first, said(hand_over(&world.stage().await?, now(), batch).await?));
    Ok(())
}

#[tokio::test]
async fn a_message_that_cannot_be_rendered_is_cancelled_all_the_same() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let store = world.database.store(Role::Api).await?;
    let message = world.message(200, &"x".repeat(5_000));
    mark(&store, &world, message.head.id).await?;

    let told = subjects(hand_over(&world.stage().await?, now(), vec![message]).await?);
    assert_eq!(told, ["events.acme.message.cancelled"]);
    Ok(())
}

#[tokio::test]
async fn no_mark_is_left_beside_a_row() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let store = world.database.store(Role::Api).await?;
    let message = world.message(200, "Hi");
    hand_over(&world.stage().await?, now(), vec![message.clone()]).await?;

    assert_eq!(mark(&store, &world, message.head.id).await?, Marked::RowIsThere);
    assert_eq!(world.number("select count(*) from millrace.cancel_marks").await?, 0);
    Ok(())
}

/// Marks and rows race: each message ends with a row that obeys its mark, or its canceller is told
/// that the row is there.
#[tokio::test]
async fn a_mark_and_a_row_that_are_made_at_once_never_miss_each_other() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let (api, stage) = (world.database.store(Role::Api).await?, world.stage().await?);
    let messages: Vec<_> = (100..200).map(|n| world.message(n, "Hi")).collect();

    let marking = async {
        let mut marked = Vec::new();
        for message in &messages {
            marked.push(mark(&api, &world, message.head.id).await?);
        }
        anyhow::Ok(marked)
    };
    let storing = async {
        for batch in messages.chunks(10) {
            hand_over(&stage, now(), batch.to_vec()).await?;
        }
        anyhow::Ok(())
    };

    let (marked, stored) = tokio::join!(marking, storing);
    stored?;

    let left = marked?.into_iter().filter(|marked| *marked == Marked::Left).count();
    let cancelled = world.number("select count(*) from millrace.messages where state = 11").await?;
    assert_eq!(usize::try_from(cancelled)?, left);
    assert_eq!(world.number("select count(*) from millrace.cancel_marks").await?, 0);
    assert_eq!(world.number("select count(*) from millrace.messages").await?, 100);
    Ok(())
}
