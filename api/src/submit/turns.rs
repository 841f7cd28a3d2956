//! The turns of batches. A single message stands behind what the broker holds, whoever's it is: so
//! a batch is published part by part, as the first stages take it in, and tenants take turns.

use std::{collections::VecDeque, time::Duration};

use domain::{ids::TenantId, message::class::Lane};
use pipeline::{
    Broker,
    backlog::{self, Backlog},
};
use tokio::{
    sync::{Mutex, MutexGuard, OwnedSemaphorePermit},
    time::{Instant, sleep, timeout_at},
};
use tokio_util::sync::CancellationToken;
use wire::frame::MAX_MESSAGES;

use crate::shares::Shares;

/// How many messages are published in one turn: as many as one frame holds, or four.
pub(crate) fn in_a_turn(lane: Lane) -> usize {
    match lane {
        Lane::Urgent => MAX_MESSAGES,
        Lane::Bulk => 4 * MAX_MESSAGES,
    }
}

/// How long a batch may wait for its turns. What is left of it then is told to come again.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long after the request's beginning its last turn may come: what is published then is so
/// within the 60 s that any request may take, however slowly its body came.
const LAST_TURN: Duration = Duration::from_secs(50);

/// How far behind a stage may be before a batch waits.
#[derive(Debug, Clone, Copy)]
struct Most {
    /// Frames that nobody has taken in.
    frames: u64,
    /// From when a frame is taken in until it is done with.
    time: Duration,
    /// How soon a stage that is behind is looked at again.
    look_again: Duration,
}

impl Most {
    /// Somebody waits for what is urgent. In bulk there is always enough for full batches.
    fn of(lane: Lane) -> Self {
        match lane {
            Lane::Urgent => Self {
                frames: 0,
                time: Duration::from_millis(100),
                look_again: Duration::from_millis(20),
            },
            Lane::Bulk => Self {
                frames: 64,
                time: Duration::from_secs(5),
                look_again: Duration::from_millis(100),
            },
        }
    }
}

/// After how long without a movement a batch waits for a stage no longer: nobody is at work there,
/// or, where somebody has frames, is stuck.
const NOBODY: Duration = Duration::from_millis(500);
const STUCK: Duration = Duration::from_secs(3);

/// Whose turn it is, in each lane.
pub(crate) struct Turns {
    broker: Broker,
    lanes: [Mutex<Movement>; 2],
    /// One batch of each tenant stands in a lane's queue.
    tenants: [Shares; 2],
    /// No turn comes any more: the ingress stops.
    closed: CancellationToken,
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
        Self { broker, lanes: Default::default(), tenants, closed: CancellationToken::new() }
    }

    /// When a batch must have had its last turn: its body has arrived, its request began then.
    pub(crate) fn deadline(begun: Instant) -> Instant {
        (Instant::now() + PATIENCE).min(begun + LAST_TURN)
    }

    /// Gives no turns any more: batches that wait are told to come again.
    pub(crate) fn close(&self) {
        self.closed.cancel();
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
            let most = Most::of(lane);
            // Where the broker does not answer, the publish will say so.
            while of_lane.must_wait(&backlog::before(&self.broker, lane).await, most) {
                sleep(most.look_again).await;
            }
            Ok(Turn { _of_lane: of_lane, _of_tenant: of_tenant })
        };
        let turn = self.closed.run_until_cancelled(timeout_at(deadline, turn));
        turn.await.ok_or(Late)?.map_err(|_| Late)?
    }
}

/// How far each of the first stages has come, as it was seen while batches waited.
#[derive(Default)]
struct Movement {
    stages: Vec<Stage>,
}

impl Movement {
    /// Whether a stage has more before it than it gets through in so long, and is at work on it.
    fn must_wait(&mut self, before: &[Backlog], most: Most) -> bool {
        let now = Instant::now();
        if self.stages.len() != before.len() {
            self.stages = before.iter().map(|_| Stage::begin(now)).collect();
        }

        let mut must_wait = false;
        for (stage, backlog) in self.stages.iter_mut().zip(before) {
            stage.see(*backlog, now);
            must_wait |= stage.is_at_work(now) && stage.is_behind(most, now);
        }
        must_wait
    }
}

/// What was seen of one stage.
struct Stage {
    last: Backlog,
    /// When its floor or its last delivery was last seen to move.
    moved_at: Instant,
    /// The same of its floor alone, or when nothing was under way.
    floor_moved_at: Instant,
    /// Deliveries above the floor, with when each was first seen; none while the floor is stuck: a
    /// frame that waits for long tells nothing of how fast the others go.
    taken: VecDeque<(u64, Instant)>,
}

