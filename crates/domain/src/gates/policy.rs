//! A tenant's policy: the numbers that the gates go by. Stored as JSON in versions; what is left
//! out has its default, and what is not understood makes the whole policy unreadable, so that
//! nothing is sent under a rule that this program does not know.

mod sense;

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
pub use sense::{ClosedStates, PolicyError, PolicyFault};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    country::Country,
    gates::consent::{ConsentPolicy, Needed, OptOutScope},
    health::HealthPolicy,
    message::class::MessageClass,
    quiet_hours::Window,
};

/// The numbers that the gates go by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Countries that may be texted. A short list on purpose: traffic pumping uses the others.
    #[schema(min_items = 1, max_items = 250)]
    pub allowed_countries: Vec<Country>,
    /// Whether consent is looked at at all: `false` overrules `consent`.
    pub require_consent: bool,
    /// Which consent each class needs.
    pub consent: ConsentPolicy,
    /// How far a STOP by text reaches.
    pub opt_out_scope: OptOutScope,
    /// From the beginning of this day in UTC a STOP of somebody under United States law reaches
    /// everything of the tenant, whatever `opt_out_scope` says (47 CFR 64.1200(a)(10), revoke-all).
    /// The FCC has moved the day twice, last by its order of 2026-01-06: who knows of another sets
    /// it here.
    #[schema(value_type = String, format = Date)]
    pub revoke_all_from: Date,
    /// How to reach a person, as the answer to HELP says it: "call 212-555-0100". One line of at
    /// most 100 characters; without it the answer leaves it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 100)]
    pub help_contact: Option<String>,
    /// How many hours after a contact's own text a conversational message may go out.
    #[schema(minimum = 1, maximum = 65535)]
    pub conversation_hours: u16,
    /// Days between two promotions to one contact.
    #[schema(maximum = 65535)]
    pub suppression_days: u16,
    /// How much marketing one contact gets.
    pub frequency: Frequency,
    /// How many messages the tenant may send.
    pub quota: Quota,
    /// When marketing may reach a recipient.
    pub quiet_hours: QuietPolicy,
    /// Messages a day in a sender's first days, the first day first. After them its own cap holds.
    #[schema(max_items = 90, minimum = 1)]
    pub warmup: Vec<u32>,
    /// What becomes of a carrier call whose result stays unknown.
    pub in_doubt: InDoubtPolicy,
    /// What becomes of a message that had to wait.
    pub lateness: Lateness,
    /// When a sender is taken out of traffic, and how it comes back.
    pub health: HealthPolicy,
}

impl Policy {
    /// Which consent a class needs.
    pub fn consent_for(&self, class: MessageClass) -> Needed {
        if self.require_consent { self.consent.of(class) } else { Needed::None }
    }

    /// How far a STOP that came at an instant reaches; `country` is that of the number, or of the
    /// carrier's id. Where it is not known, the law of the United States is taken to apply.
    pub fn opt_out_scope_at(&self, at: Timestamp, country: Option<Country>) -> OptOutScope {
        let is_covered = country.is_none_or(Country::under_us_law);
        let day = at.to_zoned(TimeZone::UTC).date();
        if is_covered && day >= self.revoke_all_from {
            OptOutScope::Tenant
        } else {
            self.opt_out_scope
        }
    }

    /// How long after a promotion the next one may follow.
    pub fn suppression(&self) -> SignedDuration {
        SignedDuration::from_hours(24 * i64::from(self.suppression_days))
    }

    /// The span that the frequency counts.
    pub fn frequency_span(&self) -> SignedDuration {
        SignedDuration::from_hours(self.frequency.hours.into())
    }

    /// How long a conversation stays open after the contact's last text.
    pub fn conversation(&self) -> SignedDuration {
        SignedDuration::from_hours(self.conversation_hours.into())
    }
}

/// How long after its submission a message is still worth sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Lateness {
    /// Seconds; 60 to 604,800, a week.
    #[schema(minimum = 60, maximum = 604800)]
    pub max_seconds: u32,
    /// What to do with one that is later, where the message does not say itself.
    pub on_late: OnLate,
}

/// What becomes of a message that is later than its tenant wants it to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnLate {
    /// It is sent all the same.
    #[default]
    Send,
    /// It ends as expired.
    Drop,
}

impl OnLate {
    /// Everything that can become of it.
    pub const ALL: [Self; 2] = [Self::Send, Self::Drop];

