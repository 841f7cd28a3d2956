//! The kinds of counters: what is counted, over which window.

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
}

impl CounterKind {
    /// Every kind, in the order of a reservation.
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
