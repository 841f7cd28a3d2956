//! Gate 5, quiet hours: marketing goes out in the recipient's allowed hours alone, in every zone
//! that they may be in and under every window that applies.
//!
//! For promotions and journeys. The answer is defer, to the opening; the messages come back spread
//! over the minutes after it. Where no hour is surely allowed: block.

use jiff::{SignedDuration, Timestamp};

use crate::{
    gates::evaluation::{Evaluation, Rejection, Ruling, Step},
    quiet_hours::{HoursDecision, Window, next_allowed, window_decision, window_for},
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
            let reason = format!("the recipient's hours end at {until}, before it could be sent");
            match opening(evaluation, evaluation.now) {
                Some(opens_at) => Step::defer(opens_at, "window_closing", reason),
                None => Step::block("no_allowed_hour", reason),
            }
        }
        HoursDecision::Closed { opens_at } => {
            let (window, zones) = (window_for(place, &own), zones(place));
            let reason = format!("it may be sent {window} in {zones}, which is next at {opens_at}");
            Step::defer(spread(evaluation, window, opens_at), "quiet_hours", reason)
        }
        HoursDecision::Never => Step::block("no_allowed_hour", never(place, own[0])),
    }
}

/// Why no hour is allowed: where the tenant's own window leaves none of the law's, that is said.
fn never(place: &Place, own: Window) -> String {
    let (window, law) = (window_for(place, &[own]), window_for(place, &[]));
    if law.is_never() || !window.is_never() {
        return format!("no hour is surely allowed: {window} in {}", zones(place));
    }
    let states = match place.states.as_slice() {
        [] => String::new(),
        states => format!(" in {}", states.join(" and ")),
    };
    format!("the policy's quiet_hours.window ({own}) leaves no hour of the law's{states}: {law}")
}

/// The message's place in the first minutes after an opening, with time to spare before the window
/// closes again: behind that it would wait for the next opening, and for ever.
fn spread(evaluation: &Evaluation<'_>, window: Window, opens_at: Timestamp) -> Timestamp {
    let zones = evaluation.candidate.place.zones.as_slice();
    let open = match window_decision(opens_at, zones, &[window]) {
        HoursDecision::Open { until } => until.duration_since(opens_at) - evaluation.lead,
        HoursDecision::Closed { .. } | HoursDecision::Never => SignedDuration::ZERO,
    };
    evaluation.spread(opens_at, open)
}

/// Whatever makes a message wait: it waits until an instant at which the recipient's hours allow
/// it, as far as they are known. What is blocked names such an instant for another message, or
/// none. For classes that these hours are for.
pub(in crate::gates) fn within_hours(evaluation: &Evaluation<'_>, waits: Rejection) -> Rejection {
    match waits.ruling {
        Ruling::Defer(until) => {
            let ruling = Ruling::Defer(opening(evaluation, until).unwrap_or(until));
            Rejection { ruling, ..waits }
        }
        Ruling::Block(Some(until)) => {
            Rejection { ruling: Ruling::Block(opening(evaluation, until)), ..waits }
        }
        Ruling::Hold(_) | Ruling::Block(None) => waits,
    }
}

/// The first instant from one on at which the message may be sent with time to spare; behind an
/// opening at its place in the first minutes. None where no hour is surely allowed.
fn opening(evaluation: &Evaluation<'_>, from: Timestamp) -> Option<Timestamp> {
    let place = evaluation.candidate.place;
    let own = [evaluation.policy.quiet_hours.window];
    let opens_at = next_allowed(place, &own, from, evaluation.lead)?;
    if opens_at == from {
        return Some(from);
    }
    Some(spread(evaluation, window_for(place, &own), opens_at))
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
