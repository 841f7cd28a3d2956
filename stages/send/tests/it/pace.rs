//! The pace of a sender, whoever sends.

use std::time::Duration;

use jiff::Timestamp;
use stage::Outcome;
use testkit::{hand_over, in_words};

use crate::{
    outcomes::settle,
    world::{World, now},
};

/// The most texts of any span of one second.
async fn most_in_a_second(world: &World) -> anyhow::Result<usize> {
    let mut times: Vec<Timestamp> = Vec::new();
    for line in world.ledger().await? {
        times.push(line["received_at"].as_str().unwrap_or_default().parse()?);
    }
    times.sort_unstable();

    let second = Duration::from_secs(1);
    let in_second = |from: &Timestamp| {
        times.iter().filter(|time| (*from..*from + second).contains(time)).count()
    };

    Ok(times.iter().map(in_second).max().unwrap_or(0))
}

#[tokio::test]
async fn two_processes_together_keep_a_senders_pace() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550001", 40).await?;
    let messages = world.admit(sender, 100).await?;

    let (one, other) = (world.stage().await?, world.stage().await?);
    let (left, right) = messages.split_at(50);
    let (first, second) = tokio::join!(settle(&one, left), settle(&other, right));

    let sent =
        first?.iter().chain(&second?).filter(|one| in_words(one) == ["message.sent"]).count();
    assert_eq!((sent, world.accepted_once().await?), (100, 100));

    let most = most_in_a_second(&world).await?;
    // 40 of the pace, 8 of the burst, and what a claim of before may still call: 200 ms, 8.
    assert!((30..=56).contains(&most), "{most} texts in one second at a pace of 40");
    Ok(())
}

#[tokio::test]
async fn the_senders_of_a_tenant_with_a_pace_of_its_own_keep_it_together() -> anyhow::Result<()> {
    let world = World::begin().await?;
    world.run("update millrace.tenants set pace = 20").await?;
    let first = world.sender("+12125550001", 1_000).await?;
    let second = world.sender("+12125550002", 1_000).await?;
    let of_first = world.admit(first, 30).await?;
    let of_second = world.admit_from(second, 30, 30).await?;

    let (one, other) = (world.stage().await?, world.stage().await?);
    let (left, right) = tokio::join!(settle(&one, &of_first), settle(&other, &of_second));

    let sent = left?.iter().chain(&right?).filter(|one| in_words(one) == ["message.sent"]).count();
    assert_eq!((sent, world.accepted_once().await?), (60, 60));

    let most = most_in_a_second(&world).await?;
    // 20 of the pace, 4 of the burst, and what a claim of before may still call: 200 ms, 4.
    assert!((15..=28).contains(&most), "{most} texts in one second at a pace of 20");
    Ok(())
}

#[tokio::test]
async fn a_text_far_behind_in_line_is_parked_until_its_turn() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550001", 1).await?;
    let messages = world.admit(sender, 8).await?;

    let outcomes = hand_over(&world.stage().await?, now(), messages).await?;
    assert_eq!(in_words(&outcomes[0]), ["message.sent"]);
    assert!(matches!(outcomes[1], Outcome::Wait { .. }));

    let Outcome::Park { due: Some(due), .. } = &outcomes[7] else { panic!("parked") };
    let wait = due.duration_since(now()).as_secs_f64();
    assert!((6.5..=7.0).contains(&wait), "seven behind at one a second, parked for {wait} s");
    Ok(())
}
