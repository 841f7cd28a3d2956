//! The sandbox clock over a real broker: every process goes by it.

use std::time::Duration;

use async_nats::jetstream;
use boot::{
    clock::{ClockError, follow_sandbox_clock, set_sandbox_clock},
    embedded::{EmbeddedOptions, Nats, Scratch},
};
use jiff::Timestamp;
use pipeline::Broker;
use tokio_util::sync::CancellationToken;

async fn context(nats: &Nats) -> jetstream::Context {
    Broker::connect(&nats.url(), Some(&nats.creds()), "test").await.unwrap().jetstream
}

/// Waits until a condition that another task brings about holds.
async fn eventually(condition: impl Fn() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("within ten seconds");
}

#[tokio::test]
async fn every_process_follows_the_clock_and_a_late_one_knows_it_at_once() {
    let scratch = Scratch::new().unwrap();
    let nats = Nats::start(scratch.path(), &EmbeddedOptions::for_tests()).await.unwrap();
    let stop = CancellationToken::new();
    let early = follow_sandbox_clock(&context(&nats).await, stop.clone()).await.unwrap();
    assert_eq!(early.clock(), None);

    // The first instant may be any, also one long past.
    let monday: Timestamp = "2026-03-09T15:00:00Z".parse().unwrap();
    let set = set_sandbox_clock(&context(&nats).await, monday, 0.0).await.unwrap();
    eventually(|| early.clock() == Some(set)).await;
    assert_eq!(early.now(), monday);

    let late = follow_sandbox_clock(&context(&nats).await, stop.clone()).await.unwrap();
    assert_eq!(late.now(), monday);

    let later: Timestamp = "2026-03-09T16:00:00Z".parse().unwrap();
    set_sandbox_clock(&context(&nats).await, later, 60.0).await.unwrap();
    eventually(|| early.now() >= later && late.now() >= later).await;
}

#[tokio::test]
async fn the_clock_is_never_set_back() {
    let scratch = Scratch::new().unwrap();
    let nats = Nats::start(scratch.path(), &EmbeddedOptions::for_tests()).await.unwrap();
    let context = context(&nats).await;
    let monday: Timestamp = "2026-03-09T15:00:00Z".parse().unwrap();
    set_sandbox_clock(&context, monday, 0.0).await.unwrap();

    let before = "2026-03-09T14:59:59Z".parse().unwrap();
    let refused = set_sandbox_clock(&context, before, 1.0).await.unwrap_err();
    assert!(matches!(refused, ClockError::Backward { now } if now == monday), "{refused}");

    for rate in [-1.0, f64::NAN, 1e9] {
        let refused = set_sandbox_clock(&context, monday, rate).await.unwrap_err();
        assert!(matches!(refused, ClockError::Rate), "{refused}");
    }
}

#[tokio::test]
async fn the_clock_goes_on_while_the_broker_is_away_and_is_followed_again_after() {
    let scratch = Scratch::new().unwrap();
    let mut nats = Nats::start(scratch.path(), &EmbeddedOptions::for_tests()).await.unwrap();
    let stop = CancellationToken::new();
    let time = follow_sandbox_clock(&context(&nats).await, stop).await.unwrap();
    let monday: Timestamp = "2026-03-09T15:00:00Z".parse().unwrap();
    let set = set_sandbox_clock(&context(&nats).await, monday, 0.0).await.unwrap();
    eventually(|| time.clock() == Some(set)).await;

    nats.signal(nix::sys::signal::Signal::SIGKILL);
    nats.exited().await;
    assert_eq!(time.now(), monday);

    nats.restart().await.unwrap();
    let tuesday: Timestamp = "2026-03-10T15:00:00Z".parse().unwrap();
    let set = set_sandbox_clock(&context(&nats).await, tuesday, 0.0).await.unwrap();
    eventually(|| time.clock() == Some(set)).await;
}
