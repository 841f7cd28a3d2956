//! The kinds of counters: what is counted, over which window.

use crate::message::class::Lane;

/// What a counter counts, over which window.
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
    /// Segments of a sender's urgent messages, all that were ever admitted to it: its meter.
    AdmittedUrgent,
    /// The same of its bulk messages.
    AdmittedBulk,
}

impl CounterKind {
    /// Every kind, in the order of a reservation.
    pub const ALL: [Self; 10] = [
        Self::QuotaMinute,
        Self::QuotaHour,
        Self::QuotaDay,
        Self::SpendDay,
        Self::SpendMonth,
        Self::CampaignDay,
        Self::CampaignMonth,
        Self::SenderDay,
        Self::AdmittedUrgent,
        Self::AdmittedBulk,
    ];

    /// What counts the messages of a lane that are admitted to a sender.
    pub fn admitted(lane: Lane) -> Self {
        match lane {
            Lane::Urgent => Self::AdmittedUrgent,
            Lane::Bulk => Self::AdmittedBulk,
        }
    }

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
            Self::AdmittedUrgent => "admitted_urgent",
            Self::AdmittedBulk => "admitted_bulk",
        }
    }

    /// Whether it counts money.
    pub fn is_spend(self) -> bool {
        match self {
            Self::SpendDay | Self::SpendMonth | Self::CampaignDay | Self::CampaignMonth => true,
            Self::QuotaMinute | Self::QuotaHour | Self::QuotaDay | Self::SenderDay => false,
            Self::AdmittedUrgent | Self::AdmittedBulk => false,
        }
    }

    /// Whether each sender has one of its own.
    pub fn is_of_a_sender(self) -> bool {
        match self {
            Self::SenderDay | Self::AdmittedUrgent | Self::AdmittedBulk => true,
            Self::SpendDay | Self::SpendMonth | Self::CampaignDay | Self::CampaignMonth => false,
            Self::QuotaMinute | Self::QuotaHour | Self::QuotaDay => false,
        }
    }

    /// The lane whose messages wait for a sender's pace, of a counter that is part of its meter.
    pub fn meter_lane(self) -> Option<Lane> {
        match self {
            Self::AdmittedUrgent => Some(Lane::Urgent),
            Self::AdmittedBulk => Some(Lane::Bulk),
            Self::SpendDay | Self::SpendMonth | Self::CampaignDay | Self::CampaignMonth => None,
            Self::QuotaMinute | Self::QuotaHour | Self::QuotaDay | Self::SenderDay => None,
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_counters_read_back() {
        for kind in CounterKind::ALL {
            assert_eq!(CounterKind::from_name(kind.as_str()), Some(kind));
        }
    }
}
