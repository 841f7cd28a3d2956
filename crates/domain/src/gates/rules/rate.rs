//! Gate 6, rate: a tenant sends no more messages a minute, an hour and a day than its quota, and a
//! contact gets no more marketing in a span of hours than the policy says.
//!
//! The quota is for every class but compliance, the frequency for promotions and journeys. The
//! answer is defer: over the quota in line, over the frequency until the span has room. A frequency
//! of none, or a span that never ends: block.

use jiff::Timestamp;

use crate::gates::{
    capacity::{counters::CounterKey, kind::CounterKind},
    evaluation::{Evaluation, Step},
};

pub(in crate::gates) fn check(evaluation: &mut Evaluation<'_>) -> Step {
    match quota(evaluation) {
        Step::Pass => {}
        rejected => return rejected,
    }
    if evaluation.candidate.class.is_marketing() { frequency(evaluation) } else { Step::Pass }
}

/// The widest window that is full decides: a message that waits for tomorrow need not wait for the
/// next minute first.
fn quota(evaluation: &Evaluation<'_>) -> Step {
    let (quota, windows) = (evaluation.policy.quota, evaluation.windows);
    let widest_first = [
        QuotaWindow {
            kind: CounterKind::QuotaDay,
            limit: quota.per_day,
            starts_at: windows.day_start,
            ends_at: windows.next_day_start,
            spread: evaluation.policy.quiet_hours.spread_seconds,
            code: "quota_day",
            span: "day",
        },
        QuotaWindow {
            kind: CounterKind::QuotaHour,
            limit: quota.per_hour,
            starts_at: windows.hour_start,
            ends_at: windows.next_hour(),
            spread: 0,
            code: "quota_hour",
            span: "hour",
        },
        QuotaWindow {
            kind: CounterKind::QuotaMinute,
            limit: quota.per_minute,
            starts_at: windows.minute_start,
            ends_at: windows.next_minute(),
            spread: 0,
            code: "quota_minute",
            span: "minute",
        },
    ];

    let full = widest_first.into_iter().find(|window| window.is_full(evaluation));
    full.map_or(Step::Pass, |window| window.wait(evaluation))
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

/// The tenant's quota of one window.
struct QuotaWindow {
    kind: CounterKind,
    /// How many messages fit.
    limit: u32,
    starts_at: Timestamp,
    ends_at: Timestamp,
    /// The seconds after its due time that a message which waits is spread over.
    spread: u32,
    code: &'static str,
    /// The window in a word.
    span: &'static str,
}

impl QuotaWindow {
    fn is_full(&self, evaluation: &Evaluation<'_>) -> bool {
        let tenant = evaluation.candidate.tenant.clone();
        let key =
            CounterKey { tenant, kind: self.kind, target: None, window_start: self.starts_at };
        evaluation.counters.used(&key) >= i64::from(self.limit)
    }

    fn wait(&self, evaluation: &Evaluation<'_>) -> Step {
        let (limit, span) = (self.limit, self.span);
        let line = evaluation.line(self.kind, None, self.ends_at, limit.into(), 1);
        let reason = format!("the quota of {limit} messages a {span} is used up");
        Step::defer_in_line(evaluation, line, self.spread, self.code, reason)
    }
}
