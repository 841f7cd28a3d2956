//! What goes wrong, and how often: the settings of `PUT /sandbox/faults`. All of it is off by
//! default; only receipts take their 50 to 300 ms.

mod forms;

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{dice::Dice, range::Range, rate::check_rate};
use forms::{Codes, Outages, Throttling};

/// A `PUT` replaces all of it; what it leaves out is at its default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Faults {
    /// What chance is drawn from; without it the seed that the sandbox was started with.
    pub(crate) seed: Option<u64>,
    /// Milliseconds between the decision about a text (accepted or not) and the answer, so that a
    /// caller who gives up early has been accepted.
    #[serde(alias = "latency")]
    pub(crate) latency_ms: Range,
    /// The same for single accounts, by SID, instead of the range of all.
    pub(crate) account_latency_ms: BTreeMap<String, Range>,
    /// Rate of: accepted, then the connection is closed without an answer.
    pub(crate) lost_response: f64,
    /// Rate of: an order for a number is carried out, then the connection is closed
    /// without an answer.
    pub(crate) lost_order: f64,
    /// Rate of: the connection is reset and nothing was accepted.
    pub(crate) reset_before: f64,
    /// Rate of: 429 with code 20429, not accepted. A number, or with its `retry_after` seconds.
    pub(crate) http_429: Throttling,
    /// Rate of: 503, not accepted.
    pub(crate) http_5xx_before: f64,
    /// Rate of: 500, although accepted.
    pub(crate) http_5xx_after: f64,
    /// Rates of error codes at the call; nothing is accepted.
    pub(crate) refuse: Codes,
    /// Rates of error codes in the receipts of accepted texts.
    pub(crate) undelivered: Codes,
    pub(crate) receipts: Receipts,
    /// Spans of business time in which every call of an account fails.
    #[serde(alias = "outage")]
    pub(crate) account_outage: Outages,
    /// How long the list API misses an accepted text, in milliseconds of machine time.
    pub(crate) list_lag_ms: u64,
    pub(crate) callbacks: Callbacks,
    pub(crate) anthropic: AiFaults,
}

/// How delivery receipts arrive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Receipts {
    /// From acceptance to the last receipt; `sent` comes half way.
    #[serde(alias = "delay")]
    pub(crate) delay_ms: Range,
    /// Rate of receipts that never come.
    pub(crate) drop: f64,
    /// Rate of receipts that come twice, with the same idempotency token.
    pub(crate) duplicate: f64,
    /// Rate of texts whose `sent` comes after their `delivered`.
    pub(crate) reorder: f64,
    /// Rate of texts whose `sent` is called back, and answered, before the caller's answer.
    pub(crate) before_response: f64,
    /// Rate of delivered messages that their person opens, at carriers that tell.
    pub(crate) read: f64,
    /// False leaves out the `sent` receipts: half the calls.
    pub(crate) sent: bool,
}

/// How often a callback is tried again when it cannot connect, times out or gets a 5xx.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Callbacks {
    pub(crate) retries: u8,
    /// The first wait and the longest; each wait is twice the one before.
    pub(crate) backoff_ms: Range,
    /// Whether Twilio's are tried again as the fragment of their address says, instead: `#rc=` how
    /// often, `#rp=` after what; by default once, and only after a failed connection.
    pub(crate) overrides: bool,
}

/// Faults of the AI.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AiFaults {
    #[serde(alias = "latency")]
    pub(crate) latency_ms: Range,
    pub(crate) http_429: Throttling,
    /// Rate of: 529 `overloaded_error`.
    pub(crate) http_529: f64,
    /// Rate of: 500 `api_error`.
    pub(crate) http_5xx: f64,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            seed: None,
            latency_ms: Range::default(),
            account_latency_ms: BTreeMap::new(),
            lost_response: 0.0,
            lost_order: 0.0,
            reset_before: 0.0,
            http_429: Throttling::default(),
            http_5xx_before: 0.0,
            http_5xx_after: 0.0,
            refuse: Codes::default(),
            undelivered: Codes::default(),
            receipts: Receipts::default(),
            account_outage: Outages::default(),
            list_lag_ms: 0,
            callbacks: Callbacks::default(),
            anthropic: AiFaults::default(),
        }
    }
}

impl Default for Receipts {
    fn default() -> Self {
        Self {
            delay_ms: Range { from: 50, to: 300 },
            drop: 0.0,
            duplicate: 0.0,
            reorder: 0.0,
            read: 0.0,
            before_response: 0.0,
            sent: true,
        }
    }
}

impl Default for Callbacks {
    fn default() -> Self {
        Self { retries: 5, backoff_ms: Range { from: 200, to: 5_000 }, overrides: false }
    }
}

impl Callbacks {
    /// How long to wait before retry number `retry`, the first being 1.
    pub(crate) fn wait(&self, retry: u8) -> Duration {
        let doubled = u64::from(self.backoff_ms.from) << retry.saturating_sub(1).min(20);
        Duration::from_millis(doubled.min(u64::from(self.backoff_ms.to)))
    }
}

