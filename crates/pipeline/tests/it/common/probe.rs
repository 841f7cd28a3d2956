//! A stage made of a closure, which remembers what it was handed.

use std::{
    future::Future,
    sync::{Arc, Mutex},
};

use domain::message::class::Lane;
use futures::future::BoxFuture;
use pipeline::{Drained, Runtime, StageConfig};
use stage::{Batch, Cx, Fault, Outcome, Stage, StageName};
use tokio::task::JoinHandle;
use wire::{Stream, Subject, frame::Outgoing};

use super::Item;

type Handler = dyn Fn(Batch<Item>) -> BoxFuture<'static, Result<(), Fault>> + Send + Sync;

/// Reads SUBMITTED under the name of `enrich`.
#[derive(Clone)]
pub struct Probe {
    handler: Arc<Handler>,
    /// The numbers of each batch handed over.
    pub batches: Arc<Mutex<Vec<Vec<u64>>>>,
}

impl Probe {
    pub fn new<F, R>(handler: F) -> Self
    where
        F: Fn(Batch<Item>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), Fault>> + Send + 'static,
    {
        Self { handler: Arc::new(move |batch| Box::pin(handler(batch))), batches: Arc::default() }
    }

    /// Says each item again on ENRICHED.
    pub fn relay() -> Self {
        Self::new(|batch| async move {
            answer_all(&batch);
            Ok(())
        })
    }

    /// The numbers handed over so far, in order, repeats included.
    pub fn seen(&self) -> Vec<u64> {
        self.batches.lock().unwrap().iter().flatten().copied().collect()
    }

    pub fn sizes(&self) -> Vec<usize> {
        self.batches.lock().unwrap().iter().map(Vec::len).collect()
    }

    /// Runs it in a task, until the runtime's stop.
    pub fn run(&self, runtime: &Runtime, config: StageConfig) -> JoinHandle<Drained> {
        let (probe, runtime) = (self.clone(), runtime.clone());
        tokio::spawn(async move { pipeline::run(probe, &runtime, &config).await.unwrap() })
    }
}

impl Stage for Probe {
    const NAME: StageName = StageName::Enrich;
    const FROM: &'static [Stream] = &[Stream::Submitted];
    type In = Item;

    async fn handle(&self, _cx: &Cx, batch: Batch<Item>) -> Result<(), Fault> {
        let numbers = batch.items().iter().map(|item| item.n).collect();
        self.batches.lock().unwrap().push(numbers);
        (self.handler)(batch).await
    }
}

/// The item again, on ENRICHED.
pub fn relayed(item: &Item) -> Outcome {
    Outcome::Emit(vec![Outgoing::new(Subject::Enriched(Lane::Bulk), item)])
}

pub fn answer_all(batch: &Batch<Item>) {
    for (index, item) in batch.items().iter().enumerate() {
        batch.answer(index, relayed(item));
    }
}

/// Stops the stage and waits until it is drained.
pub async fn stop(runtime: &Runtime, running: JoinHandle<Drained>) -> Drained {
    runtime.stop.cancel();
    running.await.unwrap()
}
