//! `/v1/budgets`: what a tenant or a campaign may spend in a day and in a month.

use axum::{Json, Router, extract::State, routing::get};
use domain::{
    ids::CampaignId,
    money::{Micros, Money},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{
    budgets::{self, Budget},
    campaigns,
    tenants::Tenant,
};
use uuid::Uuid;

use super::audit;
use crate::{
    app::App,
    auth::Caller,
    http::{Body, Errors, Page, Problem, view::money},
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
    match (body.scope.as_str(), body.target) {
        ("tenant", None) | ("campaign", Some(_)) => {}
        ("tenant", Some(_)) => errors.add("target", "unexpected", "the tenant needs no target"),
        ("campaign", None) => errors.add("target", "required", "the campaign's id"),
        (_, _) => errors.add("scope", "unknown", "tenant or campaign"),
    }
    errors.done()?;
    let mut tx = app.store.scoped([&caller.tenant]).await?;
    if let Some(id) = body.target
        && campaigns::get(&mut tx, &caller.tenant, CampaignId(id), false).await?.is_none()
    {
        return Err(Problem::field("target", "not_found", "no campaign with this id"));
    }
    let target = body.target.map_or_else(String::new, |id| id.to_string());
    let budget = Budget { scope: body.scope.clone(), target, daily, monthly };
    let known = budgets::list(&mut tx, &caller.tenant).await?;
    let known =
        known.iter().find(|old| (&old.scope, &old.target) == (&budget.scope, &budget.target));
    let detail = json!({ "before": known.map(caps), "after": caps(&budget) });
    budgets::set(&mut tx, &caller.tenant, &budget).await?;
    let subject = match budget.target.as_str() {
        "" => "budget:tenant".to_owned(),
        target => format!("budget:{}:{target}", budget.scope),
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

async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Page<BudgetBody>>, Problem> {
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
    let mut tx = app.store.scoped([&caller.tenant]).await?;
    let found = budgets::list(&mut tx, &caller.tenant).await?;
    let view = |budget: Budget| BudgetBody {
        scope: budget.scope,
        target: budget.target.parse().ok(),
        daily: budget.daily.map(|amount| money(amount, &tenant.currency)),
        monthly: budget.monthly.map(|amount| money(amount, &tenant.currency)),
    };
    Ok(Json(Page::whole(found.into_iter().map(view).collect())))
}
