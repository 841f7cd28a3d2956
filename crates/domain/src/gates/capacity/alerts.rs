//! Warnings about budgets: at 80 % of a cap, and when it is used up or turns a message away.

use super::{
    counters::{CounterKey, Counters},
    kind::CounterKind,
    windows::Windows,
};
use crate::{
    gates::{
        facts::{Caps, Facts, TenantFacts},
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
    /// How far it is used.
    pub level: AlertLevel,
    /// Spent and reserved in the window.
    pub spent: Micros,
    /// The cap, in the tenant's currency.
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
        for budget in budgets(tenant, known, &windows) {
            let Budget { key, cap, .. } = &budget;
            let spent = Micros(counters.used(key));
            let alert = |level| BudgetAlert { key: key.clone(), level, spent, cap: *cap };

            let is_nearly_used = i128::from(spent.0) * 100 >= i128::from(cap.0) * WARN_AT;
            if is_nearly_used && spent.0 > 0 {
                alerts.push(alert(AlertLevel::Warning));
            }

            let is_used_up = cap.0 > 0 && spent >= *cap;
            if is_used_up || turned_away.iter().any(|message| budget.refused(message)) {
                alerts.push(alert(AlertLevel::Exhausted));
            }
        }
    }
    alerts.sort_unstable_by(|a, b| (&a.key, a.level).cmp(&(&b.key, b.level)));
    alerts
}

/// A cap and the counter of its current window.
struct Budget {
    key: CounterKey,
    /// None for the tenant's own.
    campaign: Option<CampaignId>,
    cap: Micros,
}

/// The budgets of a tenant and of its campaigns.
fn budgets(tenant: &TenantId, known: &TenantFacts, windows: &Windows) -> Vec<Budget> {
    let of_tenant = (None, known.caps, CounterKind::SpendDay, CounterKind::SpendMonth);
    let of_campaigns = known
        .campaign_caps
        .iter()
        .map(|(id, caps)| (Some(*id), *caps, CounterKind::CampaignDay, CounterKind::CampaignMonth));

    let mut budgets = Vec::new();
    for (campaign, caps, day, month) in std::iter::once(of_tenant).chain(of_campaigns) {
        let Caps { daily, monthly } = caps;
        let by_window = [(day, windows.day_start, daily), (month, windows.month_start, monthly)];
        budgets.extend(by_window.into_iter().filter_map(|(kind, window_start, cap)| {
            let target = campaign.map(|id| id.0);
            let key = CounterKey { tenant: tenant.clone(), kind, target, window_start };
            Some(Budget { key, campaign, cap: cap? })
        }));
    }
    budgets
}

impl Budget {
    /// Whether it was this budget that turned a message away.
    fn refused(&self, (tenant, code, campaign): &TurnedAway<'_>) -> bool {
        **tenant == self.key.tenant
            && budget::kind_of(code) == Some(self.key.kind)
            && (self.campaign.is_none() || *campaign == self.campaign)
    }
}