    /// The name in rows and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Drop => "drop",
        }
    }

    /// What has this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|on_late| on_late.as_str() == name)
    }
}

/// A call whose answer was lost: it is sent again only once the carrier's list proves that it does
/// not have the text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct InDoubtPolicy {
    /// What to do with a text that is proven absent.
    pub absent: Absent,
}

/// What to do with a text in doubt that the carrier's list does not have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = InDoubtAbsent)]
pub enum Absent {
    /// Back to the gates, in the next turn.
    #[default]
    Resend,
    /// Never a second call: it ends as `unknown`.
    Never,
}

/// At most so many marketing messages to one contact in any span of so many hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Frequency {
    /// How many messages, 1 to 10.
    #[schema(minimum = 1, maximum = 10)]
    pub messages: u8,
    /// How many hours the span has, 1 or more.
    #[schema(minimum = 1, maximum = 65535)]
    pub hours: u16,
}

impl Frequency {
    /// The most that can be asked for: so many admissions of marketing a recipient's row remembers.
    pub const MOST: u8 = 10;
}

/// How many messages a tenant may send per minute, hour and day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Quota {
    /// Messages in a minute of the clock.
    #[schema(minimum = 1)]
    pub per_minute: u32,
    /// Messages in an hour of the clock.
    #[schema(minimum = 1)]
    pub per_hour: u32,
    /// Messages in a day of the tenant's zone.
    #[schema(minimum = 1)]
    pub per_day: u32,
}

/// When the tenant itself wants marketing to go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct QuietPolicy {
    /// When marketing is allowed, `daily 09:00-21:00`. Narrows the built-in hours of the place,
    /// never widens them.
    pub window: Window,
    /// Deferred messages come back over so many seconds after the opening, so that a morning does
    /// not begin with a flood. 0 sends all of them at once.
    #[schema(maximum = 14400)]
    pub spread_seconds: u32,
}

/// When revoke-all begins in the United States: FCC order of 2026-01-06, which moved it from
/// 2026-04-11.
const REVOKE_ALL_FROM: Date = jiff::civil::date(2027, 1, 31);

impl Default for Policy {
    fn default() -> Self {
        let others = ["PR", "NZ", "GB", "IE"].map(|code| code.parse().expect("two letters"));
        Self {
            allowed_countries: [Country::US, Country::CA, Country::AU]
                .into_iter()
                .chain(others)
                .collect(),
            require_consent: true,
            consent: ConsentPolicy::default(),
            opt_out_scope: OptOutScope::Tenant,
            revoke_all_from: REVOKE_ALL_FROM,
            help_contact: None,
            conversation_hours: 24,
            suppression_days: 90,
            frequency: Frequency::default(),
            quota: Quota::default(),
            quiet_hours: QuietPolicy::default(),
            warmup: vec![50, 100, 200, 300],
            in_doubt: InDoubtPolicy::default(),
            lateness: Lateness::default(),
            health: HealthPolicy::default(),
        }
    }
}

impl Default for Lateness {
    /// Four hours, and sent all the same.
    fn default() -> Self {
        Self { max_seconds: 4 * 3_600, on_late: OnLate::Send }
    }
}

impl Default for Frequency {
    /// The strictest state limit, applied everywhere (Florida, Oklahoma, Maryland).
    fn default() -> Self {
        Self { messages: 3, hours: 24 }
    }
}

impl Default for Quota {
    fn default() -> Self {
        Self { per_minute: 100_000, per_hour: 1_000_000, per_day: 10_000_000 }
    }
}

