//! Gate 7, warm-up: a sender's daily cap, on the curve of its first days and its own after that.
//! Takes the first candidate with room today; none has, so the message waits for the next day.

use jiff::Timestamp;

use super::{
    case::{Case, Step},
    counters::{CounterKey, CounterKind, Windows},
    facts::SenderFacts,
    line::Line,
    policy::Policy,
};
use crate::{ids::TenantId, zones::Zone};

/// How many senders a reason names.
const NAMED: usize = 3;

/// A sender's day: its bounds and how many messages fit it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderDay {
    /// Start, in the sender's zone.
    pub start: Timestamp,
    /// Start of the next.
    pub end: Timestamp,
    /// Messages.
    pub cap: u32,
}

impl SenderDay {
    /// The day of an instant. `windows` are those of the sender's zone at that instant.
    pub fn of(sender: &SenderFacts, policy: &Policy, now: Timestamp, windows: &Windows) -> Self {
        let date = |at: Timestamp, zone: Zone| at.to_zoned(zone.rules().clone()).date();
        let age = date(now, sender.zone).since(date(sender.active_since, sender.zone));
        let age = age.map_or(0, |span| span.get_days());
        let curve = usize::try_from(age).ok().and_then(|day| policy.warmup.get(day));
        let cap = curve.map_or(sender.daily_cap, |cap| sender.daily_cap.min(*cap));
        Self { start: windows.day, end: windows.next_day, cap }
    }

    /// The counter of this day.
    pub fn key(&self, tenant: &TenantId, sender: &SenderFacts) -> CounterKey {
        CounterKey {
            tenant: tenant.clone(),
            kind: CounterKind::SenderDay,
            target: Some(sender.id.0),
            window_start: self.start,
        }
    }
}

pub(super) fn check(case: &mut Case<'_>) -> Step {
    let candidates = std::mem::take(&mut case.senders);
    for sender in &candidates {
        let (day, used) = state(case, sender);
        if used < i64::from(day.cap) && !case.too_late(day.end) {
            case.until(day.end);
            case.senders.push(sender);
            return Step::Pass;
        }
    }
    let lines: Vec<Line> = candidates.iter().map(|sender| line(case, sender)).collect();
    // The shortest line.
    match lines.into_iter().min_by_key(Line::due) {
        Some(line) => {
            let (spread, reason) =
                (case.policy.quiet_hours.spread_seconds, reason(case, &candidates));
            Step::line(case, line, spread, "sender_cap", reason)
        }
        None => Step::Moot,
    }
}

/// The line for a sender's next days. Its cap may grow from day to day: the one counts that holds
/// where the line has come to.
fn line(case: &mut Case<'_>, sender: &SenderFacts) -> Line {
    let end = case.sender_day(sender).end;
    let line = case.line(CounterKind::SenderDay, Some(sender.id.0), end, 1, 1);
    let line = Line { zone: sender.zone, ..line };
    let there = line.due();
    let windows = Windows::at(there, sender.zone);
    let day = SenderDay::of(sender, case.policy, there, &windows);
    Line { limit: i64::from(day.cap), ..line }
}

/// A sender's day, and how many messages are admitted to it.
fn state(case: &mut Case<'_>, sender: &SenderFacts) -> (SenderDay, i64) {
    let day = case.sender_day(sender);
    (day, case.counters.used(&day.key(case.judged.tenant, sender)))
}

/// What each sender has used of its cap, the first few by number.
fn reason(case: &mut Case<'_>, full: &[&SenderFacts]) -> String {
    let used = full.iter().take(NAMED).map(|sender| {
        let (day, used) = state(case, sender);
        format!("{} has {used} of {}", sender.number, day.cap)
    });
    let used = used.collect::<Vec<_>>().join(", ");
    let more = if full.len() > NAMED { ", and so on" } else { "" };
    format!("no candidate sender has room left in its day: {used}{more}")
}
