//! Warnings about budgets: at 80 % of a cap, and when it is used up or turns a message away.

use super::{
    counters::{CounterKey, Counters},
    kind::CounterKind,
};
use crate::{
    gates::{
        facts::{Caps, Facts},
        memo::Memo,
        rules::budget,
    },
    ids::{CampaignId, TenantId},
    money::Micros,
};

/// The share of a cap at which a warning is due, in percent.
const WARN_AT: i128 = 80;

/// How far a budget is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlertLevel {
    /// 80 % are spent or reserved.
    Warning,
    /// It is used up, or a message did not fit any more.
    Exhausted,
}

/// A budget that somebody should know about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetAlert {
    /// The counter of its window.
    pub key: CounterKey,
    /// How far.
    pub level: AlertLevel,
    /// Spent and reserved in the window.
    pub spent: Micros,
    /// The cap.
    pub cap: Micros,
}

/// A message that a gate turned away: whose, by which reason code, and of which campaign.
pub type TurnedAway<'a> = (&'a TenantId, &'static str, Option<CampaignId>);

/// What a batch has brought a budget to. The same holds of every later batch of the window: who
/// warns remembers that it has.
pub fn budget_alerts(
    facts: &Facts,
    counters: &Counters,
    memo: &mut Memo,
    turned_away: &[TurnedAway<'_>],
) -> Vec<BudgetAlert> {
    let mut alerts = Vec::new();
    for (tenant, known) in &facts.tenants {
        let windows = memo.windows(known.zone);
        let of_tenant = (None, &known.caps, CounterKind::SpendDay, CounterKind::SpendMonth);
        let of_campaigns = known.campaign_caps.iter().map(|(id, caps)| {
            (Some(*id), caps, CounterKind::CampaignDay, CounterKind::CampaignMonth)
        });
        for (campaign, caps, day, month) in std::iter::once(of_tenant).chain(of_campaigns) {
            let Caps { daily, monthly } = *caps;
            for (kind, window_start, cap) in
                [(day, windows.day, daily), (month, windows.month, monthly)]
            {
                let Some(cap) = cap else { continue };
                let target = campaign.map(|id| id.0);
                let key = CounterKey { tenant: tenant.clone(), kind, target, window_start };
                let spent = Micros(counters.used(&key));
                let away = |(of, code, in_campaign): &TurnedAway<'_>| {
                    *of == tenant
                        && budget::kind_of(code) == Some(kind)
                        && (campaign.is_none() || *in_campaign == campaign)
                };
                let mut alert =
                    |level| alerts.push(BudgetAlert { key: key.clone(), level, spent, cap });
                if i128::from(spent.0) * 100 >= i128::from(cap.0) * WARN_AT && spent.0 > 0 {
                    alert(AlertLevel::Warning);
                }
                if cap.0 > 0 && spent >= cap || turned_away.iter().any(away) {
                    alert(AlertLevel::Exhausted);
                }
            }
        }
    }
    alerts.sort_unstable_by(|a, b| (&a.key, a.level).cmp(&(&b.key, b.level)));
    alerts
}
