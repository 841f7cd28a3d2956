//! `/v1/whatsapp-rates`: what messages on WhatsApp cost the tenant, in versions, each with the time
//! from which it holds.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use domain::{
    billing::{PriceCategory, WhatsappRates},
    country::Country,
    money::{Micros, Money},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::settings::{
    tenants::Tenant,
    whatsapp_rates::{self, RatesVersion},
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    audit,
    auth::{Allowed, EditSettings, Needs, Read},
    document::answers::{Always, OfBody},
    http::{Body, Errors, Page, Paging, Problem, Query, view::money},
};

/// How many prices a version has at most.
const MOST_PRICES: usize = 1_000;

/// The highest price of a message: sums of many million such prices still are numbers.
const MOST_PRICE: Micros = Micros(100_000 * 1_000_000);

/// How many service messages of a number may be free in a month.
const MOST_FREE: u32 = 10_000_000;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, add))
}

/// What messages on WhatsApp are to cost.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewWhatsappRates {
    /// From when on they hold, until the next version's; at once where it is not said. A message
    /// costs what held when the gates let it go.
    #[serde(default)]
    valid_from: Option<Timestamp>,
    /// Every price; where none is said, a message costs nothing.
    #[schema(max_items = 1000)]
    prices: Vec<WhatsappPrice>,
    /// How many service messages of each number are free in a month of the tenant's zone; none
    /// where it is not said.
    #[serde(default)]
    #[schema(maximum = 10000000)]
    free_service_messages: u32,
}

/// What a message of a category costs, in a country or wherever no other price is said.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WhatsappPrice {
    /// The country of the person; everywhere else where it is null or left out.
    #[serde(default)]
    country: Option<Country>,
    /// What Meta bills the message as.
    category: PriceCategory,
    /// What one message costs, in the tenant's currency, from 0 to 100,000.
    price: Money,
}

/// A version of what messages on WhatsApp cost.
#[derive(Serialize, ToSchema)]
#[schema(as = WhatsappRates)]
struct RatesView {
    /// Counts from 1, with every change.
    #[schema(minimum = 1)]
    version: i64,
    /// From when on they hold, until the next version's; of two with the same time the higher
    /// version holds.
    valid_from: Timestamp,
    /// Whether they hold now.
    in_force: bool,
    /// Every price, by country and category; those of everywhere else last.
    prices: Vec<WhatsappPrice>,
    /// How many service messages of each number are free in a month of the tenant's zone.
    free_service_messages: u32,
    /// When they were said.
    created_at: Timestamp,
    /// Who has said them, `key:` or `user:` and their id.
    created_by: String,
}

/// `PUT /v1/whatsapp-rates`, for admins and owners: adds a version of what messages on WhatsApp
/// cost, by country and category, which is in force from its time on. Estimates go by it, and what
/// Meta reports of a message's category settles its cost by it. Of more than 100 versions those
/// that have begun first go. Answers 200 with the version.
#[utoipa::path(
    put, path = "/v1/whatsapp-rates", tag = "settings", operation_id = "add_whatsapp_rates",
    security(("bearer" = [EditSettings::NAME])),
    request_body(content = NewWhatsappRates, example = json!({
        "valid_from": "2026-04-01T00:00:00Z",
        "prices": [
            { "country": "US", "category": "marketing",
              "price": { "amount": "0.025", "currency": "USD" } },
            { "country": "US", "category": "service",
              "price": { "amount": "0.004", "currency": "USD" } },
            { "category": "marketing", "price": { "amount": "0.16", "currency": "USD" } },
        ],
        "free_service_messages": 1000,
    })),
    responses(
        (status = 200, description = "The version.", body = RatesView), Always, OfBody,
    ),
)]
async fn add(
    State(app): State<App>,
    caller: Allowed<EditSettings>,
    Body(body): Body<NewWhatsappRates>,
) -> Result<Json<RatesView>, Problem> {
    // check
    let (tenant, now) = (app.tenants.get(&app.store, &caller.tenant).await?, app.now());
    let rates = check(&body, &tenant)?;
    let valid_from = body.valid_from.unwrap_or(now);

    // record
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let id = &caller.tenant;
    let said = (&rates, valid_from);
    let version = whatsapp_rates::add(&mut tx, id, said, &caller.subject, now).await?;
    let in_force = whatsapp_rates::in_force(&mut tx, id, now).await?;
    let (created_at, created_by) = (now, caller.subject.clone());
    let added = RatesVersion { version, valid_from, rates, created_at, created_by };
    let view = view(added, in_force, &tenant);
    let detail = wire::json::to_value(&view);
    audit::note(&mut tx, &caller, now, "whatsapp_rates.added", "whatsapp_rates".into(), detail)
        .await?;
    tx.commit().await?;

    // answer
    Ok(Json(view))
}

