//! Hands over again what waits, until nothing does.

use jiff::Timestamp;
use send::SendStage;
use stage::Outcome;
use testkit::hand_over;
use wire::Admitted;

use crate::world::now;

/// Hands messages over until none of them waits any more; gives what was said by message.
pub async fn settle(stage: &SendStage, messages: &[Admitted]) -> anyhow::Result<Vec<Outcome>> {
    let mut outcomes: Vec<Option<Outcome>> = messages.iter().map(|_| None).collect();
    loop {
        let open: Vec<usize> =
            (0..messages.len()).filter(|index| outcomes[*index].is_none()).collect();
        if open.is_empty() {
            return Ok(outcomes.into_iter().flatten().collect());
        }

        let again = open.iter().map(|index| messages[*index].clone()).collect();
        let mut until = None;
        for (index, outcome) in open.into_iter().zip(hand_over(stage, now(), again).await?) {
            match outcome {
                Outcome::Wait { until: next } => {
                    until = Some(until.map_or(next, |first: Timestamp| first.min(next)));
                }
                Outcome::Emit(_) | Outcome::Park { .. } | Outcome::Dead { .. } => {
                    outcomes[index] = Some(outcome);
                }
            }
        }

        if let Some(until) = until {
            let wait = until.duration_since(stage::machine::now());
            tokio::time::sleep(wait.try_into().unwrap_or_default()).await;
        }
    }
}