impl Stage {
    fn begin(now: Instant) -> Self {
        let last = Backlog::default();
        Self { last, moved_at: now, floor_moved_at: now, taken: VecDeque::new() }
    }

    fn see(&mut self, backlog: Backlog, now: Instant) {
        let moved = (backlog.floor, backlog.delivered) != (self.last.floor, self.last.delivered);
        if moved || backlog.pending == 0 && backlog.unacked == 0 {
            self.moved_at = now;
        }
        if backlog.floor != self.last.floor || backlog.unacked == 0 {
            self.floor_moved_at = now;
        }

        if backlog.delivered > self.last.delivered {
            self.taken.push_back((backlog.delivered, now));
        }
        while self.taken.front().is_some_and(|(delivered, _)| *delivered <= backlog.floor) {
            self.taken.pop_front();
        }
        if now - self.floor_moved_at >= STUCK {
            self.taken.clear();
        }
        self.last = backlog;
    }

    /// Whether more frames wait for it, or one that it has taken in is not done with for longer.
    fn is_behind(&self, most: Most, now: Instant) -> bool {
        let oldest = self.taken.front().filter(|_| self.last.unacked > 0);
        self.last.pending > most.frames || oldest.is_some_and(|(_, at)| now - *at > most.time)
    }

    fn is_at_work(&self, now: Instant) -> bool {
        let still = if self.last.unacked > 0 { STUCK } else { NOBODY };
        now - self.moved_at < still
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const MOST: Most =
        Most { frames: 0, time: Duration::from_millis(100), look_again: Duration::ZERO };

    fn backlog(pending: u64, floor: u64, delivered: u64) -> Backlog {
        let unacked = delivered - floor;
        Backlog { pending, unacked, floor, delivered, ..Backlog::default() }
    }

    async fn after(millis: u64) {
        advance(Duration::from_millis(millis)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_waits_while_a_stage_is_behind() {
        let mut movement = Movement::default();
        let mut waits = |backlog| movement.must_wait(&[Backlog::default(), backlog], MOST);

        assert!(!waits(backlog(0, 10, 10)));
        assert!(!waits(backlog(0, 10, 12)), "it has just taken two frames in");
        after(90).await;
        assert!(!waits(backlog(0, 10, 13)));
        after(20).await;
        assert!(waits(backlog(0, 10, 13)), "the first of them takes long");
        assert!(!waits(backlog(0, 12, 13)), "the last is not yet old");
        assert!(waits(backlog(1, 12, 13)), "one is not taken in");
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_does_not_wait_for_a_stage_at_which_nobody_works() {
        let mut movement = Movement::default();
        let mut waits = |backlog| movement.must_wait(&[backlog], MOST);

        assert!(waits(backlog(90, 10, 10)));
        after(600).await;
        assert!(!waits(backlog(90, 10, 10)));
        after(10).await;
        assert!(!waits(backlog(91, 10, 10)), "and so it stays");
        assert!(waits(backlog(90, 10, 12)), "somebody has come");
        after(2_000).await;
        assert!(waits(backlog(90, 10, 12)), "and works on something that takes long");
        after(2_000).await;
        assert!(!waits(backlog(90, 10, 12)), "or is stuck");
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_does_not_wait_for_one_frame_that_is_stuck_while_others_pass() {
        let mut movement = Movement::default();
        let mut waits = |backlog| movement.must_wait(&[backlog], MOST);

        assert!(!waits(backlog(0, 10, 11)));
        for delivered in 12..27 {
            after(200).await;
            waits(backlog(0, 10, delivered));
        }
        for delivered in 27..90 {
            after(200).await;
            assert!(!waits(backlog(0, 10, delivered)));
        }
        assert!(waits(backlog(1, 10, 90)), "one is not taken in");

        after(200).await;
        assert!(!waits(backlog(0, 90, 91)), "it is through");
        after(200).await;
        assert!(waits(backlog(0, 90, 92)), "and the next one takes long");
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_turn_comes_while_its_request_may_still_be_answered() {
        let begun = Instant::now();
        assert_eq!(Turns::deadline(begun) - begun, PATIENCE);
        after(35_000).await;
        assert_eq!(Turns::deadline(begun) - begun, LAST_TURN);
    }

    #[test]
    fn without_an_answer_of_the_broker_nobody_waits() {
        assert!(!Movement::default().must_wait(&[], MOST));
    }
}
