//! `/v1/senders`: the numbers that texts leave from.

mod health;
pub(super) mod pools;
mod status;
pub(super) mod warmup;

use std::{fmt::Display, str::FromStr};

use axum::{Json, extract::State, http::StatusCode, response::Response};
use carriers::Carrier;
use domain::{
    country::Country,
    gates::Policy,
    ids::{BrandId, SenderId, TenantId},
    message::class::Channel,
    phone::PhoneNumber,
    zones::{self, Zone},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::{
    Scoped,
    settings::{
        accounts::{self, Account},
        brands, policies,
        senders::{self, Sender},
        tenants::Tenant,
    },
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    app::App,
    audit,
    auth::{Allowed, EditSettings, Needs, Read},
    document::answers::{Always, Conflict, OfBody},
    http::{Creation, Errors, Kind, Page, Paging, Problem, Query, creation::IdempotencyKey},
    submit::message::is_short_sender,
};
use health::{HealthView, healths};
use warmup::{Warmup, warmups};

/// What is right where a brand is not.
pub(super) const NO_BRAND: &str = "a brand that is not archived";

/// Messages a day of a sender that nobody set a cap for.
pub(super) const DAILY_CAP: i32 = 100_000;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).merge(status::router())
}

/// A sender to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSender {
    /// A phone number, a short code of 3 to 8 digits, or an alphanumeric id of up to 11 characters.
    /// Where the account's carrier has them, also the SID of a Messaging Service, whose numbers the
    /// carrier picks from, or the id that it has given the number.
    #[schema(min_length = 1, max_length = 64, example = "+12125550198")]
    number: String,
    /// The name of the carrier account that it belongs to.
    #[schema(pattern = "^[A-Za-z0-9_-]{1,64}$", example = "main")]
    account: String,
    /// How many segments a second it may carry.
    #[schema(minimum = 1, maximum = 10000)]
    pace: i32,
    /// When its warm-up began; now where it is not said.
    #[serde(default)]
    active_since: Option<Timestamp>,
    /// How many messages a day it may carry once it is warmed up; 100,000 where it is not said.
    #[serde(default)]
    #[schema(minimum = 1)]
    daily_cap: Option<i32>,
    /// The IANA zone of its days; the tenant's where it is not said.
    #[serde(default)]
    #[schema(max_length = 100, example = "America/New_York")]
    time_zone: Option<String>,
    /// The country whose recipients it is for; the number's, else the tenant's, where it is not
    /// said.
    #[serde(default)]
    #[schema(value_type = Option<Country>)]
    country: Option<String>,
    /// The brand that people know it under.
    #[serde(default)]
    brand: Option<Uuid>,
}

/// A number, short code, alphanumeric id or Messaging Service that texts leave from.
#[derive(Serialize, ToSchema)]
#[schema(as = Sender)]
pub(super) struct SenderView {
    /// Derived from the tenant and the number: the same number has the same id.
    id: SenderId,
    /// In E.164, or as it was written where it is no phone number.
    number: String,
    /// The channel that it carries: no message of another one leaves by it.
    channel: Channel,
    /// The name of the carrier account that it belongs to.
    account: String,
    /// The country whose recipients it is for.
    #[schema(value_type = Country)]
    country: String,
    /// The IANA zone of its days.
    time_zone: String,
    /// How many segments a second it may carry.
    pace: i32,
    /// When its warm-up began.
    active_since: Timestamp,
    /// How many messages a day it may carry once it is warmed up.
    daily_cap: i32,
    /// False: it carries nothing.
    usable: bool,
    /// The brand that people know it under; null where none is said.
    #[schema(required)]
    brand: Option<BrandId>,
    /// When it was set up here.
    created_at: Timestamp,
    /// What it may carry today, and has carried; null where it is removed.
    #[schema(required)]
    warmup: Option<Warmup>,
    /// How it does; null where it is removed.
    #[schema(required)]
    health: Option<HealthView>,
}

pub(super) fn view(sender: Sender) -> SenderView {
    SenderView {
        id: sender.id,
        number: sender.number,
        channel: sender.channel,
        account: sender.account_name,
        country: sender.country,
        time_zone: sender.time_zone,
        pace: sender.pace,
        active_since: sender.active_since,
        daily_cap: sender.daily_cap,
        usable: sender.usable,
        brand: sender.brand,
        created_at: sender.created_at,
        warmup: None,
        health: None,
    }
}

