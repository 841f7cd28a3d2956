//! What the gates count, and what an admission reserves. Reservations are not rows of their own:
//! they follow from the message, the instant of admission and two zones, so that whoever gives one
//! back derives the same amounts.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp, Zoned};
use uuid::Uuid;

use crate::{
    class::{Channel, MessageClass},
    gates::{
        facts::Standing,
        line::{Line, LineKey},
    },
    ids::{CampaignId, SenderId, TenantId},
    money::Micros,
    phone::PhoneNumber,
    zones::Zone,
};

/// What is counted, over which window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CounterKind {
    /// Messages of the tenant in a minute.
    QuotaMinute,
    /// Messages of the tenant in an hour.
    QuotaHour,
    /// Messages of the tenant in a day of its zone.
    QuotaDay,
    /// Micro-units spent by the tenant in a day of its zone.
    SpendDay,
    /// Micro-units spent by the tenant in a month of its zone.
    SpendMonth,
    /// Micro-units spent by a campaign in a day of the tenant's zone.
    CampaignDay,
    /// Micro-units spent by a campaign in a month of the tenant's zone.
    CampaignMonth,
    /// Messages of a sender in a day of its own zone.
    SenderDay,
}

impl CounterKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::QuotaMinute,
        Self::QuotaHour,
        Self::QuotaDay,
        Self::SpendDay,
        Self::SpendMonth,
        Self::CampaignDay,
        Self::CampaignMonth,
        Self::SenderDay,
    ];

    /// The name in rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::QuotaMinute => "quota_minute",
            Self::QuotaHour => "quota_hour",
            Self::QuotaDay => "quota_day",
            Self::SpendDay => "spend_day",
            Self::SpendMonth => "spend_month",
            Self::CampaignDay => "campaign_day",
            Self::CampaignMonth => "campaign_month",
            Self::SenderDay => "sender_day",
        }
    }

    /// Whether it counts money.
    pub fn is_spend(self) -> bool {
        match self {
            Self::SpendDay | Self::SpendMonth | Self::CampaignDay | Self::CampaignMonth => true,
            Self::QuotaMinute | Self::QuotaHour | Self::QuotaDay | Self::SenderDay => false,
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// One counter: what, whose, and from when.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CounterKey {
    /// Whose.
    pub tenant: TenantId,
    /// What.
    pub kind: CounterKind,
    /// The campaign or the sender; none for what counts the whole tenant.
    pub target: Option<Uuid>,
    /// Start of the window.
    pub window_start: Timestamp,
}

/// The windows that hold at one instant in one zone. Minutes and hours are the clock's own and the
/// same everywhere; days and months are the zone's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// Start of the minute.
    pub minute: Timestamp,
    /// Start of the hour.
    pub hour: Timestamp,
    /// Start of the day.
    pub day: Timestamp,
    /// Start of the next day.
    pub next_day: Timestamp,
    /// Start of the month.
    pub month: Timestamp,
    /// Start of the next month.
    pub next_month: Timestamp,
}

impl Windows {
    /// The windows at an instant.
    pub fn at(now: Timestamp, zone: Zone) -> Self {
        let local = now.to_zoned(zone.rules().clone());
        let first = local.first_of_month();
        Self {
            minute: floor(now, MINUTE),
            hour: floor(now, HOUR),
            day: start_of_day(Ok(local.clone()), Timestamp::MIN),
            next_day: start_of_day(local.tomorrow(), Timestamp::MAX),
            month: start_of_day(first, Timestamp::MIN),
            next_month: start_of_day(
                local.last_of_month().and_then(|last| last.tomorrow()),
                Timestamp::MAX,
            ),
        }
    }

    /// Start of the next minute.
    pub fn next_minute(&self) -> Timestamp {
        later(self.minute, MINUTE)
    }

    /// Start of the next hour.
    pub fn next_hour(&self) -> Timestamp {
        later(self.hour, HOUR)
    }
}

/// What a reservation is made for.
#[derive(Debug, Clone)]
pub struct Reserved<'a> {
    /// Whose message.
    pub tenant: &'a TenantId,
    /// Its class: compliance reserves nothing.
    pub class: MessageClass,
    /// The campaign it belongs to.
    pub campaign: Option<CampaignId>,
    /// The sender that carries it.
    pub sender: SenderId,
    /// What it costs by the rate card.
    pub cost: Micros,
}

/// What an admission takes from the counters: `tenant` are the windows of the tenant's zone at the
/// instant of admission, `sender_day` the start of the day in the sender's. The same call names
/// what to give back when the message leaves the pipe unsent.
pub fn reservation(
    what: &Reserved<'_>,
    tenant: &Windows,
    sender_day: Timestamp,
) -> Vec<(CounterKey, i64)> {
    match what.class {
        MessageClass::Compliance => return Vec::new(),
        MessageClass::Promo
        | MessageClass::Journey
        | MessageClass::Conversational
        | MessageClass::Transactional => {}
    }
    let mut taken = Vec::with_capacity(8);
    let mut take = |kind, target, window_start, amount| {
        let key = CounterKey { tenant: what.tenant.clone(), kind, target, window_start };
        taken.push((key, amount));
    };
    take(CounterKind::QuotaMinute, None, tenant.minute, 1);
    take(CounterKind::QuotaHour, None, tenant.hour, 1);
    take(CounterKind::QuotaDay, None, tenant.day, 1);
    take(CounterKind::SpendDay, None, tenant.day, what.cost.0);
    take(CounterKind::SpendMonth, None, tenant.month, what.cost.0);
    if let Some(campaign) = what.campaign {
        take(CounterKind::CampaignDay, Some(campaign.0), tenant.day, what.cost.0);
        take(CounterKind::CampaignMonth, Some(campaign.0), tenant.month, what.cost.0);
    }
    take(CounterKind::SenderDay, Some(what.sender.0), sender_day, 1);
    taken
}

