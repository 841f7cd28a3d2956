//! What every stage must stand: delivered twice, to two processes at once, in another cut, killed
//! at its IO points, without its broker and its database for a while, frozen past its time. The end
//! is the same each time. A stage is named once, at the end of this file, to go through all of it.

#[path = "contract/end.rs"]
mod end;
#[path = "contract/inputs.rs"]
mod inputs;
#[path = "contract/proxy.rs"]
mod proxy;
#[path = "contract/repeat.rs"]
mod repeat;
#[path = "contract/world.rs"]
mod world;

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use end::End;
use futures::{FutureExt, StreamExt, future::BoxFuture, stream};
use nix::sys::signal::{Signal, kill};
use pipeline::StageName;
use proxy::Points;
use world::{ACK_WAIT, PATIENCE, Snapshot, World};

/// At how many of its IO points, spread evenly, a stage is killed.
const KILLS: usize = 3;

/// How long the broker or the database stays away.
const AWAY: Duration = Duration::from_millis(700);

/// Puts a stage through every trial.
async fn stands_everything(stage: StageName) -> anyhow::Result<()> {
    let snapshot = Snapshot::before(stage).await?;
    let trials = Trials { stage, snapshot: &snapshot };
    let points = Points::counting();
    let expected = trials.undisturbed(&points).await?;
    assert!(expected.worked(), "{}: nothing was there to be done", stage.as_str());
    let middle = points.passed() / 2;
    let mut all: Vec<(String, BoxFuture<'_, anyhow::Result<End>>)> = vec![
        ("two processes at once".into(), trials.two_at_once().boxed()),
        ("everything again, in another cut".into(), trials.delivered_again().boxed()),
        ("broker away".into(), trials.without_broker(middle).boxed()),
        ("database away".into(), trials.without_database(middle).boxed()),
        ("frozen past its time".into(), trials.frozen(middle).boxed()),
    ];
    for at in spread(points.passed()) {
        all.push((format!("killed at its IO point {at}"), trials.killed(at).boxed()));
    }
    let run = all.into_iter().map(async |(trial, run)| (run.await, trial));
    let mut ends = stream::iter(run).buffer_unordered(at_once(stage));
    while let Some((end, trial)) = ends.next().await {
        expected.same(&end.with_context(|| trial.clone())?, &trial);
    }
    Ok(())
}

struct Trials<'a> {
    stage: StageName,
    snapshot: &'a Snapshot,
}

impl Trials<'_> {
    async fn undisturbed(&self, points: &Arc<Points>) -> anyhow::Result<End> {
        let world = self.snapshot.restore().await?;
        let process = world.start(self.stage, Some(points)).await?;
        world.work(self.stage, process).await?.end().await?;
        self.end(world).await
    }

    async fn two_at_once(&self) -> anyhow::Result<End> {
        let world = self.snapshot.restore().await?;
        let one = world.start(self.stage, None).await?;
        let other = world.start(self.stage, None).await?;
        world.work(self.stage, one).await?.end().await?;
        other.end().await?;
        self.end(world).await
    }

    /// As often as it likes, in whatever frames: once before the work and once after it.
    async fn delivered_again(&self) -> anyhow::Result<End> {
        let world = self.snapshot.restore().await?;
        let broker = world.broker().await?;
        let inputs = repeat::read(&broker, self.stage).await?;
        repeat::publish(&broker, &inputs, 5).await?;
        let process = world.start(self.stage, None).await?;
        let process = world.work(self.stage, process).await?;
        repeat::publish(&broker, &inputs, 3).await?;
        world.work(self.stage, process).await?.end().await?;
        self.end(world).await
    }

    async fn killed(&self, at: usize) -> anyhow::Result<End> {
        let world = self.snapshot.restore().await?;
        let points = Points::stopping_at(at);
        let process = world.start(self.stage, Some(&points)).await?;
        tokio::time::timeout(PATIENCE, points.reached()).await?;
        process.kill().await?;
        points.cut();
        self.finish(world).await
    }

    async fn without_broker(&self, at: usize) -> anyhow::Result<End> {
        let mut world = self.snapshot.restore().await?;
        let points = Points::stopping_at(at);
        let process = world.start(self.stage, Some(&points)).await?;
        tokio::time::timeout(PATIENCE, points.reached()).await?;
        world.nats.signal(Signal::SIGKILL);
        world.nats.exited().await;
        points.release();
        tokio::time::sleep(AWAY).await;
        world.nats.restart().await?;
        world.work(self.stage, process).await?.end().await?;
        self.end(world).await
    }

    async fn without_database(&self, at: usize) -> anyhow::Result<End> {
        let mut world = self.snapshot.restore().await?;
        let points = Points::stopping_at(at);
        let process = world.start(self.stage, Some(&points)).await?;
        tokio::time::timeout(PATIENCE, points.reached()).await?;
        world.postgres.signal(Signal::SIGQUIT);
        world.postgres.exited().await;
        points.release();
        tokio::time::sleep(AWAY).await;
        world.postgres.restart().await?;
        world.work(self.stage, process).await?.end().await?;
        self.end(world).await
    }

    /// Another process does its work meanwhile; then it wakes up and goes on.
    async fn frozen(&self, at: usize) -> anyhow::Result<End> {
        let world = self.snapshot.restore().await?;
        let points = Points::stopping_at(at);
        let frozen = world.start(self.stage, Some(&points)).await?;
        tokio::time::timeout(PATIENCE, points.reached()).await?;
        kill(frozen.pid()?, Signal::SIGSTOP)?;
        points.release();
        tokio::time::sleep(ACK_WAIT).await;
        let other = world.start(self.stage, None).await?;
        let other = world.work(self.stage, other).await?;
        kill(frozen.pid()?, Signal::SIGCONT)?;
        world.work(self.stage, other).await?.end().await?;
        frozen.kill().await?;
        self.end(world).await
    }

    async fn finish(&self, world: World<'_>) -> anyhow::Result<End> {
        let process = world.start(self.stage, None).await?;
        world.work(self.stage, process).await?.end().await?;
        self.end(world).await
    }

    async fn end(&self, world: World<'_>) -> anyhow::Result<End> {
        let end = if self.stage == StageName::Send {
            // A call that nobody recorded is in doubt: others find out about it, or send it again.
            world.settle().await?;
            End::fates(&world).await?
        } else {
            End::of(&world).await?
        };
        world.stop().await;
        Ok(end)
    }
}

/// How many trials run side by side. Those of a stage that texts share the carrier's ledger.
fn at_once(stage: StageName) -> usize {
    if stage == StageName::Send { 1 } else { 3 }
}

/// Points between the first that does some work and the last.
fn spread(points: usize) -> impl Iterator<Item = usize> {
    (1..=KILLS).map(move |part| points * part / (KILLS + 1))
}

macro_rules! stages {
    ($($test:ident $stage:ident;)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() -> anyhow::Result<()> {
            stands_everything(StageName::$stage).await
        })*
    };
}

stages! {
    enrich_stands_everything Enrich;
    gate_stands_everything Gate;
    throttle_stands_everything Throttle;
    send_stands_everything Send;
    inbound_stands_everything Inbound;
    reconcile_stands_everything Reconcile;
    rollup_stands_everything Rollup;
    reply_stands_everything Reply;
}
