//! The trials that every subject must stand. Each begins with the same snapshot and must come to
//! the same end as the undisturbed run.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use futures::{FutureExt, StreamExt, future::BoxFuture, stream};
use nix::sys::signal::Signal;
use sqlx::Row;
use stage::StageName;

use super::{
    ACK_WAIT, ContractSubject, ContractWork, PATIENCE,
    end::End,
    points::Points,
    process::StageProcess,
    repeat,
    world::{Snapshot, World},
};

/// How long the broker or the database stays away.
const AWAY: Duration = Duration::from_millis(700);

/// How many trials of a subject run side by side.
const AT_ONCE: usize = 3;

/// Puts a subject through every trial.
///
/// # Errors
/// A trial does not come to its end.
///
/// # Panics
/// A trial ends otherwise than the undisturbed run.
pub async fn stands_everything(subject: &impl ContractSubject) -> anyhow::Result<()> {
    let snapshot = Snapshot::before(subject).await?;
    let trials = Trials { subject, stage: subject.stage(), snapshot: &snapshot };

    let points = Points::counting(trials.begins_with());
    let expected = trials.undisturbed(&points).await?;
    assert!(expected.worked(), "nothing was there to be done");

    let run = trials.all(points.passed() / 2).into_iter();
    let run = run.map(async |(trial, run)| (run.await, trial));
    let mut ends = stream::iter(run).buffer_unordered(AT_ONCE);
    while let Some((end, trial)) = ends.next().await {
        expected.same(&end.context(trial)?, trial);
    }
    Ok(())
}

/// A trial that can be run: its name, and what it does.
type Trial<'a> = (&'static str, BoxFuture<'a, anyhow::Result<End>>);

/// The trials of one subject.
pub(super) struct Trials<'a, S> {
    pub(super) subject: &'a S,
    pub(super) stage: StageName,
    pub(super) snapshot: &'a Snapshot,
}

