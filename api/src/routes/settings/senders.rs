//! `/v1/senders`: the numbers that texts leave from.

mod warmup;

use std::{fmt::Display, str::FromStr};

use axum::{Json, Router, extract::State, http::StatusCode, response::Response, routing::get};
use domain::{country::Country, ids::SenderId, phone::PhoneNumber, zones::Zone};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::settings::{
    accounts::{self, Account},
    senders::{self, Sender},
    tenants::Tenant,
};

use crate::{
    app::App,
    audit,
    auth::Caller,
    http::{Creation, Errors, Kind, Page, Paging, Problem, Query},
    submit::message::is_short_sender,
};
use warmup::{Warmup, warmups};

/// Messages a day of a sender that nobody set a cap for.
const DAILY_CAP: i32 = 100_000;

pub(super) fn router() -> Router<App> {
    Router::new().route("/v1/senders", get(list).post(create))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewSender {
    number: String,
    account: String,
    pace: i32,
    #[serde(default)]
    active_since: Option<Timestamp>,
    #[serde(default)]
    daily_cap: Option<i32>,
    #[serde(default)]
    time_zone: Option<String>,
    #[serde(default)]
    country: Option<String>,
}

#[derive(Serialize)]
struct SenderView {
    id: SenderId,
    number: String,
    account: String,
    country: String,
    time_zone: String,
    pace: i32,
    active_since: Timestamp,
    daily_cap: i32,
    usable: bool,
    created_at: Timestamp,
    /// What it may carry today, and has carried.
    warmup: Option<Warmup>,
}

fn view(sender: Sender) -> SenderView {
    SenderView {
        id: sender.id,
        number: sender.number,
        account: sender.account_name,
        country: sender.country,
        time_zone: sender.time_zone,
        pace: sender.pace,
        active_since: sender.active_since,
        daily_cap: sender.daily_cap,
        usable: sender.usable,
        created_at: sender.created_at,
        warmup: None,
    }
}

async fn create(mut new: Creation<NewSender>) -> Result<Response, Problem> {
    let tenant = new.tenant.clone();
    let account = accounts::by_name(&mut new.tx, &tenant.id, &new.body.account).await?;
    let sender = check(&tenant, account, &new)?;
    if !senders::create(&mut new.tx, &tenant.id, &sender).await? {
        return Err(Problem::new(Kind::Conflict, "there is a sender with this number"));
    }

    let (caller, now) = (new.caller.clone(), new.now);
    let days = warmups(&mut new.tx, &tenant.id, now, std::slice::from_ref(&sender)).await?;
    let view = SenderView { warmup: days.into_iter().flatten().next(), ..view(sender) };
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
    new: &Creation<NewSender>,
) -> Result<Sender, Problem> {
    let body = &new.body;
    let mut errors = Errors::default();

    let (number, own_country) = number(&body.number, tenant, &mut errors);
    let country = match &body.country {
        Some(written) => read::<Country>("country", written, &mut errors),
        None => own_country.unwrap_or_else(|| tenant.country.clone()),
    };
    let zone = body.time_zone.as_deref().unwrap_or(&tenant.time_zone);
    let time_zone = read::<Zone>("time_zone", zone, &mut errors);

    let daily_cap = body.daily_cap.unwrap_or(DAILY_CAP);
    let pace = (1..=10_000).contains(&body.pace);
    errors.check(pace, "pace", "out_of_range", "1 to 10000 segments per second");
    errors.check(daily_cap > 0, "daily_cap", "out_of_range", "at least 1");
    let known = account.is_some();
    errors.check(known, "account", "not_found", "the name of one of your carrier accounts");
    errors.done()?;

    let account = account.ok_or_else(|| Problem::not_found("carrier account"))?;
    Ok(Sender {
        id: SenderId::of(&tenant.id, &number),
        account: account.handle,
        account_name: account.name,
        number,
        country,
        time_zone,
        pace: body.pace,
        active_since: body.active_since.unwrap_or(new.now),
        daily_cap,
        usable: true,
        created_at: new.now,
    })
}

/// A value as it is kept, or as it is written where that is none; then `errors` say why.
fn read<T>(field: &str, written: &str, errors: &mut Errors) -> String
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

/// The number as it is kept, and the country it is of. What is no phone number may be a short code
/// or an alphanumeric id.
fn number(written: &str, tenant: &Tenant, errors: &mut Errors) -> (String, Option<String>) {
    let home: Option<Country> = tenant.country.parse().ok();
    match PhoneNumber::parse(written, home) {
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

async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<SenderView>>, Problem> {
    let (after, limit) = (paging.after_id()?, paging.limit()?);
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = senders::list(&mut tx, &caller.tenant, after, limit).await?;
    let days = warmups(&mut tx, &caller.tenant, app.now(), &found).await?;

    let views = found.into_iter().zip(days);
    let views = views.map(|(sender, warmup)| SenderView { warmup, ..view(sender) });
    Ok(Json(Page::new(views.collect(), limit, |sender| sender.id)))
}
