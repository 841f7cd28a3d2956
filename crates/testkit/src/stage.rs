//! Hands messages to a stage without a broker, as the runtime does.

use jiff::Timestamp;
use stage::{Batch, Cx, Fault, Outcome, Stage};
use wire::frame::Outgoing;

/// Hands messages over once; gives the answers in the order of the messages.
///
/// # Errors
/// What the stage says is wrong with the batch.
///
/// # Panics
/// When the stage says that all is well but left a message unanswered.
pub async fn hand_over<S: Stage>(
    stage: &S,
    now: Timestamp,
    messages: Vec<S::In>,
) -> Result<Vec<Outcome>, Fault> {
    hand_over_at(stage, &Cx::at(now, boot::clock::machine_now()), messages).await
}

/// Hands messages over once under these clocks; gives the answers in the order of the messages.
///
/// # Errors
/// As for [`hand_over`].
///
/// # Panics
/// As for [`hand_over`].
pub async fn hand_over_at<S: Stage>(
    stage: &S,
    cx: &Cx,
    messages: Vec<S::In>,
) -> Result<Vec<Outcome>, Fault> {
    let mut answers: Vec<Option<Outcome>> = messages.iter().map(|_| None).collect();
    let (batch, mut said) = Batch::new(messages);
    stage.handle(cx, batch).await?;

    while let Some((index, outcome)) = said.recv().await {
        answers[index].get_or_insert(outcome);
    }

    Ok(answers.into_iter().map(|answer| answer.expect("every message is answered")).collect())
}

/// What outcomes publish, in order.
pub fn said(outcomes: Vec<Outcome>) -> Vec<Outgoing> {
    let say = |outcome| match outcome {
        Outcome::Emit(say) | Outcome::Park { say, .. } => say,
        Outcome::Wait { .. } | Outcome::Dead { .. } => Vec::new(),
    };

    outcomes.into_iter().flat_map(say).collect()
}