/// Senders as they are shown: with what they may carry today, and how they do.
pub(super) async fn shown(
    tx: &mut Scoped,
    tenant: &TenantId,
    now: Timestamp,
    found: Vec<Sender>,
) -> Result<Vec<SenderView>, Problem> {
    let policy = policy(tx, tenant).await?;
    let days = warmups(tx, tenant, &policy, now, &found).await?;
    let healths = healths(tx, tenant, &policy, now, &found).await?;
    let views = found.into_iter().zip(days).zip(healths);
    let views =
        views.map(|((sender, warmup), health)| SenderView { warmup, health, ..view(sender) });
    Ok(views.collect())
}

/// The policy that senders are shown by. One that cannot be read holds everything: then they are
/// shown by the default.
pub(super) async fn policy(tx: &mut Scoped, tenant: &TenantId) -> Result<Policy, Problem> {
    let policy = policies::in_force(tx, &[tenant]).await?.remove(tenant).flatten();
    Ok(policy.unwrap_or_default())
}

/// `POST /v1/senders`, for admins and owners: adds a sender to a carrier account, or takes one back
/// that was removed. Answers 201 with it, or 409 where there is a sender with its number.
#[utoipa::path(
    post, path = "/v1/senders", tag = "settings", operation_id = "create_sender",
    security(("bearer" = [EditSettings::NAME])),
    params(IdempotencyKey),
    request_body(content = NewSender, example = json!({
        "number": "+12125550198", "account": "main", "pace": 10, "daily_cap": 2000,
    })),
    responses(
        (status = 201, description = "The new sender.", body = SenderView),
        Always, OfBody, Conflict,
    ),
)]
async fn create(mut new: Creation<EditSettings, NewSender>) -> Result<Response, Problem> {
    let tenant = new.tenant.clone();
    let account = accounts::by_name(&mut new.tx, &tenant.id, &new.body.account).await?;
    let brand = is_brand(&mut new.tx, &tenant.id, new.body.brand).await?;
    let sender = check(&tenant, account, brand, &new)?;
    if !senders::create(&mut new.tx, &tenant.id, &sender).await? {
        return Err(Problem::new(Kind::Conflict, "there is a sender with this number"));
    }

    let (caller, now) = (new.caller.clone(), new.now);
    let view = shown(&mut new.tx, &tenant.id, now, vec![sender]).await?.pop();
    let view = view.ok_or_else(|| Problem::not_found("sender"))?;
    let detail = wire::json::to_value(&view);
    let subject = format!("sender:{}", view.id);
    audit::note(&mut new.tx, &caller, now, "sender.created", subject, detail).await?;
    new.finish(StatusCode::CREATED, &view).await
}

/// Reads every field, and says of all of them at once what is wrong. Without a country of its own
/// the sender has its number's, else the tenant's; without a zone it has the tenant's.
fn check(
    tenant: &Tenant,
    account: Option<Account>,
    is_brand: bool,
    new: &Creation<EditSettings, NewSender>,
) -> Result<Sender, Problem> {
    let body = &new.body;
    let mut errors = Errors::default();

    let carrier = account.as_ref().and_then(|account| Carrier::from_name(&account.access.carrier));
    let (number, own_country) = number(&body.number, carrier, tenant, &mut errors);
    let country = match &body.country {
        Some(written) => country(written, &mut errors),
        None => own_country.unwrap_or_else(|| tenant.country.clone()),
    };
    let zone = body.time_zone.as_deref().unwrap_or(&tenant.time_zone);
    let time_zone = read::<Zone>("time_zone", zone, &mut errors);

    let daily_cap = body.daily_cap.unwrap_or(DAILY_CAP);
    check_numbers(body.pace, daily_cap, &mut errors);
    let active_since = body.active_since.unwrap_or(new.now);
    check_start(active_since, new.now, &mut errors);
    let known = account.is_some();
    errors.check(known, "account", "not_found", "the name of one of your carrier accounts");
    errors.check(is_brand, "brand", "not_found", NO_BRAND);
    errors.done()?;

    let account = account.ok_or_else(|| Problem::not_found("carrier account"))?;
    Ok(Sender {
        id: SenderId::of(&tenant.id, &number),
        account: account.handle,
        account_name: account.name,
        number,
        channel: carrier.map(Carrier::channel).unwrap_or_default(),
        country,
        time_zone,
        pace: body.pace,
        active_since,
        daily_cap,
        usable: true,
        brand: body.brand.map(BrandId),
        created_at: new.now,
    })
}

