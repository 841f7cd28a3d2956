//! `/v1/do-not-contact`: numbers that must not be texted, with cause and time.

mod import;

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::Response,
    routing::{delete, get, post},
};
use domain::{ids::TenantId, message::class::Channel, phone::PhoneNumber};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{
    Scoped,
    recipients::{
        consent::{self, Action, ConsentChange, ConsentMethod, Proof},
        list::{self, RecipientRow, StoppedFilter},
    },
};

use super::scope;
use crate::{
    app::App,
    auth::Caller,
    http::{Creation, Errors, Page, Paging, Problem, Query, extract::Name},
    ids,
};

/// The longest reason, in characters.
const MAX_REASON: usize = 100;

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/v1/do-not-contact", get(list).post(add))
        .route("/v1/do-not-contact/import", post(import::import))
        .route("/v1/do-not-contact/{phone}", delete(remove))
}

/// A number to be put on the list, as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewStop {
    phone: String,
    reason: String,
    #[serde(default)]
    channel: Channel,
    /// `tenant` or `program`
    #[serde(default)]
    scope: Option<String>,
    #[serde(default)]
    program: Option<String>,
}

#[derive(Serialize)]
struct StopView {
    phone: String,
    channel: Channel,
    do_not_contact_at: Option<Timestamp>,
    reason: Option<String>,
    opted_out_at: Option<Timestamp>,
    opt_out_cause: Option<ConsentMethod>,
    stopped_programs: Vec<String>,
}

fn view(recipient: RecipientRow) -> StopView {
    StopView {
        phone: recipient.number,
        channel: recipient.channel,
        do_not_contact_at: recipient.do_not_contact_at,
        reason: recipient.do_not_contact_reason,
        opted_out_at: recipient.opted_out_at,
        opt_out_cause: recipient.opt_out_cause,
        stopped_programs: recipient.stopped_programs,
    }
}

/// A number on the list, or to be put on it or taken off.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Stop {
    number: String,
    channel: Channel,
    /// None: everything of the tenant.
    program: Option<String>,
}

impl Stop {
    /// Whether the number is on the list with this scope.
    fn stands(&self, recipient: Option<&RecipientRow>) -> bool {
        recipient.is_some_and(|recipient| match &self.program {
            Some(program) => recipient.stopped_programs.contains(program),
            None => recipient.do_not_contact_at.is_some(),
        })
    }

    fn change(self, caller: &Caller, action: Action, reason: &str, at: Timestamp) -> ConsentChange {
        ConsentChange {
            tenant: caller.tenant.clone(),
            consent_id: ids::fresh(),
            number: self.number,
            channel: self.channel,
            action,
            program: self.program,
            method: ConsentMethod::Api,
            language: None,
            source: Some(reason.trim().to_owned()),
            proof: Proof::default(),
            evidence: json!({ "by": caller.subject }),
            at,
            recorded_by: caller.subject.clone(),
        }
    }
}

async fn recipient(
    tx: &mut Scoped,
    tenant: &TenantId,
    stop: &Stop,
    lock: bool,
) -> Result<Option<RecipientRow>, Problem> {
    let numbers = std::slice::from_ref(&stop.number);
    Ok(list::load(tx, tenant, numbers, stop.channel, lock).await?.pop())
}

/// Puts a number on the list; one that is on it keeps its first date and reason.
async fn add(mut new: Creation<NewStop>) -> Result<Response, Problem> {
    let mut errors = Errors::default();
    errors.text("reason", &new.body.reason, 1, MAX_REASON);
    let program =
        scope::program(new.body.scope.as_deref(), new.body.program.as_deref(), &mut errors);
    let number = PhoneNumber::parse(&new.body.phone, new.tenant.country.parse().ok());
    if let Err(why) = number {
        errors.add("phone", "invalid_number", why.to_string());
    }
    errors.done()?;
    let Ok(number) = number else { return Err(Problem::not_found("number")) };
    let stop = Stop { number: number.as_str().to_owned(), channel: new.body.channel, program };
    let before = recipient(&mut new.tx, &new.caller.tenant, &stop, true).await?;
    if !stop.stands(before.as_ref()) {
        let reason = new.body.reason.clone();
        let change = stop.clone().change(&new.caller, Action::DoNotContact, &reason, new.now);
        consent::record(&mut new.tx, new.now, &[change]).await?;
    }
    let after = recipient(&mut new.tx, &new.caller.tenant, &stop, false).await?;
    let after = after.ok_or_else(|| Problem::not_found("number"))?;
    new.finish(StatusCode::CREATED, &view(after)).await
}

#[derive(Deserialize)]
struct Removal {
    reason: Option<String>,
    #[serde(default)]
    channel: Channel,
    scope: Option<String>,
    program: Option<String>,
}

/// Takes a number off the list. An opt-out of the person's own stands.
async fn remove(
    State(app): State<App>,
    caller: Caller,
    Name(phone): Name,
    Query(removal): Query<Removal>,
) -> Result<Json<StopView>, Problem> {
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
    let mut errors = Errors::default();
    let reason = removal.reason.unwrap_or_default();
    errors.text("reason", &reason, 1, MAX_REASON);
    let program = scope::program(removal.scope.as_deref(), removal.program.as_deref(), &mut errors);
    errors.done()?;
    let gone = || Problem::not_found("number on the list");
    let number = PhoneNumber::parse(&phone, tenant.country.parse().ok()).map_err(|_| gone())?;
    let stop = Stop { number: number.as_str().to_owned(), channel: removal.channel, program };
    let now = app.now();
    let mut tx = app.store.scoped([&caller.tenant]).await?;
    let before = recipient(&mut tx, &caller.tenant, &stop, true).await?;
    if !stop.stands(before.as_ref()) {
        return Err(gone());
    }
    let change = stop.clone().change(&caller, Action::Allow, &reason, now);
    consent::record(&mut tx, now, &[change]).await?;
    let after = recipient(&mut tx, &caller.tenant, &stop, false).await?;
    tx.commit().await.map_err(store::fault)?;
    after.map(view).map(Json).ok_or_else(gone)
}

#[derive(Deserialize)]
struct Wanted {
    phone: Option<String>,
    channel: Option<Channel>,
    /// `do_not_contact` or `opted_out`
    cause: Option<String>,
    since: Option<Timestamp>,
}

async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(paging): Query<Paging>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Page<StopView>>, Problem> {
    let (after, limit) = (paging.after_number_and_channel()?, paging.limit()?);
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
    let mut errors = Errors::default();
    let number = wanted.phone.as_deref().and_then(|phone| {
        let read = PhoneNumber::parse(phone, tenant.country.parse().ok());
        read.map_err(|why| errors.add("phone", "invalid_number", why.to_string())).ok()
    });
    let listed = match wanted.cause.as_deref() {
        None => None,
        Some("do_not_contact") => Some(true),
        Some("opted_out") => Some(false),
        Some(_) => {
            errors.add("cause", "unknown", "do_not_contact or opted_out");
            None
        }
    };
    errors.done()?;
    let number = number.map(|number| number.as_str().to_owned());
    let filter = StoppedFilter { number, channel: wanted.channel, listed, since: wanted.since };
    let mut tx = app.store.scoped([&caller.tenant]).await?;
    let after = (after.0.as_str(), after.1.as_str());
    let found = list::list_stopped(&mut tx, &caller.tenant, &filter, after, limit).await?;
    let found: Vec<_> = found.into_iter().map(view).collect();
    Ok(Json(Page::new(found, limit, |stop| format!("{} {}", stop.phone, stop.channel.as_str()))))
}
