//! Throttle: the order in which admitted messages go to the carrier, just ahead of the pace.
//!
//! | | |
//! |---|---|
//! | Consumes | `msg.admitted.<lane>.<shard>` |
//! | Emits | `msg.released.<lane>.<shard>`, the same payload |
//! | Reads | nothing |
//! | Writes | nothing |
//! | Calls | nobody |
//! | Never | enforces the pace (the claim of `send` does); reads the database |
//!
//! Urgent comes before bulk by lanes of their own, and by the depth that each may fill of a
//! sender's next second. Tenants take turns by deficit round robin. A message that would wait here
//! for longer than [`PATIENCE`] goes on: `send` finds no room for it and parks it in a row, so that
//! one sender's backlog does not hold up its neighbours. See `docs/adr/0003-throttle-shards.md`.

pub mod drr;
pub mod pace;

use std::sync::Mutex;

use domain::{gcra::Slot, ids::TenantId, message::class::Lane};
use jiff::SignedDuration;
use stage::{Batch, Cx, Fault, Outcome, Stage, StageName};
use wire::{Admitted, Stream, Subject, frame::Outgoing, subject::shard_of};

use pace::SenderPaces;

/// How far ahead of a sender's pace a lane may release. Bulk leaves half of the second to urgent.
pub fn depth(lane: Lane) -> SignedDuration {
    match lane {
        Lane::Urgent => SignedDuration::from_millis(1_000),
        Lane::Bulk => SignedDuration::from_millis(500),
    }
}

/// How long a message may wait here. Longer than the smallest window of a campaign (64 messages)
/// takes on a sender of one segment per second.
pub const PATIENCE: SignedDuration = SignedDuration::from_secs(75);

/// What each tenant gets in a round: as many segments as the longest message has.
const QUANTUM: u32 = 10;

/// The throttle stage.
#[derive(Debug, Default)]
pub struct ThrottleStage {
    paces: Mutex<SenderPaces>,
}

impl ThrottleStage {
    /// A throttle that has released nothing yet.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Stage for ThrottleStage {
    const NAME: StageName = StageName::Throttle;
    const FROM: Stream = Stream::Admitted;
    type In = Admitted;

    async fn handle(&self, cx: &Cx, batch: Batch<Admitted>) -> Result<(), Fault> {
        let messages = batch.items();
        let order = drr::order(QUANTUM, messages.iter().map(turn_of));
        let mut outcomes = Vec::with_capacity(messages.len());
        {
            let mut paces = self.paces.lock().unwrap_or_else(|broken| broken.into_inner());
            paces.begin(cx.machine);
            for at in order {
                let one = &messages[at];
                let lane = one.message.head.class.lane();
                let segments = one.message.segments.max(1);
                let slot = paces.ask(one.route.sender, one.route.pace, segments, depth(lane));
                outcomes.push((at, slot));
            }
        }
        for (at, slot) in outcomes {
            let outcome = match slot {
                Slot::Now => release(&messages[at]),
                Slot::After(wait) if wait > PATIENCE => release(&messages[at]),
                Slot::After(wait) => Outcome::wait(cx.machine, wait.try_into().unwrap_or_default()),
            };
            batch.answer(at, outcome);
        }
        Ok(())
    }
}

/// The tenant of a message, its weight in the account, and the segments that it costs.
fn turn_of(message: &Admitted) -> (&TenantId, u32, u32) {
    let segments = u32::from(message.message.segments).max(1);
    (&message.message.head.tenant, message.route.weight, segments)
}

fn release(message: &Admitted) -> Outcome {
    let lane = message.message.head.class.lane();
    let subject = Subject::Released(lane, shard_of(&message.route.account));
    Outcome::Emit(vec![Outgoing::new(subject, message)])
}

#[cfg(test)]
mod tests {
    use domain::message::class::MessageClass;
    use jiff::Timestamp;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    const AT: &str = "2026-03-02T17:00:00Z";

