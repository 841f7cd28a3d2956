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
    let wait = |kind, opens_at, limit: u32, spread, code, span| {
        let line = case.line(kind, None, opens_at, limit.into(), 1);
        Step::line(case, line, spread, code, reason(limit, span))
    };
    if full(CounterKind::QuotaDay, windows.day, quota.per_day) {
        let (kind, spread) = (CounterKind::QuotaDay, case.policy.quiet_hours.spread_seconds);
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
