//! What the gates count, and what an admission reserves. Reservations are not rows of their own:
//! they follow from the message, the instant of admission and two zones, so that whoever gives one
//! back derives the same amounts.

use std::collections::HashMap;

use jiff::Timestamp;
use uuid::Uuid;

use super::{
    kind::CounterKind,
    line::{CapacityLine, LineKey},
    windows::Windows,
};
use crate::{
    gates::facts::{RecipientKey, RecipientStatus},
    ids::{CampaignId, SenderId, TenantId},
    message::class::{Lane, MessageClass},
    money::Micros,
};

/// One counter: what, whose, and from when.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CounterKey {
    /// The tenant that is counted.
    pub tenant: TenantId,
    /// What is counted.
    pub kind: CounterKind,
    /// The campaign or the sender; none for what counts the whole tenant.
    pub target: Option<Uuid>,
    /// Start of the window, in the tenant's or the sender's zone.
    pub window_start: Timestamp,
}

/// What a reservation is made for.
#[derive(Debug, Clone)]
pub struct Reserved<'a> {
    /// The tenant whose message it is.
    pub tenant: &'a TenantId,
    /// Its class: compliance takes nothing but its sender's time.
    pub class: MessageClass,
    /// The campaign it belongs to.
    pub campaign: Option<CampaignId>,
    /// The sender that carries it.
    pub sender: SenderId,
    /// What it costs by the rate card.
    pub cost: Micros,
    /// How many segments it takes of its sender's time.
    pub segments: u16,
}

/// What an admission takes from the counters. `tenant` are the windows of the tenant's zone at the
/// instant of admission, `sender_day_start` is the start of the day in the sender's zone. The same
/// call names what to give back when the message leaves the pipe unsent.
pub fn reservation(
    what: &Reserved<'_>,
    tenant: &Windows,
    sender_day_start: Timestamp,
) -> Vec<(CounterKey, i64)> {
    let metered = metered(what.tenant, what.sender, what.class.lane(), what.segments);
    match what.class {
        MessageClass::Compliance => return vec![metered],
        MessageClass::Promo
        | MessageClass::Journey
        | MessageClass::Conversational
        | MessageClass::Transactional => {}
    }

    let mut taken = Vec::with_capacity(9);
    taken.push(metered);
    let mut take = |kind, target, window_start, amount| {
        let key = CounterKey { tenant: what.tenant.clone(), kind, target, window_start };
        taken.push((key, amount));
    };

    take(CounterKind::QuotaMinute, None, tenant.minute_start, 1);
    take(CounterKind::QuotaHour, None, tenant.hour_start, 1);
    take(CounterKind::QuotaDay, None, tenant.day_start, 1);
    take(CounterKind::SpendDay, None, tenant.day_start, what.cost.0);
    take(CounterKind::SpendMonth, None, tenant.month_start, what.cost.0);
    if let Some(campaign) = what.campaign {
        take(CounterKind::CampaignDay, Some(campaign.0), tenant.day_start, what.cost.0);
        take(CounterKind::CampaignMonth, Some(campaign.0), tenant.month_start, what.cost.0);
    }
    take(CounterKind::SenderDay, Some(what.sender.0), sender_day_start, 1);
    taken
}

/// What a message takes of its sender's meter, from its admission to its claim.
pub(in crate::gates) fn metered(
    tenant: &TenantId,
    sender: SenderId,
    lane: Lane,
    segments: u16,
) -> (CounterKey, i64) {
    (meter_key(tenant, sender, lane), i64::from(segments.max(1)))
}

/// The counter of what was ever admitted to a sender in a lane.
pub fn meter_key(tenant: &TenantId, sender: SenderId, lane: Lane) -> CounterKey {
    CounterKey {
        tenant: tenant.clone(),
        kind: CounterKind::admitted(lane),
        target: Some(sender.0),
        window_start: Timestamp::UNIX_EPOCH,
    }
}

/// The counters of a batch while it is folded: each admission raises what the next message sees.
#[derive(Debug, Default)]
pub struct Counters {
    used: HashMap<CounterKey, Used>,
    marketing: HashMap<RecipientKey, Marketing>,
    lines: HashMap<(TenantId, LineKey), Timestamp>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Used {
    /// What the counter's row holds.
    stored: i64,
    /// What this batch adds.
    added: i64,
}

/// The marketing that a contact has been sent.
#[derive(Debug, Default, Clone)]
pub(in crate::gates) struct Marketing {
    pub(in crate::gates) last_promo_at: Option<Timestamp>,
    pub(in crate::gates) latest: Vec<Timestamp>,
}

impl Counters {
    /// Sets a counter to what its row holds.
    pub fn load(&mut self, key: CounterKey, stored: i64) {
        self.used.insert(key, Used { stored, added: 0 });
    }