/// Whether a brand may be a sender's: none, or one that is not archived. It is locked, so that
/// nobody archives it before the transaction ends.
pub(super) async fn is_brand(
    tx: &mut Scoped,
    tenant: &TenantId,
    brand: Option<Uuid>,
) -> Result<bool, Problem> {
    let Some(brand) = brand else { return Ok(true) };
    let found = brands::get(tx, tenant, BrandId(brand), true).await?;
    Ok(found.is_some_and(|brand| brand.archived_at.is_none()))
}

/// Checks how fast a sender may go, and how much a day.
pub(super) fn check_numbers(pace: i32, daily_cap: i32, errors: &mut Errors) {
    let is_pace = (1..=10_000).contains(&pace);
    errors.check(is_pace, "pace", "out_of_range", "1 to 10000 segments per second");
    errors.check(daily_cap > 0, "daily_cap", "out_of_range", "at least 1");
}

/// Checks when a warm-up began: one that has not begun would be past its end.
pub(super) fn check_start(active_since: Timestamp, now: Timestamp, errors: &mut Errors) {
    errors.check(active_since <= now, "active_since", "out_of_range", "not in the future");
}

/// A country that there is, as it is kept.
pub(super) fn country(written: &str, errors: &mut Errors) -> String {
    match written.parse::<Country>() {
        Ok(country) if zones::is_known(country) => country.to_string(),
        Ok(_) | Err(_) => {
            errors.add("country", "unknown", "a country's two letters, such as US");
            written.to_owned()
        }
    }
}

/// A value as it is kept, or as it is written where that is none; then `errors` say why.
pub(super) fn read<T>(field: &str, written: &str, errors: &mut Errors) -> String
where
    T: FromStr + Display,
    T::Err: Display,
{
    match written.parse::<T>() {
        Ok(value) => value.to_string(),
        Err(why) => {
            errors.add(field, "unknown", why.to_string());
            written.to_owned()
        }
    }
}

/// The number as it is kept, and the country it is of. What is no phone number may be a short
/// code, an alphanumeric id, an id that the carrier has given the number, or what it calls a group
/// of its numbers.
fn number(
    written: &str,
    carrier: Option<Carrier>,
    tenant: &Tenant,
    errors: &mut Errors,
) -> (String, Option<String>) {
    if carrier.is_some_and(|carrier| carrier.names_service(written)) {
        return (written.to_owned(), None);
    }
    match carrier.map(|carrier| carrier.is_own_sender_id(written)) {
        Some(Ok(true)) => return (written.to_owned(), None),
        Some(Err(form)) => {
            errors.add("number", "invalid_number", form);
            return (written.to_owned(), None);
        }
        Some(Ok(false)) | None => {}
    }

    let home: Option<Country> = tenant.country.parse().ok();
    match PhoneNumber::parse_own(written, home) {
        Ok(number) => {
            let country = number.country().map(|country| country.to_string());
            (number.as_str().to_owned(), country)
        }
        Err(why) => {
            let detail = format!("{why}; or a short code or alphanumeric id");
            errors.check(is_short_sender(written), "number", "invalid_number", &detail);
            (written.to_owned(), None)
        }
    }
}

/// `GET /v1/senders`, for every role: the senders in pages, each with what it may carry today
/// and how it does.
#[utoipa::path(
    get, path = "/v1/senders", tag = "settings", operation_id = "list_senders",
    security(("bearer" = [Read::NAME])),
    params(Paging),
    responses(
        (status = 200, description = "A page of senders.", body = Page<SenderView>), Always,
    ),
)]
async fn list(
    State(app): State<App>,
    caller: Allowed<Read>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<SenderView>>, Problem> {
    let (after, limit) = (paging.after_id()?, paging.limit()?);
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = senders::list(&mut tx, &caller.tenant, after, limit).await?;
    let views = shown(&mut tx, &caller.tenant, app.now(), found).await?;
    Ok(Json(Page::new(views, limit, |sender| sender.id)))
}
