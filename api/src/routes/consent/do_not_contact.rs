//! `/v1/do-not-contact`: numbers that must not be texted, with cause and time.

mod import;

use axum::{Json, extract::State, http::StatusCode, response::Response};
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
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    scope,
    stop::{self, NewStop, Reach, Stop},
};
use crate::{
    app::App,
    auth::{Allowed, EditContacts, Needs, Read},
    document::{
        answers::{Always, Missing, OfBody},
        examples,
        words::{ConsentScope, StopCause},
    },
    fields,
    http::{
        Creation, Errors, Page, Paging, Problem, Query, creation::IdempotencyKey, extract::Name,
    },
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(import::import))
        .routes(routes!(remove))
}

/// A number that must not be texted on a channel, or not for some programs.
#[derive(Serialize, ToSchema)]
#[schema(as = DoNotContact)]
struct StopView {
    /// The number, in E.164.
    #[schema(example = json!(examples::PHONE))]
    phone: String,
    channel: Channel,
    /// Since when the number is on the list; none where it is not on it as a whole.
    #[schema(required)]
    do_not_contact_at: Option<Timestamp>,
    /// Why it is on the list.
    #[schema(required)]
    reason: Option<String>,
    /// What the entry stops.
    #[schema(required)]
    stops: Option<Stops>,
    /// Since when the person has opted out.
    #[schema(required)]
    opted_out_at: Option<Timestamp>,
    /// How the opt-out came.
    #[schema(required)]
    opt_out_cause: Option<ConsentMethod>,
    /// Programs that are stopped for the number, while not everything is.
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

/// `POST /v1/do-not-contact`, for every role but viewer: puts a number on the do-not-contact list.
/// One that is on it keeps its first date, and its reason unless more is stopped now. Answers 201
/// with the number.
#[utoipa::path(
    post, path = "/v1/do-not-contact", tag = "consent", operation_id = "add_do_not_contact",
    security(("bearer" = [EditContacts::NAME])),
    params(IdempotencyKey),
    request_body(content = NewStop, example = json!({
        "phone": "+12125550127", "reason": "asked by letter",
    })),
    responses(
        (status = 201, description = "The number, as it is on the list.", body = StopView),
        Always, OfBody,
    ),
)]
async fn add(mut new: Creation<EditContacts, NewStop>) -> Result<Response, Problem> {
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

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Removal {
    /// Why the number is taken off.
    #[param(required, min_length = 1, max_length = 100, example = "put on by mistake")]
    reason: Option<String>,
    /// The channel whose list it is taken off; `sms` where it is not said.
    #[serde(default)]
    #[param(inline)]
    channel: Channel,
    /// What it is taken off: the list of the tenant, or of one program. Follows from `program`
    /// where it is not said.
    #[param(inline, value_type = Option<ConsentScope>)]
    scope: Option<String>,
    /// The program whose list it is taken off; none: the tenant's.
    #[param(pattern = "^[a-z0-9_-]{1,40}$")]
    program: Option<String>,
}

/// `DELETE /v1/do-not-contact/{phone}?reason=&channel=&scope=&program=`, for every role but viewer:
/// takes a number off the do-not-contact list. An opt-out of the person's own stays. Answers 200
/// with the number, 404 where it is not on the list.
#[utoipa::path(
    delete, path = "/v1/do-not-contact/{phone}", tag = "consent",
    operation_id = "remove_do_not_contact",
    security(("bearer" = [EditContacts::NAME])),
    params(
        ("phone" = String, Path,
            description = "The number, in E.164 or as people of the tenant's country write it.",
            min_length = 1, max_length = 64, example = "+12125550130"),
        Removal,
    ),
    responses(
        (status = 200, description = "What is known of the number now.", body = StopView),
        Always, Missing,
    ),
)]
async fn remove(
    State(app): State<App>,
    caller: Allowed<EditContacts>,
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

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// This number alone.
    #[param(min_length = 1, max_length = 64, example = json!(examples::PHONE))]
    phone: Option<String>,
    /// Those on this channel.
    #[param(inline)]
    channel: Option<Channel>,
    /// Those on the list (`do_not_contact`), or those who have left everything or a program
    /// (`opted_out`).
    #[param(inline, value_type = Option<StopCause>, example = "do_not_contact")]
    cause: Option<String>,
    /// Those that were put on the list, or have opted out, at this instant or later.
    #[param(example = "2026-01-01T00:00:00Z")]
    since: Option<Timestamp>,
}

/// `GET /v1/do-not-contact?phone=&channel=&cause=&since=`, for every role: the numbers that must
/// not be texted, in pages.
#[utoipa::path(
    get, path = "/v1/do-not-contact", tag = "consent", operation_id = "list_do_not_contact",
    security(("bearer" = [Read::NAME])),
    params(Paging, Wanted),
    responses((status = 200, description = "A page of numbers.", body = Page<StopView>), Always),
)]
async fn list(
    State(app): State<App>,
    caller: Allowed<Read>,
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
