//! Webhooks of carriers: found by the account in the path, checked by their signature, stored as
//! they came. Needs no database; 200 means that the broker has it on disk.

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::post,
};
use bytes::Bytes;
use carriers::twilio::signature::{SignedBody, SignedRequest, verify};
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
    directory::Known,
    http::{Kind, Problem, Trace, body::is_type, extract::Name, read_body},
};

/// How long a webhook's body may be.
const BODY_LIMIT: usize = 1024 * 1024;

/// Names a webhook request; the same on Twilio's own repeats of it.
const TOKEN_HEADER: &str = "i-twilio-idempotency-token";

const TWILIO: &str = "twilio";

/// The routes.
pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/webhooks/twilio/{account}/status", post(status))
        .route("/webhooks/twilio/{account}/inbound", post(inbound))
}

async fn status(
    State(app): State<App>,
    Name(account): Name,
    request: Request,
) -> Result<StatusCode, Problem> {
    receive(&app, &account, WebhookKind::Status, request).await.map(|()| StatusCode::OK)
}

async fn inbound(
    State(app): State<App>,
    Name(account): Name,
    request: Request,
) -> Result<Response, Problem> {
    receive(&app, &account, WebhookKind::Inbound, request).await?;
    // No answer from here: what there is to say goes through the gates.
    Ok(([(header::CONTENT_TYPE, "text/xml")], "<Response/>").into_response())
}

async fn receive(
    app: &App,
    account: &str,
    kind: WebhookKind,
    request: Request,
) -> Result<(), Problem> {
    let (known, token) = find(app, account)?;
    let (parts, body) = request.into_parts();
    if !is_type(&parts.headers, &["application/x-www-form-urlencoded"]) {
        let detail = "send Content-Type: application/x-www-form-urlencoded";
        return Err(Problem::new(Kind::UnsupportedMedia, detail));
    }
    let body = read_body(body, BODY_LIMIT).await?;
    if !is_genuine(app, &known, &parts, &body) {
        metrics::counter!("millrace_webhook_refused_total", "carrier" => TWILIO).increment(1);
        return Err(Problem::new(Kind::Forbidden, "the signature does not match"));
    }
    let payload = WebhookRequest {
        id: id_of(account, &parts, &body),
        tenant: known.tenant.clone(),
        account: account.to_owned(),
        received_at: app.now(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        body: body.into(),
        trace: Trace::of(&parts.headers).to_owned(),
    };
    let carrier = Token::new(TWILIO).expect("a name of ours");
    let subject = Subject::Carrier(carrier, token, kind);
    app.webhooks.publish(Outgoing::new(subject, &payload), None).await?;
    Ok(())
}

/// The account, and its name as a token of a subject.
fn find(app: &App, account: &str) -> Result<(std::sync::Arc<Known>, Token), Problem> {
    let known = app.directory.get(account).filter(|known| known.carrier == TWILIO);
    match (known, Token::new(account)) {
        (Some(known), Some(token)) => Ok((known, token)),
        _ if app.directory.is_loaded() => Err(Problem::not_found("account")),
        _ => Err(Problem::unavailable("the carrier accounts are being loaded", 2)),
    }
}

/// The signature covers the URL that we gave to the carrier: the public one, whatever proxies lie
/// in between and whatever `Host` says.
fn is_genuine(app: &App, known: &Known, parts: &Parts, body: &Bytes) -> bool {
    let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let Some(signature) = text("x-twilio-signature") else { return false };
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let url = format!("{}{path}", app.settings.public_url);
    let request = SignedRequest {
        url: &url,
        body: SignedBody::of(text("content-type"), body),
        signature,
        settings: text("x-twilio-webhooks-signature-settings"),
    };
    verify(&known.tokens, &request)
}

/// The carrier's own name for this request, else its content: a repeat is the same request.
fn id_of(account: &str, parts: &Parts, body: &Bytes) -> Uuid {
    let token = parts.headers.get(TOKEN_HEADER).and_then(|value| value.to_str().ok());
    let token = token.filter(|token| (1..=255).contains(&token.len()));
    match token {
        Some(token) => carrier_id(account, token),
        None => carrier_id(account, &wire::hex(&Sha256::digest(body))),
    }
}
