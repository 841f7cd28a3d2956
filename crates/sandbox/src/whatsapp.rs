//! WhatsApp's Cloud API: messages, templates and numbers of the Graph API, signed callbacks, and
//! messages of people. Every version of the Graph API is served alike.

mod call;
pub(crate) mod callback;
mod create;
mod draft;
pub(crate) mod echo;
mod errors;
pub(crate) mod inbound;
pub(crate) mod media;
mod numbers;
mod signature;
mod templates;

use std::sync::Arc;

use http::{
    Method, StatusCode,
    header::{AUTHORIZATION, HOST},
    request::Parts,
};

use crate::{
    app::App,
    clock::machine_now,
    reply::{self, Answer, Form},
};
use call::Call;

/// What follows the version in a path of the Graph API; `None` where the path is none of it.
pub(crate) fn rest_of(path: &str) -> Option<&str> {
    let (version, rest) = path.strip_prefix("/v")?.split_once('/')?;
    let (major, minor) = version.split_once('.')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    (is_number(major) && is_number(minor)).then_some(rest)
}

/// Answers a request whose path goes on with `rest` after the version.
pub(crate) async fn answer(app: &Arc<App>, head: &Parts, rest: &str, body: &[u8]) -> Answer {
    let (node, edge) = rest.split_once('/').unwrap_or((rest, ""));
    if edge.is_empty() && media::is_media(node) {
        return Ok(media::tell(app, head, node));
    }
    let number = app.state().businesses.of_number(node);
    let (number, business) = match number {
        Some((number, business)) => (Some(number), business),
        None => (None, node.into()),
    };

    if let Some(status) = app.faults().outage(&business, app.clock.business(machine_now())) {
        app.state().stats.fault("account_outage");
        return Ok(errors::outage(status).response());
    }
    let given = head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let account = match enter(app, &business, given.unwrap_or_default()) {
        Ok(account) => account,
        Err(refusal) => {
            app.state().stats.refused(refusal.code);
            return Ok(refusal.response());
        }
    };
    let Some(query) = Form::parse(head.uri.query().unwrap_or("").as_bytes()) else {
        return Ok(errors::invalid("the query cannot be read").response());
    };
    let trace = head.headers.get("traceparent").and_then(|value| value.to_str().ok());
    let root = root(head);
    let call = Call { app, account, business, body, query: &query, root, trace };

    match (number, edge, &head.method) {
        (Some(number), "messages", &Method::POST) => create::create(&call, number).await,
        (Some(number), "", &Method::GET) => {
            Ok(reply::json(StatusCode::OK, &numbers::show(&number)))
        }
        (None, "phone_numbers", &Method::GET) => Ok(numbers::list(&call)),
        (None, "message_templates", &Method::GET) => Ok(templates::list(&call)),
        (None, "message_templates", &Method::POST) => {
            Ok(templates::create(&call).unwrap_or_else(|refusal| refusal.response()))
        }
        (None, "message_templates", &Method::DELETE) => {
            Ok(templates::delete(&call).unwrap_or_else(|refusal| refusal.response()))
        }
        _ => Ok(errors::unknown_node(node).response()),
    }
}

/// Where a caller has found the API: what addresses of its pages begin with.
fn root(head: &Parts) -> String {
    let host = head.headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let version = head.uri.path().split('/').nth(1).unwrap_or_default();
    format!("http://{host}/{version}")
}

/// The index of the account that a request may act for.
fn enter(app: &App, business: &str, given: &str) -> Result<u16, errors::Refusal> {
    let mut state = app.state();
    let Some(of) = state.businesses.get(business) else {
        return Err(errors::unknown_node(business));
    };
    if given.strip_prefix("Bearer ") != Some(&*of.access_token) {
        return Err(errors::unauthorized());
    }
    state.accounts.of_business(business, given).ok_or_else(errors::unauthorized)
}
