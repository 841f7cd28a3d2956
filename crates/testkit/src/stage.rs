//! Hands messages to a stage without a broker, as the runtime does, and tells what it answers.

use jiff::Timestamp;
use stage::{Batch, Cx, Fault, Outcome, Stage, Tick};
use uuid::Uuid;
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

/// Marks a tick, as the runtime does after every PubAck; gives what was published.
///
/// # Errors
/// The mark cannot be recorded.
pub async fn publish(tick: Tick) -> anyhow::Result<Vec<Outgoing>> {
    if let Some(mark) = tick.published {
        mark.await?;
    }
    Ok(tick.say)
}

/// What outcomes publish, in order.
pub fn outgoing(outcomes: Vec<Outcome>) -> Vec<Outgoing> {
    let say = |outcome| match outcome {
        Outcome::Emit(say) | Outcome::Park { say, .. } => say,
        Outcome::Wait { .. } | Outcome::Dead { .. } => Vec::new(),
    };

    outcomes.into_iter().flat_map(say).collect()
}

/// The subject and the JSON of everything that outcomes publish, in order.
///
/// # Panics
/// When a payload is no text.
pub fn said(outcomes: Vec<Outcome>) -> Vec<(String, String)> {
    let text = |out: Outgoing| {
        (out.subject.to_string(), String::from_utf8(out.json).expect("json is text"))
    };

    outgoing(outcomes).into_iter().map(text).collect()
}

/// An outcome in words: the types of the events that it says, `wait`, or `dead` and the cause.
pub fn in_words(outcome: &Outcome) -> Vec<String> {
    match outcome {
        Outcome::Emit(say) | Outcome::Park { say, .. } => say.iter().map(kind).collect(),
        Outcome::Wait { .. } => vec!["wait".into()],
        Outcome::Dead { cause } => vec![format!("dead {}", cause.0)],
    }
}

/// The ids of what outcomes say, in order.
pub fn ids(outcomes: &[Outcome]) -> Vec<Uuid> {
    let say = outcomes.iter().flat_map(|outcome| match outcome {
        Outcome::Emit(say) | Outcome::Park { say, .. } => say.as_slice(),
        Outcome::Wait { .. } | Outcome::Dead { .. } => &[],
    });

    say.map(|one| one.key.id).collect()
}

/// An event's type; of anything else the whole subject.
fn kind(out: &Outgoing) -> String {
    let subject = out.subject.to_string();
    let kind = subject.strip_prefix("events.").and_then(|rest| rest.split_once('.'));
    kind.map_or(subject.clone(), |(_, kind)| kind.to_owned())
}
