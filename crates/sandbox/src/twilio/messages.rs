//! Reading and changing messages: fetch, list, redact, cancel, delete. Dates are machine time:
//! the carrier knows nothing of the business clock.

use std::time::Duration;

use http::{Response, StatusCode};
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use serde::Serialize;

use super::{
    call::Call,
    callback::{self, API_VERSION},
    errors::{Refusal, bad_request, coded, not_found},
    format::{date, json},
    paging::Page,
};
use crate::{
    app::State,
    clock::{before, machine_now},
    encode::to_value,
    ledger::{Index, Status, Text},
    phone::Phone,
    posting,
    reply::{Reply, whole},
};

/// What one segment costs, in hundred-thousandths of a dollar.
const PRICE: u64 = 790;

/// A message as the API shows it.
#[derive(Serialize)]
pub(super) struct View<'a> {
    account_sid: &'a str,
    api_version: &'static str,
    body: &'a str,
    date_created: String,
    date_sent: Option<String>,
    date_updated: String,
    direction: &'static str,
    error_code: Option<u32>,
    error_message: Option<&'static str>,
    from: Option<&'a str>,
    messaging_service_sid: Option<&'a str>,
    num_media: String,
    num_segments: String,
    price: Option<String>,
    price_unit: &'static str,
    sid: String,
    status: &'static str,
    subresource_uris: Subresources,
    to: String,
    uri: String,
}

#[derive(Serialize)]
struct Subresources {
    media: String,
}

/// A message as the API shows it now.
pub(super) fn view(state: &State, index: Index) -> Option<View<'_>> {
    state.ledger.get(index).map(|text| show(state, text))
}

fn show<'a>(state: &'a State, text: &'a Text) -> View<'a> {
    let account_sid = state.accounts.sid(text.account);
    let sid = text.sid_text();
    let path = format!("/2010-04-01/Accounts/{account_sid}/Messages/{sid}");

    // A text that still waits for its sender has no segments, one that did not go out no price.
    let chosen = !matches!(text.status, Status::Accepted | Status::Scheduled);
    let billed = text.status.is_done() && !matches!(text.status, Status::Canceled | Status::Failed);
    let cost = PRICE * u64::from(text.segments);

    let created = date(text.received_at);
    View {
        account_sid,
        api_version: API_VERSION,
        body: if text.redacted { "" } else { &text.body },
        date_updated: if text.updated_at == text.received_at {
            created.clone()
        } else {
            date(text.updated_at)
        },
        date_created: created,
        date_sent: text.sent_at.map(date),
        direction: "outbound-api",
        error_code: (text.error > 0).then_some(text.error),
        error_message: (text.error > 0).then_some("The message was not delivered"),
        from: chosen.then_some(&*text.from),
        messaging_service_sid: text.service.as_deref(),
        num_media: text.media.to_string(),
        num_segments: if chosen { text.segments.to_string() } else { "0".to_owned() },
        price: billed.then(|| format!("-{}.{:05}", cost / 100_000, cost % 100_000)),
        price_unit: "USD",
        status: text.status.name(),
        subresource_uris: Subresources { media: format!("{path}/Media.json") },
        to: text.to.to_string(),
        uri: format!("{path}.json"),
        sid,
    }
}

/// The index of a message of this account that has not been deleted.
fn find(call: &Call<'_>, state: &State, id: u128) -> Result<Index, Refusal> {
    let mine = |index: &Index| {
        let text = state.ledger.get(*index);
        text.is_some_and(|text| text.account == call.account && !text.deleted)
    };
    state.ledger.find(id).filter(mine).ok_or_else(not_found)
}

pub(super) fn fetch(call: &Call<'_>, id: u128) -> Result<Response<Reply>, Refusal> {
    let state = call.app.state();
    let index = find(call, &state, id)?;
    Ok(json(StatusCode::OK, &view(&state, index)))
}

