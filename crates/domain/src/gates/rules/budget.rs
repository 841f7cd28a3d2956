//! Gate 2, budget: what the message costs must fit into the daily and monthly caps of its tenant
//! and of its campaign.
//!
//! For every class but compliance. Over a cap, marketing waits in line for the next window; what
//! somebody waits for is blocked at once, as tomorrow it is of no use.

use jiff::Timestamp;

use crate::{
    gates::{
        capacity::{counters::CounterKey, kind::CounterKind, line::CapacityLine},
        evaluation::{Evaluation, Step},
    },
    ids::CampaignId,
    money::Micros,
};

pub(in crate::gates) fn check(evaluation: &mut Evaluation<'_>) -> Step {
    // The latest window of all caps that are exceeded decides how long the message waits.
    let over = caps(evaluation).into_iter().flatten().filter_map(|cap| cap.exceeded(evaluation));
    if let Some(over) = over.max_by_key(|over| over.line.due()) {
        return if evaluation.can_wait() {
            let spread = evaluation.policy.quiet_hours.spread_seconds;
            Step::defer_in_line(evaluation, over.line, spread, over.code, over.reason)
        } else {
            Step::block(over.code, over.reason)
        };
    }

    // The reservation is made for this day.
    let day_ends = evaluation.windows.next_day_start;
    if evaluation.too_late(day_ends) {
        let reason = "the budget's day ends before the message could be sent";
        return Step::defer(day_ends, "day_ending", reason.into());
    }
    evaluation.until(day_ends);
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

/// One cap, in the window that holds now.
struct Cap {
    kind: CounterKind,
    /// None for the tenant's own.
    campaign: Option<CampaignId>,
    limit: Micros,
    code: &'static str,
    /// The window in a word.
    span: &'static str,
    starts_at: Timestamp,
    ends_at: Timestamp,
}

/// A cap that the message would exceed.
struct Exceeded {
    line: CapacityLine,
    code: &'static str,
    reason: String,
}

/// The caps that apply to the message. Of two whose windows end together the later one decides.
fn caps(evaluation: &Evaluation<'_>) -> [Option<Cap>; 4] {
    let windows = &evaluation.windows;
    let by_day = |kind, code, campaign, limit: Option<Micros>| {
        let (starts_at, ends_at) = (windows.day_start, windows.next_day_start);
        limit.map(|limit| Cap { kind, campaign, limit, code, span: "day", starts_at, ends_at })
    };
    let by_month = |kind, code, campaign, limit: Option<Micros>| {
        let (starts_at, ends_at) = (windows.month_start, windows.next_month_start);
        limit.map(|limit| Cap { kind, campaign, limit, code, span: "month", starts_at, ends_at })
    };

    let tenant = evaluation.tenant.caps;
    let campaign = evaluation.candidate.campaign;
    let of_campaign = campaign.and_then(|id| evaluation.tenant.campaign_caps.get(&id));
    let of_campaign = of_campaign.copied().unwrap_or_default();
    [
        by_month(CounterKind::SpendMonth, MONTHLY, None, tenant.monthly),
        by_day(CounterKind::SpendDay, DAILY, None, tenant.daily),
        by_month(CounterKind::CampaignMonth, CAMPAIGN_MONTHLY, campaign, of_campaign.monthly),
        by_day(CounterKind::CampaignDay, CAMPAIGN_DAILY, campaign, of_campaign.daily),
    ]
}

impl Cap {
    /// What there is to say if the message does not fit any more; none where it does.
    fn exceeded(&self, evaluation: &Evaluation<'_>) -> Option<Exceeded> {
        let target = self.campaign.map(|id| id.0);
        let key = CounterKey {
            tenant: evaluation.candidate.tenant.clone(),
            kind: self.kind,
            target,
            window_start: self.starts_at,
        };
        let spent = Micros(evaluation.counters.used(&key));
        let (cost, limit) = (evaluation.candidate.cost, self.limit);
        if spent + cost <= limit {
            return None;
        }

        let whose = if self.campaign.is_some() { "campaign" } else { "tenant" };
        let span = self.span;
        Some(Exceeded {
            line: evaluation.line(self.kind, target, self.ends_at, limit.0, cost.0),
            code: self.code,
            reason: format!(
                "the {whose} has spent {spent} of {limit} for the {span}, and this costs {cost}"
            ),
        })
    }
}
