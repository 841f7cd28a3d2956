//! Gate 5, quiet hours: the recipient's local time, in every zone that they may be in, under every
//! window that applies. Deferred messages come back spread over the minutes after the opening.

use crate::{
    gates::evaluation::{Evaluation, Step},
    quiet_hours::{HoursDecision, window_for},
    zones::Place,
};

/// How many zones a reason names.
const NAMED: usize = 3;

pub(in crate::gates) fn check(evaluation: &mut Evaluation<'_>) -> Step {
    let place = evaluation.candidate.place;
    let own = [evaluation.policy.quiet_hours.window];
    match evaluation.memo.hours.at(place, &own) {
        HoursDecision::Open { until } if !evaluation.too_late(until) => {
            evaluation.until(until);
            Step::Pass
        }
        HoursDecision::Open { until } => {
            // What opens next is known when the window has closed: the message is asked again then.
            let reason = format!("the recipient's hours end at {until}, before it could be sent");
            Step::defer(until, "window_closing", reason)
        }
        HoursDecision::Closed { opens_at } => {
            let reason = format!(
                "it may be sent {} in {}, which is next at {opens_at}",
                window_for(place, &own),
                zones(place),
            );
            Step::defer(evaluation.spread(opens_at), "quiet_hours", reason)
        }
        HoursDecision::Never => {
            let (window, zones) = (window_for(place, &own), zones(place));
            let reason = format!("no hour is surely allowed: {window} in {zones}");
            Step::block("no_allowed_hour", reason)
        }
    }
}

/// The candidate zones, the first few by name.
fn zones(place: &Place) -> String {
    let zones = place.zones.as_slice();
    let names: Vec<&str> = zones.iter().take(NAMED).map(|zone| zone.as_str()).collect();
    match zones.len().checked_sub(NAMED + 1) {
        None if names.is_empty() => "a zone that is not known".into(),
        None => names.join(" and "),
        Some(more) => format!("{} and {} more zones", names.join(", "), more + 1),
    }
}