/// Whose marketing: the row that opt-outs are kept in.
pub type StandingKey = (TenantId, PhoneNumber, Channel);

/// The counters of a batch while it is folded: each admission raises what the next message sees.
#[derive(Debug, Default)]
pub struct Counters {
    used: HashMap<CounterKey, Used>,
    marketing: HashMap<StandingKey, Marketing>,
    lines: HashMap<(TenantId, LineKey), Timestamp>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Used {
    stored: i64,
    added: i64,
}

/// The marketing that a contact has been sent.
#[derive(Debug, Default, Clone)]
pub(super) struct Marketing {
    pub(super) last_promo_at: Option<Timestamp>,
    pub(super) latest: Vec<Timestamp>,
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

    /// Takes a reservation.
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
    pub(super) fn stand_in(&mut self, tenant: &TenantId, line: &Line) {
        self.lines.insert((tenant.clone(), line.key), line.behind());
    }

    /// Where a line stands that this batch has added to; none if it has not.
    pub(super) fn line(&self, tenant: &TenantId, key: LineKey) -> Option<Timestamp> {
        self.lines.get(&(tenant.clone(), key)).copied()
    }

    /// The lines that this batch has added to, in key order, and where they stand.
    pub fn lines(&self) -> Vec<(&TenantId, LineKey, Timestamp)> {
        let mut lines: Vec<_> =
            self.lines.iter().map(|((tenant, key), next)| (tenant, *key, *next)).collect();
        lines.sort_unstable();
        lines
    }

    /// Counts a marketing message to a contact.
    pub(super) fn market(
        &mut self,
        key: StandingKey,
        standing: &Standing,
        class: MessageClass,
        now: Timestamp,
    ) {
        let marketing = self.marketing.entry(key).or_insert_with(|| Marketing {
            last_promo_at: standing.last_promo_at,
            latest: standing.marketing_at.clone(),
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
    pub(super) fn marketing(&self, key: &StandingKey) -> Option<&Marketing> {
        self.marketing.get(key)
    }
}

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

fn floor(now: Timestamp, seconds: i64) -> Timestamp {
    let start = now.as_second().div_euclid(seconds) * seconds;
    Timestamp::from_second(start).unwrap_or(Timestamp::MIN)
}

fn later(start: Timestamp, seconds: i64) -> Timestamp {
    start.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

/// Days at the ends of time have no start; no business date comes near.
fn start_of_day(day: Result<Zoned, jiff::Error>, otherwise: Timestamp) -> Timestamp {
    day.and_then(|day| day.start_of_day()).map_or(otherwise, |start| start.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    fn zone(name: &str) -> Zone {
        Zone::parse(name).expect("a zone")
    }

    #[test]
    fn days_and_months_are_the_zones_own() {
        let windows = Windows::at(at("2026-03-01T04:30:10Z"), zone("America/New_York"));
        assert_eq!(windows.minute, at("2026-03-01T04:30:00Z"));
        assert_eq!(windows.hour, at("2026-03-01T04:00:00Z"));
        assert_eq!(windows.day, at("2026-02-28T05:00:00Z"));
        assert_eq!(windows.next_day, at("2026-03-01T05:00:00Z"));
        assert_eq!(windows.month, at("2026-02-01T05:00:00Z"));
        assert_eq!(windows.next_month, at("2026-03-01T05:00:00Z"));
        assert_eq!(windows.next_minute(), at("2026-03-01T04:31:00Z"));
        assert_eq!(windows.next_hour(), at("2026-03-01T05:00:00Z"));
    }

    #[test]
    fn the_day_on_which_clocks_change_is_as_long_as_it_is() {
        let windows = Windows::at(at("2026-03-08T12:00:00Z"), zone("America/New_York"));
        assert_eq!(windows.next_day.duration_since(windows.day).as_hours(), 23);
    }

    #[test]
    fn a_reservation_is_the_same_at_any_instant_of_its_windows() {
        let tenant: TenantId = "acme".parse().expect("a tenant");
        let campaign = Some(CampaignId(Uuid::from_u128(1)));
        let sender = SenderId(Uuid::from_u128(2));
        let class = MessageClass::Promo;
        let what = Reserved { tenant: &tenant, class, campaign, sender, cost: Micros(7_900) };
        let day = at("2026-03-01T00:00:00Z");
        let early = Windows::at(at("2026-03-01T09:00:01Z"), zone("UTC"));
        let late = Windows::at(at("2026-03-01T09:00:59Z"), zone("UTC"));
        let taken = reservation(&what, &early, day);
        assert_eq!(taken, reservation(&what, &late, day));
        assert_eq!(taken.len(), 8);
        let spent: i64 = taken.iter().map(|(_, amount)| amount).sum();
        assert_eq!(spent, 4 * 7_900 + 4);
        let kinds: Vec<_> = taken.iter().map(|(key, _)| key.kind).collect();
        assert_eq!(kinds, CounterKind::ALL);
    }

    #[test]
    fn compliance_reserves_nothing() {
        let tenant: TenantId = "acme".parse().expect("a tenant");
        let sender = SenderId(Uuid::nil());
        let class = MessageClass::Compliance;
        let what = Reserved { tenant: &tenant, class, campaign: None, sender, cost: Micros(1) };
        let windows = Windows::at(at("2026-03-01T09:00:01Z"), zone("UTC"));
        assert_eq!(reservation(&what, &windows, windows.day), []);
    }

    #[test]
    fn names_of_counters_read_back() {
        for kind in CounterKind::ALL {
            assert_eq!(CounterKind::from_name(kind.as_str()), Some(kind));
        }
    }
}
