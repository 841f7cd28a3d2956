//! Gate 7, warm-up: a sender carries no more messages a day than its cap, which in its first days
//! follows the policy's curve.
//!
//! For every class but compliance. The candidates with room today may carry the message. Where none
//! has room: defer, in the line of the sender that has room first.

use crate::gates::{
    capacity::{kind::CounterKind, line::CapacityLine, sender_day::SenderDay, windows::Windows},
    evaluation::{Evaluation, Step},
    facts::SenderFacts,
};

/// How many senders a reason names.
const NAMED: usize = 3;

pub(in crate::gates) fn check(evaluation: &mut Evaluation<'_>) -> Step {
    let candidates = std::mem::take(&mut evaluation.senders);
    for sender in &candidates {
        let (day, used) = today(evaluation, sender);
        if used < i64::from(day.cap) && !evaluation.too_late(day.end) {
            evaluation.senders.push(sender);
        }
    }
    if !evaluation.senders.is_empty() {
        return Step::Pass;
    }

    let lines: Vec<CapacityLine> =
        candidates.iter().map(|sender| line(evaluation, sender)).collect();
    let Some(shortest) = lines.into_iter().min_by_key(CapacityLine::due) else {
        return Step::Moot;
    };

    let spread = evaluation.policy.quiet_hours.spread_seconds;
    let reason = reason(evaluation, &candidates);
    Step::defer_in_line(evaluation, shortest, spread, "sender_cap", reason)
}

/// A sender's day, and how many messages are admitted to it.
fn today(evaluation: &mut Evaluation<'_>, sender: &SenderFacts) -> (SenderDay, i64) {
    let day = evaluation.sender_day(sender);
    let key = day.key(evaluation.candidate.tenant, sender);
    (day, evaluation.counters.used(&key))
}

/// The line for a sender's next days. Its cap may grow from day to day: the one counts that holds
/// on the day that the line has come to.
fn line(evaluation: &mut Evaluation<'_>, sender: &SenderFacts) -> CapacityLine {
    let tomorrow = evaluation.sender_day(sender).end;
    let line = evaluation.line(CounterKind::SenderDay, Some(sender.id.0), tomorrow, 1, 1);
    let line = CapacityLine { zone: sender.zone, ..line };

    let due = line.due();
    let windows = Windows::at(due, sender.zone);
    let day = SenderDay::of(sender, evaluation.policy, due, &windows);
    CapacityLine { limit: i64::from(day.cap), ..line }
}

/// What each sender has used of its cap, the first few by number.
fn reason(evaluation: &mut Evaluation<'_>, full: &[&SenderFacts]) -> String {
    let used = full.iter().take(NAMED).map(|sender| {
        let (day, used) = today(evaluation, sender);
        format!("{} has {used} of {}", sender.number, day.cap)
    });
    let used = used.collect::<Vec<_>>().join(", ");
    let more = if full.len() > NAMED { ", and so on" } else { "" };
    format!("no candidate sender has room left in its day: {used}{more}")
}
