//! `/v1/contacts/{id}/consent`: the ledger of a person's consent, and what is added to it.

use axum::{Json, Router, extract::State, http::StatusCode, response::Response, routing::get};
use domain::{gates::Basis, ids::ContactId, message::class::Channel};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{
    Scoped, contacts, outbox as owed,
    recipients::{
        consent::{self, Action, ConsentChange, ConsentLine, ConsentMethod, PriorStatus, Proof},
        list::{self, RecipientRow},
    },
};
use uuid::Uuid;
use wire::{Event, EventKind, event::ContactData};

use super::scope;
use crate::{
    app::App,
    auth::Caller,
    http::{Creation, Errors, Id, Kind, Page, Paging, Problem, Query},
    ids, outbox,
};

/// The longest disclosure, in characters.
const MAX_DISCLOSURE: usize = 4_000;

/// The longest of the other texts, in characters.
const MAX_TEXT: usize = 500;

/// How many messages a double opt-in names.
const MAX_MESSAGES: usize = 4;

/// How a consent can be captured.
const METHODS: [ConsentMethod; 9] = [
    ConsentMethod::WebForm,
    ConsentMethod::Keyword,
    ConsentMethod::Paper,
    ConsentMethod::Voice,
    ConsentMethod::Email,
    ConsentMethod::PointOfSale,
    ConsentMethod::InApp,
    ConsentMethod::Import,
    ConsentMethod::Api,
];

pub(super) fn router() -> Router<App> {
    Router::new().route("/v1/contacts/{id}/consent", get(list).post(add))
}

/// A line for the ledger, as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewLine {
    /// `grant`, `confirm`, `revoke` or `restore`
    action: String,
    #[serde(default)]
    channel: Channel,
    /// Of a revocation or restoration: `tenant` or `program`
    #[serde(default)]
    scope: Option<String>,
    #[serde(default)]
    program: Option<String>,
    #[serde(default)]
    basis: Option<Basis>,
    #[serde(default)]
    expires_at: Option<Timestamp>,
    /// How it was captured; `api` when it is not said.
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    language: Option<String>,
    /// When it was said; now when it is not said.
    #[serde(default)]
    at: Option<Timestamp>,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    disclosure: Option<String>,
    #[serde(default)]
    page_url: Option<String>,
    #[serde(default)]
    ip: Option<String>,
    #[serde(default)]
    user_agent: Option<String>,
    #[serde(default)]
    signature: Option<String>,
    #[serde(default)]
    inbound_id: Option<Uuid>,
    #[serde(default)]
    message_ids: Vec<Uuid>,
    #[serde(default)]
    certificate: Option<String>,
    /// The person's own words.
    #[serde(default)]
    words: Option<String>,
}

#[derive(Serialize)]
struct LineView {
    id: Uuid,
    channel: Channel,
    action: Action,
    scope: &'static str,
    program: Option<String>,
    basis: Option<Basis>,
    expires_at: Option<Timestamp>,
    method: ConsentMethod,
    language: Option<String>,
    source: Option<String>,
    disclosure: Option<String>,
    disclosure_sha256: Option<String>,
    page_url: Option<String>,
    ip: Option<String>,
    user_agent: Option<String>,
    signature: Option<String>,
    inbound_id: Option<Uuid>,
    message_ids: Vec<Uuid>,
    certificate: Option<String>,
    evidence: Value,
    previous: Option<&'static str>,
    at: Timestamp,
    recorded_at: Option<Timestamp>,
    recorded_by: String,
}

fn line_view(line: ConsentLine) -> LineView {
    LineView {
        id: line.id,
        channel: line.channel,
        action: line.action,
        scope: if line.program.is_some() { "program" } else { "tenant" },
        program: line.program,
        basis: line.basis,
        expires_at: line.expires_at,
        method: line.method,
        language: line.language,
        source: line.source,
        disclosure: line.disclosure,
        disclosure_sha256: line.disclosure_hash.map(|hash| wire::hex(&hash)),
        page_url: line.page_url,
        ip: line.ip,
        user_agent: line.user_agent,
        signature: line.signature,
        inbound_id: line.inbound_id,
        message_ids: line.message_ids,
        certificate: line.certificate,
        evidence: line.evidence,
        previous: line.previous.map(PriorStatus::as_str),
        at: line.at,
        recorded_at: line.recorded_at,
        recorded_by: line.recorded_by,
    }
}

/// Where the number stands on a channel.
#[derive(Serialize)]
struct RecipientView {
    channel: Channel,
    consent_at: Option<Timestamp>,
    basis: Option<Basis>,
    expires_at: Option<Timestamp>,
    /// Whether that consent holds now.
    holds: bool,
    opted_out_at: Option<Timestamp>,
    opt_out_cause: Option<ConsentMethod>,
    stopped_programs: Vec<String>,
    do_not_contact_at: Option<Timestamp>,
}

