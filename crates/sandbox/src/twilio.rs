//! Twilio: Messages, AvailablePhoneNumbers and IncomingPhoneNumbers of the 2010-04-01 API,
//! receipts, inbound texts and the default opt-out keywords.

mod available;
mod call;
pub(crate) mod callback;
mod create;
mod draft;
mod errors;
mod format;
pub(crate) mod inbound;
pub(crate) mod keywords;
mod messages;
mod numbers;
mod paging;
pub(crate) mod signature;

use std::sync::Arc;

use http::{HeaderValue, Method, Response, header::AUTHORIZATION, request::Parts};

use crate::{
    app::App,
    clock::machine_now,
    picture,
    reply::{Answer, Form, Reply},
};
use call::Call;
use errors::Refusal;
use format::sid_number;

/// Where numbers on offer are.
const AVAILABLE: &str = "AvailablePhoneNumbers/";

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
        ("IncomingPhoneNumbers.json", &Method::POST) => return numbers::order(&call),
        ("IncomingPhoneNumbers.json", &Method::GET) => numbers::list(&call),
        (path, &Method::GET) if path.starts_with(AVAILABLE) => {
            available::list(&call, &path[AVAILABLE.len()..])
        }
        (path, method) => one(&call, path, method),
    };
    Ok(answer.unwrap_or_else(|refusal| refusal.response()))
}

/// A call that names one message or number: `Messages/SM..json`.
fn one(call: &Call<'_>, path: &str, method: &Method) -> Result<Response<Reply>, Refusal> {
    if path.starts_with("Messages/MM") && path.contains("/Media/ME") && method == Method::GET {
        return Ok(picture::redirect());
    }
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
