//! Webhooks of carriers: found by the account in the path, checked by their signature, stored as
//! they came. Needs no database; an acknowledgement means that the broker has it on disk.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    http::{Uri, header, request::Parts},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use carriers::{Acknowledgement, Carrier, Incoming, SIGNATURE_HEADERS};
use domain::ids::carrier_id;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::{
    IntoParams, IntoResponses,
    openapi::{
        Required,
        path::{Parameter, ParameterBuilder, ParameterIn},
        schema::{ObjectBuilder, Type},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;
use wire::{
    WebhookRequest,
    frame::Outgoing,
    subject::{Subject, Token, WebhookKind},
};

use crate::{
    app::App,
    directory::KnownAccount,
    document::{
        answers::OfBody,
        examples,
        words::{WebhookForm, WebhookPart},
    },
    http::{Kind, Problem, Trace, arrival, body::is_type, problem::ProblemDocument},
};

/// How long a webhook's body may be.
const BODY_LIMIT: usize = 1024 * 1024;

/// The routes: an account's own address, and those below it. Which there are, the carrier says.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(at_account, verify)).routes(routes!(below_account))
}

/// The headers of a request, as the document has them.
struct Signed;

impl IntoParams for Signed {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let header = |name: &str| {
            let text = ObjectBuilder::new()
                .schema_type(Type::String)
                .pattern(Some("^[A-Za-z0-9+/]{27}=$"))
                .build();
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Header)
                .required(Required::True)
                .description(Some(SIGNED))
                .schema(Some(text))
                .build()
        };
        SIGNATURE_HEADERS.map(header).to_vec()
    }
}

const SIGNED: &str = "The HMAC-SHA1 in base64, under the account's token, of the public URL that \
    was called with its query, and behind it the form's names and decoded values, sorted and \
    without separators. JSON is signed by the URL alone, whose query has the body's SHA-256 in \
    hexadecimal as `bodySHA256`.";

/// How a request is refused, beside what is wrong with its body.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "the document alone reads it")]
enum Refused {
    /// No secret of the account gives this signature for this URL and this body.
    #[response(
        status = 403, content_type = "application/problem+json",
        example = json!(shown(Kind::BadSignature, "the account's secret gives another signature")),
    )]
    BadSignature(ProblemDocument<'static>),
    /// There is no such account, or its carrier does not call such an address.
    #[response(
        status = 404, content_type = "application/problem+json",
        example = json!(shown(Kind::NotFound, "no account with this id")),
    )]
    NotFound(ProblemDocument<'static>),
    /// Too much of this account is arriving.
    #[response(
        status = 429, content_type = "application/problem+json",
        example = json!(shown(Kind::TooMany, "too much is arriving with this key")),
        headers(("Retry-After" = u64, description = "Seconds after which a repeat is worth it.")),
    )]
    TooMuch(ProblemDocument<'static>),
    /// A defect of the platform, which is reported by its request id.
    #[response(
        status = 500, content_type = "application/problem+json",
        example = json!(shown(Kind::Internal, "it has been reported")),
    )]
    Defect(ProblemDocument<'static>),
    /// Too many webhooks are under way, the accounts are not loaded yet, or the broker is away.
    #[response(
        status = 503, content_type = "application/problem+json",
        example = json!(shown(Kind::Unavailable, "too many webhooks are under way")),
        headers(("Retry-After" = u64, description = "Seconds after which a repeat is worth it.")),
    )]
    Unavailable(ProblemDocument<'static>),
}

/// A problem as the document shows it.
fn shown(kind: Kind, detail: &'static str) -> Value {
    Problem::new(kind, detail).shown()
}

/// The first carrier that has one address for everything, as the document's example.
fn of_one_address() -> &'static str {
    let is_one = |carrier: &&Carrier| carrier.webhooks().iter().any(|(part, _)| part.is_empty());
    Carrier::ALL.iter().find(is_one).map_or("", |carrier| carrier.as_str())
}

/// `POST /webhooks/{carrier}/{account}`, for carriers with one address for everything: takes
/// receipts and texts from people in any mixture, once it is proven whose they are. Basic
/// authentication proves it, by user and password of the account, or the carrier's signature of
/// the body. Answers 200 once the broker has it on disk. What it says is read after that, each
/// part by itself.
#[utoipa::path(
    post, path = "/webhooks/{carrier}/{account}", tag = "webhooks",
    operation_id = "receive_mixed_webhook",
    params(
        ("carrier" = String, Path, pattern = "^[a-z]{1,32}$",
            description = "The carrier, by its name.",
            example = json!(of_one_address())),
        ("account" = String, Path, pattern = "^[A-Za-z0-9_-]{1,64}$",
            description = "The account, by its handle or its tenant's name.",
            example = "mixed"),
    ),
    request_body(
        content = Vec<Value>,
        description = "What the carrier has to say, as it writes it; at most 1 MiB.",
        example = json!([{
            "type": "message-delivered", "time": "2026-06-10T16:00:02Z", "description": "ok",
            "to": "+12125550123",
            "message": {
                "id": "14762070468292kw2fuqty55yp2b2", "time": "2026-06-10T16:00:00Z",
                "to": ["+12125550123"], "from": "+12125550199", "text": "", "direction": "out",
                "applicationId": "app-1", "owner": "+12125550199", "segmentCount": 1,
                "tag": format!("tenant=acme&message={}", examples::MESSAGE),
            },
        }]),
    ),
    responses(
        (status = 200, description = "The broker has it on disk. The body is empty."),
        OfBody, Refused,
    ),
)]
async fn at_account(
    State(app): State<App>,
    Path((carrier, account)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    receive(&app, Address { carrier: &carrier, account: &account, part: "" }, request).await
}

/// The first carrier that verifies an address before it calls it, as the document's example.
fn of_a_challenge() -> &'static str {
    let verifies = |carrier: &&Carrier| carrier.verifies_addresses();
    Carrier::ALL.iter().find(verifies).map_or("", |carrier| carrier.as_str())
}

