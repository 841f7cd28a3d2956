//! The turns of batches. A single message stands behind what the broker holds, whoever's it is: so a
//! batch is published part by part, as the first stages take it in, and tenants take turns.

use std::time::Duration;

use domain::{ids::TenantId, message::class::Lane};
use pipeline::{
    Broker,
    backlog::{self, Untaken},
};
use tokio::{
    sync::{Mutex, MutexGuard, OwnedSemaphorePermit},
    time::{Instant, sleep, timeout_at},
};

use crate::shares::Shares;

/// How many messages are published in one turn: as many as one frame holds.
pub(crate) const IN_A_TURN: usize = 256;

/// How long a batch may wait for its turns. What is left of it then is told to come again.
const PATIENCE: Duration = Duration::from_secs(30);

/// With how many frames that nobody has taken in the broker's lane still counts as short.
const SHORT: u64 = 2;

/// After how long without a movement nobody is at work at a stage: then a batch waits for nobody.
const STILL: Duration = Duration::from_millis(500);

/// How soon a lane that is not short is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(15);

/// Whose turn it is, in each lane.
pub(crate) struct Turns {
    broker: Broker,
    lanes: [Mutex<Movement>; 2],
    /// One batch of each tenant stands in a lane's queue.
    tenants: [Shares; 2],
}

/// A batch's turn: over when it is dropped.
pub(crate) struct Turn<'a> {
    _of_lane: MutexGuard<'a, Movement>,
    _of_tenant: OwnedSemaphorePermit,
}

/// No turn came in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Late;

impl Turns {
    pub(crate) fn new(broker: Broker) -> Self {
        let tenants = [Shares::new(1), Shares::new(1)];
        Self { broker, lanes: Default::default(), tenants }
    }

    /// When a batch that begins now has to have had its last turn.
    pub(crate) fn deadline() -> Instant {
        Instant::now() + PATIENCE
    }

    /// The next turn of a tenant's batch in a lane, once the lane is short.
    pub(crate) async fn next(
        &self,
        tenant: &TenantId,
        lane: Lane,
        deadline: Instant,
    ) -> Result<Turn<'_>, Late> {
        let turn = async {
            let share = self.tenants[lane as usize].of(tenant.as_str());
            let of_tenant = share.acquire_owned().await.map_err(|_| Late)?;
            let mut of_lane = self.lanes[lane as usize].lock().await;
            // Where the broker does not answer, the publish will say so.
            while of_lane.must_wait(&backlog::untaken(&self.broker, lane).await, Instant::now()) {
                sleep(LOOK_AGAIN).await;
            }
            Ok(Turn { _of_lane: of_lane, _of_tenant: of_tenant })
        };
        timeout_at(deadline, turn).await.map_err(|_| Late)?
    }
}

/// How far each of the first stages has come, and since when.
#[derive(Default)]
struct Movement {
    stages: Vec<(u64, Instant)>,
}

impl Movement {
    /// Whether a stage has more before it than is short, and is at work on it.
    fn must_wait(&mut self, before: &[Untaken], now: Instant) -> bool {
        if self.stages.len() != before.len() {
            self.stages = before.iter().map(|stage| (stage.taken, now)).collect();
        }

        let mut must_wait = false;
        for (seen, stage) in self.stages.iter_mut().zip(before) {
            if seen.0 != stage.taken || stage.frames <= SHORT {
                *seen = (stage.taken, now);
            }
            must_wait |= stage.frames > SHORT && now - seen.1 < STILL;
        }
        must_wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_waits_for_a_stage_that_is_at_work_and_not_for_one_that_stands_still() {
        let (start, mut movement) = (Instant::now(), Movement::default());
        let mut waits = |frames, taken, millis| {
            let before = [Untaken { frames: 0, taken: 1 }, Untaken { frames, taken }];
            movement.must_wait(&before, start + Duration::from_millis(millis))
        };

        assert!(!waits(SHORT, 10, 0));
        assert!(waits(SHORT + 1, 10, 100));
        assert!(waits(90, 11, 550), "it has moved");
        assert!(!waits(90, 11, 1_050));
        assert!(!waits(90, 11, 1_060), "and so it stays");
        assert!(waits(90, 12, 1_070));
    }

    #[test]
    fn without_an_answer_of_the_broker_nobody_waits() {
        assert!(!Movement::default().must_wait(&[], Instant::now()));
    }
}