/// `GET /v1/whatsapp-rates`, for every role: the versions in pages, the highest first. There is
/// none where nobody has said what messages on WhatsApp cost: they cost nothing then.
#[utoipa::path(
    get, path = "/v1/whatsapp-rates", tag = "settings", operation_id = "list_whatsapp_rates",
    security(("bearer" = [Read::NAME])),
    params(Paging),
    responses(
        (status = 200, description = "A page of versions.", body = Page<RatesView>), Always,
    ),
)]
async fn list(
    State(app): State<App>,
    caller: Allowed<Read>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<RatesView>>, Problem> {
    let (below, limit) = (paging.after_number()?.unwrap_or(i64::MAX), paging.limit()?);
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = whatsapp_rates::list(&mut tx, &caller.tenant, below, limit).await?;
    let in_force = whatsapp_rates::in_force(&mut tx, &caller.tenant, app.now()).await?;
    let views = found.into_iter().map(|version| view(version, in_force, &tenant));
    Ok(Json(Page::new(views.collect(), limit, |version| version.version)))
}

/// The rates that the body names, or everything that is wrong with them.
fn check(body: &NewWhatsappRates, tenant: &Tenant) -> Result<WhatsappRates, Problem> {
    let mut errors = Errors::default();
    let free = body.free_service_messages;
    let fits = format!("at most {MOST_FREE}");
    errors.check(free <= MOST_FREE, "free_service_messages", "out_of_range", &fits);
    let few = body.prices.len() <= MOST_PRICES;
    errors.check(few, "prices", "too_many", &format!("at most {MOST_PRICES} prices"));

    let mut rates = WhatsappRates { free_service_messages: free, ..WhatsappRates::default() };
    for (index, said) in body.prices.iter().enumerate().take(MOST_PRICES) {
        let field = format!("prices[{index}].price");
        let fits = (Micros::ZERO..=MOST_PRICE).contains(&said.price.amount);
        errors.check(fits, &field, "out_of_range", "from 0 to 100000");
        let same = said.price.currency.as_str() == tenant.currency;
        errors.check(same, &field, "wrong_currency", &format!("in {}", tenant.currency));

        let prices = match said.country {
            Some(country) => rates.by_country.entry(country).or_default(),
            None => &mut rates.elsewhere,
        };
        let twice = prices.insert(said.category, said.price.amount).is_some();
        let once = "each country and category once";
        errors.check(!twice, &format!("prices[{index}]"), "duplicate", once);
    }
    errors.done()?;
    Ok(rates)
}

fn view(version: RatesVersion, in_force: Option<i64>, tenant: &Tenant) -> RatesView {
    let RatesVersion { version, valid_from, rates, created_at, created_by } = version;
    let of_country = rates.by_country.into_iter().map(|(country, prices)| (Some(country), prices));
    let all = of_country.chain([(None, rates.elsewhere)]);
    let prices = all.flat_map(|(country, prices)| priced(country, prices, &tenant.currency));
    RatesView {
        version,
        valid_from,
        in_force: in_force == Some(version),
        prices: prices.collect(),
        free_service_messages: rates.free_service_messages,
        created_at,
        created_by,
    }
}

fn priced(
    country: Option<Country>,
    prices: BTreeMap<PriceCategory, Micros>,
    currency: &str,
) -> impl Iterator<Item = WhatsappPrice> {
    let price = move |(category, amount)| WhatsappPrice {
        country,
        category,
        price: money(amount, currency),
    };
    prices.into_iter().map(price)
}
