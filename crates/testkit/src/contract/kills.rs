//! Kills a process before every call to the broker and to the database. That covers the moment
//! after a call, too: a process that dies before its next call leaves behind what it leaves when it
//! dies after the last one. One world serves for all points of a subject: process after process
//! gets a fresh part of the same input and is killed at the next point. What they held comes again
//! to the last process, which nobody disturbs.

use std::{ops::Range, sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use pipeline::Broker;
use sqlx::PgConnection;

use super::{
    ACK_WAIT, ContractSubject, ContractWork, DueRows, PATIENCE,
    end::End,
    look::Look,
    points::{Point, Points},
    repeat::{self, Input},
    trials::Trials,
    world::World,
};

/// How many parts of equal make frames are dealt into. Each kill takes one.
const PARTS: usize = 128;

/// The `ack_wait` while kills go on: nothing comes again before all are done, so that each process
/// has its own part alone.
const NOT_YET: Duration = Duration::from_secs(600);

/// How long there is between two looks whether a part is done.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How often in a row a process must be through without reaching a point, until the trial believes
/// that there is no such point.
const BEYOND: usize = 4;

/// What became of one process.
#[derive(PartialEq)]
enum Ended {
    /// It was killed at its point.
    Killed,
    /// It was through before it got there.
    Through,
}

impl<S: ContractSubject> Trials<'_, S> {
    /// Counts the points of two parts that nobody disturbs, kills at each of them, and lets a last
    /// process finish what is left.
    pub(super) async fn killed_everywhere(&self) -> anyhow::Result<End> {
        let world = self.snapshot.restore().await?;
        world.redeliver_after(NOT_YET).await?;
        let mut parts = Parts::of(self, &world).await?;
        let mut look = world.look(self.stage, self.subject.work()).await?;

        let undisturbed = [
            self.points_of_one(&world, &mut parts, &mut look).await?,
            self.points_of_one(&world, &mut parts, &mut look).await?,
        ];

        for kind in Point::REQUESTS {
            let killed = self.killed_at_each(kind, &world, &mut parts, &mut look).await?;
            let must = match kind {
                Point::ToBroker | Point::FromBroker => self.subject.calls_broker(),
                Point::ToDatabase | Point::FromDatabase => self.subject.has_database(),
            };
            // A count holds what an idle process says meanwhile, too, so the last point may come
            // before the lower of two, but not by far.
            let counted = undisturbed.iter().map(|points| points.passed_of(kind)).min();
            let least = usize::from(must).max(counted.unwrap_or_default() / 2);
            ensure!(killed >= least, "killed at {killed} points {kind:?}, of {least} or more");
        }

        parts.give_all().await?;
        world.redeliver_after(ACK_WAIT).await?;
        let process = world.start(self.stage, None).await?;
        self.work(&world, process).await?.end().await?;
        self.end(world).await
    }

    /// The points of one part that nobody disturbs.
    async fn points_of_one(
        &self,
        world: &World<'_>,
        parts: &mut Parts<'_>,
        look: &mut Look<'_>,
    ) -> anyhow::Result<Arc<Points>> {
        let all = Points::counting(self.begins_with());
        let ended = self.one(world, parts, look, &all).await?;
        ensure!(ended == Ended::Through, "an undisturbed part was not done");
        Ok(all)
    }

    /// Kills a process at each point of a kind, from the first to the last that there is; says how
    /// many there are. A point that a process did not come to is tried again with another part, and
    /// never left out.
    async fn killed_at_each(
        &self,
        kind: Point,
        world: &World<'_>,
        parts: &mut Parts<'_>,
        look: &mut Look<'_>,
    ) -> anyhow::Result<usize> {
        let (mut killed, mut beyond) = (0, 0);
        while beyond < BEYOND {
            let next = killed + 1;
            let points = Points::stopping_at_kind(kind, next, self.begins_with());
            let ended = self.one(world, parts, look, &points).await;
            match ended.with_context(|| format!("to be killed at {kind:?} {next}"))? {
                Ended::Killed => (killed, beyond) = (next, 0),
                Ended::Through => beyond += 1,
            }
        }
        Ok(killed)
    }

    /// Runs one process with one part of its own, until it is killed at its point or is through.
    async fn one(
        &self,
        world: &World<'_>,
        parts: &mut Parts<'_>,
        look: &mut Look<'_>,
        points: &Arc<Points>,
    ) -> anyhow::Result<Ended> {
        parts.give().await?;
        let left = parts.left;

        let process = world.start(self.stage, Some(points)).await?;

        let through = async {
            while look.left().await? > left {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            anyhow::Ok(())
        };

        let ended = async {
            tokio::select! {
                biased;
                () = points.reached() => Ok(Ended::Killed),
                done = through => done.map(|()| Ended::Through),
            }
        };

        let ended = tokio::time::timeout(PATIENCE, ended).await;
        let ended = ended.context("neither killed nor done")?;

        process.kill().await?;
        points.cut();
        let unread = tokio::time::timeout(PATIENCE, look.unread()).await;
        unread.context("the broker believes that a dead process reads")??;

        parts.left = look.left().await?;
        ended
    }
}

/// The input in parts, given one after the other.
struct Parts<'a> {
    /// How many parts have been given.
    given: usize,
    /// How many parts there are.
    all: usize,
    /// What the processes before have left undone.
    left: u64,
    dealt: Dealt<'a>,
    broker: Broker,
    database: PgConnection,
}

