//! Twilio: Messages and IncomingPhoneNumbers of the 2010-04-01 API, receipts, inbound texts and
//! the default opt-out keywords.

mod callback;
mod create;
mod draft;
mod errors;
mod inbound;
mod keywords;
mod messages;
mod numbers;
mod paging;
mod receipts;
mod signature;

use std::sync::Arc;

use http::{
    HeaderValue, Method, Response, StatusCode,
    header::{AUTHORIZATION, HeaderName},
    request::Parts,
};
use jiff::Timestamp;

use crate::{
    app::App,
    clock::machine_now,
    reply::{Answer, Form, Reply},
};
use errors::Refusal;
pub(crate) use inbound::{Heard, Said, receive, say};
pub(crate) use keywords::Keyword;
pub(crate) use receipts::{NextStep, take_step};

/// Answers a request whose path goes on with `rest` after `/2010-04-01/Accounts/`.
pub(crate) async fn answer(app: &Arc<App>, head: &Parts, rest: &str, body: &[u8]) -> Answer {
    let Some((sid, resource)) = rest.split_once('/') else {
        return Ok(errors::not_found().response());
    };
    if let Some(status) = app.faults().outage(sid, app.clock.business(machine_now())) {
        app.state().stats.fault("account_outage");
        return Ok(errors::outage(status).response());
    }
    let header = head.headers.get(AUTHORIZATION).map_or(&b""[..], HeaderValue::as_bytes);
    let Some(account) = app.state().accounts.enter(sid, header) else {
        app.state().stats.refused(errors::AUTHENTICATE);
        return Ok(errors::unauthorized().response());
    };
    let (Some(form), Some(query)) =
        (Form::parse(body), Form::parse(head.uri.query().unwrap_or("").as_bytes()))
    else {
        return Ok(errors::bad_request("The request is not form encoded").response());
    };
    let trace = head.headers.get("traceparent").and_then(|value| value.to_str().ok());
    let call = Call { app, account, form: &form, query: &query, trace };
    let answer = match (resource, &head.method) {
        ("Messages.json", &Method::POST) => return create::create(&call).await,
        ("Messages.json", &Method::GET) => messages::list(&call),
        ("IncomingPhoneNumbers.json", &Method::POST) => numbers::create(&call),
        ("IncomingPhoneNumbers.json", &Method::GET) => numbers::list(&call),
        (path, method) => one(&call, path, method),
    };
    Ok(answer.unwrap_or_else(|refusal| refusal.response()))
}

/// What a handler works with.
struct Call<'a> {
    app: &'a Arc<App>,
    account: u16,
    form: &'a Form,
    query: &'a Form,
    /// W3C trace context.
    trace: Option<&'a str>,
}

/// A call that names one message or number: `Messages/SM..json`.
fn one(call: &Call<'_>, path: &str, method: &Method) -> Result<Response<Reply>, Refusal> {
    let (kind, sid) = path
        .strip_suffix(".json")
        .and_then(|path| path.split_once('/'))
        .ok_or_else(errors::not_found)?;
    let id = sid_number(sid).ok_or_else(errors::not_found)?;
    match (kind, method) {
        ("Messages", &Method::GET) => messages::fetch(call, id),
        ("Messages", &Method::POST) => messages::update(call, id),
        ("Messages", &Method::DELETE) => messages::delete(call, id),
        ("IncomingPhoneNumbers", &Method::GET) => numbers::fetch(call, id),
        ("IncomingPhoneNumbers", &Method::POST) => numbers::update(call, id),
        ("IncomingPhoneNumbers", &Method::DELETE) => numbers::delete(call, id),
        _ => Err(errors::not_found()),
    }
}

/// The number in a sid: two letters and 32 hexadecimal digits.
fn sid_number(sid: &str) -> Option<u128> {
    let digits = sid.get(2..).filter(|digits| digits.len() == 32)?;
    u128::from_str_radix(digits, 16).ok()
}

/// A date as the 2010 API writes it, RFC 2822 in UTC.
fn date(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// An answer in JSON with Twilio's request id.
fn json<T: serde::Serialize>(status: StatusCode, value: &T) -> Response<Reply> {
    let mut response = crate::reply::json(status, value);
    let id = format!("RQ{:032x}", crate::reply::request_number());
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HeaderName::from_static("twilio-request-id"), id);
    }
    response
}