fn recipient_view(recipient: RecipientRow, now: Timestamp) -> RecipientView {
    let ended = recipient.consent_expires_at.is_some_and(|end| end <= now);
    RecipientView {
        holds: recipient.marketing_consent_at.is_some() && !ended,
        channel: recipient.channel,
        consent_at: recipient.marketing_consent_at,
        basis: recipient.consent_basis,
        expires_at: recipient.consent_expires_at,
        opted_out_at: recipient.opted_out_at,
        opt_out_cause: recipient.opt_out_cause,
        stopped_programs: recipient.stopped_programs,
        do_not_contact_at: recipient.do_not_contact_at,
    }
}

#[derive(Serialize)]
struct Added {
    id: Uuid,
    #[serde(rename = "standing")]
    recipient: Option<RecipientView>,
}

#[derive(Serialize)]
struct Ledger {
    #[serde(rename = "standings")]
    recipients: Vec<RecipientView>,
    #[serde(flatten)]
    lines: Page<LineView>,
}

async fn add(
    State(app): State<App>,
    Id(contact): Id,
    mut new: Creation<NewLine>,
) -> Result<Response, Problem> {
    let (action, program) = check(&new.body, new.now)?;
    let tenant = new.caller.tenant.clone();
    let number = number_of(&mut new.tx, &new.caller, contact).await?;
    let channel = new.body.channel;
    let numbers = [number.clone()];
    let before = list::load(&mut new.tx, &tenant, &numbers, channel, true).await?.pop();
    if action == Action::Restore && !is_revoked(before.as_ref(), program.as_deref()) {
        return Err(Problem::new(Kind::Conflict, "nothing is revoked that could be restored"));
    }
    let change = change(&new, action, program, number);
    let (id, event) = (change.consent_id, event(&change, contact));
    consent::record(&mut new.tx, new.now, std::slice::from_ref(&change)).await?;
    let overtaken = !consent::overtaken(&mut new.tx, &[&change]).await?.is_empty();
    let event = event.filter(|_| !overtaken);
    if let Some(event) = &event {
        owed::insert(&mut new.tx, std::slice::from_ref(event)).await?;
    }
    let after = list::load(&mut new.tx, &tenant, &numbers, channel, false).await?.pop();
    let recipient = after.map(|after| recipient_view(after, new.now));
    let response = new.finish(StatusCode::CREATED, &Added { id, recipient }).await?;
    if let Some(event) = event {
        outbox::say(&app, event);
    }
    Ok(response)
}

fn is_revoked(recipient: Option<&RecipientRow>, program: Option<&str>) -> bool {
    recipient.is_some_and(|recipient| match program {
        Some(program) => recipient.stopped_programs.iter().any(|stopped| stopped == program),
        None => recipient.opted_out_at.is_some() || !recipient.stopped_programs.is_empty(),
    })
}

/// What is told of a revocation or restoration of everything.
fn event(change: &ConsentChange, contact: Uuid) -> Option<Event> {
    let kind = match change.action {
        Action::Revoke => EventKind::ContactOptedOut,
        Action::Restore => EventKind::ContactOptedIn,
        Action::Grant | Action::Confirm | Action::DoNotContact | Action::Allow => return None,
    };
    let data = ContactData { contact: ContactId(contact), cause: "api".to_owned(), campaign: None };
    let told = || Event::new(kind, &change.tenant, change.consent_id, 1, change.at, &data);
    change.program.is_none().then(told)
}

fn change(
    new: &Creation<NewLine>,
    action: Action,
    program: Option<String>,
    number: String,
) -> ConsentChange {
    let (body, by) = (&new.body, new.caller.subject.clone());
    let mut evidence = json!({ "by": by });
    if let Some(words) = &body.words {
        evidence["words"] = words.as_str().into();
    }
    ConsentChange {
        tenant: new.caller.tenant.clone(),
        consent_id: ids::fresh(),
        number,
        channel: body.channel,
        action,
        program,
        method: method(body).unwrap_or(ConsentMethod::Api),
        language: body.language.clone(),
        source: body.source.clone(),
        proof: Proof {
            basis: body.basis,
            expires_at: body.expires_at,
            disclosure: body.disclosure.clone(),
            page_url: body.page_url.clone(),
            ip: body.ip.clone(),
            user_agent: body.user_agent.clone(),
            signature: body.signature.clone(),
            inbound_id: body.inbound_id,
            message_ids: body.message_ids.clone(),
            certificate: body.certificate.clone(),
        },
        evidence,
        at: body.at.unwrap_or(new.now),
        recorded_by: by,
    }
}