enum Dealt<'a> {
    Frames(Vec<Vec<Input>>),
    Rows(&'a DueRows),
}

impl<'a> Parts<'a> {
    /// Takes the input away from the subject.
    async fn of<S: ContractSubject>(
        trials: &Trials<'a, S>,
        world: &World<'_>,
    ) -> anyhow::Result<Self> {
        let (all, dealt) = match trials.subject.work() {
            ContractWork::Frames => {
                let inputs = repeat::take(&world.broker().await?, trials.stage).await?;
                (PARTS, Dealt::Frames(repeat::deal(&inputs, PARTS)))
            }
            ContractWork::Rows(rows) => {
                world.change(rows.aside).await?;
                (rows.parts, Dealt::Rows(rows))
            }
        };

        let (broker, database) = (world.broker().await?, world.database().await?);
        Ok(Self { given: 0, all, left: 0, dealt, broker, database })
    }

    /// Gives the next part.
    async fn give(&mut self) -> anyhow::Result<()> {
        ensure!(self.given < self.all, "it has more IO points than parts: {}", self.all);

        match &self.dealt {
            Dealt::Frames(parts) => {
                repeat::publish(&self.broker, &parts[self.given], usize::MAX).await?;
            }
            Dealt::Rows(rows) => {
                // What earlier processes were killed over waits.
                sqlx::query(rows.aside).execute(&mut self.database).await?;
                self.left = 0;
                give_rows(&mut self.database, rows, self.given..self.given + 1, self.all).await?;
            }
        }

        self.given += 1;
        Ok(())
    }

    /// Gives all that is not done.
    async fn give_all(&mut self) -> anyhow::Result<()> {
        match &self.dealt {
            Dealt::Frames(_) => {
                while self.given < self.all {
                    self.give().await?;
                }
                Ok(())
            }
            Dealt::Rows(rows) => give_rows(&mut self.database, rows, 0..self.all, self.all).await,
        }
    }
}

async fn give_rows(
    database: &mut PgConnection,
    rows: &DueRows,
    parts: Range<usize>,
    all: usize,
) -> anyhow::Result<()> {
    for part in parts {
        let give = sqlx::query(rows.give).bind(part as i64).bind(all as i64);
        give.execute(&mut *database).await?;
    }
    Ok(())
}