impl Faults {
    /// Rejects what cannot be meant, in one sentence that names the setting.
    pub(crate) fn check(&self) -> Result<(), String> {
        let rates = [
            ("lost_response", self.lost_response),
            ("lost_order", self.lost_order),
            ("reset_before", self.reset_before),
            ("http_429", self.http_429.rate),
            ("http_5xx_before", self.http_5xx_before),
            ("http_5xx_after", self.http_5xx_after),
            ("receipts.drop", self.receipts.drop),
            ("receipts.duplicate", self.receipts.duplicate),
            ("receipts.reorder", self.receipts.reorder),
            ("receipts.read", self.receipts.read),
            ("receipts.before_response", self.receipts.before_response),
            ("anthropic.http_429", self.anthropic.http_429.rate),
            ("anthropic.http_529", self.anthropic.http_529),
            ("anthropic.http_5xx", self.anthropic.http_5xx),
        ];
        for (name, rate) in rates {
            check_rate(name, rate)?;
        }

        self.refuse.check("refuse")?;
        self.undelivered.check("undelivered")?;
        self.account_outage.check()
    }

    /// Whether any decision depends on how often a request was made.
    pub(crate) fn count_attempts(&self) -> bool {
        self.lost_response > 0.0
            || self.reset_before > 0.0
            || self.http_429.rate > 0.0
            || self.http_5xx_before > 0.0
            || self.http_5xx_after > 0.0
            || !self.refuse.0.is_empty()
    }

    /// How long until the last receipt of the text that these dice are about.
    pub(crate) fn receipt_delay(&self, dice: Dice) -> Duration {
        Duration::from_millis(dice.text("receipt_delay").within(self.receipts.delay_ms))
    }

    /// How long an answer to this account is delayed.
    pub(crate) fn latency(&self, account: &str) -> Range {
        self.account_latency_ms.get(account).copied().unwrap_or(self.latency_ms)
    }

    /// The HTTP status of an outage of this account at a business instant.
    pub(crate) fn outage(&self, account: &str, now: Timestamp) -> Option<u16> {
        self.account_outage.status(account, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::to_vec;

    fn faults(json: &str) -> Result<Faults, String> {
        let faults: Faults = serde_json::from_str(json).map_err(|e| e.to_string())?;
        faults.check().map(|()| faults)
    }

    #[test]
    fn the_default_has_no_faults() {
        let none = faults("{}").expect("the default");
        assert_eq!(none, Faults::default());
        assert!(!none.count_attempts());
        assert_eq!(none.receipts.delay_ms, Range { from: 50, to: 300 });
    }

    #[test]
    fn the_contract_s_names_and_forms_are_read() {
        let all = faults(
            r#"{"seed": 7, "latency": [5, 20], "lost_response": 0.01, "reset_before": 0.02,
                "http_429": {"rate": 0.1, "retry_after": 2}, "http_5xx_before": 0.01,
                "http_5xx_after": 0.01, "refuse": [{"code": 21610, "rate": 0.5}],
                "undelivered": {"30003": 0.1, "30007": 0.2},
                "receipts": {"delay": [0, 10], "drop": 0.1, "duplicate": 0.2, "reorder": 0.3,
                             "before_response": 0.4},
                "account_outage": {"from": "2026-03-08T00:00:00Z", "to": "2026-03-09T00:00:00Z"},
                "anthropic": {"http_529": 1, "http_429": 0.5}}"#,
        )
        .expect("all of it");

        assert_eq!(all.latency_ms, Range { from: 5, to: 20 });
        assert_eq!(all.undelivered.0.len(), 2);
        assert_eq!(all.anthropic.http_429.rate, 0.5);

        let again: Faults = serde_json::from_slice(&to_vec(&all)).expect("itself");
        assert_eq!(again, all);
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_name() {
        for (json, name) in [
            (r#"{"lost_response": 1.1}"#, "lost_response"),
            (r#"{"http_429": -0.1}"#, "http_429"),
            (r#"{"lost_respnse": 0.1}"#, "lost_respnse"),
            (r#"{"latency_ms": [9, 3]}"#, "range"),
            (
                r#"{"refuse": [{"code": 21610, "rate": 0.6}, {"code": 30007, "rate": 0.6}]}"#,
                "refuse",
            ),
            (
                r#"{"account_outage": {"from": "2026-03-09T00:00:00Z", "to": "2026-03-08T00:00:00Z"}}"#,
                "account_outage",
            ),
        ] {
            let error = faults(json).expect_err(json);
            assert!(error.contains(name), "{json}: {error}");
        }
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let callbacks = Callbacks::default();
        let waits: Vec<u128> = (1..=7).map(|n| callbacks.wait(n).as_millis()).collect();
        assert_eq!(waits, [200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
    }
}