impl Default for QuietPolicy {
    /// The built-in hours alone: 09:00 to 21:00, and state law.
    fn default() -> Self {
        Self { window: Window::ALWAYS, spread_seconds: 300 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_policy_leaves_out_has_its_default() {
        let policy = Policy::read(r#"{"suppression_days": 30, "quota": {"per_minute": 60}}"#);
        let policy = policy.expect("a policy");

        assert_eq!(policy.suppression_days, 30);
        assert_eq!(policy.quota, Quota { per_minute: 60, ..Quota::default() });
        assert_eq!(policy.frequency, Frequency { messages: 3, hours: 24 });
        assert_eq!(policy.in_doubt.absent, Absent::Resend);

        let never = Policy::read(r#"{"in_doubt": {"absent": "never"}}"#).expect("a policy");
        assert_eq!(never.in_doubt.absent, Absent::Never);

        let strict = Policy::read(r#"{"consent": {"promo": "express_written"}}"#);
        let strict = strict.expect("a policy").consent;
        assert_eq!((strict.promo, strict.journey), (Needed::ExpressWritten, Needed::Any));

        let long = format!(r#"{{"help_contact": "{}"}}"#, "é".repeat(100));
        assert!(Policy::read(&long).expect("a policy").help_contact.is_some());
        assert_eq!(Policy::read("{}").expect("a policy"), Policy::default());
    }

    #[test]
    fn a_stop_reaches_everything_from_the_day_that_the_policy_names() {
        let scope = |json: &str, at: &str, country: &str| {
            let policy = Policy::read(json).expect("a policy");
            let at = at.parse().expect("an instant");
            policy.opt_out_scope_at(at, country.parse().ok())
        };
        let program = r#"{"opt_out_scope": "program"}"#;
        let (before, after) = ("2027-01-30T23:59:59Z", "2027-01-31T00:00:00Z");
        assert_eq!(scope(program, before, "US"), OptOutScope::Program);
        for country in ["US", "PR", "unknown"] {
            assert_eq!(scope(program, after, country), OptOutScope::Tenant, "{country}");
        }
        assert_eq!(scope(program, after, "AU"), OptOutScope::Program);

        let moved = r#"{"opt_out_scope": "program", "revoke_all_from": "2028-01-31"}"#;
        assert_eq!(scope(moved, after, "US"), OptOutScope::Program);
        assert_eq!(scope("{}", before, "US"), OptOutScope::Tenant);
    }

    #[test]
    fn a_policy_reads_back_as_it_was_written() {
        let policy = Policy::default();
        let json = serde_json::to_string(&policy).expect("json");
        assert!(json.contains(r#""window":"daily 00:00-24:00""#), "{json}");
        assert_eq!(Policy::read(&json).expect("a policy"), policy);
    }

    #[test]
    fn a_rule_that_is_not_known_makes_the_policy_unreadable() {
        let unreadable = [
            r#"{"allow_all": true}"#,
            r#"{"quota": {"per_second": 1}}"#,
            r#"{"in_doubt": {"absent": "sometimes"}}"#,
            r#"{"in_doubt": {"found": "resend"}}"#,
            r#"{"in_doubt": "never"}"#,
            r#"{"consent": {"promo": "verbal"}}"#,
            r#"{"consent": {"compliance": "any"}}"#,
            r#"{"opt_out_scope": "sender"}"#,
            r#"{"revoke_all_from": "soon"}"#,
            r#"{"revoke_all_from": null}"#,
            r#"{"suppression_days": "90"}"#,
            r#"{"suppression_days": -1}"#,
            r#"{"allowed_countries": ["USA"]}"#,
            r#"{"frequency": {"messages": 11}}"#,
            r#"{"frequency": {"hours": 0}}"#,
            r#"{"lateness": {"max_seconds": 59}}"#,
            r#"{"help_contact": " "}"#,
            r#"{"help_contact": "call\nme"}"#,
            r#"{"help_contact": 2125550100}"#,
            &format!(r#"{{"help_contact": "{}"}}"#, "é".repeat(101)),
            r#"{"lateness": {"on_late": "never"}}"#,
            r#"{"quiet_hours": {"window": "daily 21:00-09:00"}}"#,
            r#"{"quiet_hours": {"spread_seconds": 14401}}"#,
            r#"{"health": {"window_minutes": 4}}"#,
            r#"{"health": {"min_delivered_percent": 101}}"#,
            r#"{"health": {"max_complaint_percent": 101}}"#,
            r#"{"health": {"rest_minutes": 0}}"#,
            r#"{"health": {"probe_messages": 0}}"#,
            r#"{"health": []}"#,
            // A list, or nothing, is no object.
            "[]",
            "null",
            r#"[["US"], false]"#,
            r#"{"quota": [600]}"#,
            r#"{"quota": []}"#,
            r#"{"quota": null}"#,
            r#"{"consent": ["none", "none", "none", "none"]}"#,
            r#"{"frequency": [10, 24]}"#,
            r#"{"quiet_hours": []}"#,
            r#"{"in_doubt": ["never"]}"#,
            r#"{"lateness": [60]}"#,
            "",
        ];

        for json in unreadable {
            assert!(Policy::read(json).is_err(), "{json}");
        }
    }
}
