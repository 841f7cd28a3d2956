//! Stopping: what is under way ends, what is not is given back, nothing is lost.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use pipeline::{StageConfig, StreamSettings};
use stage::{Dependency, Fault, Outcome, machine};
use tokio::time::Instant;
use wire::Stream;

use crate::common::{
    MIB, World, ack_wait, eventually,
    probe::{Probe, answer_all, stop},
};

fn slow(milliseconds: u64) -> Probe {
    Probe::new(move |batch| async move {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        answer_all(&batch);
        Ok(())
    })
}

#[tokio::test]
async fn a_stop_in_the_middle_of_a_batch_finishes_and_acks_it() {
    let world = World::new().await;
    world.submit(0..2000, 20).await;
    let (probe, runtime) = (slow(300), world.runtime().await);
    let config =
        StageConfig { batch_max: 100, batches_under_way: 2, in_flight: 600, ..Default::default() };
    let running = probe.run(&runtime, config);
    eventually("two batches", || probe.sizes().len() == 2).await;
    let drained = stop(&runtime, running).await;

    assert!(drained.in_time);
    let done: usize = probe.sizes().iter().sum();
    assert_eq!(probe.sizes().len(), 2, "nothing new is begun");
    assert_eq!(world.numbers(Stream::Enriched).await.len(), done);
    assert_eq!(world.stored(Stream::Submitted).await.len(), (2000 - done) / 20);
    assert!(drained.left > 0, "what was queued is given back");
}

#[tokio::test]
async fn stopping_and_starting_again_and_again_loses_and_repeats_nothing() {
    let world = World::with(StreamSettings::at_most(64 * MIB), ack_wait(3)).await;
    world.submit(0..3000, 15).await;

    let mut seen = 0;
    for _ in 0..6 {
        let (probe, runtime) = (slow(20), world.runtime().await);
        let running = probe
            .run(&runtime, StageConfig { batch_max: 64, in_flight: 512, ..Default::default() });
        eventually("a few batches", || probe.sizes().len() > 4).await;
        assert!(stop(&runtime, running).await.in_time);
        seen += probe.seen().len();
    }

    let (probe, runtime) = (slow(0), world.runtime().await);
    let running = probe.run(&runtime, StageConfig::default());
    world.empty(Stream::Submitted).await;
    stop(&runtime, running).await;

    let mut numbers = world.sorted(Stream::Enriched).await;
    numbers.dedup();
    assert_eq!(numbers, (0..3000).collect::<Vec<_>>());
    assert!(seen + probe.seen().len() >= 3000);
}

#[tokio::test]
async fn what_is_given_back_comes_to_others_at_once() {
    let world = World::new().await;
    let hang = Probe::new(|batch| async move {
        for index in 0..batch.items().len() {
            let until = machine::now() + Duration::from_secs(1);
            batch.answer(index, Outcome::Wait { until });
        }
        Ok(())
    });

    let (runtime, second) = (world.runtime().await, world.runtime().await);
    let waiting = hang.run(&runtime, StageConfig::default());
    world.submit(0..500, 50).await;
    eventually("all wait", || hang.seen().len() >= 500).await;
    let begun = Instant::now();
    let drained = stop(&runtime, waiting).await;

    assert_eq!((drained.left, drained.in_time), (500, true));
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());

    let relay = Probe::relay();
    let running = relay.run(&second, StageConfig::default());
    world.empty(Stream::Submitted).await;

    assert!(begun.elapsed() < Duration::from_secs(8), "ack_wait is 20 s: {:?}", begun.elapsed());

    stop(&second, running).await;
    assert_eq!(world.sorted(Stream::Enriched).await, (0..500).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_outage_does_not_hold_up_a_stop() {
    let world = World::new().await;
    world.submit(0..100, 10).await;
    let away = Arc::new(AtomicUsize::new(0));

    let probe = Probe::new({
        let away = Arc::clone(&away);
        move |_batch| {
            away.fetch_add(1, Relaxed);
            let what = Dependency::Database;
            async move { Err(Fault::Unavailable { what, source: "away".into() }) }
        }
    });

    let runtime = world.runtime().await;
    let running = probe.run(&runtime, StageConfig::default());
    eventually("some attempts", || away.load(Relaxed) > 6).await;
    let begun = Instant::now();
    let drained = stop(&runtime, running).await;

    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!((drained.left, drained.in_time), (100, true));
    assert_eq!(world.stored(Stream::Submitted).await.len(), 10);
}

#[tokio::test]
async fn a_batch_that_never_ends_is_cut_off_and_comes_again() {
    let world = World::new().await;
    world.submit(0..10, 10).await;
    let stuck = slow(1_000_000);
    let runtime = world.runtime().await;
    let config = StageConfig { drain: Duration::from_millis(200), ..Default::default() };
    let running = stuck.run(&runtime, config);
    eventually("handed over", || stuck.seen().len() == 10).await;
    let begun = Instant::now();
    let drained = stop(&runtime, running).await;

    assert_eq!((drained.left, drained.in_time), (10, false));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());

    let (relay, second) = (Probe::relay(), world.runtime().await);
    let running = relay.run(&second, StageConfig::default());
    world.empty(Stream::Submitted).await;
    stop(&second, running).await;

    assert_eq!(world.sorted(Stream::Enriched).await, (0..10).collect::<Vec<_>>());
}