fn check(body: &NewLine, now: Timestamp) -> Result<(Action, Option<String>), Problem> {
    let mut errors = Errors::default();
    let action = Action::from_name(&body.action)
        .filter(|action| !matches!(action, Action::DoNotContact | Action::Allow));
    errors.check(action.is_some(), "action", "unknown", "grant, confirm, revoke or restore");
    let program = scope::program(body.scope.as_deref(), body.program.as_deref(), &mut errors);
    let grants = matches!(action, Some(Action::Grant | Action::Confirm));
    if grants {
        let whole = body.scope.is_none() && body.program.is_none();
        errors.check(whole, "scope", "unexpected", "a grant is to the tenant");
    } else {
        let plain = body.basis.is_none() && body.expires_at.is_none();
        errors.check(plain, "basis", "unexpected", "only a grant has a ground and an end");
    }
    let at = body.at.unwrap_or(now);
    errors.check(at <= now, "at", "out_of_range", "not in the future");
    let ends = body.expires_at.is_none_or(|end| end > at);
    errors.check(ends, "expires_at", "out_of_range", "after it was given");
    if body.basis == Some(Basis::Implied) {
        let detail = "an implied consent ends: say when";
        errors.check(body.expires_at.is_some(), "expires_at", "required", detail);
    }
    let known = body.method.is_none() || method(body).is_some();
    errors.check(known, "method", "unknown", &METHODS.map(ConsentMethod::as_str).join(", "));
    let language = body.language.as_deref();
    let two = |code: &str| code.len() == 2 && code.bytes().all(|b| b.is_ascii_lowercase());
    errors.check(language.is_none_or(two), "language", "unknown", "a code such as en or es");
    let ip = body.ip.as_deref().is_none_or(|ip| ip.parse::<std::net::IpAddr>().is_ok());
    errors.check(ip, "ip", "invalid", "an IPv4 or IPv6 address");
    let web = |url: &str| url.starts_with("https://") || url.starts_with("http://");
    errors.check(body.page_url.as_deref().is_none_or(web), "page_url", "invalid", "an address");
    let many = body.message_ids.len() <= MAX_MESSAGES;
    errors.check(many, "message_ids", "too_many", "at most 4");
    texts(body, &mut errors);
    errors.done()?;
    let action = action.ok_or_else(|| Problem::field("action", "unknown", "unknown"))?;
    Ok((action, program))
}

/// The method as written, if it is one that may be named.
fn method(body: &NewLine) -> Option<ConsentMethod> {
    let named = body.method.as_deref().and_then(ConsentMethod::from_name);
    named.filter(|method| METHODS.contains(method))
}

fn texts(body: &NewLine, errors: &mut Errors) {
    for (field, text, most) in [
        ("source", &body.source, 100),
        ("disclosure", &body.disclosure, MAX_DISCLOSURE),
        ("page_url", &body.page_url, 2_000),
        ("user_agent", &body.user_agent, MAX_TEXT),
        ("signature", &body.signature, MAX_TEXT),
        ("certificate", &body.certificate, MAX_TEXT),
        ("words", &body.words, MAX_TEXT),
    ] {
        if let Some(text) = text {
            errors.text(field, text, 1, most);
        }
    }
}

async fn number_of(tx: &mut Scoped, caller: &Caller, contact: Uuid) -> Result<String, Problem> {
    let found = contacts::load(tx, &caller.tenant, &[contact], false).await?.pop();
    found.map(|found| found.number).ok_or_else(|| Problem::not_found("contact"))
}

/// The latest lines first, by when it was said.
async fn list(
    State(app): State<App>,
    caller: Caller,
    Id(contact): Id,
    Query(paging): Query<Paging>,
) -> Result<Json<Ledger>, Problem> {
    let (before, limit) = (paging.after_time_and_id()?, paging.limit()?);
    let mut tx = app.store.scoped([&caller.tenant]).await?;
    let number = number_of(&mut tx, &caller, contact).await?;
    let mut recipient = Vec::new();
    for channel in [Channel::Sms, Channel::Whatsapp] {
        let numbers = std::slice::from_ref(&number);
        let found = list::load(&mut tx, &caller.tenant, numbers, channel, false).await?;
        recipient.extend(found.into_iter().map(|found| recipient_view(found, app.now())));
    }
    let found = consent::list(&mut tx, &caller.tenant, &number, before, limit).await?;
    let found = found.into_iter().map(line_view).collect();
    let lines = Page::new(found, limit, |line: &LineView| format!("{} {}", line.at, line.id));
    Ok(Json(Ledger { recipients: recipient, lines }))
}
