//! `GET messages`: what was sent, newest first and without its text, in pages. Texts of people are
//! not kept. Dates are machine time: the carrier knows nothing of the business clock.

use std::time::Duration;

use http::{Response, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    call::Call,
    errors::{Refusal, invalid},
};
use crate::{
    clock::{before, machine_now},
    ledger::{Carrier, Status, Text},
    phone::Phone,
    reply::{self, Form, Reply},
};

/// Records per page, unless the call names a number.
const DEFAULT_LIMIT: usize = 100;

/// The most records per page.
const MAX_LIMIT: usize = 1_000;

/// Which records a call wants.
struct Filter<'a> {
    id: Option<&'a str>,
    from: Option<&'a str>,
    status: Option<&'a str>,
    error: Option<u32>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}

/// Answers a page of records.
pub(super) fn list(call: &Call<'_>) -> Result<Response<Reply>, Refusal> {
    let filter = Filter::read(call.query)?;
    let limit = match call.query.get("limit") {
        None => DEFAULT_LIMIT,
        Some(text) => text.parse().map_err(|_| invalid("limit", "is not a number"))?,
    };
    let after = call.query.get("pageToken").map(id_number).transpose()?;
    let to = call.query.get("destinationTn").map(Phone::parse);
    let outbound = call.query.get("messageDirection").is_none_or(|words| words == "OUTBOUND");

    let lag = Duration::from_millis(call.app.faults().list_lag_ms);
    let visible_until = before(machine_now(), lag);
    let state = call.app.state();
    let wanted = |text: &&Text| {
        let mine = text.carrier == Carrier::Bandwidth && text.account == call.account;
        mine && outbound && text.received_at <= visible_until && filter.admits(text)
    };
    let all: Vec<&Text> = match to {
        // Nothing was ever sent to what is no phone number.
        Some(None) => Vec::new(),
        Some(Some(phone)) => state.ledger.newest_first(Some(phone)).filter(wanted).collect(),
        None => state.ledger.newest_first(None).filter(wanted).collect(),
    };

    // the page after the record that the token names
    let start = after.map_or(0, |token| {
        all.iter().position(|text| text.sid == token).map_or(all.len(), |index| index + 1)
    });
    let page = &all[start..];
    let page = &page[..page.len().min(limit.clamp(1, MAX_LIMIT))];
    let more = start + page.len() < all.len();
    let token = page.last().filter(|_| more).map(|text| text.sid_text());

    let account = state.accounts.sid(call.account);
    let body = json!({
        "totalCount": all.len(),
        "pageInfo": match &token {
            Some(token) => json!({
                "nextPage": format!("/api/v2/users/{account}/messages?pageToken={token}"),
                "nextPageToken": token,
            }),
            None => json!({}),
        },
        "messages": page.iter().map(|text| record(account, text)).collect::<Vec<_>>(),
    });
    Ok(reply::json(StatusCode::OK, &body))
}

/// A message as the list shows it.
fn record(account: &str, text: &Text) -> Value {
    let mut record = json!({
        "messageId": text.sid_text(),
        "accountId": account,
        "sourceTn": &*text.from,
        "destinationTn": text.to.to_string(),
        "messageStatus": status_word(text.status),
        "messageDirection": "OUTBOUND",
        "messageType": if text.media > 0 { "mms" } else { "sms" },
        "segmentCount": text.segments,
        "receiveTime": text.received_at,
        "carrierName": "other",
        "messageLength": text.body.chars().count(),
        "recipientCount": 1,
    });
    if text.error > 0 {
        record["errorCode"] = text.error.into();
    }
    record
}

fn status_word(status: Status) -> &'static str {
    match status {
        Status::Accepted | Status::Scheduled | Status::Queued => "QUEUED",
        Status::Sent => "SENT",
        Status::Delivered => "DELIVERED",
        Status::Undelivered | Status::Failed | Status::Canceled => "FAILED",
    }
}

impl<'a> Filter<'a> {
    fn read(query: &'a Form) -> Result<Self, Refusal> {
        let instant = |name: &'static str| match query.get(name) {
            None => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|_| invalid(name, "is not a date")),
        };
        let error = match query.get("errorCode") {
            None => None,
            Some(text) => Some(text.parse().map_err(|_| invalid("errorCode", "is not a number"))?),
        };

        Ok(Self {
            id: query.get("messageId"),
            from: query.get("sourceTn"),
            status: query.get("messageStatus"),
            error,
            since: instant("fromDateTime")?,
            until: instant("toDateTime")?,
        })
    }

    fn admits(&self, text: &Text) -> bool {
        self.id.is_none_or(|id| id == text.sid_text())
            && self.from.is_none_or(|from| *from == *text.from)
            && self.status.is_none_or(|word| word == status_word(text.status))
            && self.error.is_none_or(|code| code == text.error)
            && self.since.is_none_or(|since| text.received_at >= since)
            && self.until.is_none_or(|until| text.received_at <= until)
    }
}

/// The number in an id.
fn id_number(id: &str) -> Result<u128, Refusal> {
    u128::from_str_radix(id, 16).map_err(|_| invalid("pageToken", "is none of ours"))
}
