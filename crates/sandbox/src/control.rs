//! The control API under `/sandbox/`: what outsiders read and set. Errors are problem documents.

mod answers;
mod applications;
mod businesses;
mod lines;
mod phone;
mod preferences;
mod templates;

use std::{collections::BTreeMap, sync::Arc};

use http::{Method, Response, StatusCode, request::Parts};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    app::App,
    clock::{self, machine_now},
    encode::write_line,
    faults::Faults,
    inbound,
    kind::Kind,
    ledger::Carrier,
    personas::Personas,
    phone::Phone,
    phone_text::{Gesture, PhoneText},
    picture,
    reply::{self, Form, Reply, problem},
    stats::Callbacks,
    twilio::keywords::Keyword,
};
use answers::{ok, read, unprocessable, wrong_method};
use lines::{Filter, LedgerLines};

/// The most references that the statistics name, and mails that are shown.
const MAX_NAMED: usize = 100;

/// Answers a request whose path goes on with `rest` after `/sandbox/`.
pub(crate) fn answer(app: &Arc<App>, head: &Parts, rest: &str, body: &[u8]) -> Response<Reply> {
    let done = match (rest, &head.method) {
        ("ledger", &Method::GET) => ledger(app, head),
        ("auto-replies", &Method::GET) => Ok(auto_replies(app)),
        ("mail", &Method::GET) => mail(app, head),
        ("stats", &Method::GET) => Ok(ok(&stats(app))),
        ("reset", &Method::POST) => reset(app, body),
        ("faults", &Method::GET) => Ok(ok(&*app.faults())),
        ("faults", &Method::PUT) => put_faults(app, body),
        ("personas", &Method::GET) => Ok(ok(&*app.personas())),
        ("personas", &Method::PUT) => put_personas(app, body),
        ("clock", &Method::GET) => Ok(ok(&app.clock.read(machine_now()))),
        ("clock", &Method::PUT) => put_clock(app, body),
        ("inbound", &Method::POST) => text_in(app, body),
        ("preferences", &Method::POST) => preferences::choose(app, body),
        (path, &Method::GET) if picture::is_open_path(path) => Ok(picture::answer()),
        (path, _) if path.starts_with("phone/") => {
            phone::answer(app, head, &path["phone/".len()..], body)
        }
        (path, &Method::PUT) if path.starts_with("applications/") => {
            applications::put(app, path, body)
        }
        (path, &Method::PUT) if path.starts_with("businesses/") && path.contains("/templates/") => {
            templates::put(app, path, body)
        }
        (path, &Method::PUT) if path.starts_with("businesses/") => businesses::put(app, path, body),
        (
            "ledger" | "auto-replies" | "mail" | "stats" | "reset" | "faults" | "personas"
            | "clock" | "inbound" | "preferences",
            _,
        ) => Err(wrong_method()),
        _ => Err(problem(StatusCode::NOT_FOUND, "the sandbox has no such control call")),
    };

    done.unwrap_or_else(|refusal| refusal)
}

/// The answer of `GET /healthz`.
pub(crate) fn healthy() -> Response<Reply> {
    ok(&json!({ "status": "ok" }))
}

#[expect(clippy::result_large_err, reason = "the error is the answer, made once and moved out")]
fn ledger(app: &Arc<App>, head: &Parts) -> Result<Response<Reply>, Response<Reply>> {
    let query = Form::parse(head.uri.query().unwrap_or("").as_bytes())
        .ok_or_else(|| unprocessable("the query cannot be read"))?;

    let mut filter = Filter::default();
    if let Some(name) = query.get("carrier") {
        let carrier = Carrier::parse(name);
        filter.carrier = Some(
            carrier
                .ok_or_else(|| unprocessable("carrier must be twilio, bandwidth or whatsapp"))?,
        );
    }
    if let Some(since) = query.get("since") {
        let since = since.parse().map_err(|_| unprocessable("since must be an RFC 3339 time"))?;
        filter.since = Some(since);
    }

    let lines = LedgerLines::new(app.clone(), filter);
    let mut response = Response::new(Reply::Chunks(Box::new(lines)));
    let kind = http::HeaderValue::from_static("application/x-ndjson");
    response.headers_mut().insert(http::header::CONTENT_TYPE, kind);
    Ok(response)
}

/// Where mail is taken, and the newest of it.
#[expect(clippy::result_large_err, reason = "the error is the answer, made once and moved out")]
fn mail(app: &App, head: &Parts) -> Result<Response<Reply>, Response<Reply>> {
    let query = Form::parse(head.uri.query().unwrap_or("").as_bytes())
        .ok_or_else(|| unprocessable("the query cannot be read"))?;
    let state = app.state();
    let mails = state.mail.newest(query.get("to"), MAX_NAMED);
    Ok(ok(&json!({ "smtp": app.smtp, "data": mails })))
}

fn auto_replies(app: &App) -> Response<Reply> {
    let mut lines = Vec::new();
    for reply in &app.state().people.auto_replies {
        let line = json!({
            "sid": format!("SM{:032x}", reply.sid),
            "from": &*reply.from,
            "to": reply.to.to_string(),
            "body": reply.body,
            "at": reply.at,
        });
        write_line(&mut lines, &line);
    }
    reply::whole(StatusCode::OK, "application/x-ndjson", lines.into())
}

