//! What `send` leaves behind for the sweep, and what it makes of a claim that the sweep has taken.

use std::time::Duration;

use domain::message::{passport::Stamp, state::MessageState};
use serde_json::json;
use stage::Outcome;
use store::{
    Role,
    messages::in_doubt::{self, Raise},
};
use testkit::{hand_over, in_words};

use crate::{
    outcomes::settle,
    world::{World, now},
};

#[tokio::test]
async fn a_claim_leaves_one_row_that_names_its_messages_and_points_past_its_call_by()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550001", 1_000).await?;
    let messages = world.admit(sender, 3).await?;

    hand_over(&world.stage().await?, now(), messages).await?;

    let named = "select count(*) from millrace.open_claims c
                 join millrace.messages m on m.message_id = any(c.messages)
                      and m.tenant_id = c.tenant_id and m.claim_owner = c.owner
                      and m.call_by <= c.call_by";
    assert_eq!(world.number(named).await?, 3);

    assert_eq!(world.number("select count(*) from millrace.open_claims").await?, 1);
    assert_eq!(world.number("select count(*) from millrace.doubts").await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_lost_answer_leaves_a_doubt_with_what_it_takes_to_send_it_again() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550001", 1_000).await?;
    let messages = world.admit(sender, 2).await?;

    world.faults(json!({ "lost_response": 1.0 })).await?;
    settle(&world.stage().await?, &messages).await?;

    let doubts = "select count(*) from millrace.doubts d
                  join millrace.messages m using (tenant_id, message_id)
                  where d.account = 'main' and d.next_look = m.call_by + interval '40 s'
                    and d.payload -> 'head' ->> 'id' = d.message_id::text
                    and d.payload ->> 'text' = m.body and d.settled_version is null";
    assert_eq!(world.number(doubts).await?, 2);
    Ok(())
}

/// A call that takes a second, and what happens to its claim meanwhile.
async fn overtaken(then: &'static str) -> anyhow::Result<(World, Outcome, Outcome)> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550001", 1_000).await?;
    let messages = world.admit(sender, 1).await?;
    world.faults(json!({ "latency_ms": 1_000 })).await?;

    let stage = world.stage().await?;
    let store = world.database.store(Role::Pipeline).await?;
    let stamp = Stamp { code: Some("call_unanswered".into()), ..Stamp::plain("x", now(), "x") };
    let what = Raise {
        past: Duration::ZERO,
        first_look: Duration::ZERO,
        watch_after: Duration::ZERO,
        now: now(),
        stamp: &stamp,
        at_most: 9,
    };

    let sweep = async {
        while in_doubt::raise(&store, &what).await?.messages == 0 {
            tokio::task::yield_now().await;
        }
        world.run(then).await
    };

    let (outcomes, swept) = tokio::join!(hand_over(&stage, now(), messages.clone()), sweep);
    swept?;
    let first = outcomes?.remove(0);

    // Another process is handed it too.
    let again = hand_over(&world.stage().await?, now(), messages).await?.remove(0);
    assert_eq!(world.accepted_once().await?, 1);
    Ok((world, first, again))
}

#[tokio::test]
async fn an_owner_that_wakes_up_late_does_not_overwrite_what_the_sweep_has_decided()
-> anyhow::Result<()> {
    let park = "update millrace.messages
                set state = 1, claim_owner = null, call_by = null, version = version + 1";
    let (world, first, again) = overtaken(park).await?;

    assert!(matches!(first, Outcome::Wait { .. }), "{first:?}");
    assert_eq!(in_words(&again), ["message.deferred"], "what stands is said, and nobody is called");

    let row = "select count(*) from millrace.messages
               where state = 1 and version = 4 and carrier_sid is null";
    assert_eq!(world.number(row).await?, 1);
    Ok(())
}

#[tokio::test]
async fn an_answer_that_comes_while_its_message_is_in_doubt_ends_the_doubt() -> anyhow::Result<()> {
    let (world, first, again) = overtaken("select 1").await?;
    assert_eq!(
        (in_words(&first), in_words(&again)),
        (vec!["message.sent".into()], in_words(&first))
    );
    assert_eq!(world.states().await?, [(MessageState::Sent, 1)]);
    Ok(())
}

#[tokio::test]
async fn a_doubt_that_stands_is_not_raised_again_by_its_late_owner() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550001", 1_000).await?;
    let messages = world.admit(sender, 1).await?;
    world.faults(json!({ "lost_response": 1.0, "latency_ms": 1_000 })).await?;

    let stage = world.stage().await?;
    let raise = async {
        let claimed = "select count(*) from millrace.messages where claim_owner is not null";
        while world.number(claimed).await? == 0 {
            tokio::task::yield_now().await;
        }
        let raised = "update millrace.messages set state = 4, version = version + 1";
        world.run(raised).await
    };

    let (outcomes, raised) = tokio::join!(hand_over(&stage, now(), messages.clone()), raise);
    raised?;
    assert!(matches!(outcomes?[0], Outcome::Wait { .. }));

    let again = hand_over(&stage, now(), messages.clone()).await?;
    assert_eq!(in_words(&again[0]), ["in_doubt.raised"]);
    assert_eq!(world.stored(&messages[0]).await?.version, 3);
    Ok(())
}
