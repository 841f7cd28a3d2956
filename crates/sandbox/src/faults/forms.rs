//! The forms that fault settings may be written in: each has a short one for people and one that
//! `GET` gives back.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{dice::Dice, rate::check_rate};

/// A rate of 429 answers and the seconds that their `Retry-After` names.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "ThrottlingForm")]
pub(crate) struct Throttling {
    pub(crate) rate: f64,
    pub(crate) retry_after: u32,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a rate, or {rate, retry_after}")]
enum ThrottlingForm {
    Rate(f64),
    Full {
        rate: f64,
        #[serde(default = "one_second")]
        retry_after: u32,
    },
}

fn one_second() -> u32 {
    1
}

impl Default for Throttling {
    fn default() -> Self {
        Self { rate: 0.0, retry_after: one_second() }
    }
}

impl From<ThrottlingForm> for Throttling {
    fn from(form: ThrottlingForm) -> Self {
        match form {
            ThrottlingForm::Rate(rate) => Self { rate, retry_after: one_second() },
            ThrottlingForm::Full { rate, retry_after } => Self { rate, retry_after },
        }
    }
}

/// An error code and how often it strikes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Coded {
    pub(crate) code: u32,
    pub(crate) rate: f64,
}

/// Error codes with their rates, which exclude each other: together at most 1.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "CodesForm")]
pub(crate) struct Codes(pub(crate) Vec<Coded>);

#[derive(Deserialize)]
#[serde(untagged, expecting = "[{code, rate}], or {code: rate}")]
enum CodesForm {
    Many(Vec<Coded>),
    One(Coded),
    /// Keys of an untagged form stay texts.
    Map(BTreeMap<String, f64>),
}

impl TryFrom<CodesForm> for Codes {
    type Error = String;

    fn try_from(form: CodesForm) -> Result<Self, String> {
        match form {
            CodesForm::Many(codes) => Ok(Self(codes)),
            CodesForm::One(code) => Ok(Self(vec![code])),
            CodesForm::Map(map) => {
                let coded = |(code, rate): (String, f64)| {
                    let code = code.parse().map_err(|_| format!("{code} is not an error code"))?;
                    Ok(Coded { code, rate })
                };
                map.into_iter().map(coded).collect::<Result<_, _>>().map(Self)
            }
        }
    }
}

impl Codes {
    pub(super) fn check(&self, name: &str) -> Result<(), String> {
        for coded in &self.0 {
            check_rate(name, coded.rate)?;
        }

        let sum: f64 = self.0.iter().map(|coded| coded.rate).sum();
        // Rates such as 0.1 do not add up exactly.
        check_rate(&format!("the sum of {name}"), (sum - 1e-9).max(0.0))
    }

    /// Which code strikes, if any.
    pub(crate) fn draw(&self, dice: Dice) -> Option<u32> {
        if self.0.is_empty() {
            return None;
        }

        let mut left = dice.fraction();
        for coded in &self.0 {
            if left < coded.rate {
                return Some(coded.code);
            }
            left -= coded.rate;
        }
        None
    }
}

/// A span of business time in which an account, or every account, is out of order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Outage {
    /// The account's SID; without it all accounts.
    #[serde(default)]
    account: Option<String>,
    from: Timestamp,
    to: Timestamp,
    /// 503 unless named: also 401, 403 and 429 are answers that Twilio gives.
    #[serde(default = "unavailable")]
    status: u16,
}

fn unavailable() -> u16 {
    503
}

/// All outages that are set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "OutagesForm")]
pub(crate) struct Outages(Vec<Outage>);

#[derive(Deserialize)]
#[serde(untagged, expecting = "{from, to, account, status}, or a list of them")]
enum OutagesForm {
    Many(Vec<Outage>),
    One(Outage),
}

impl From<OutagesForm> for Outages {
    fn from(form: OutagesForm) -> Self {
        Self(match form {
            OutagesForm::Many(outages) => outages,
            OutagesForm::One(outage) => vec![outage],
        })
    }
}

impl Outages {
    pub(super) fn check(&self) -> Result<(), String> {
        let fine = |o: &Outage| o.from < o.to && matches!(o.status, 401 | 403 | 429 | 500 | 503);
        if self.0.iter().all(fine) {
            Ok(())
        } else {
            Err("account_outage needs from < to and a status of 401, 403, 429, 500 or 503".into())
        }
    }

    pub(super) fn status(&self, account: &str, now: Timestamp) -> Option<u16> {
        let strikes = |o: &&Outage| {
            (o.from..o.to).contains(&now) && o.account.as_deref().is_none_or(|a| a == account)
        };
        self.0.iter().find(strikes).map(|outage| outage.status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_exclude_each_other_and_keep_their_rates() {
        let codes = Codes(vec![Coded { code: 1, rate: 0.2 }, Coded { code: 2, rate: 0.3 }]);
        let drawn: Vec<_> = (0..10_000).map(|n| codes.draw(Dice::new(1).number(n))).collect();

        let share = |code| drawn.iter().filter(|d| **d == code).count();
        assert!((1_800..2_200).contains(&share(Some(1))));
        assert!((2_800..3_200).contains(&share(Some(2))));
        assert!((4_800..5_200).contains(&share(None)));
    }

    #[test]
    fn an_outage_strikes_its_account_within_its_span_only() {
        let json = r#"{"account": "AC1", "from": "2026-03-08T00:00:00Z",
                       "to": "2026-03-09T00:00:00Z", "status": 401}"#;
        let outages: Outages = serde_json::from_str(json).expect("an outage");
        let status =
            |account, text: &str| outages.status(account, text.parse().expect("a timestamp"));

        assert_eq!(status("AC1", "2026-03-08T00:00:00Z"), Some(401));
        assert_eq!(status("AC2", "2026-03-08T00:00:00Z"), None);
        assert_eq!(status("AC1", "2026-03-09T00:00:00Z"), None);
    }
}
