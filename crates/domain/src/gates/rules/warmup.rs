//! Gate 7, warm-up: a sender's daily cap, on the curve of its first days and its own after that.
//! Takes the first candidate with room today; none has, so the message waits for the next day.

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
        let (day, used) = state(evaluation, sender);
        if used < i64::from(day.cap) && !evaluation.too_late(day.end) {
            evaluation.until(day.end);
            evaluation.senders.push(sender);
            return Step::Pass;
        }
    }
    let lines: Vec<CapacityLine> =
        candidates.iter().map(|sender| line(evaluation, sender)).collect();
    // The shortest line.
    match lines.into_iter().min_by_key(CapacityLine::due) {
        Some(line) => {
            let (spread, reason) =
                (evaluation.policy.quiet_hours.spread_seconds, reason(evaluation, &candidates));
            Step::line(evaluation, line, spread, "sender_cap", reason)
        }
        None => Step::Moot,
    }
}

/// The line for a sender's next days. Its cap may grow from day to day: the one counts that holds
/// where the line has come to.
fn line(evaluation: &mut Evaluation<'_>, sender: &SenderFacts) -> CapacityLine {
    let end = evaluation.sender_day(sender).end;
    let line = evaluation.line(CounterKind::SenderDay, Some(sender.id.0), end, 1, 1);
    let line = CapacityLine { zone: sender.zone, ..line };
    let there = line.due();
    let windows = Windows::at(there, sender.zone);
    let day = SenderDay::of(sender, evaluation.policy, there, &windows);
    CapacityLine { limit: i64::from(day.cap), ..line }
}

/// A sender's day, and how many messages are admitted to it.
fn state(evaluation: &mut Evaluation<'_>, sender: &SenderFacts) -> (SenderDay, i64) {
    let day = evaluation.sender_day(sender);
    (day, evaluation.counters.used(&day.key(evaluation.candidate.tenant, sender)))
}

/// What each sender has used of its cap, the first few by number.
fn reason(evaluation: &mut Evaluation<'_>, full: &[&SenderFacts]) -> String {
    let used = full.iter().take(NAMED).map(|sender| {
        let (day, used) = state(evaluation, sender);
        format!("{} has {used} of {}", sender.number, day.cap)
    });
    let used = used.collect::<Vec<_>>().join(", ");
    let more = if full.len() > NAMED { ", and so on" } else { "" };
    format!("no candidate sender has room left in its day: {used}{more}")
}
