//! Which windows apply to a recipient: the built-in profiles, as data.

use std::{collections::HashMap, sync::LazyLock};

use super::window::Window;
use crate::{country::Country, zones::Place};

/// A named window of `data/quiet_hours.tsv`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// `default`, `us_federal`, `au` or `us:` and a state.
    pub name: &'static str,
    /// When it allows texts.
    pub window: Window,
}

/// Every profile that applies to a place, the default first; explain names them.
pub fn profiles(place: &Place) -> Vec<Profile> {
    let mut found = Vec::new();
    each(place, |profile| found.push(*profile));
    found
}

/// The one window that every profile of the place and every window of the tenant allow. A tenant
/// can narrow what the profiles allow, never widen it.
pub fn window_for(place: &Place, tenant: &[Window]) -> Window {
    let mut window = tenant.iter().fold(Window::ALWAYS, |all, own| all.intersect(*own));
    each(place, |profile| window = window.intersect(profile.window));
    window
}

/// Whether a tenant's window leaves an hour of the built-in ones, which hold for everybody.
pub fn opens(window: Window) -> bool {
    !TABLES.default.window.intersect(window).is_never()
}

/// The states of the United States, by code, whose law leaves no hour of a tenant's window.
pub fn states_closed_by(window: Window) -> Vec<&'static str> {
    let tables = &*TABLES;
    let federal = tables.default.window.intersect(tables.us_federal.window).intersect(window);
    let states = tables.states.iter();
    let closed = states.filter(|(_, law)| federal.intersect(law.window).is_never());
    let mut closed: Vec<&str> = closed.map(|(state, _)| *state).collect();
    closed.sort_unstable();
    closed
}

/// Whether a tenant's window leaves an hour to people of the United States whose state is not
/// known: every state must allow it.
pub fn opens_in_every_state(window: Window) -> bool {
    let tables = &*TABLES;
    let federal = tables.default.window.intersect(tables.us_federal.window).intersect(window);
    let all = tables.states.values().fold(federal, |all, law| all.intersect(law.window));
    !all.is_never()
}

/// Hands every profile of a place to `take`.
fn each(place: &Place, mut take: impl FnMut(&Profile)) {
    let tables = &*TABLES;
    take(&tables.default);
    if place.country == Some(Country::AU) {
        take(&tables.au);
    }

    if !place.country.is_some_and(Country::under_us_law) {
        return;
    }
    take(&tables.us_federal);
    if place.states.is_empty() && place.country == Some(Country::US) {
        // Some state's law applies, and it is not known which.
        tables.states.values().for_each(take);
    } else {
        place.states.iter().filter_map(|state| tables.states.get(state.as_str())).for_each(take);
    }
}

struct Tables {
    default: Profile,
    us_federal: Profile,
    au: Profile,
    /// By the state's code.
    states: HashMap<&'static str, Profile>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let rows = include_str!("../../data/quiet_hours.tsv").lines();
    let profiles: Vec<Profile> = rows
        .filter(|row| !row.starts_with('#'))
        .map(|row| {
            let (name, window) = row.split_once('\t').expect("two columns in quiet_hours.tsv");
            Profile { name, window: window.parse().expect("a window in quiet_hours.tsv") }
        })
        .collect();

    let named = |name: &str| {
        *profiles.iter().find(|p| p.name == name).expect("a required row of quiet_hours.tsv")
    };
    Tables {
        default: named("default"),
        us_federal: named("us_federal"),
        au: named("au"),
        states: profiles.iter().filter_map(|p| Some((p.name.strip_prefix("us:")?, *p))).collect(),
    }
});