    fn message(n: u128, tenant: &str, sender: u128, pace: u32, class: MessageClass) -> Admitted {
        let admitted = json!({
            "message": {
                "head": {
                    "id": Uuid::from_u128(n), "tenant": tenant, "turn": 1, "class": class,
                    "to": "+12125550123", "submitted_at": AT
                },
                "contact": Uuid::from_u128(n), "text": "Hi", "segments": 1, "cost": 7900,
                "place": {"zones": ["America/New_York"], "evidence": "prefix", "country": "US"},
                "senders": [Uuid::from_u128(sender)], "passport": []
            },
            "route": {
                "sender": Uuid::from_u128(sender), "number": "+12125550100", "account": "main",
                "pace": pace, "sendable_until": AT, "policy_version": 0
            }
        });
        serde_json::from_value(admitted).expect("a payload")
    }

    /// The answers in the order in which they were given.
    async fn handle(
        throttle: &ThrottleStage,
        millis: i64,
        batch: Vec<Admitted>,
    ) -> Vec<(usize, Outcome)> {
        let start: Timestamp = AT.parse().expect("an instant");
        let machine = start + SignedDuration::from_millis(millis);
        let (batch, mut answers) = Batch::new(batch);
        throttle.handle(&Cx::at(machine, machine), batch).await.expect("no outage");
        std::iter::from_fn(|| answers.try_recv().ok()).collect()
    }

    #[tokio::test]
    async fn a_neighbour_is_served_in_the_first_round_and_keeps_its_shard() {
        let throttle = ThrottleStage::new();
        let class = MessageClass::Promo;
        let mut batch: Vec<_> = (0..100).map(|n| message(n, "large", 1, 1_000, class)).collect();
        batch.push(message(100, "small", 2, 1, class));
        let answers = handle(&throttle, 0, batch.clone()).await;
        assert_eq!(answers.iter().position(|(at, _)| *at == 100), Some(10));
        for (at, outcome) in answers {
            let Outcome::Emit(say) = outcome else { panic!("all of them fit: {outcome:?}") };
            assert_eq!(say[0].subject, Subject::Released(Lane::Bulk, shard_of("main")));
            assert_eq!(say[0].json, serde_json::to_vec(&batch[at]).expect("json"));
        }
    }

    #[tokio::test]
    async fn what_is_ahead_of_the_pace_waits_at_most_a_second_and_then_goes() {
        let throttle = ThrottleStage::new();
        let batch: Vec<_> =
            (0..4).map(|n| message(n, "acme", 1, 1, MessageClass::Transactional)).collect();
        let answers = handle(&throttle, 0, batch.clone()).await;
        let waits: Vec<_> = answers
            .iter()
            .map(|(_, outcome)| match outcome {
                Outcome::Wait { until } => until.to_string(),
                other => other.label().into(),
            })
            .collect();
        assert_eq!(waits, ["emit", "emit", "2026-03-02T17:00:01Z", "2026-03-02T17:00:01Z"]);
        let answers = handle(&throttle, 1_000, batch[2..].to_vec()).await;
        let labels: Vec<_> = answers.iter().map(|(_, outcome)| outcome.label()).collect();
        assert_eq!(labels, ["emit", "wait"]);
    }

    #[tokio::test]
    async fn a_backlog_beyond_patience_goes_on_to_be_parked() {
        let throttle = ThrottleStage::new();
        let batch: Vec<_> =
            (0..200).map(|n| message(n, "acme", 1, 1, MessageClass::Promo)).collect();
        let answers = handle(&throttle, 0, batch).await;
        let waiting = answers.iter().filter(|(_, o)| matches!(o, Outcome::Wait { .. })).count();
        assert_eq!(waiting, 75);
    }

    #[tokio::test]
    async fn urgent_is_not_behind_bulk_of_the_same_sender() {
        let throttle = ThrottleStage::new();
        let bulk: Vec<_> =
            (0..50).map(|n| message(n, "acme", 1, 10, MessageClass::Promo)).collect();
        handle(&throttle, 0, bulk).await;
        let code = message(99, "acme", 1, 10, MessageClass::Transactional);
        let answers = handle(&throttle, 0, vec![code]).await;
        assert!(matches!(answers[0].1, Outcome::Emit(_)));
    }
}
