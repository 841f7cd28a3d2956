//! Webhooks of carriers: found by the account in the path, checked by their signature, stored as
//! they came. Needs no database; an acknowledgement means that the broker has it on disk.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, Request, State},
    http::{header, request::Parts},
    response::{IntoResponse, Response},
    routing::post,
};
use bytes::Bytes;
use carriers::{Acknowledgement, Carrier, Incoming};
use domain::ids::carrier_id;
use sha2::{Digest, Sha256};
use uuid::Uuid;
use wire::{
    WebhookRequest,
    frame::Outgoing,
    subject::{Subject, Token, WebhookKind},
};

use crate::{
    app::App,
    directory::KnownAccount,
    http::{Kind, Problem, Trace, arrival, body::is_type},
};

/// How long a webhook's body may be.
const BODY_LIMIT: usize = 1024 * 1024;

/// The routes: an account's own address, and those below it. Which there are, the carrier says.
pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/webhooks/{carrier}/{account}", post(at_account))
        .route("/webhooks/{carrier}/{account}/{part}", post(below_account))
}

async fn at_account(
    State(app): State<App>,
    Path((carrier, account)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    receive(&app, Address { carrier: &carrier, account: &account, part: "" }, request).await
}

async fn below_account(
    State(app): State<App>,
    Path((carrier, account, part)): Path<(String, String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    receive(&app, Address { carrier: &carrier, account: &account, part: &part }, request).await
}

/// Where a request came to.
struct Address<'a> {
    carrier: &'a str,
    account: &'a str,
    part: &'a str,
}

async fn receive(app: &App, address: Address<'_>, request: Request) -> Result<Response, Problem> {
    let (carrier, kind) = served(&address)?;
    let candidates = accounts(app, carrier, address.account)?;

    let (parts, body) = request.into_parts();
    if !is_type(&parts.headers, &[carrier.media_type()]) {
        let detail = format!("send Content-Type: {}", carrier.media_type());
        return Err(Problem::new(Kind::UnsupportedMedia, detail));
    }
    // An account has one share, by whatever name it is called.
    let share = candidates.first().map_or_else(String::new, |known| known.handle.clone());
    let busy = |_| Problem::unavailable("too many webhooks are under way", 1);
    let _of_account = app.webhooks_of_account.of(&share).try_acquire_owned().map_err(busy)?;
    let _of_all = app.webhooks_under_way.clone().try_acquire_owned().map_err(busy)?;
    let share = format!("webhooks/{share}");
    let body = arrival::read(&app.arriving, &share, body, BODY_LIMIT).await?;
    let account = signer(app, carrier, candidates, &parts, &body)?;

    store(app, carrier, kind, &account, &parts, body).await?;
    Ok(acknowledge(carrier.acknowledgement(kind)))
}

/// The carrier, and what comes to this address of it.
fn served(address: &Address<'_>) -> Result<(Carrier, WebhookKind), Problem> {
    let carrier = Carrier::from_name(address.carrier);
    let served = carrier.and_then(|carrier| {
        let (_, kind) = carrier.webhooks().iter().find(|(part, _)| *part == address.part)?;
        Some((carrier, *kind))
    });
    served.ok_or_else(|| Problem::new(Kind::NotFound, "there is no such path"))
}

/// The accounts that the address may mean.
fn accounts(app: &App, carrier: Carrier, account: &str) -> Result<Vec<Arc<KnownAccount>>, Problem> {
    let mut known = app.directory.find(account);
    known.retain(|known| known.carrier == Some(carrier));
    match known.is_empty() {
        false => Ok(known),
        true if app.directory.is_loaded() => Err(Problem::not_found("account")),
        true => Err(Problem::unavailable("the carrier accounts are being loaded", 2)),
    }
}

/// The account whose secret signed the request. The signature covers the URL that we gave to the
/// carrier: the public one, whatever proxies lie in between and whatever `Host` says.
fn signer(
    app: &App,
    carrier: Carrier,
    candidates: Vec<Arc<KnownAccount>>,
    parts: &Parts,
    body: &Bytes,
) -> Result<Arc<KnownAccount>, Problem> {
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let url = format!("{}{path}", app.settings.public_url);
    let incoming = Incoming { url: &url, headers: &parts.headers, body };

    let signed = |known: &Arc<KnownAccount>| carrier.is_genuine(&known.tokens, &incoming);
    candidates.into_iter().find(signed).ok_or_else(|| {
        metrics::counter!("millrace_webhook_refused_total", "carrier" => carrier.as_str())
            .increment(1);
        let detail =
            format!("the account's secret gives another signature for {url} and this body");
        Problem::new(Kind::BadSignature, detail)
    })
}

/// Publishes the request as it came, and waits until the broker has it.
async fn store(
    app: &App,
    carrier: Carrier,
    kind: WebhookKind,
    account: &KnownAccount,
    parts: &Parts,
    body: Bytes,
) -> Result<(), Problem> {
    let subject = Token::new(carrier.as_str())
        .zip(Token::new(&account.handle))
        .map(|(carrier, handle)| Subject::Carrier(carrier, handle, kind))
        .ok_or_else(|| Problem::not_found("account"))?;

    let payload = WebhookRequest {
        id: id_of(carrier, account, parts, &body),
        tenant: account.tenant().cloned(),
        carrier: carrier.as_str().to_owned(),
        account: account.handle.clone(),
        received_at: app.now(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        body: body.into(),
        trace: Trace::of(&parts.headers).to_owned(),
    };

    app.webhooks.publish(Outgoing::new(subject, &payload), None).await?;
    Ok(())
}

/// The carrier's own name for this request, else its content: a repeat is the same request.
fn id_of(carrier: Carrier, account: &KnownAccount, parts: &Parts, body: &Bytes) -> Uuid {
    match carrier.request_name(&parts.headers) {
        Some(name) => carrier_id(&account.handle, name),
        None => carrier_id(&account.handle, &wire::hex(&Sha256::digest(body))),
    }
}

/// What the carrier wants to read. There is no answer to a person in it: what there is to say goes
/// through the gates.
fn acknowledge(acknowledgement: Acknowledgement) -> Response {
    let Acknowledgement { content_type, body } = acknowledgement;
    match content_type {
        Some(content_type) => ([(header::CONTENT_TYPE, content_type)], body).into_response(),
        None => ().into_response(),
    }
}
