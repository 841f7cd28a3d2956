//! `/v1/budgets`: what a tenant or a campaign may spend in a day and in a month.

use axum::{Json, Router, extract::State, routing::get};
use domain::{
    gates::{CounterKey, CounterKind, LineKey, Windows},
    ids::{CampaignId, TenantId},
    money::{Micros, Money},
    zones::Zone,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{
    campaigns,
    capacity::{counters, lines},
    settings::{
        budgets::{self, Budget, BudgetScope},
        tenants::Tenant,
    },
};
use uuid::Uuid;

use crate::{
    app::App,
    audit,
    auth::Caller,
    http::{Body, Errors, Kind, Page, Problem, view::money},
};

pub(super) fn router() -> Router<App> {
    Router::new().route("/v1/budgets", get(list).put(set))
}

/// A cap; one that is not given is none.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BudgetBody {
    /// `tenant` or `campaign`
    scope: String,
    /// The campaign.
    #[serde(default)]
    target: Option<Uuid>,
    #[serde(default)]
    daily: Option<Money>,
    #[serde(default)]
    monthly: Option<Money>,
}

async fn set(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<BudgetBody>,
) -> Result<Json<BudgetBody>, Problem> {
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
    let mut errors = Errors::default();
    let daily = amount("daily", body.daily.as_ref(), &tenant, &mut errors);
    let monthly = amount("monthly", body.monthly.as_ref(), &tenant, &mut errors);
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
    let mut tx = app.store.scoped([&caller.tenant]).await?;
    if let Some(id) = body.target
        && campaigns::get(&mut tx, &caller.tenant, CampaignId(id), false).await?.is_none()
    {
        return Err(Problem::field("target", "not_found", "no campaign with this id"));
    }
    let target = body.target.map_or_else(String::new, |id| id.to_string());
    let budget = Budget { scope, target, daily, monthly };
    let known = budgets::list(&mut tx, &caller.tenant).await?;
    let known =
        known.iter().find(|old| (&old.scope, &old.target) == (&budget.scope, &budget.target));
    let detail = json!({ "before": known.map(caps), "after": caps(&budget) });
    budgets::set(&mut tx, &caller.tenant, &budget).await?;
    let kinds = match body.target {
        None => [CounterKind::SpendDay, CounterKind::SpendMonth],
        Some(_) => [CounterKind::CampaignDay, CounterKind::CampaignMonth],
    };
    let changed = kinds.map(|kind| LineKey { kind, target: body.target });
    lines::dissolve(&mut tx, &caller.tenant, &changed, app.now()).await?;
    let subject = match budget.target.as_str() {
        "" => "budget:tenant".to_owned(),
        target => format!("budget:{}:{target}", budget.scope.as_str()),
    };
    audit::note(&mut tx, &caller, app.now(), "budget.changed", subject, detail).await?;
    tx.commit().await.map_err(store::fault)?;
    Ok(Json(body))
}

/// A cap as the audit trail has it: millionths of the tenant's currency.
fn caps(budget: &Budget) -> Value {
    json!({
        "daily_micros": budget.daily.map(|amount| amount.0),
        "monthly_micros": budget.monthly.map(|amount| amount.0),
    })
}

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

/// A cap, and what of it is spent or reserved in the day and the month of the tenant's zone.
#[derive(Serialize)]
struct BudgetView {
    #[serde(flatten)]
    budget: BudgetBody,
    spent: Spent,
}

#[derive(Serialize)]
struct Spent {
    day: Window,
    month: Window,
}

#[derive(Serialize)]
struct Window {
    spent: Money,
    since: Timestamp,
    until: Timestamp,
}

async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Page<BudgetView>>, Problem> {
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
    let zone = Zone::parse(&tenant.time_zone)
        .map_err(|_| Problem::new(Kind::Internal, "the tenant's time zone is not known"))?;
    let windows = Windows::at(app.now(), zone);
    let mut tx = app.store.scoped([&caller.tenant]).await?;
    let found = budgets::list(&mut tx, &caller.tenant).await?;
    let keys: Vec<CounterKey> =
        found.iter().flat_map(|budget| counters_of(&caller.tenant, budget, &windows)).collect();
    let used = counters::peek(&mut tx, &keys).await?;
    let window = |used: i64, since, until| Window {
        spent: money(Micros(used), &tenant.currency),
        since,
        until,
    };
    let view = |(budget, used): (Budget, &[i64])| BudgetView {
        budget: BudgetBody {
            scope: budget.scope.as_str().to_owned(),
            target: budget.target.parse().ok(),
            daily: budget.daily.map(|amount| money(amount, &tenant.currency)),
            monthly: budget.monthly.map(|amount| money(amount, &tenant.currency)),
        },
        spent: Spent {
            day: window(used[0], windows.day, windows.next_day),
            month: window(used[1], windows.month, windows.next_month),
        },
    };
    Ok(Json(Page::whole(found.into_iter().zip(used.chunks(2)).map(view).collect())))
}

/// The counters of the day and of the month that a budget caps.
fn counters_of(tenant: &TenantId, budget: &Budget, windows: &Windows) -> [CounterKey; 2] {
    let target: Option<Uuid> = budget.target.parse().ok();
    let (day, month) = match target {
        Some(_) => (CounterKind::CampaignDay, CounterKind::CampaignMonth),
        None => (CounterKind::SpendDay, CounterKind::SpendMonth),
    };
    [(day, windows.day), (month, windows.month)].map(|(kind, start)| CounterKey {
        tenant: tenant.clone(),
        kind,
        target,
        window_start: start,
    })
}