/// The answer of `GET /sandbox/stats`.
#[derive(Serialize)]
struct Statistics {
    accepted: u64,
    by_status: BTreeMap<&'static str, u64>,
    /// Refused calls by Twilio's code.
    refused: BTreeMap<u32, u64>,
    /// References that were accepted more than once.
    duplicates: u64,
    /// Texts beyond the first of their reference.
    duplicate_texts: u64,
    duplicate_references: Vec<Arc<str>>,
    without_reference: u64,
    inbound: BTreeMap<&'static str, u64>,
    inbound_without_webhook: u64,
    auto_replies: u64,
    callbacks: Callbacks,
    ai_calls: u64,
    ai_errors: BTreeMap<u16, u64>,
    /// Faults that struck, by name.
    faults: BTreeMap<&'static str, u64>,
}

fn stats(app: &App) -> Statistics {
    let state = app.state();
    let counts = state.ledger.counts();
    let stats = &state.stats;
    let inbound = Kind::ALL.iter().map(|kind| (kind.name(), stats.inbound[*kind as usize]));
    let total: u64 = stats.inbound.iter().sum();

    Statistics {
        accepted: counts.accepted,
        by_status: counts.by_status.into_iter().collect(),
        refused: stats.refused.clone(),
        duplicates: counts.duplicate_references,
        duplicate_texts: counts.duplicate_acceptances,
        duplicate_references: state.ledger.duplicates(MAX_NAMED),
        without_reference: counts.without_reference,
        inbound: inbound.chain([("total", total)]).collect(),
        inbound_without_webhook: stats.inbound_without_webhook,
        auto_replies: stats.auto_replies,
        callbacks: app.courier.counters.read(app.schedule.open() + app.courier.open()),
        ai_calls: stats.ai_calls,
        ai_errors: stats.ai_errors.clone(),
        faults: stats.faults.clone(),
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Reset {
    /// Also accounts, applications, numbers, faults and personas.
    all: bool,
}

#[expect(clippy::result_large_err, reason = "the error is the answer, made once and moved out")]
fn reset(app: &App, body: &[u8]) -> Result<Response<Reply>, Response<Reply>> {
    let reset: Reset = if body.is_empty() { Reset::default() } else { read(body)? };
    app.reset(reset.all);
    Ok(ok(&stats(app)))
}

#[expect(clippy::result_large_err, reason = "the error is the answer, made once and moved out")]
fn put_faults(app: &App, body: &[u8]) -> Result<Response<Reply>, Response<Reply>> {
    let faults: Faults = read(body)?;
    faults.check().map_err(|detail| unprocessable(&detail))?;

    app.set_faults(faults);
    Ok(ok(&*app.faults()))
}

#[expect(clippy::result_large_err, reason = "the error is the answer, made once and moved out")]
fn put_personas(app: &App, body: &[u8]) -> Result<Response<Reply>, Response<Reply>> {
    let personas: Personas = read(body)?;
    personas.check().map_err(|detail| unprocessable(&detail))?;

    app.set_personas(personas);
    Ok(ok(&*app.personas()))
}

#[expect(clippy::result_large_err, reason = "the error is the answer, made once and moved out")]
fn put_clock(app: &App, body: &[u8]) -> Result<Response<Reply>, Response<Reply>> {
    let change: clock::Change = read(body)?;
    app.clock.set(&change, machine_now()).map_err(|detail| unprocessable(&detail))?;
    Ok(ok(&app.clock.read(machine_now())))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InboundBody {
    from: String,
    to: String,
    body: String,
    opt_out_type: Option<String>,
    /// How many pictures come with it.
    #[serde(default)]
    pictures: u8,
    /// On WhatsApp: the id of the button that they press; the text is its title.
    button: Option<String>,
    /// On WhatsApp: the id of the row that they choose; the text is its title.
    row: Option<String>,
    /// On WhatsApp: the payload of the template's button that they press.
    template_button: Option<String>,
    /// On WhatsApp: the id of the message that they put a sign on; the text is the sign.
    reaction_to: Option<String>,
}

impl InboundBody {
    /// What the person does instead of writing: the first that is named.
    fn gesture(&self) -> Option<Gesture<'_>> {
        let button = self.button.as_deref().map(Gesture::Button);
        button
            .or_else(|| self.row.as_deref().map(Gesture::Row))
            .or_else(|| self.template_button.as_deref().map(Gesture::TemplateButton))
            .or_else(|| self.reaction_to.as_deref().map(Gesture::Reaction))
    }
}

#[expect(clippy::result_large_err, reason = "the error is the answer, made once and moved out")]
fn text_in(app: &Arc<App>, body: &[u8]) -> Result<Response<Reply>, Response<Reply>> {
    let text: InboundBody = read(body)?;
    let from = Phone::parse(&text.from)
        .ok_or_else(|| unprocessable("from must be a phone number in E.164 form"))?;
    let parse = |name: &String| {
        Keyword::parse(name).ok_or_else(|| unprocessable("opt_out_type is STOP, START or HELP"))
    };
    let opt_out = text.opt_out_type.as_ref().map(parse).transpose()?;

    let (to, body, pictures) = (text.to.as_str(), text.body.as_str(), text.pictures);
    if pictures > picture::MOST {
        return Err(unprocessable("a text brings at most 10 pictures"));
    }
    let gesture = text.gesture();
    let text = PhoneText { from, to, body, pictures, gesture, opt_out, kind: None };
    let received = inbound::receive(app, &text).ok_or_else(|| {
        unprocessable(
            "no account has the number `to`: register it at IncomingPhoneNumbers, with an \
             application, or with a business",
        )
    })?;

    let webhook = received.webhook.as_deref();
    Ok(reply::json(StatusCode::ACCEPTED, &json!({ "sid": received.sid, "webhook": webhook })))
}
