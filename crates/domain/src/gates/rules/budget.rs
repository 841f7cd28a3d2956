//! Gate 2, budget: daily and monthly caps of tenant and campaign. Marketing over a cap waits for
//! the next window; what somebody waits for is refused at once, as tomorrow it is of no use.

use crate::{
    gates::{
        capacity::{counters::CounterKey, kind::CounterKind, line::CapacityLine},
        evaluation::{Evaluation, Step},
        facts::Caps,
    },
    ids::CampaignId,
    money::Micros,
};

pub(in crate::gates) fn check(evaluation: &mut Evaluation<'_>) -> Step {
    let campaign = evaluation.candidate.campaign;
    let of_campaign = campaign.and_then(|id| evaluation.tenant.campaign_caps.get(&id));
    let windows = evaluation.windows;
    let checks = [
        cap(evaluation, Caps::monthly, &evaluation.tenant.caps, CounterKind::SpendMonth, None),
        cap(evaluation, Caps::daily, &evaluation.tenant.caps, CounterKind::SpendDay, None),
        of_campaign.and_then(|caps| {
            cap(evaluation, Caps::monthly, caps, CounterKind::CampaignMonth, campaign)
        }),
        of_campaign.and_then(|caps| {
            cap(evaluation, Caps::daily, caps, CounterKind::CampaignDay, campaign)
        }),
    ];
    // The monthly caps come first in each pair, but the latest window of all decides the wait.
    let over = checks.into_iter().flatten().max_by_key(|over| over.line.due());
    if let Some(over) = over {
        return if evaluation.can_wait() {
            let spread = evaluation.policy.quiet_hours.spread_seconds;
            Step::line(evaluation, over.line, spread, over.code, over.reason)
        } else {
            Step::block(over.code, over.reason)
        };
    }
    if evaluation.too_late(windows.next_day) {
        let reason = "the budget's day ends before the message could be sent";
        return Step::defer(windows.next_day, "day_ending", reason.into());
    }
    evaluation.until(windows.next_day);
    Step::Pass
}

/// The cap that a reason code speaks of.
pub(in crate::gates) fn kind_of(code: &str) -> Option<CounterKind> {
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
    line: CapacityLine,
    code: &'static str,
    reason: String,
}

fn cap(
    evaluation: &Evaluation<'_>,
    which: fn(&Caps) -> Option<Micros>,
    caps: &Caps,
    kind: CounterKind,
    campaign: Option<CampaignId>,
) -> Option<Over> {
    let cap = which(caps)?;
    let windows = &evaluation.windows;
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
    let tenant = evaluation.candidate.tenant.clone();
    let key = CounterKey { tenant, kind, target: campaign.map(|id| id.0), window_start };
    let spent = Micros(evaluation.counters.used(&key));
    let cost = evaluation.candidate.cost;
    let whose = if campaign.is_some() { "campaign" } else { "tenant" };
    (spent + cost > cap).then(|| Over {
        line: evaluation.line(kind, campaign.map(|id| id.0), next, cap.0, cost.0),
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
