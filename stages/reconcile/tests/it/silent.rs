//! An account whose carrier never answers, beside one whose carrier does.

use std::time::{Duration, Instant};

use carriers::http::REQUEST_TIMEOUT;
use domain::message::state::MessageState::{InDoubt, Sent};
use jiff::SignedDuration;
use serde_json::json;
use testkit::publish;
use tokio::net::TcpListener;

use crate::{
    calls::{Calls, OWNER, Text, now, text},
    ticks::{tick, tick_at, tick_without_mark},
    watch::until,
};

/// Makes an account at a carrier that takes connections and never answers, and its sender.
async fn silent_account(world: &Calls) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let sealed_token = testkit::world::sealer().seal(b"token");
    let base_url = format!("http://{}", listener.local_addr()?);
    let account = json!({
        "account": "silent", "base_url": base_url, "sealed_token": sealed_token,
        "carrier_sid": "AC00000000000000000000000000000002",
    });
    world.account(account).await?;
    world.sender("+12125550009", json!({ "account": "silent" })).await?;
    Ok(listener)
}

/// Has these texts be of the silent account.
async fn of_silent(world: &Calls, texts: &[Text]) -> anyhow::Result<()> {
    for Text { id, .. } in texts {
        let moves = format!(
            "update millrace.doubts set account = 'silent' where message_id = '{id}';
             update millrace.messages set sender_id = (
                 select sender_id from millrace.senders where account = 'silent')
             where message_id = '{id}'"
        );
        world.run(&moves).await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_account_that_never_answers_keeps_no_other_in_doubt() -> anyhow::Result<()> {
    let world = Calls::begin().await?;
    let _listener = silent_account(&world).await?;
    let texts: Vec<Text> = (1..=14).map(text).collect();
    world.doubts(&texts, 14).await?;
    of_silent(&world, &texts[..10]).await?;
    let sweep = world.sweep_with(REQUEST_TIMEOUT).await?;

    let begun = Instant::now();
    assert_eq!(tick(&sweep).await?, ["message.sent"; 4]);

    // While the lists of the silent account are under way, claims are raised and others looked at.
    let late = [text(15)];
    world.admit(&late).await?;
    world.claim(OWNER, 1, &late).await?;
    world.age().await?;
    assert_eq!(tick(&sweep).await?, ["message.deferred"]);
    assert!(begun.elapsed() < REQUEST_TIMEOUT, "nobody waited for the silent account");
    assert_eq!(world.states(&texts[..10]).await?, [InDoubt; 10]);
    Ok(())
}

#[tokio::test]
async fn what_an_account_was_too_slow_to_answer_is_recorded_by_a_later_tick() -> anyhow::Result<()>
{
    let world = Calls::begin().await?;
    let _listener = silent_account(&world).await?;
    let texts: Vec<Text> = (1..=2).map(text).collect();
    world.doubts(&texts, 2).await?;
    of_silent(&world, &texts[..1]).await?;
    let sweep = world.sweep_with(Duration::from_secs(2)).await?;

    assert_eq!(tick(&sweep).await?, ["message.sent"]);
    let looked = "select looks::bigint from millrace.doubts";
    while world.number(looked).await? == 0 {
        assert_eq!(tick(&sweep).await?, [""; 0]);
    }
    assert_eq!(world.states(&texts).await?, [InDoubt, Sent]);
    Ok(())
}

#[tokio::test]
async fn a_tenant_with_more_doubts_than_a_tick_takes_is_looked_at_again_at_once()
-> anyhow::Result<()> {
    let world = Calls::begin().await?;
    let texts: Vec<Text> = (1..=30).map(text).collect();
    world.doubts(&texts, 30).await?;
    let sweep = world.sweep().await?;

    for (expected, more) in [(24, true), (6, false)] {
        let tick = tick_without_mark(&sweep).await?;
        assert_eq!(tick.more, more);
        assert_eq!(publish(tick).await?.len(), expected);
    }
    Ok(())
}

#[tokio::test]
async fn an_account_that_never_answers_keeps_no_receipt_of_another() -> anyhow::Result<()> {
    let world = Calls::begin().await?;
    let _listener = silent_account(&world).await?;
    let texts: Vec<Text> = (1..=2).map(text).collect();
    // A row of its own for each.
    for text in &texts {
        world.sent(std::slice::from_ref(text)).await?;
        tick(&world.sweep().await?).await?;
    }
    let later = now() + SignedDuration::from_mins(20);
    let poller = world.watch().await?;
    until(&world, 2, "delivered").await?;
    let moved = format!(
        "update millrace.messages set sender_id = (
             select sender_id from millrace.senders where account = 'silent')
         where message_id = '{}'",
        texts[0].id
    );
    world.run(&moved).await?;

    let begun = Instant::now();
    let told = tick_at(&poller, later).await?;
    assert!(begun.elapsed() < REQUEST_TIMEOUT, "it does not wait for the silent account");
    assert_eq!(told, ["message.delivered"]);
    Ok(())
}