/// What a carrier asks that verifies an address.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the document alone reads it: the carrier reads its own query")]
struct Challenge {
    /// What is asked for: `subscribe`.
    #[serde(rename = "hub.mode")]
    #[param(pattern = "^subscribe$", example = "subscribe")]
    mode: String,
    /// The verify token of the account's secret.
    #[serde(rename = "hub.verify_token")]
    #[param(pattern = "^.{1,256}$", example = "a-word")]
    verify_token: String,
    /// What is to be answered.
    #[serde(rename = "hub.challenge")]
    #[param(pattern = "^[A-Za-z0-9_-]{1,256}$", example = "1158201444")]
    challenge: String,
}

/// `GET /webhooks/{carrier}/{account}`, for carriers that verify an address before they
/// call it: answers 200 with the challenge where the account's verify token is named, else
/// 403. Stores nothing.
#[utoipa::path(
    get, path = "/webhooks/{carrier}/{account}", tag = "webhooks",
    operation_id = "verify_webhook",
    params(
        ("carrier" = String, Path, pattern = "^[a-z]{1,32}$",
            description = "The carrier, by its name.",
            example = json!(of_a_challenge())),
        ("account" = String, Path, pattern = "^[A-Za-z0-9_-]{1,64}$",
            description = "The account, by its handle or its tenant's name.",
            example = "verified"),
        Challenge,
    ),
    responses(
        (status = 200, content((String = "text/plain", example = "1158201444")),
            description = "The challenge, as it was given."),
        Refused,
    ),
)]
async fn verify(
    State(app): State<App>,
    Path((carrier, account)): Path<(String, String)>,
    uri: Uri,
) -> Result<Response, Problem> {
    let (carrier, _) = served(&Address { carrier: &carrier, account: &account, part: "" })?;
    if !carrier.verifies_addresses() {
        return Err(Problem::new(Kind::NotFound, "this carrier verifies no address"));
    }
    let candidates = accounts(&app, carrier, &account)?;

    let query = uri.query().unwrap_or_default();
    let challenge = candidates.iter().find_map(|known| carrier.handshake(&known.tokens, query));
    let challenge = challenge.ok_or_else(|| {
        metrics::counter!("millrace_webhook_refused_total", "carrier" => carrier.as_str())
            .increment(1);
        let detail = "the query does not name the account's verify token, or no challenge";
        Problem::new(Kind::BadSignature, detail)
    })?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], challenge).into_response())
}

/// `POST /webhooks/{carrier}/{account}/{part}`, for carriers: takes a receipt (`status`) or a text
/// from a person (`inbound`), once its signature is right. Answers 200 once the broker has it on
/// disk. What it says is read after that.
#[utoipa::path(
    post, path = "/webhooks/{carrier}/{account}/{part}", tag = "webhooks",
    operation_id = "receive_webhook",
    params(
        ("carrier" = String, Path, pattern = "^[a-z]{1,32}$",
            description = "The carrier, by its name.",
            example = json!(Carrier::ALL[0].as_str())),
        ("account" = String, Path, pattern = "^[A-Za-z0-9_-]{1,64}$",
            description = "The account, by its handle or its tenant's name.",
            example = "main"),
        ("part" = inline(WebhookPart), Path, description = "What is reported.",
            example = "status"),
        ("tenant" = Option<String>, Query, pattern = "^[a-z0-9-]{2,32}$",
            description = "Of a receipt: the tenant whose text it is about, as the address that \
                the carrier was given says it.",
            example = "acme"),
        ("message" = Option<Uuid>, Query, description = "Of a receipt: the text, likewise.",
            example = json!(examples::MESSAGE)),
        Signed,
    ),
    request_body(
        content = inline(WebhookForm), content_type = "application/x-www-form-urlencoded",
        description = "What the carrier has to say, as it writes it; at most 1 MiB.",
        example = "AccountSid=AC0198f1d27c007a008000000000000010\
            &MessageSid=SM0198f1d27c007a008000000000000060&MessageStatus=delivered\
            &From=%2B12125550199&To=%2B12125550123",
    ),
    responses(
        (status = 200, content((String = "text/xml", example = "<Response/>")),
            description = "The broker has it on disk. The body is empty to a receipt, and an empty \
                document to a text: what there is to say to the person goes through the gates."),
        OfBody, Refused,
    ),
)]
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
    if !is_type(&parts.headers, carrier.media_types()) {
        let detail = format!("send Content-Type: {}", carrier.media_types().join(" or "));
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

    let queue = match kind {
        WebhookKind::Status => &app.receipts,
        WebhookKind::Inbound | WebhookKind::Mixed => &app.texts,
    };
    queue.publish(Outgoing::new(subject, &payload), None).await?;
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
