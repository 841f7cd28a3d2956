//! Messages flow: framed, merged, handed over flat, published, acknowledged, once each.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::common::{
    Item, MIB, World, ack_wait, eventually,
    probe::{Probe, answer_all, relayed, stop},
};
use domain::message::class::Lane;
use pipeline::{Lanes, StageConfig, StreamSettings};
use stage::{Outcome, machine};
use tokio::time::Instant;
use wire::Stream;

#[tokio::test]
async fn every_message_comes_out_once_and_every_frame_is_acked() {
    let world = World::new().await;
    world.submit(0..1000, 100).await;
    let (probe, runtime) = (Probe::relay(), world.runtime().await);
    let running = probe.run(&runtime, StageConfig::default());
    world.empty(Stream::Submitted).await;
    let drained = stop(&runtime, running).await;

    assert_eq!((drained.left, drained.in_time), (0, true));
    assert_eq!(world.sorted(Stream::Enriched).await, (0..1000).collect::<Vec<_>>());
    assert_eq!(runtime.progress.ready(Duration::from_secs(1)), Ok(()));
}

#[tokio::test]
async fn small_frames_are_merged_into_full_ones() {
    let world = World::new().await;
    world.submit(0..512, 4).await;
    let (probe, runtime) = (Probe::relay(), world.runtime().await);
    let running = probe.run(&runtime, StageConfig { batches_under_way: 1, ..Default::default() });
    world.empty(Stream::Submitted).await;
    stop(&runtime, running).await;

    let frames = world.stored(Stream::Enriched).await.len();
    assert!(frames < 16, "128 frames of 4 came out as {frames}");
    assert!(probe.sizes().iter().all(|&size| size <= 512), "{:?}", probe.sizes());
}

#[tokio::test]
async fn a_frame_taken_by_a_dead_process_comes_again() {
    let streams = StreamSettings::at_most(8 * MIB);
    let world = World::with(streams, ack_wait(2)).await;
    world.submit(0..30, 10).await;

    assert_eq!(world.steal("enrich-bulk", Stream::Submitted, 2).await, 2);

    let (probe, runtime) = (Probe::relay(), world.runtime().await);
    let running = probe.run(&runtime, StageConfig::default());
    world.empty(Stream::Submitted).await;
    stop(&runtime, running).await;

    assert_eq!(world.sorted(Stream::Enriched).await, (0..30).collect::<Vec<_>>());
}

#[tokio::test]
async fn slow_work_is_not_redelivered_while_beats_go_out() {
    let streams = StreamSettings::at_most(8 * MIB);
    let world = World::with(streams, ack_wait(1)).await;
    world.submit(0..10, 10).await;
    let probe = Probe::new(|batch| async move {
        tokio::time::sleep(Duration::from_secs(3)).await;
        answer_all(&batch);
        Ok(())
    });

    let runtime = world.runtime().await;
    let config = StageConfig { ack_wait: Duration::from_secs(1), ..Default::default() };
    let running = probe.run(&runtime, config);
    world.empty(Stream::Submitted).await;
    stop(&runtime, running).await;

    assert_eq!(probe.sizes(), [10]);
    assert_eq!(world.deliveries("enrich-bulk", Stream::Submitted).await, 1);
}

#[tokio::test]
async fn a_frame_that_comes_again_while_it_is_held_is_not_worked_on_twice() {
    let streams = StreamSettings::at_most(8 * MIB);
    let world = World::with(streams, ack_wait(1)).await;
    world.submit(0..10, 10).await;
    let probe = Probe::new(|batch| async move {
        tokio::time::sleep(Duration::from_millis(2500)).await;
        answer_all(&batch);
        Ok(())
    });

    let runtime = world.runtime().await;
    // Set wrongly to a minute: no beat goes out in time.
    let running = probe.run(&runtime, StageConfig::default());
    world.empty(Stream::Submitted).await;
    stop(&runtime, running).await;

    assert!(world.deliveries("enrich-bulk", Stream::Submitted).await > 1, "it came again");
    assert_eq!(probe.sizes(), [10]);
}

