//! Gate 5, quiet hours: the recipient's local time, in every zone that they may be in, under every
//! window that applies. Deferred messages come back spread over the minutes after the opening.

use super::case::{Case, Step};
use crate::quiet_hours::Decision;

pub(super) fn check(case: &mut Case<'_>) -> Step {
    let place = case.judged.place;
    let own = [case.policy.quiet_hours.window];
    match case.memo.hours.at(place, &own) {
        Decision::Open { until } if !case.too_late(until) => {
            case.until(until);
            Step::Pass
        }
        Decision::Open { until } => {
            // What opens next is known when the window has closed: the message is asked again then.
            let reason = "the recipient's hours end before the message could be sent";
            Step::defer(until, "window_closing", reason.into())
        }
        Decision::Closed { opens_at } => {
            let zones = place.zones.as_slice();
            let names: Vec<&str> = zones.iter().take(3).map(|zone| zone.as_str()).collect();
            let more = if zones.len() > 3 { ", ..." } else { "" };
            let reason = format!("quiet hours until {opens_at} ({}{more})", names.join(", "));
            Step::defer(case.spread(opens_at), "quiet_hours", reason)
        }
        Decision::Never => {
            let reason = "no hour is surely allowed where the recipient may be";
            Step::block("no_allowed_hour", reason.into())
        }
    }
}
