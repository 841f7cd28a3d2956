//! `/v1/budgets`: what a tenant or a campaign may spend in a day and in a month.

use axum::{Json, extract::State};
use domain::{
    gates::{CounterKey, CounterKind, LineKey, Windows},
    ids::{CampaignId, TenantId},
    money::{Micros, Money},
    zones::Zone,
};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};
use store::{
    campaigns,
    capacity::{counters, lines},
    settings::{
        budgets::{self, Budget, BudgetScope},
        tenants::Tenant,
    },
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::changed::Changed;
use crate::{
    app::App,
    audit,
    auth::{Allowed, Caller, EditSettings, Needs, Read},
    document::answers::{Always, OfBody},
    http::{Body, Errors, Kind, Page, Problem, view::money},
    transactions::TenantTx,
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, set, amend))
}

/// What the tenant or a campaign may spend; a cap that is not given is none.
#[derive(Deserialize, ToSchema)]
#[schema(as = BudgetChange)]
#[serde(deny_unknown_fields)]
struct BudgetBody {
    /// What is capped: everything of the tenant, or one campaign.
    #[schema(value_type = BudgetScope)]
    scope: String,
    /// The campaign's id, for the scope `campaign`.
    #[serde(default)]
    target: Option<Uuid>,
    /// The cap of a day in the tenant's zone, in the tenant's currency, not below zero.
    #[serde(default)]
    daily: Option<Money>,
    /// The cap of a month in the tenant's zone, in the tenant's currency, not below zero.
    #[serde(default)]
    monthly: Option<Money>,
}

/// Of what the tenant or a campaign may spend, the caps that are to be others.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BudgetPatch {
    /// What is capped: everything of the tenant, or one campaign.
    #[schema(value_type = BudgetScope)]
    scope: String,
    /// The campaign's id, for the scope `campaign`.
    #[serde(default)]
    target: Option<Uuid>,
    /// The cap of a day, as PUT takes it; `null` takes it away, and left out it stays.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<Money>)]
    daily: Option<Option<Money>>,
    /// The cap of a month, likewise.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<Money>)]
    monthly: Option<Option<Money>>,
}

fn said<'de, D: Deserializer<'de>>(decoder: D) -> Result<Option<Option<Money>>, D::Error> {
    Option::deserialize(decoder).map(Some)
}

/// A budget as it is after a change.
#[derive(Serialize, ToSchema)]
#[schema(as = Budget)]
struct PutBudget {
    /// What is capped: everything of the tenant, or one campaign.
    #[schema(value_type = BudgetScope)]
    scope: &'static str,
    /// The campaign's id; null for the tenant.
    #[schema(required)]
    target: Option<Uuid>,
    /// The cap of a day; null where there is none.
    #[schema(required)]
    daily: Option<Money>,
    /// The cap of a month; null where there is none.
    #[schema(required)]
    monthly: Option<Money>,
    /// Each cap that is another now, those that were left out and taken away included.
    changed: Vec<Changed>,
}

/// `PUT /v1/budgets`, for admins and owners: sets what the tenant or a campaign may spend; a cap
/// that is not given is taken away. Answers 200 with the budget as it was put and every cap
/// that is another one now.
#[utoipa::path(
    put, path = "/v1/budgets", tag = "settings", operation_id = "set_budget",
    security(("bearer" = [EditSettings::NAME])),
    request_body(content = BudgetBody, example = json!({
        "scope": "tenant",
        "daily": { "amount": "100.00", "currency": "USD" },
        "monthly": { "amount": "2000.00", "currency": "USD" },
    })),
    responses(
        (status = 200, description = "The budget as it was put.", body = PutBudget),
        Always, OfBody,
    ),
)]
async fn set(
    State(app): State<App>,
    caller: Allowed<EditSettings>,
    Body(body): Body<BudgetBody>,
) -> Result<Json<PutBudget>, Problem> {
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
    let budget = check(&body, &tenant)?;
    let (mut tx, before) = in_force(&app, &caller, &budget).await?;
    let answer = record(&app, &caller, &mut tx, before, budget, &tenant.currency).await?;
    tx.commit().await?;
    Ok(Json(answer))
}

