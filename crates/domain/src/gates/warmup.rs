//! Gate 7, warm-up: a sender's daily cap, on the curve of its first days and its own after that.
//! Takes the first candidate with room today; none has, so the message waits for the next day.

use jiff::Timestamp;

use super::{
    case::{Case, Step},
    counters::{CounterKey, CounterKind, Windows},
    facts::SenderFacts,
    policy::Policy,
};
use crate::{ids::TenantId, zones::Zone};

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
    let mut next: Option<Timestamp> = None;
    let mut full = 0_u32;
    let candidates = std::mem::take(&mut case.senders);
    for sender in &candidates {
        let day = case.sender_day(sender);
        let used = case.counters.used(&day.key(case.judged.tenant, sender));
        if used < i64::from(day.cap) && !case.too_late(day.end) {
            case.until(day.end);
            case.senders.push(sender);
            return Step::Pass;
        }
        full += 1;
        next = Some(next.map_or(day.end, |next| next.min(day.end)));
    }
    match next {
        Some(next) => {
            let reason = format!("{full} candidate senders have reached their cap of the day");
            Step::defer(case.spread(next), "sender_cap", reason)
        }
        None => Step::block("no_sender", "no sender fits this recipient".into()),
    }
}