    /// What has been used, this batch's admissions included. A counter without a row has not been.
    pub fn used(&self, key: &CounterKey) -> i64 {
        self.used.get(key).map_or(0, |used| used.stored.saturating_add(used.added))
    }

    /// Takes a reservation, so that the next message of the batch sees it.
    pub fn take(&mut self, reserved: &[(CounterKey, i64)]) {
        for (key, amount) in reserved {
            self.used.entry(key.clone()).or_default().added += amount;
        }
    }

    /// Gives a reservation back: its message was decided elsewhere in the meantime.
    pub fn give_back(&mut self, reserved: &[(CounterKey, i64)]) {
        for (key, amount) in reserved {
            self.used.entry(key.clone()).or_default().added -= amount;
        }
    }

    /// What this batch adds to each counter, in key order, without those left as they were.
    pub fn added(&self) -> Vec<(CounterKey, i64)> {
        let changed = self.used.iter().filter(|(_, used)| used.added != 0);
        let mut added: Vec<_> = changed.map(|(key, used)| (key.clone(), used.added)).collect();
        added.sort_unstable();
        added
    }

    /// Puts a message behind those that wait for a capacity.
    pub(in crate::gates) fn join_line(&mut self, tenant: &TenantId, line: &CapacityLine) {
        self.lines.insert((tenant.clone(), line.key), line.behind());
    }

    /// When the next message of a line fits, if this batch has added to the line; none if it has
    /// not.
    pub(in crate::gates) fn line(&self, tenant: &TenantId, key: LineKey) -> Option<Timestamp> {
        self.lines.get(&(tenant.clone(), key)).copied()
    }

    /// The lines that this batch has added to, in key order, each with when its next message fits.
    pub fn lines(&self) -> Vec<(&TenantId, LineKey, Timestamp)> {
        let mut lines: Vec<_> =
            self.lines.iter().map(|((tenant, key), next)| (tenant, *key, *next)).collect();
        lines.sort_unstable();
        lines
    }

    /// Counts a marketing message to a contact.
    pub(in crate::gates) fn market(
        &mut self,
        key: RecipientKey,
        recipient: &RecipientStatus,
        class: MessageClass,
        now: Timestamp,
    ) {
        let marketing = self.marketing.entry(key).or_insert_with(|| Marketing {
            last_promo_at: recipient.last_promo_at,
            latest: recipient.marketing_at.clone(),
        });

        marketing.latest.push(now);
        if class == MessageClass::Promo {
            marketing.last_promo_at = Some(now);
        }
    }

    /// Forgets the marketing of this batch: a simulation asks about each person alone.
    pub fn forget_marketing(&mut self) {
        self.marketing.clear();
    }

    /// The marketing to a contact as this batch has changed it; none if it has not.
    pub(in crate::gates) fn marketing(&self, key: &RecipientKey) -> Option<&Marketing> {
        self.marketing.get(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zones::Zone;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    fn zone(name: &str) -> Zone {
        Zone::parse(name).expect("a zone")
    }

    #[test]
    fn a_reservation_is_the_same_at_any_instant_of_its_windows() {
        let tenant: TenantId = "acme".parse().expect("a tenant");
        let campaign = Some(CampaignId(Uuid::from_u128(1)));
        let sender = SenderId(Uuid::from_u128(2));
        let class = MessageClass::Promo;
        let cost = Micros(7_900);
        let what = Reserved { tenant: &tenant, class, campaign, sender, cost, segments: 3 };
        let day = at("2026-03-01T00:00:00Z");
        let early = Windows::at(at("2026-03-01T09:00:01Z"), zone("UTC"));
        let late = Windows::at(at("2026-03-01T09:00:59Z"), zone("UTC"));
        let taken = reservation(&what, &early, day);

        assert_eq!(taken, reservation(&what, &late, day));
        assert_eq!(taken.len(), 9);

        let spent: i64 = taken.iter().map(|(_, amount)| amount).sum();
        assert_eq!(spent, 4 * 7_900 + 4 + 3);

        let mut kinds: Vec<_> = taken.iter().map(|(key, _)| key.kind).collect();
        kinds.sort_unstable();
        let of_bulk = CounterKind::ALL.into_iter().filter(|k| *k != CounterKind::AdmittedUrgent);
        assert_eq!(kinds, of_bulk.collect::<Vec<_>>());
    }

    #[test]
    fn compliance_takes_nothing_but_its_senders_time() {
        let tenant: TenantId = "acme".parse().expect("a tenant");
        let sender = SenderId(Uuid::nil());
        let class = MessageClass::Compliance;
        let (campaign, cost) = (None, Micros(1));
        let what = Reserved { tenant: &tenant, class, campaign, sender, cost, segments: 1 };
        let windows = Windows::at(at("2026-03-01T09:00:01Z"), zone("UTC"));
        let taken = reservation(&what, &windows, windows.day_start);
        assert_eq!(taken, [(meter_key(&tenant, sender, Lane::Urgent), 1)]);
    }
}
