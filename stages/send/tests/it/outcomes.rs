//! What the stage answers, and handing over again what waits.

use send::SendStage;
use stage::Outcome;
use testkit::hand_over;
use wire::Admitted;

use crate::world::now;

/// Hands messages over until none of them waits any more; gives what was said by message.
pub async fn settle(stage: &SendStage, messages: &[Admitted]) -> anyhow::Result<Vec<Outcome>> {
    let mut outcomes: Vec<Option<Outcome>> = messages.iter().map(|_| None).collect();
    loop {
        let open: Vec<usize> = (0..messages.len()).filter(|at| outcomes[*at].is_none()).collect();
        if open.is_empty() {
            return Ok(outcomes.into_iter().flatten().collect());
        }
        let again = open.iter().map(|at| messages[*at].clone()).collect();
        let mut until = None;
        for (at, outcome) in open.into_iter().zip(hand_over(stage, now(), again).await?) {
            match outcome {
                Outcome::Wait { until: next } => until = until.max(Some(next)),
                Outcome::Emit(_) | Outcome::Park { .. } | Outcome::Dead { .. } => {
                    outcomes[at] = Some(outcome);
                }
            }
        }
        if let Some(until) = until {
            let wait = until.duration_since(stage::machine::now());
            tokio::time::sleep(wait.try_into().unwrap_or_default()).await;
        }
    }
}

/// The types of the events that an outcome says.
pub fn said(outcome: &Outcome) -> Vec<String> {
    match outcome {
        Outcome::Emit(say) | Outcome::Park { say, .. } => {
            say.iter().map(|one| one.subject.to_string().replace("events.acme.", "")).collect()
        }
        Outcome::Wait { .. } => vec!["wait".into()],
        Outcome::Dead { cause } => vec![format!("dead {}", cause.0)],
    }
}

/// The ids of the events that outcomes say.
pub fn ids(outcomes: &[Outcome]) -> Vec<uuid::Uuid> {
    let say = outcomes.iter().flat_map(|outcome| match outcome {
        Outcome::Emit(say) | Outcome::Park { say, .. } => say.as_slice(),
        Outcome::Wait { .. } | Outcome::Dead { .. } => &[],
    });
    say.map(|one| one.key.id).collect()
}
