//! Gate 6, rate: the tenant's quota, and for marketing how often a contact is texted.

use crate::gates::{
    capacity::{counters::CounterKey, kind::CounterKind},
    evaluation::{Evaluation, Step},
};

pub(in crate::gates) fn check(evaluation: &mut Evaluation<'_>) -> Step {
    match quota(evaluation) {
        Step::Pass => {}
        step => return step,
    }
    if evaluation.candidate.class.is_marketing() { frequency(evaluation) } else { Step::Pass }
}

/// The widest window that is full decides: a message that waits for tomorrow need not wait for the
/// next minute first.
fn quota(evaluation: &Evaluation<'_>) -> Step {
    let (quota, windows) = (evaluation.policy.quota, evaluation.windows);
    let full = |kind, window_start, limit: u32| {
        let tenant = evaluation.candidate.tenant.clone();
        let key = CounterKey { tenant, kind, target: None, window_start };
        evaluation.counters.used(&key) >= i64::from(limit)
    };
    let reason = |limit, span| format!("the quota of {limit} messages a {span} is used up");
    let wait = |kind, opens_at, limit: u32, spread, code, span| {
        let line = evaluation.line(kind, None, opens_at, limit.into(), 1);
        Step::line(evaluation, line, spread, code, reason(limit, span))
    };
    if full(CounterKind::QuotaDay, windows.day, quota.per_day) {
        let (kind, spread) = (CounterKind::QuotaDay, evaluation.policy.quiet_hours.spread_seconds);
        return wait(kind, windows.next_day, quota.per_day, spread, "quota_day", "day");
    }
    if full(CounterKind::QuotaHour, windows.hour, quota.per_hour) {
        let (kind, opens_at) = (CounterKind::QuotaHour, windows.next_hour());
        return wait(kind, opens_at, quota.per_hour, 0, "quota_hour", "hour");
    }
    if full(CounterKind::QuotaMinute, windows.minute, quota.per_minute) {
        let (kind, opens_at) = (CounterKind::QuotaMinute, windows.next_minute());
        return wait(kind, opens_at, quota.per_minute, 0, "quota_minute", "minute");
    }
    Step::Pass
}

/// Counts admissions in the span that ends now. The message comes back when the oldest of the last
/// few has left the span.
fn frequency(evaluation: &Evaluation<'_>) -> Step {
    let limit = usize::from(evaluation.policy.frequency.messages);
    let (span, hours) = (evaluation.policy.frequency_span(), evaluation.policy.frequency.hours);
    let reason = format!("{limit} marketing messages in {hours} hours are the most");
    let mut latest = evaluation.marketing_at().to_vec();
    latest.sort_unstable_by(|a, b| b.cmp(a));
    let Some(last) = limit.checked_sub(1) else {
        return Step::block("frequency", reason);
    };
    let Some(oldest) = latest.get(last) else { return Step::Pass };
    match oldest.saturating_add(span) {
        Ok(free) if free <= evaluation.now => Step::Pass,
        Ok(free) => {
            let reason = format!("{reason}, and one went out on {oldest}");
            Step::defer(free, "frequency", reason)
        }
        Err(_) => Step::block("frequency", reason),
    }
}
