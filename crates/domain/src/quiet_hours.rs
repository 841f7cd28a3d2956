//! Quiet hours: when a marketing text may be sent to someone whose zone is one of several.
//!
//! A text is allowed at the instants whose local time lies inside every applicable window in every
//! candidate zone. Zones are resolved at the moment of the decision from the IANA rules, so that a
//! change to or from summer time moves nothing: 09:00 is 09:00 on the recipient's clock.

mod profiles;
mod window;

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use crate::zones::{Place, Zone};

pub use profiles::{Profile, opens, opens_in_every_state, profiles, states_closed_by, window_for};
pub use window::{BadWindow, Span, Window};

/// Whether a text may go out at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoursDecision {
    /// It may, until this instant, which is the first that is no longer allowed (or
    /// [`HORIZON_DAYS`] ahead if nothing closes before).
    Open {
        /// The instant at which the first zone closes.
        until: Timestamp,
    },
    /// It may not before this instant, which is the first that is allowed again.
    Closed {
        /// The instant at which the last zone opens.
        opens_at: Timestamp,
    },
    /// There is no common hour within [`HORIZON_DAYS`], or no zone is known: nothing may be sent,
    /// and waiting does not help.
    Never,
}

/// How far a decision looks ahead, in days: two weeks hold every weekly window twice.
pub const HORIZON_DAYS: i64 = 15;

/// The decision for these zones and windows. Exact to the second, also where the clocks change.
/// Without a zone the answer is [`HoursDecision::Never`]; without a window every hour is allowed.
pub fn window_decision(now: Timestamp, zones: &[Zone], windows: &[Window]) -> HoursDecision {
    decide(now, zones, intersection(windows))
}

/// The first instant from one on at which a recipient may be texted, by the profiles of their place
/// and the tenant's windows, with this much time before it is closed again. None where no hour is
/// surely allowed.
pub fn next_allowed(
    place: &Place,
    tenant: &[Window],
    from: Timestamp,
    lead: SignedDuration,
) -> Option<Timestamp> {
    let window = window_for(place, tenant);
    let decision = |at| window_decision(at, place.zones.as_slice(), &[window]);
    let closing = match decision(from) {
        HoursDecision::Open { until } if until.duration_since(from) >= lead => return Some(from),
        HoursDecision::Open { until } => until,
        HoursDecision::Closed { opens_at } => return Some(opens_at),
        HoursDecision::Never => return None,
    };

    match decision(closing) {
        HoursDecision::Open { .. } => Some(closing),
        HoursDecision::Closed { opens_at } => Some(opens_at),
        HoursDecision::Never => None,
    }
}

/// The decisions of one batch: each distinct pair of zones and windows is worked out once.
#[derive(Debug)]
pub struct QuietHours {
    now: Timestamp,
    known: HashMap<Window, HashMap<Vec<Zone>, HoursDecision>>,
}

impl QuietHours {
    /// Nothing is known yet; every decision will be for this instant.
    pub fn new(now: Timestamp) -> Self {
        Self { now, known: HashMap::new() }
    }

    /// As [`window_decision`], from memory where the pair was asked before.
    pub fn decision(&mut self, zones: &[Zone], windows: &[Window]) -> HoursDecision {
        let window = intersection(windows);
        let known = self.known.entry(window).or_default();
        if let Some(decision) = known.get(zones) {
            return *decision;
        }

        let decision = decide(self.now, zones, window);
        known.insert(zones.to_vec(), decision);
        decision
    }

    /// The decision for a recipient: built-in profiles of the place, narrowed by the windows of
    /// the tenant.
    pub fn at(&mut self, place: &Place, tenant: &[Window]) -> HoursDecision {
        let window = window_for(place, tenant);
        self.decision(place.zones.as_slice(), &[window])
    }
}

/// One window that allows what all of them allow: they are all read on the same local clock.
fn intersection(windows: &[Window]) -> Window {
    windows.iter().fold(Window::ALWAYS, |all, window| all.intersect(*window))
}

/// Walks from one change of state to the next. Between changes each zone is surely open or surely
/// closed, so no instant is looked at twice and none is missed.
fn decide(now: Timestamp, zones: &[Zone], window: Window) -> HoursDecision {
    if zones.is_empty() || window.is_never() {
        return HoursDecision::Never;
    }

    let start = now.as_second();
    let end = start.saturating_add(HORIZON_DAYS * window::DAY);
    let mut opens_at = start;
    let first_close = loop {
        match common_state(zones, window, opens_at) {
            State::Open { until } => break until,
            State::Closed { until } if until > end => return HoursDecision::Never,
            State::Closed { until } => opens_at = until,
        }
    };
    if opens_at > start {
        return HoursDecision::Closed { opens_at: instant(opens_at) };
    }

    let mut until = first_close;
    while until < end {
        match common_state(zones, window, until) {
            State::Open { until: later } => until = later,
            State::Closed { .. } => break,
        }
    }
    HoursDecision::Open { until: instant(until.min(end)) }
}

/// A state and the first second at which it may change. Seconds are those since 1970 in UTC.
#[derive(Clone, Copy)]
enum State {
    Open { until: i64 },
    Closed { until: i64 },
}

/// Open where all zones are open, until the first changes; closed where any is closed, until the
/// last of those that are closed changes.
fn common_state(zones: &[Zone], window: Window, second: i64) -> State {
    let mut open_until = i64::MAX;
    let mut closed_until = None;
    for zone in zones {
        match state(*zone, window, second) {
            State::Open { until } => open_until = open_until.min(until),
            State::Closed { until } => closed_until = closed_until.max(Some(until)),
        }
    }

    match closed_until {
        Some(until) => State::Closed { until },
        None => State::Open { until: open_until },
    }
}

/// The state of one zone, until its window or its offset from UTC changes. A change of offset ends
/// a state without saying what follows: the next look does.
fn state(zone: Zone, window: Window, second: i64) -> State {
    let rules = zone.rules();
    let instant = instant(second);
    let local = second + i64::from(rules.to_offset(instant).seconds());
    let (day, of_day) = (local.div_euclid(window::DAY), local.rem_euclid(window::DAY));
    let (open, boundary) = window.state_at(day, of_day);

    let next_offset = rules.following(instant).next();
    let change = next_offset.map_or(i64::MAX, |transition| transition.timestamp().as_second());
    let until = (second + boundary - of_day).min(change);
    if open { State::Open { until } } else { State::Closed { until } }
}

fn instant(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
}
