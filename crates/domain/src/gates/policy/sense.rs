//! Which values of a policy make sense. What is stored is read by the first rules alone: a policy
//! that was accepted once stays readable when a rule is added. What somebody sets is held to all.

use std::fmt;

use super::{Frequency, Policy};
use crate::{health::HealthPolicy, invisible::is_blank, json, quiet_hours, zones};

/// Why a policy cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// It is not a policy, or names a rule that this program does not know.
    #[error("not a policy: {0}")]
    Json(#[from] serde_json::Error),
    /// A value makes no sense.
    #[error("{0}")]
    Value(PolicyFault),
}

/// A value that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFault {
    /// Where it is: `quota.per_day`.
    pub field: String,
    /// The value, as it is written.
    pub given: String,
    /// What would make sense.
    pub fits: &'static str,
}

impl fmt::Display for PolicyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: `{}` does not fit: {}", self.field, self.given, self.fits)
    }
}

impl Policy {
    /// Reads a stored policy.
    ///
    /// # Errors
    /// The text is no policy, names an unknown rule, or holds a value that makes no sense.
    pub fn read(json: &str) -> Result<Self, PolicyError> {
        let policy: Self = json::from_slice(json.as_bytes())?;
        unreadable(&policy).map_or(Ok(policy), |fault| Err(PolicyError::Value(fault)))
    }

    /// Every value that somebody who sets the policy is told of: it makes no sense, or would block
    /// everything for good.
    pub fn faults(&self) -> Vec<PolicyFault> {
        senseless(self)
    }
}

/// Where a policy stops everything, though not everywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedStates {
    /// The states of the United States, by code, in which no hour is left.
    pub states: Vec<&'static str>,
    /// The same in one English sentence.
    pub detail: String,
}

impl Policy {
    /// The states whose law leaves no hour of the window of quiet hours, so that no marketing goes
    /// there; none where each leaves some.
    pub fn closed_states(&self) -> Option<ClosedStates> {
        let window = self.quiet_hours.window;
        let states = quiet_hours::states_closed_by(window);
        let without_state = !quiet_hours::opens_in_every_state(window);
        if states.is_empty() && !without_state {
            return None;
        }

        let unknown = "numbers of the United States whose state is not known";
        let places = match (states.is_empty(), without_state) {
            (true, _) => unknown.to_owned(),
            (false, false) => states.join(", "),
            (false, true) => format!("{}, and to {unknown}", states.join(", ")),
        };
        let detail = format!(
            "`{window}` leaves no hour that the law of every state allows: no marketing goes to \
             {places}"
        );
        Some(ClosedStates { states, detail })
    }
}

/// The first value that a stored policy cannot have.
fn unreadable(policy: &Policy) -> Option<PolicyFault> {
    let (frequency, quiet, lateness) = (policy.frequency, policy.quiet_hours, policy.lateness);
    let help = policy.help_contact.as_deref();

    let found = [
        fault(
            help.is_none_or(is_line),
            "help_contact",
            &help.unwrap_or_default(),
            "one line of 1 to 100 characters",
        ),
        fault(
            frequency.messages <= Frequency::MOST,
            "frequency.messages",
            &frequency.messages,
            "1 to 10",
        ),
        fault(frequency.hours > 0, "frequency.hours", &frequency.hours, "1 or more"),
        fault(
            !quiet.window.is_never(),
            "quiet_hours.window",
            &quiet.window,
            "days and hours at which marketing may go out, such as `daily 09:00-21:00`",
        ),
        fault(
            quiet.spread_seconds <= 14_400,
            "quiet_hours.spread_seconds",
            &quiet.spread_seconds,
            "0 to 14400, four hours",
        ),
        fault(policy.warmup.len() <= 90, "warmup", &policy.warmup.len(), "at most 90 days"),
        fault(
            (60..=604_800).contains(&lateness.max_seconds),
            "lateness.max_seconds",
            &lateness.max_seconds,
            "60 to 604800, a week",
        ),
    ];
    found.into_iter().flatten().next().or_else(|| unreadable_health(&policy.health))
}

/// The first value that the rules about senders' health cannot have.
fn unreadable_health(health: &HealthPolicy) -> Option<PolicyFault> {
    let found = [
        fault(
            (5..=1_440).contains(&health.window_minutes),
            "health.window_minutes",
            &health.window_minutes,
            "5 to 1440, a day",
        ),
        fault(
            (1..=1_000_000).contains(&health.min_messages),
            "health.min_messages",
            &health.min_messages,
            "1 to 1000000",
        ),
        fault(
            health.min_delivered_percent <= 100,
            "health.min_delivered_percent",
            &health.min_delivered_percent,
            "0 to 100",
        ),
        fault(
            health.max_complaint_percent <= 100,
            "health.max_complaint_percent",
            &health.max_complaint_percent,
            "0 to 100",
        ),
        fault(
            (1..=1_440).contains(&health.rest_minutes),
            "health.rest_minutes",
            &health.rest_minutes,
            "1 to 1440, a day",
        ),
        fault(
            (1..=10_000).contains(&health.probe_messages),
            "health.probe_messages",
            &health.probe_messages,
            "1 to 10000",
        ),
    ];

    found.into_iter().flatten().next()
}

