//! Lists in the envelope of the 2010 API. An extra key in it breaks the Python SDK. Paging goes
//! forward only: `previous_page_uri` is always null.

use serde_json::{Value, json};

use super::{
    call::Call,
    errors::{Refusal, bad_request},
    format::sid_number,
};

/// Records per page, unless the call names a number.
const DEFAULT_SIZE: usize = 50;

/// The most records per page.
const MAX_SIZE: usize = 1_000;

/// Which page a call wants.
pub(super) struct Page {
    number: usize,
    size: usize,
    /// The last record of the page before.
    after: Option<u128>,
}

impl Page {
    pub(super) fn read(call: &Call<'_>) -> Result<Self, Refusal> {
        let number = |name: &str, default| match call.query.get(name) {
            None => Ok(default),
            Some(text) => {
                text.parse::<usize>().map_err(|_| bad_request(&format!("{name} is not a number")))
            }
        };

        let after = call
            .query
            .get("PageToken")
            .map(|token| sid_number(token).ok_or_else(|| bad_request("Invalid PageToken")))
            .transpose()?;
        let size = number("PageSize", DEFAULT_SIZE)?.clamp(1, MAX_SIZE);
        Ok(Self { number: number("Page", 0)?, size, after })
    }

    /// The records of this page among all that are wanted, and the sid of the last one where more
    /// follow.
    pub(super) fn cut<T>(
        &self,
        all: impl Iterator<Item = T>,
        sid: impl Fn(&T) -> u128,
        wanted: impl Fn(&T) -> bool,
    ) -> (Vec<T>, Option<u128>) {
        let mut records = Vec::new();
        let mut skipping = self.after;
        for record in all {
            if let Some(token) = skipping {
                skipping = skipping.filter(|_| sid(&record) != token);
                continue;
            }
            if !wanted(&record) {
                continue;
            }

            if records.len() == self.size {
                let last = records.last().map(sid);
                return (records, last);
            }
            records.push(record);
        }
        (records, None)
    }

    /// The envelope. `last` is the last record on this page, if more follow.
    pub(super) fn envelope(
        &self,
        call: &Call<'_>,
        resource: &str,
        (key, records): (&str, Vec<Value>),
        last: Option<u128>,
    ) -> Value {
        let account = call.app.state().accounts.sid(call.account).to_owned();
        let path = format!("/2010-04-01/Accounts/{account}/{resource}.json");
        let uri = |number, token| format!("{path}?{}", self.query(call, number, token));

        let start = self.number.saturating_mul(self.size);
        json!({
            "first_page_uri": uri(0, None),
            "next_page_uri": last.map(|sid| uri(self.number.saturating_add(1), Some(sid))),
            "previous_page_uri": null,
            "page": self.number,
            "page_size": self.size,
            "start": start,
            "end": start.saturating_add(records.len()).saturating_sub(1),
            "uri": uri(self.number, self.after),
            key: records,
        })
    }

    /// The call's own query, for another page of the same size.
    fn query(&self, call: &Call<'_>, number: usize, after: Option<u128>) -> String {
        let (size, number) = (self.size.to_string(), number.to_string());
        let token = after.map(|sid| format!("PA{sid:032x}"));

        let own = |(name, _): &(&str, &str)| !["Page", "PageSize", "PageToken"].contains(name);
        let mut pairs: Vec<(&str, &str)> = call.query.pairs().filter(own).collect();
        pairs.extend([("PageSize", size.as_str()), ("Page", number.as_str())]);
        pairs.extend(token.as_deref().map(|token| ("PageToken", token)));
        serde_urlencoded::to_string(pairs).unwrap_or_default()
    }
}
