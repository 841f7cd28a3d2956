//! What has been worked out for the instant of a batch, so that it is worked out once.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::{
    capacity::{sender_day::SenderDay, windows::Windows},
    facts::SenderFacts,
    policy::Policy,
};
use crate::{ids::SenderId, quiet_hours::QuietHours, zones::Zone};

/// What must be left of every window when a message is admitted, unless calls may take longer: the
/// claim's `call_by` (300 ms), the request's time-out (10 s), and some for the way to the claim.
pub const LEAD_TIME: SignedDuration = SignedDuration::from_secs(12);

/// The instant of a batch, and what has been worked out for it: windows by zone, sender days, hours
/// by place. Make one per batch.
#[derive(Debug)]
pub struct Memo {
    now: Timestamp,
    lead: SignedDuration,
    windows: HashMap<Zone, Windows>,
    senders: HashMap<SenderId, SenderDay>,
    pub(super) hours: QuietHours,
}

impl Memo {
    /// A memo for decisions at this instant, with nothing worked out yet.
    pub fn new(now: Timestamp) -> Self {
        let hours = QuietHours::new(now);
        let (windows, senders) = (HashMap::new(), HashMap::new());
        Self { now, lead: LEAD_TIME, windows, senders, hours }
    }

    /// The same where a claim and its call may take so long: as much must be left of every window,
    /// and [`LEAD_TIME`] at least. Else the last look would send back what the gates let pass.
    #[must_use]
    pub fn with_lead(self, lead: SignedDuration) -> Self {
        Self { lead: lead.max(LEAD_TIME), ..self }
    }

    /// What must be left of every window when a message is admitted.
    pub fn lead(&self) -> SignedDuration {
        self.lead
    }

    /// The instant that all decisions are made at.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The windows that hold in a zone.
    pub fn windows(&mut self, zone: Zone) -> Windows {
        *self.windows.entry(zone).or_insert_with(|| Windows::at(self.now, zone))
    }

    /// A sender's day, with its cap by this policy.
    pub fn sender_day(&mut self, sender: &SenderFacts, policy: &Policy) -> SenderDay {
        if let Some(day) = self.senders.get(&sender.id) {
            return *day;
        }

        let windows = self.windows(sender.zone);
        let day = SenderDay::of(sender, policy, self.now, &windows);
        self.senders.insert(sender.id, day);
        day
    }
}
