//! A sender's day: its bounds, and how many messages fit it.

use jiff::Timestamp;

use super::{counters::CounterKey, kind::CounterKind, windows::Windows};
use crate::{
    gates::{facts::SenderFacts, policy::Policy},
    ids::TenantId,
    zones::Zone,
};

/// One day of a sender. In the first days after its activation the policy's warm-up curve caps it,
/// and its own cap always does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderDay {
    /// Start of the day, in the sender's zone.
    pub start: Timestamp,
    /// Start of the next day.
    pub end: Timestamp,
    /// How many messages fit.
    pub cap: u32,
    /// Which day of the warm-up curve it is, from 1; none once the sender is past it.
    pub warmup_day: Option<u32>,
}

impl SenderDay {
    /// The day of an instant. `windows` are those of the sender's zone at that instant.
    pub fn of(sender: &SenderFacts, policy: &Policy, now: Timestamp, windows: &Windows) -> Self {
        // How many days ago it became active, by its own calendar.
        let date = |at: Timestamp, zone: Zone| at.to_zoned(zone.rules().clone()).date();
        let age = date(now, sender.zone).since(date(sender.active_since, sender.zone));
        let age = age.map_or(0, |span| span.get_days());

        let curve = usize::try_from(age).ok().and_then(|day| policy.warmup.get(day));
        let warmup_day = curve.and_then(|_| u32::try_from(age + 1).ok());
        let cap = curve.map_or(sender.daily_cap, |cap| sender.daily_cap.min(*cap));
        Self { start: windows.day_start, end: windows.next_day_start, cap, warmup_day }
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