/// Every value that a new policy must not have: what would block everything for good is a mistake.
/// Whoever wants that throws the kill switch.
fn senseless(policy: &Policy) -> Vec<PolicyFault> {
    let mut found = Vec::from_iter(unreadable(policy));
    found.extend(countries(policy));
    let help = policy.help_contact.as_deref().unwrap_or_default();
    // One of blanks alone is told of above.
    let is_seen = help.trim().is_empty() || !is_blank(help);
    found.extend(fault(is_seen, "help_contact", &help, "something that people can see"));

    let quota = policy.quota;
    let counts = [
        ("frequency.messages", u32::from(policy.frequency.messages)),
        ("conversation_hours", u32::from(policy.conversation_hours)),
        ("quota.per_minute", quota.per_minute),
        ("quota.per_hour", quota.per_hour),
        ("quota.per_day", quota.per_day),
    ];
    let nothing = |(field, count): (&str, u32)| fault(count > 0, field, &count, "1 or more");
    found.extend(counts.into_iter().filter_map(nothing));
    let days = policy.warmup.iter().enumerate();
    found.extend(days.filter_map(|(day, count)| {
        fault(*count > 0, &format!("warmup[{day}]"), count, "1 message a day or more")
    }));

    let window = policy.quiet_hours.window;
    if !window.is_never() {
        found.extend(fault(
            quiet_hours::opens(window),
            "quiet_hours.window",
            &window,
            "some of the built-in hours, 09:00 to 21:00: it narrows them and never widens them",
        ));
    }
    found
}

/// Countries that there are not, and a list of none or of more than there are.
fn countries(policy: &Policy) -> Vec<PolicyFault> {
    let allowed = &policy.allowed_countries;
    let none = fault(!allowed.is_empty(), "allowed_countries", &"[]", "one country at least");
    let unknown = allowed.iter().enumerate().filter_map(|(index, country)| {
        let field = format!("allowed_countries[{index}]");
        fault(zones::is_known(*country), &field, country, "a country's two letters of ISO 3166")
    });
    let many = allowed.len();
    let many = fault(many <= 250, "allowed_countries", &many, "250 countries at most");
    none.into_iter().chain(many).chain(unknown).collect()
}

fn fault(
    fits: bool,
    field: &str,
    given: &dyn fmt::Display,
    would_fit: &'static str,
) -> Option<PolicyFault> {
    (!fits).then(|| PolicyFault { field: field.into(), given: given.to_string(), fits: would_fit })
}

/// Whether a text is one line of 1 to 100 characters.
fn is_line(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= 100 && !text.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(json: &str) -> Vec<String> {
        let policy = Policy::read(json).expect("readable");
        policy.faults().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_would_block_everything_for_good_is_no_new_policy() {
        for (json, field) in [
            (r#"{"allowed_countries": []}"#, "allowed_countries: `[]`"),
            (r#"{"allowed_countries": ["US", "XX"]}"#, "allowed_countries[1]: `XX`"),
            (r#"{"frequency": {"messages": 0}}"#, "frequency.messages: `0`"),
            (r#"{"conversation_hours": 0}"#, "conversation_hours: `0`"),
            (r#"{"quota": {"per_minute": 0}}"#, "quota.per_minute: `0`"),
            (r#"{"quota": {"per_hour": 0}}"#, "quota.per_hour: `0`"),
            (r#"{"quota": {"per_day": 0}}"#, "quota.per_day: `0`"),
            (r#"{"warmup": [50, 0]}"#, "warmup[1]: `0`"),
            ("{\"help_contact\": \"\u{200b}\"}", "help_contact: `"),
            (
                r#"{"quiet_hours": {"window": "daily 21:30-22:30"}}"#,
                "quiet_hours.window: `daily 21:30-22:30`",
            ),
        ] {
            let found = faults(json);
            assert!(matches!(&found[..], [one] if one.starts_with(field)), "{json}: {found:?}");
        }
    }

    #[test]
    fn a_window_that_some_state_narrows_to_nothing_names_the_state() {
        let closed = |window: &str| {
            let json = format!(r#"{{"quiet_hours": {{"window": "{window}"}}}}"#);
            Policy::read(&json).expect("readable").closed_states()
        };
        assert_eq!(Policy::default().closed_states(), None);
        assert_eq!(closed("daily 12:00-17:00"), None);

        let evening = closed("daily 18:00-20:00").expect("closed in Rhode Island");
        assert_eq!(evening.states, ["RI"]);
        assert!(evening.detail.contains("goes to RI, and to numbers"), "{}", evening.detail);
        assert_eq!(closed("sun 09:00-12:00").expect("closed in Texas").states, ["TX"]);
        let apart = closed("mon-fri 18:00-20:00, sun 10:00-11:00").expect("no hour for all");
        assert_eq!(apart.states, [""; 0], "each has an hour of its own");
    }

    #[test]
    fn what_makes_sense_is_kept_and_all_faults_are_named_at_once() {
        assert_eq!(faults("{}"), [""; 0]);
        let narrow = r#"{"suppression_days": 0, "warmup": [], "allowed_countries": ["JP"],
                         "quiet_hours": {"window": "sun 20:30-23:00", "spread_seconds": 0}}"#;
        assert_eq!(faults(narrow), [""; 0]);

        let two = r#"{"allowed_countries": ["ZZ"], "quota": {"per_day": 0}}"#;
        assert_eq!(faults(two).len(), 2);
    }
}
