//! Gate 6, rate: the tenant's quota, and for marketing how often a contact is texted.

use super::{
    case::{Case, Step},
    counters::{CounterKey, CounterKind},
};

pub(super) fn check(case: &mut Case<'_>) -> Step {
    match quota(case) {
        Step::Pass => {}
        step => return step,
    }
    if case.judged.class.is_marketing() { frequency(case) } else { Step::Pass }
}

/// The widest window that is full decides: a message that waits for tomorrow need not wait for the
/// next minute first.
fn quota(case: &Case<'_>) -> Step {
    let (quota, windows) = (case.policy.quota, case.windows);
    let full = |kind, window_start, limit: u32| {
        let tenant = case.judged.tenant.clone();
        let key = CounterKey { tenant, kind, target: None, window_start };
        case.counters.used(&key) >= i64::from(limit)
    };
    let reason = |limit, span| format!("the quota of {limit} messages a {span} is used up");
    if full(CounterKind::QuotaDay, windows.day, quota.per_day) {
        let until = case.spread(windows.next_day);
        return Step::defer(until, "quota_day", reason(quota.per_day, "day"));
    }
    if full(CounterKind::QuotaHour, windows.hour, quota.per_hour) {
        let until = case.spread(windows.next_hour());
        return Step::defer(until, "quota_hour", reason(quota.per_hour, "hour"));
    }
    if full(CounterKind::QuotaMinute, windows.minute, quota.per_minute) {
        let until = case.spread_over(windows.next_minute(), 60);
        return Step::defer(until, "quota_minute", reason(quota.per_minute, "minute"));
    }
    Step::Pass
}

/// Counts admissions in the span that ends now. The message comes back when the oldest of the last
/// few has left the span.
fn frequency(case: &Case<'_>) -> Step {
    let limit = usize::from(case.policy.frequency.messages);
    let (span, hours) = (case.policy.frequency_span(), case.policy.frequency.hours);
    let reason = format!("{limit} marketing messages in {hours} hours are the most");
    let mut latest = case.marketing_at().to_vec();
    latest.sort_unstable_by(|a, b| b.cmp(a));
    let Some(last) = limit.checked_sub(1) else {
        return Step::block("frequency", reason);
    };
    let Some(oldest) = latest.get(last) else { return Step::Pass };
    match oldest.saturating_add(span) {
        Ok(free) if free <= case.now => Step::Pass,
        Ok(free) => {
            let reason = format!("{reason}, and one went out on {oldest}");
            Step::defer(free, "frequency", reason)
        }
        Err(_) => Step::block("frequency", reason),
    }
}
