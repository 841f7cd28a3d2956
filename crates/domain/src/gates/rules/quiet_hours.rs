//! Gate 5, quiet hours: marketing goes out in the recipient's allowed hours alone, in every zone
//! that they may be in and under every window that applies.
//!
//! For promotions and journeys. The answer is defer, to the opening; the messages come back spread
//! over the minutes after it. Where no hour is surely allowed: block.

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
            // The message is asked again when the window has closed: only then is the next opening
            // known.
            let reason = format!("the recipient's hours end at {until}, before it could be sent");
            Step::defer(until, "window_closing", reason)
        }
        HoursDecision::Closed { opens_at } => {
            let (window, zones) = (window_for(place, &own), zones(place));
            let reason = format!("it may be sent {window} in {zones}, which is next at {opens_at}");
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

    let unnamed = zones.len() - names.len();
    match (names.is_empty(), unnamed) {
        (true, _) => "a zone that is not known".into(),
        (false, 0) => names.join(" and "),
        (false, more) => format!("{} and {more} more zones", names.join(", ")),
    }
}