/// `PATCH /v1/budgets`, for admins and owners: changes the caps that are named, and leaves the
/// others as they are (RFC 7396: `null` takes one away). Answers as PUT does.
#[utoipa::path(
    patch, path = "/v1/budgets", tag = "settings", operation_id = "update_budget",
    security(("bearer" = [EditSettings::NAME])),
    request_body(content = BudgetPatch, example = json!({
        "scope": "tenant", "daily": { "amount": "250.00", "currency": "USD" },
    })),
    responses(
        (status = 200, description = "The budget as it is now.", body = PutBudget),
        Always, OfBody,
    ),
)]
async fn amend(
    State(app): State<App>,
    caller: Allowed<EditSettings>,
    Body(patch): Body<BudgetPatch>,
) -> Result<Json<PutBudget>, Problem> {
    // check
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
    let (is_daily_said, is_monthly_said) = (patch.daily.is_some(), patch.monthly.is_some());
    let BudgetPatch { scope, target, daily, monthly } = patch;
    let (daily, monthly) = (daily.flatten(), monthly.flatten());
    let wanted = check(&BudgetBody { scope, target, daily, monthly }, &tenant)?;

    // load
    let (mut tx, before) = in_force(&app, &caller, &wanted).await?;

    // record
    let old = before.as_ref();
    let after = Budget {
        daily: if is_daily_said { wanted.daily } else { old.and_then(|old| old.daily) },
        monthly: if is_monthly_said { wanted.monthly } else { old.and_then(|old| old.monthly) },
        ..wanted
    };
    let answer = record(&app, &caller, &mut tx, before, after, &tenant.currency).await?;
    tx.commit().await?;
    Ok(Json(answer))
}

/// The budget of what another one caps, if there is one, with a lock on the tenant's budgets. A
/// campaign that it names must exist.
async fn in_force(
    app: &App,
    caller: &Caller,
    wanted: &Budget,
) -> Result<(TenantTx, Option<Budget>), Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    if let Ok(id) = wanted.target.parse()
        && campaigns::get(&mut tx, &caller.tenant, CampaignId(id), false).await?.is_none()
    {
        return Err(Problem::field("target", "not_found", "no campaign with this id"));
    }

    budgets::lock(&mut tx, &caller.tenant).await?;
    let known = budgets::list(&mut tx, &caller.tenant).await?;
    let is_it = |old: &Budget| old.scope == wanted.scope && old.target == wanted.target;
    Ok((tx, known.into_iter().find(is_it)))
}

/// Sets a budget, and says what of it is another now.
async fn record(
    app: &App,
    caller: &Caller,
    tx: &mut TenantTx,
    before: Option<Budget>,
    after: Budget,
    currency: &str,
) -> Result<PutBudget, Problem> {
    // record
    let target: Option<Uuid> = after.target.parse().ok();
    budgets::set(tx, &caller.tenant, &after).await?;
    let lines = kinds(target).map(|kind| LineKey { kind, target });
    lines::dissolve(tx, &caller.tenant, &lines, app.now()).await?;
    let detail = json!({ "before": before.as_ref().map(caps), "after": caps(&after) });
    audit::note(tx, caller, app.now(), "budget.changed", subject(&after), detail).await?;

    // answer
    let cap = |amount: Option<Micros>| amount.map(|amount| money(amount, currency));
    let changed = |name: &str, of: fn(&Budget) -> Option<Micros>| {
        let from = cap(before.as_ref().and_then(of));
        let [from, to] = [from, cap(of(&after))].map(|cap| wire::json::to_value(&cap));
        Changed::whole(name, from, to)
    };
    let caps = [changed("daily", |one| one.daily), changed("monthly", |one| one.monthly)];
    Ok(PutBudget {
        scope: after.scope.as_str(),
        target,
        daily: cap(after.daily),
        monthly: cap(after.monthly),
        changed: caps.into_iter().flatten().collect(),
    })
}

/// The budget that the body names, or everything that is wrong with it.
fn check(body: &BudgetBody, tenant: &Tenant) -> Result<Budget, Problem> {
    let mut errors = Errors::default();
    let daily = amount("daily", body.daily.as_ref(), tenant, &mut errors);
    let monthly = amount("monthly", body.monthly.as_ref(), tenant, &mut errors);
    let scope = BudgetScope::from_name(&body.scope);
    match (scope, body.target) {
        (Some(BudgetScope::Tenant), None) | (Some(BudgetScope::Campaign), Some(_)) => {}
        (Some(BudgetScope::Tenant), Some(_)) => {
            errors.add("target", "unexpected", "the tenant needs no target");
        }
        (Some(BudgetScope::Campaign), None) => {
            errors.add("target", "required", "the campaign's id");
        }
        (None, _) => errors.add("scope", "unknown", "tenant or campaign"),
    }
    errors.done()?;
    let scope = scope.ok_or_else(|| Problem::field("scope", "unknown", "tenant or campaign"))?;

    let target = body.target.map_or_else(String::new, |id| id.to_string());
    Ok(Budget { scope, target, daily, monthly })
}

/// A cap in the tenant's own currency, which is never converted.
fn amount(
    field: &str,
    given: Option<&Money>,
    tenant: &Tenant,
    errors: &mut Errors,
) -> Option<Micros> {
    let given = given?;
    errors.check(given.amount.0 >= 0, field, "out_of_range", "not below zero");
    let same = given.currency.as_str() == tenant.currency;
    errors.check(same, field, "wrong_currency", &format!("in {}", tenant.currency));
    Some(given.amount)
}

