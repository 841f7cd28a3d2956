//! Messages while more counts wait for rollup than may.

use stage::Fault;
use store::analytics::counts;
use testkit::{hand_over, in_words};
use wire::Submitted;

use crate::world::{World, now};

#[tokio::test]
async fn beyond_the_limit_of_counts_messages_wait_and_none_is_lost() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let (store, stage) = (world.pipeline().await?, world.stage().await?);
    let texts: Vec<Submitted> = (200..204).map(|n| world.message(n, "hello")).collect();
    let stored = "select count(*) from millrace.messages";

    // Each batch leaves a group, which nobody folds.
    for text in &texts[..2] {
        hand_over(&stage, now(), vec![text.clone()]).await?;
    }
    assert_eq!(counts::limit(&store, 3).await?, 2);
    hand_over(&stage, now(), vec![texts[2].clone()]).await?;

    // There are as many as may be: an outage, which the runtime waits for.
    assert_eq!(counts::limit(&store, 3).await?, 3);
    let fault = hand_over(&stage, now(), vec![texts[3].clone()]).await;
    assert!(matches!(fault, Err(Fault::Unavailable { .. })), "{fault:?}");
    assert_eq!(world.number(stored).await?, 3);

    // What is stored goes on all the same.
    world.run("update millrace.messages set state = 3").await?;
    assert_eq!(world.number("select count(*) from millrace.moved_counts").await?, 4);

    // Some are folded, and it is stored.
    world.run("delete from millrace.moved_counts where new_state = 0").await?;
    assert_eq!(counts::limit(&store, 3).await?, 1);
    let outcomes = hand_over(&stage, now(), vec![texts[3].clone()]).await?;
    assert!(in_words(&outcomes[0]).contains(&"message.accepted".to_owned()), "{outcomes:?}");
    assert_eq!(world.number(stored).await?, 4);
    Ok(())
}

#[tokio::test]
async fn where_nobody_counts_any_more_messages_are_stored_again() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let (store, stage) = (world.pipeline().await?, world.stage().await?);
    let texts: Vec<Submitted> = (200..202).map(|n| world.message(n, "hello")).collect();
    hand_over(&stage, now(), vec![texts[0].clone()]).await?;
    assert_eq!(counts::limit(&store, 1).await?, 1);
    let held = "select count(*) from millrace.full_counts
                where until between clock_timestamp() + interval '1 min'
                                and clock_timestamp() + interval '2 min'";
    assert_eq!(world.number(held).await?, 1);
    assert!(hand_over(&stage, now(), vec![texts[1].clone()]).await.is_err());

    world.run("update millrace.full_counts set until = clock_timestamp()").await?;
    hand_over(&stage, now(), vec![texts[1].clone()]).await?;
    assert_eq!(world.number("select count(*) from millrace.messages").await?, 2);
    Ok(())
}