impl<S: ContractSubject> Trials<'_, S> {
    /// Every trial; `middle` is the number of the point at which one is disturbed.
    fn all(&self, middle: usize) -> Vec<Trial<'_>> {
        let mut all = vec![
            ("killed at each of its IO points", self.killed_everywhere().boxed()),
            ("two processes at once", self.two_at_once().boxed()),
            ("broker away", self.without_broker(middle).boxed()),
            ("database away", self.without_database(middle).boxed()),
            ("frozen past its time", self.frozen(middle).boxed()),
            ("slow past its time", self.slow(middle).boxed()),
        ];
        if matches!(self.subject.work(), ContractWork::Frames) {
            let again = self.delivered_again().boxed();
            all.push(("everything again, in another cut and under other facts", again));
            all.push(("poison among its input", self.poisoned().boxed()));
        }
        all
    }

    async fn undisturbed(&self, points: &Arc<Points>) -> anyhow::Result<End> {
        let world = self.snapshot.restore().await?;
        let process = world.start(self.stage, Some(points)).await?;
        self.work(&world, process).await?.end().await?;
        self.end(world).await
    }

    async fn two_at_once(&self) -> anyhow::Result<End> {
        let world = self.snapshot.restore().await?;
        let one = world.start(self.stage, None).await?;
        let other = world.start(self.stage, None).await?;
        self.work(&world, one).await?.end().await?;
        other.end().await?;
        self.end(world).await
    }

    /// Gives its input in other frames beside the first, and once more when facts have changed: the
    /// first decision stands.
    async fn delivered_again(&self) -> anyhow::Result<End> {
        let world = self.snapshot.restore().await?;
        let broker = world.broker().await?;
        let inputs = repeat::read(&broker, self.stage).await?;

        repeat::publish(&broker, &inputs, 5).await?;
        let process = world.start(self.stage, None).await?;
        let process = self.work(&world, process).await?;
        let end = self.reached(&world).await?;

        self.subject.change(&world).await?;
        let decided = End::of(&world).await?;
        repeat::publish(&broker, &inputs, 3).await?;
        self.work(&world, process).await?.end().await?;
        decided.same(&End::of(&world).await?, "again, under other facts");
        world.stop().await;
        Ok(end)
    }

    async fn without_broker(&self, number: usize) -> anyhow::Result<End> {
        let mut world = self.snapshot.restore().await?;
        let points = Points::stopping_at(number, self.begins_with());
        let process = world.start(self.stage, Some(&points)).await?;
        tokio::time::timeout(PATIENCE, points.reached()).await?;

        world.nats.signal(Signal::SIGKILL);
        world.nats.exited().await;
        points.release();
        tokio::time::sleep(AWAY).await;
        world.nats.restart().await?;

        self.later(&world).await?;
        self.work(&world, process).await?.end().await?;
        self.end(world).await
    }

    async fn without_database(&self, number: usize) -> anyhow::Result<End> {
        let mut world = self.snapshot.restore().await?;
        let points = Points::stopping_at(number, self.begins_with());
        let process = world.start(self.stage, Some(&points)).await?;
        tokio::time::timeout(PATIENCE, points.reached()).await?;

        world.postgres.signal(Signal::SIGQUIT);
        world.postgres.exited().await;
        points.release();
        tokio::time::sleep(AWAY).await;
        world.postgres.restart().await?;

        self.later(&world).await?;
        self.work(&world, process).await?.end().await?;
        self.end(world).await
    }

    /// Freezes it while another process does its work; then it wakes up and goes on.
    async fn frozen(&self, number: usize) -> anyhow::Result<End> {
        let world = self.snapshot.restore().await?;
        let points = Points::stopping_at(number, self.begins_with());
        let frozen = world.start(self.stage, Some(&points)).await?;
        tokio::time::timeout(PATIENCE, points.reached()).await?;

        frozen.signal(Signal::SIGSTOP)?;
        points.release();
        tokio::time::sleep(ACK_WAIT).await;
        self.later(&world).await?;

        let other = world.start(self.stage, None).await?;
        let other = self.work(&world, other).await?;

        frozen.signal(Signal::SIGCONT)?;
        let other = self.work(&world, other).await?;
        frozen.kill().await?;
        self.retell(&world).await?;
        self.work(&world, other).await?.end().await?;
        self.end(world).await
    }

    /// Has its network hold everything back, beats and acks as well, until its messages have come
    /// to another process; then all of it arrives.
    async fn slow(&self, number: usize) -> anyhow::Result<End> {
        let world = self.snapshot.restore().await?;
        let points = Points::stopping_at(number, self.begins_with());
        let slow = world.start(self.stage, Some(&points)).await?;
        tokio::time::timeout(PATIENCE, points.reached()).await?;

        let other = world.start(self.stage, None).await?;
        tokio::time::sleep(2 * ACK_WAIT).await;
        self.later(&world).await?;

        points.release();
        let other = self.work(&world, other).await?;
        slow.end().await?;
        self.retell(&world).await?;
        self.work(&world, other).await?.end().await?;
        self.end(world).await
    }

    /// Lets so much time pass as leases last: what a process had for itself is anybody's again.
    async fn later(&self, world: &World<'_>) -> anyhow::Result<()> {
        match self.subject.work() {
            ContractWork::Frames => Ok(()),
            ContractWork::Rows(rows) => world.change(rows.later).await.map(drop),
        }
    }

    /// Has it told again of what nobody has done, and waits until somebody has: a process passes
    /// over what another has locked, and that other one may have lost its transaction since.
    async fn retell(&self, world: &World<'_>) -> anyhow::Result<()> {
        let Some(retold) = self.subject.retold() else { return Ok(()) };
        world.change(retold.due).await?;

        let mut connection = world.database().await?;
        let done = async {
            while sqlx::query(retold.left).fetch_one(&mut connection).await?.get::<i64, _>(0) > 0 {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(PATIENCE, done).await.context("what is told again is never done")?
    }

    /// Waits until nothing is left to do.
    pub(super) async fn work(
        &self,
        world: &World<'_>,
        process: StageProcess,
    ) -> anyhow::Result<StageProcess> {
        world.work(self.stage, self.subject.work(), process).await
    }

    /// The end of this world, which stops.
    pub(super) async fn end(&self, world: World<'_>) -> anyhow::Result<End> {
        let end = self.reached(&world).await?;
        world.stop().await;
        Ok(end)
    }

    /// The end that this world has come to.
    async fn reached(&self, world: &World<'_>) -> anyhow::Result<End> {
        if self.stage == StageName::Send {
            // A call that nobody recorded is in doubt: others look for it, or send it again.
            world.settle().await?;
            End::fates(world).await
        } else {
            End::of(world).await
        }
    }

    /// What the first IO of the work holds: the name of an ack's subject, which comes with every
    /// message, or the statement of a tick.
    pub(super) fn begins_with(&self) -> &'static str {
        match self.subject.work() {
            ContractWork::Frames => "$JS.ACK.",
            ContractWork::Rows(rows) => rows.tick,
        }
    }
}