/// A budget as the audit trail names it.
fn subject(budget: &Budget) -> String {
    match budget.target.as_str() {
        "" => "budget:tenant".to_owned(),
        target => format!("budget:{}:{target}", budget.scope.as_str()),
    }
}

/// A cap as the audit trail has it: millionths of the tenant's currency.
fn caps(budget: &Budget) -> Value {
    json!({
        "daily_micros": budget.daily.map(|amount| amount.0),
        "monthly_micros": budget.monthly.map(|amount| amount.0),
    })
}

/// A budget, and what of it is spent or reserved in the day and the month of the tenant's zone.
#[derive(Serialize, ToSchema)]
#[schema(as = BudgetUse)]
struct BudgetView {
    /// What is capped: everything of the tenant, or one campaign.
    #[schema(value_type = BudgetScope)]
    scope: &'static str,
    /// The campaign's id; null for the tenant.
    #[schema(required)]
    target: Option<Uuid>,
    /// The cap of a day; null where there is none.
    #[schema(required)]
    daily: Option<Money>,
    /// The cap of a month; null where there is none.
    #[schema(required)]
    monthly: Option<Money>,
    spent: Spent,
}

/// What is spent or reserved of a budget.
#[derive(Serialize, ToSchema)]
#[schema(as = BudgetSpending)]
struct Spent {
    /// Today, in the tenant's zone.
    day: Window,
    /// This month, in the tenant's zone.
    month: Window,
}

/// What is spent or reserved in a day or a month.
#[derive(Serialize, ToSchema)]
#[schema(as = BudgetPeriod)]
struct Window {
    /// The sum of what is spent and what is reserved.
    spent: Money,
    /// When the day or month began.
    since: Timestamp,
    /// When the next one begins.
    until: Timestamp,
}

/// `GET /v1/budgets`, for every role: every budget, with what is spent or reserved of it.
#[utoipa::path(
    get, path = "/v1/budgets", tag = "settings", operation_id = "list_budgets",
    security(("bearer" = [Read::NAME])),
    responses(
        (status = 200, description = "Every budget, on one page.", body = Page<BudgetView>),
        Always,
    ),
)]
async fn list(
    State(app): State<App>,
    caller: Allowed<Read>,
) -> Result<Json<Page<BudgetView>>, Problem> {
    // load
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
    let zone = Zone::parse(&tenant.time_zone)
        .map_err(|_| Problem::new(Kind::Internal, "the tenant's time zone is not known"))?;
    let windows = Windows::at(app.now(), zone);
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = budgets::list(&mut tx, &caller.tenant).await?;
    let keys: Vec<CounterKey> =
        found.iter().flat_map(|budget| counters_of(&caller.tenant, budget, &windows)).collect();
    let used = counters::peek(&mut tx, &keys).await?;

    // answer
    let views = found.into_iter().zip(used.chunks(2));
    let views = views.map(|(budget, used)| view(budget, used, &windows, &tenant.currency));
    Ok(Json(Page::whole(views.collect())))
}

/// A budget with what is used in its day and in its month.
fn view(budget: Budget, used: &[i64], windows: &Windows, currency: &str) -> BudgetView {
    let cap = |amount: Option<Micros>| amount.map(|amount| money(amount, currency));
    let window =
        |used: i64, since, until| Window { spent: money(Micros(used), currency), since, until };

    BudgetView {
        scope: budget.scope.as_str(),
        target: budget.target.parse().ok(),
        daily: cap(budget.daily),
        monthly: cap(budget.monthly),
        spent: Spent {
            day: window(used[0], windows.day_start, windows.next_day_start),
            month: window(used[1], windows.month_start, windows.next_month_start),
        },
    }
}

/// The counters of the day and of the month that a budget caps.
fn counters_of(tenant: &TenantId, budget: &Budget, windows: &Windows) -> [CounterKey; 2] {
    let target: Option<Uuid> = budget.target.parse().ok();
    let [day, month] = kinds(target);
    [(day, windows.day_start), (month, windows.month_start)].map(|(kind, window_start)| {
        CounterKey { tenant: tenant.clone(), kind, target, window_start }
    })
}

/// What a budget caps: the money spent in a day and in a month, by a campaign or by the tenant.
fn kinds(campaign: Option<Uuid>) -> [CounterKind; 2] {
    match campaign {
        None => [CounterKind::SpendDay, CounterKind::SpendMonth],
        Some(_) => [CounterKind::CampaignDay, CounterKind::CampaignMonth],
    }
}
