//! Bandwidth: messages of the Messaging API v2, callbacks in arrays, texts of people, and numbers
//! of the account API.

mod call;
pub(crate) mod callback;
mod create;
mod draft;
mod errors;
pub(crate) mod inbound;
mod list;
pub(crate) mod numbers;

use std::sync::Arc;

use http::{HeaderValue, Method, header::AUTHORIZATION, request::Parts};

use crate::{
    app::App,
    clock::machine_now,
    picture,
    reply::{Answer, Form},
};
use call::Call;

/// Answers a request whose path goes on with `rest` after `/api/v2/users/`.
pub(crate) async fn answer(app: &Arc<App>, head: &Parts, rest: &str, body: &[u8]) -> Answer {
    let Some((id, resource)) = rest.split_once('/') else {
        return Ok(errors::not_found().response());
    };
    if let Some(status) = app.faults().outage(id, app.clock.business(machine_now())) {
        app.state().stats.fault("account_outage");
        return Ok(errors::outage(status).response());
    }

    let header = head.headers.get(AUTHORIZATION).map_or(&b""[..], HeaderValue::as_bytes);
    let Some(account) = app.state().accounts.enter(id, header) else {
        app.state().stats.refused(errors::UNAUTHORIZED.into());
        return Ok(errors::unauthorized().response());
    };
    let Some(query) = Form::parse(head.uri.query().unwrap_or("").as_bytes()) else {
        return Ok(errors::invalid("query", "cannot be read").response());
    };
    let trace = head.headers.get("traceparent").and_then(|value| value.to_str().ok());
    let call = Call { app, account, body, query: &query, trace };

    match (resource, &head.method) {
        ("messages", &Method::POST) => create::create(&call).await,
        ("messages", &Method::GET) => {
            Ok(list::list(&call).unwrap_or_else(|refusal| refusal.response()))
        }
        (path, &Method::GET) if path.starts_with("media/") => Ok(picture::answer()),
        ("messages", _) => Ok(errors::wrong_method().response()),
        _ => Ok(errors::not_found().response()),
    }
}