/// `Body=` redacts, `Status=canceled` cancels.
pub(super) fn update(call: &Call<'_>, id: u128) -> Result<Response<Reply>, Refusal> {
    let mut state = call.app.state();
    let index = find(call, &state, id)?;
    let status = state.ledger.get(index).map(|text| text.status).ok_or_else(not_found)?;

    match (call.form.raw("Body"), call.form.get("Status")) {
        (Some(""), None) if !status.is_done() => return Err(coded(20009)),
        (Some(""), None) => {
            if let Some(text) = state.ledger.get_mut(index) {
                text.redacted = true;
            }
        }
        (None, Some("canceled")) if status.is_done() => return Err(coded(30409)),
        (None, Some("canceled")) => {
            state.ledger.set_status(index, Status::Canceled, 0, machine_now());
            if let Some(delivery) = callback::status(&mut state, index, Status::Canceled, 0) {
                posting::post(call.app, delivery);
            }
        }
        (_, _) => return Err(bad_request("Give an empty Body, or Status=canceled")),
    }

    Ok(json(StatusCode::OK, &view(&state, index)))
}

pub(super) fn delete(call: &Call<'_>, id: u128) -> Result<Response<Reply>, Refusal> {
    let mut state = call.app.state();
    let index = find(call, &state, id)?;
    let text = state.ledger.get_mut(index).ok_or_else(not_found)?;
    if !text.status.is_done() {
        return Err(coded(20009));
    }

    text.deleted = true;
    Ok(whole(StatusCode::NO_CONTENT, "application/json", bytes::Bytes::new()))
}

/// Newest first. A text that has not been sent yet is found by the date of its acceptance.
pub(super) fn list(call: &Call<'_>) -> Result<Response<Reply>, Refusal> {
    let page = Page::read(call)?;
    let filter = Filter::read(call)?;
    let lag = Duration::from_millis(call.app.faults().list_lag_ms);
    let visible_until = before(machine_now(), lag);

    let to = match call.query.get("To").map(Phone::parse) {
        // Nothing was ever sent to what is no phone number.
        Some(None) => return Ok(empty(call, &page)),
        Some(Some(phone)) => Some(phone),
        None => None,
    };

    let wanted = |text: &&Text| {
        let mine = text.account == call.account && !text.deleted;
        mine && text.received_at <= visible_until && filter.admits(text)
    };
    let (records, last) = {
        let state = call.app.state();
        let texts = state.ledger.newest_first(to);
        let (texts, last) = page.cut(texts, |text| text.sid, wanted);
        let records = texts.into_iter().map(|text| to_value(&show(&state, text)));
        (records.collect(), last)
    };

    let body = page.envelope(call, "Messages", ("messages", records), last);
    Ok(json(StatusCode::OK, &body))
}

/// A list without messages.
fn empty(call: &Call<'_>, page: &Page) -> Response<Reply> {
    let body = page.envelope(call, "Messages", ("messages", Vec::new()), None);
    json(StatusCode::OK, &body)
}

/// `From`, `DateSent`, `DateSent<` and `DateSent>` of a list call; both bounds are included.
/// `DateSent` alone is a day, also with a time of day, as the SDKs write it.
struct Filter<'a> {
    from: Option<&'a str>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl<'a> Filter<'a> {
    fn read(call: &Call<'a>) -> Result<Self, Refusal> {
        let instant = |name| call.query.get(name).map(read_date).transpose();
        let mut filter = Self {
            from: call.query.get("From"),
            since: instant("DateSent>")?,
            until: instant("DateSent<")?,
        };

        if let Some(sent) = instant("DateSent")? {
            let day = sent.to_zoned(TimeZone::UTC).date();
            let start = day.to_zoned(TimeZone::UTC).map_or(sent, |start| start.timestamp());
            let end = start.checked_add(DAY).unwrap_or(Timestamp::MAX);
            filter.since = Some(start);
            filter.until = Some(before(end, Duration::from_nanos(1)));
        }

        Ok(filter)
    }

    fn admits(&self, text: &Text) -> bool {
        let date = text.sent_at.unwrap_or(text.received_at);
        self.from.is_none_or(|from| *from == *text.from)
            && self.since.is_none_or(|since| date >= since)
            && self.until.is_none_or(|until| date <= until)
    }
}

/// How long a day is in UTC.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// An instant, or the start of a day in UTC.
fn read_date(text: &str) -> Result<Timestamp, Refusal> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant);
    }

    let day = text.parse::<Date>().ok().and_then(|day| day.to_zoned(TimeZone::UTC).ok());
    day.map(|day| day.timestamp()).ok_or_else(|| bad_request("DateSent is not a date"))
}
