//! `/v1/do-not-contact`: numbers that must not be texted, with cause and time.

mod import;

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::Response,
    routing::{delete, get, post},
};
use domain::{
    address::Address, country::Country, gates::Stops, ids::TenantId, message::class::Channel,
    phone::PhoneNumber,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::{
    Scoped,
    recipients::{
        consent::{self, Action, ConsentMethod},
        list::{self, RecipientRow, StoppedFilter},
    },
};

use super::{
    scope,
    stop::{self, NewStop, Reach, Stop},
};
use crate::{
    app::App,
    auth::Caller,
    fields,
    http::{Creation, Errors, Page, Paging, Problem, Query, extract::Name},
};

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/v1/do-not-contact", get(list).post(add))
        .route("/v1/do-not-contact/import", post(import::import))
        .route("/v1/do-not-contact/{phone}", delete(remove))
}

#[derive(Serialize)]
struct StopView {
    phone: String,
    channel: Channel,
    do_not_contact_at: Option<Timestamp>,
    reason: Option<String>,
    /// What the entry stops.
    stops: Option<Stops>,
    opted_out_at: Option<Timestamp>,
    opt_out_cause: Option<ConsentMethod>,
    stopped_programs: Vec<String>,
}

fn view(recipient: RecipientRow) -> StopView {
    StopView {
        stops: recipient.stops(),
        phone: recipient.address,
        channel: recipient.channel,
        do_not_contact_at: recipient.do_not_contact_at,
        reason: recipient.do_not_contact_reason,
        opted_out_at: recipient.opted_out_at,
        opt_out_cause: recipient.opt_out_cause,
        stopped_programs: recipient.stopped_programs,
    }
}

/// `POST /v1/do-not-contact`, for every role but viewer: puts a number on the list; one that is on
/// it keeps its first date, and its reason unless more is stopped now. Answers 201 with the number.
async fn add(mut new: Creation<NewStop>) -> Result<Response, Problem> {
    // check
    let stop = new.body.check(new.tenant.country.parse().ok()).map_err(Problem::invalid)?;

    // load
    let before = recipient(&mut new.tx, &new.caller.tenant, &stop, true).await?;

    // record
    if !stop.is_listed(before.as_ref()) {
        let (action, reason) = (Action::DoNotContact, new.body.reason.as_str());
        let change = stop.clone().change(&new.caller, action, reason, new.now);
        consent::record(&mut new.tx, new.now, &[change]).await?;
    }

    // answer
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

/// `DELETE /v1/do-not-contact/{phone}?reason=&channel=&scope=&program=`, for every role but viewer:
/// takes a number off the list; an opt-out of the person's own stays. Answers 200 with the number,
/// 404 where it is not on the list.
async fn remove(
    State(app): State<App>,
    caller: Caller,
    Name(phone): Name,
    Query(removal): Query<Removal>,
) -> Result<Json<StopView>, Problem> {
    // check
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
    let mut errors = Errors::default();
    let reason = removal.reason.unwrap_or_default();
    stop::reason(&reason, &mut errors);
    let program = scope::program(removal.scope.as_deref(), removal.program.as_deref(), &mut errors);
    errors.done()?;
    let gone = || Problem::not_found("number on the list");
    let number = PhoneNumber::parse(&phone, tenant.country.parse().ok()).map_err(|_| gone())?;
    // Taken off whatever it stops.
    let reach = program.map_or(Reach::Tenant(Stops::Marketing), Reach::Program);
    let stop = Stop { address: number.into(), channel: removal.channel, reach };

    // load
    let now = app.now();
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let before = recipient(&mut tx, &caller.tenant, &stop, true).await?;
    if !stop.is_listed(before.as_ref()) {
        return Err(gone());
    }

    // record
    let change = stop.clone().change(&caller, Action::Allow, &reason, now);
    consent::record(&mut tx, now, &[change]).await?;
    let after = recipient(&mut tx, &caller.tenant, &stop, false).await?;
    tx.commit().await?;

    // answer
    after.map(view).map(Json).ok_or_else(gone)
}

/// What is known of a number, locked where it is to be changed.
async fn recipient(
    tx: &mut Scoped,
    tenant: &TenantId,
    stop: &Stop,
    lock: bool,
) -> Result<Option<RecipientRow>, Problem> {
    let addresses = std::slice::from_ref(&stop.address);
    Ok(list::load(tx, tenant, addresses, stop.channel, lock).await?.pop())
}

#[derive(Deserialize)]
struct Wanted {
    phone: Option<String>,
    channel: Option<Channel>,
    /// Why it must not be texted: `do_not_contact` or `opted_out`.
    cause: Option<String>,
    since: Option<Timestamp>,
}

/// `GET /v1/do-not-contact?phone=&channel=&cause=&since=`, for every role: the numbers that must
/// not be texted, in pages.
async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(paging): Query<Paging>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Page<StopView>>, Problem> {
    // check
    let (after, limit) = (paging.after_number_and_channel()?, paging.limit()?);
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
    let filter = filter(wanted, tenant.country.parse().ok())?;

    // load
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let after = (after.0.as_str(), after.1.as_str());
    let found = list::list_stopped(&mut tx, &caller.tenant, &filter, after, limit).await?;

    // answer
    let found: Vec<_> = found.into_iter().map(view).collect();
    Ok(Json(Page::new(found, limit, |stop| format!("{} {}", stop.phone, stop.channel.as_str()))))
}

/// The filter that the query asks for, or everything that is wrong with it.
fn filter(wanted: Wanted, home: Option<Country>) -> Result<StoppedFilter, Problem> {
    let mut errors = Errors::default();
    let phone = wanted.phone.as_deref();
    let number = phone.and_then(|phone| fields::number("phone", phone, home, &mut errors));
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

    let address = number.map(Address::from);
    Ok(StoppedFilter { address, channel: wanted.channel, listed, since: wanted.since })
}