#[tokio::test]
async fn two_runners_share_a_consumer() {
    let world = World::new().await;
    let slow = || {
        Probe::new(|batch| async move {
            tokio::time::sleep(Duration::from_millis(5)).await;
            answer_all(&batch);
            Ok(())
        })
    };

    let (one, other) = (slow(), slow());
    let (runtime, second) = (world.runtime().await, world.runtime().await);
    let config = StageConfig { batch_max: 32, in_flight: 512, ..Default::default() };
    let running = [one.run(&runtime, config.clone()), other.run(&second, config)];
    world.submit(0..3000, 10).await;
    world.empty(Stream::Submitted).await;
    for (runtime, running) in [runtime, second].iter().zip(running) {
        stop(runtime, running).await;
    }

    assert!(!one.seen().is_empty() && !other.seen().is_empty());
    assert_eq!(one.seen().len() + other.seen().len(), 3000);
    assert_eq!(world.sorted(Stream::Enriched).await, (0..3000).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_wait_is_honoured_and_keeps_only_its_own_frame() {
    let world = World::new().await;
    world.submit(0..10, 5).await;
    let first = Arc::new(Mutex::new(None));
    let waited = Arc::new(Mutex::new(None));

    let probe = Probe::new({
        let (first, waited) = (Arc::clone(&first), Arc::clone(&waited));
        move |batch| {
            let (first, waited) = (Arc::clone(&first), Arc::clone(&waited));
            async move {
                for (index, item) in batch.items().iter().enumerate() {
                    let mut first = first.lock().unwrap();
                    if item.n == 7 && first.is_none() {
                        *first = Some(Instant::now());
                        let until = machine::now() + Duration::from_millis(900);
                        batch.answer(index, Outcome::Wait { until });
                    } else {
                        if item.n == 7 {
                            *waited.lock().unwrap() = first.map(|begun| begun.elapsed());
                        }
                        batch.answer(index, relayed(item));
                    }
                }
                Ok(())
            }
        }
    });

    let runtime = world.runtime().await;
    let running = probe.run(&runtime, StageConfig::default());
    eventually("all but the waiting one", || probe.seen().len() >= 10).await;
    let mut unacked = world.unacked("enrich-bulk", Stream::Submitted).await;
    while unacked > 1 {
        unacked = world.unacked("enrich-bulk", Stream::Submitted).await;
    }

    assert_eq!(unacked, 1, "only the waiting one's frame");

    world.empty(Stream::Submitted).await;
    stop(&runtime, running).await;

    let waited = waited.lock().unwrap().expect("handed over again");
    assert!(waited >= Duration::from_millis(890), "{waited:?}");
    assert!(waited < Duration::from_secs(5), "{waited:?}");
    assert_eq!(probe.seen().len(), 11);
    assert_eq!(world.sorted(Stream::Enriched).await, (0..10).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_message_that_waits_keeps_its_own_place_and_not_those_of_its_frame() {
    let world = World::new().await;
    let probe = Probe::new(|batch| async move {
        for (index, item) in batch.items().iter().enumerate() {
            let until = machine::now() + Duration::from_secs(3_600);
            let waits = item.n.is_multiple_of(100);
            batch.answer(index, if waits { Outcome::Wait { until } } else { relayed(item) });
        }
        Ok(())
    });

    // One message of each frame waits for long; together the frames are more than may be held.
    let runtime = world.runtime().await;
    let running = probe.run(&runtime, StageConfig { in_flight: 512, ..Default::default() });
    world.submit(0..1_500, 100).await;
    eventually("all are handed over", || probe.seen().len() >= 1_500).await;
    stop(&runtime, running).await;
}

#[tokio::test]
async fn one_id_is_never_twice_in_a_batch() {
    let world = World::new().await;
    let twice: Vec<Item> = (0..50).chain(0..50).map(Item::new).collect();
    let mut other_body = Item::new(3);
    other_body.text = "another".into();
    world.submit_raw(serde_json::to_vec(&twice).unwrap()).await;
    world.submit_raw(serde_json::to_vec(&[other_body]).unwrap()).await;
    world.submit(0..50, 50).await;
    let (probe, runtime) = (Probe::relay(), world.runtime().await);
    let running = probe.run(&runtime, StageConfig::default());
    world.empty(Stream::Submitted).await;
    stop(&runtime, running).await;

    assert_eq!(probe.seen().len(), 151);
    for batch in probe.batches.lock().unwrap().iter() {
        assert_eq!(batch.iter().collect::<HashSet<_>>().len(), batch.len(), "{batch:?}");
    }
}

#[tokio::test]
async fn a_bulk_backlog_does_not_delay_an_urgent_message() {
    let world = World::new().await;
    world.submit_to(Lane::Bulk, 0..1000, 100).await;

    let probe = Probe::new(|batch| async move {
        if batch.items().iter().any(|item| item.n < 1000) {
            std::future::pending::<()>().await;
        }
        answer_all(&batch);
        Ok(())
    });

    let runtime = world.runtime().await;
    let config = StageConfig { drain: Duration::from_millis(100), ..Default::default() };
    let running = probe.run(&runtime, config);
    eventually("the bulk lane is stuck", || !probe.seen().is_empty()).await;
    world.submit_to(Lane::Urgent, 5000..5001, 1).await;
    world.holds(Stream::Enriched, 1).await;

    assert_eq!(world.numbers(Stream::Enriched).await, [5000]);
    assert!(!stop(&runtime, running).await.in_time);
}

#[tokio::test]
async fn a_lane_never_holds_more_than_its_permits() {
    let world = World::new().await;
    world.submit(0..5000, 100).await;
    let probe = Probe::new(|_batch| async move {
        std::future::pending::<()>().await;
        Ok(())
    });
    let runtime = world.runtime().await;
    let config =
        StageConfig { in_flight: 600, drain: Duration::from_millis(50), ..Default::default() };
    let running = probe.run(&runtime, config);
    eventually("as many as may be", || probe.seen().len() >= 400).await;
    tokio::time::sleep(Duration::from_millis(500)).await;

    assert!(probe.seen().len() <= 600, "{}", probe.seen().len());
    assert!(stop(&runtime, running).await.left <= 600);
}

#[tokio::test]
async fn a_runner_of_one_lane_leaves_the_other_alone() {
    let world = World::new().await;
    world.submit_to(Lane::Bulk, 0..10, 10).await;
    world.submit_to(Lane::Urgent, 10..20, 10).await;
    let (probe, runtime) = (Probe::relay(), world.runtime().await);
    let running = probe.run(&runtime, StageConfig { lanes: Lanes::Urgent, ..Default::default() });
    world.holds(Stream::Enriched, 1).await;
    stop(&runtime, running).await;

    assert_eq!(world.sorted(Stream::Enriched).await, (10..20).collect::<Vec<_>>());
    assert_eq!(world.sorted(Stream::Submitted).await, (0..10).collect::<Vec<_>>());
}
