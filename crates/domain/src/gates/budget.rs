//! Gate 2, budget: daily and monthly caps of tenant and campaign. Marketing over a cap waits for
//! the next window; what somebody waits for is refused at once, as tomorrow it is of no use.

use super::{
    case::{Case, Step},
    counters::{CounterKey, CounterKind},
    facts::Caps,
    line::Line,
};
use crate::{ids::CampaignId, money::Micros};

pub(super) fn check(case: &mut Case<'_>) -> Step {
    let campaign = case.judged.campaign;
    let of_campaign = campaign.and_then(|id| case.tenant.campaign_caps.get(&id));
    let windows = case.windows;
    let checks = [
        cap(case, Caps::monthly, &case.tenant.caps, CounterKind::SpendMonth, None),
        cap(case, Caps::daily, &case.tenant.caps, CounterKind::SpendDay, None),
        of_campaign
            .and_then(|caps| cap(case, Caps::monthly, caps, CounterKind::CampaignMonth, campaign)),
        of_campaign
            .and_then(|caps| cap(case, Caps::daily, caps, CounterKind::CampaignDay, campaign)),
    ];
    // The monthly caps come first in each pair, but the latest window of all decides the wait.
    let over = checks.into_iter().flatten().max_by_key(|over| over.line.due());
    if let Some(over) = over {
        return if case.can_wait() {
            let spread = case.policy.quiet_hours.spread_seconds;
            Step::line(case, over.line, spread, over.code, over.reason)
        } else {
            Step::block(over.code, over.reason)
        };
    }
    if case.too_late(windows.next_day) {
        let reason = "the budget's day ends before the message could be sent";
        return Step::defer(windows.next_day, "day_ending", reason.into());
    }
    case.until(windows.next_day);
    Step::Pass
}

/// The cap that a reason code speaks of.
pub(super) fn kind_of(code: &str) -> Option<CounterKind> {
    let codes = [
        (DAILY, CounterKind::SpendDay),
        (MONTHLY, CounterKind::SpendMonth),
        (CAMPAIGN_DAILY, CounterKind::CampaignDay),
        (CAMPAIGN_MONTHLY, CounterKind::CampaignMonth),
    ];
    codes.into_iter().find(|(known, _)| *known == code).map(|(_, kind)| kind)
}

const DAILY: &str = "daily_budget";
const MONTHLY: &str = "monthly_budget";
const CAMPAIGN_DAILY: &str = "campaign_daily_budget";
const CAMPAIGN_MONTHLY: &str = "campaign_monthly_budget";

struct Over {
    line: Line,
    code: &'static str,
    reason: String,
}

fn cap(
    case: &Case<'_>,
    which: fn(&Caps) -> Option<Micros>,
    caps: &Caps,
    kind: CounterKind,
    campaign: Option<CampaignId>,
) -> Option<Over> {
    let cap = which(caps)?;
    let windows = &case.windows;
    let (window_start, next, code, span) = match kind {
        CounterKind::SpendDay => (windows.day, windows.next_day, DAILY, "day"),
        CounterKind::SpendMonth => (windows.month, windows.next_month, MONTHLY, "month"),
        CounterKind::CampaignDay => (windows.day, windows.next_day, CAMPAIGN_DAILY, "day"),
        CounterKind::CampaignMonth => {
            (windows.month, windows.next_month, CAMPAIGN_MONTHLY, "month")
        }
        CounterKind::QuotaMinute
        | CounterKind::QuotaHour
        | CounterKind::QuotaDay
        | CounterKind::SenderDay => return None,
    };
    let tenant = case.judged.tenant.clone();
    let key = CounterKey { tenant, kind, target: campaign.map(|id| id.0), window_start };
    let spent = Micros(case.counters.used(&key));
    let cost = case.judged.cost;
    let whose = if campaign.is_some() { "campaign" } else { "tenant" };
    (spent + cost > cap).then(|| Over {
        line: case.line(kind, campaign.map(|id| id.0), next, cap.0, cost.0),
        code,
        reason: format!(
            "the {whose} has spent {spent} of {cap} for the {span}, and this costs {cost}"
        ),
    })
}

impl Caps {
    fn daily(&self) -> Option<Micros> {
        self.daily
    }

    fn monthly(&self) -> Option<Micros> {
        self.monthly
    }
}
