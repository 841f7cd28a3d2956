//! Sources: the mark comes after the PubAck, so that a crash or fault repeats and never skips.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use domain::message::class::Lane;
use pipeline::{SourceConfig, run_source};
use stage::{Cx, Dependency, Fault, Source, StageName, Tick};
use wire::{Stream, Subject, frame::Outgoing};

use crate::common::{Item, MIB, World, eventually};

/// Rows 0..total, ten at a time; the mark moves the cursor.
#[derive(Clone)]
struct Rows {
    cursor: Arc<AtomicUsize>,
    total: usize,
    ticks: Arc<AtomicUsize>,
    trouble: Arc<Mutex<Vec<Trouble>>>,
}

/// What the next tick does instead of working.
#[derive(Clone, Copy, PartialEq)]
enum Trouble {
    Fault,
    Panic,
    MarkFails,
}

impl Rows {
    fn new(total: usize, trouble: &[Trouble]) -> Self {
        let trouble = Arc::new(Mutex::new(trouble.to_vec()));
        Self { cursor: Arc::default(), total, ticks: Arc::default(), trouble }
    }
}

fn away() -> Fault {
    Fault::Unavailable { what: Dependency::Database, source: "away".into() }
}

impl Source for Rows {
    const NAME: StageName = StageName::Schedule;

    async fn tick(&self, _cx: &Cx) -> Result<Tick, Fault> {
        self.ticks.fetch_add(1, Relaxed);
        let trouble = self.trouble.lock().unwrap().pop();
        match trouble {
            Some(Trouble::Fault) => return Err(away()),
            Some(Trouble::Panic) => panic!("a bug"),
            Some(Trouble::MarkFails) | None => {}
        }

        let from = self.cursor.load(Relaxed);
        let to = (from + 10).min(self.total);
        let item = |n: usize| Item::new(n as u64);
        let say = (from..to).map(|n| Outgoing::new(Subject::Enriched(Lane::Bulk), &item(n)));

        let cursor = Arc::clone(&self.cursor);
        let mark = Box::pin(async move {
            if trouble == Some(Trouble::MarkFails) {
                return Err(away());
            }
            cursor.store(to, Relaxed);
            Ok(())
        });

        Ok(Tick { say: say.collect(), published: Some(mark), more: to < self.total })
    }
}

const OFTEN: SourceConfig =
    SourceConfig { interval: Duration::from_millis(50), drain: Duration::from_secs(5) };

#[tokio::test]
async fn a_source_ticks_on_while_more_is_due_whatever_goes_wrong() {
    let world = World::new().await;
    let trouble = [Trouble::Panic, Trouble::MarkFails, Trouble::Fault];
    let rows = Rows::new(100, &trouble);
    let runtime = world.runtime().await;
    let running = tokio::spawn({
        let (rows, runtime) = (rows.clone(), runtime.clone());
        async move { run_source(rows, &runtime, &OFTEN).await }
    });
    eventually("all marked", || rows.cursor.load(Relaxed) == 100).await;
    runtime.stop.cancel();
    running.await.unwrap();

    let mut numbers = world.sorted(Stream::Enriched).await;
    numbers.dedup();
    assert_eq!(numbers, (0..100).collect::<Vec<_>>());
    assert!(rows.ticks.load(Relaxed) >= 13);
}

#[tokio::test]
async fn nothing_is_marked_before_it_is_stored() {
    let world = World::new().await;
    world.broker.api.delete_stream("ENRICHED").await.unwrap();
    let rows = Rows::new(10, &[]);
    let runtime = world.runtime().await;
    let running = tokio::spawn({
        let (rows, runtime) = (rows.clone(), runtime.clone());
        async move { run_source(rows, &runtime, &OFTEN).await }
    });
    eventually("a tick", || rows.ticks.load(Relaxed) == 1).await;
    tokio::time::sleep(Duration::from_millis(200)).await;

    assert_eq!(rows.cursor.load(Relaxed), 0);

    let settings = pipeline::StreamSettings::at_most(64 * MIB);
    pipeline::apply_streams(&world.broker, &settings).await.unwrap();
    eventually("marked", || rows.cursor.load(Relaxed) == 10).await;
    runtime.stop.cancel();
    running.await.unwrap();

    assert_eq!(world.sorted(Stream::Enriched).await, (0..10).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_stream_that_stays_away() {
    let world = World::new().await;
    world.broker.api.delete_stream("ENRICHED").await.unwrap();
    let rows = Rows::new(10, &[]);
    let runtime = world.runtime().await;
    let running = tokio::spawn({
        let (rows, runtime) = (rows.clone(), runtime.clone());
        let config = SourceConfig { drain: Duration::from_millis(200), ..OFTEN };
        async move { run_source(rows, &runtime, &config).await }
    });

    eventually("a tick", || rows.ticks.load(Relaxed) == 1).await;
    runtime.stop.cancel();
    let drained = tokio::time::timeout(Duration::from_secs(5), running).await.expect("in time");

    assert_eq!(rows.cursor.load(Relaxed), 0);
    assert!(!drained.unwrap().in_time, "its rows are left for others, and it says so");
}
