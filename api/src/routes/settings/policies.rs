//! `/v1/policies`: the numbers that the gates go by, in versions; the highest is in force.

use axum::{Json, Router, extract::State, routing::get};
use domain::gates::{CounterKind, LineKey, Named, Policy, Wake};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use store::{
    Scoped,
    capacity::lines,
    parked::wake::{self, Way, What},
    settings::policies,
};

use crate::{
    app::App,
    audit,
    auth::Caller,
    http::{Body, Kind, Page, Paging, Problem, Query},
};

pub(super) fn router() -> Router<App> {
    Router::new().route("/v1/policies", get(list).put(add))
}

#[derive(Serialize)]
struct VersionView {
    version: i64,
    policy: Value,
    created_at: Option<Timestamp>,
    created_by: Option<String>,
}

/// `PUT /v1/policies`, for admins and owners: adds a version, which is in force at once. What is
/// left out of it has its default, and is stored with it: a later default changes no policy that
/// somebody chose. Answers 200 with the version, 409 where somebody else has added one at the same
/// time.
async fn add(
    State(app): State<App>,
    caller: Caller,
    Body(Named(policy)): Body<Named<Policy>>,
) -> Result<Json<VersionView>, Problem> {
    // check
    policy.check().map_err(|why| Problem::field("policy", "invalid", why.to_string()))?;
    let body = wire::json::to_value(&policy);

    // load
    let now = app.now();
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let before = policies::list(&mut tx, &caller.tenant, i64::MAX, 1).await?.pop();

    // record
    let version = policies::add(&mut tx, &caller.tenant, &body, &caller.subject, now).await?;
    ask_again(&mut tx, &caller, now).await?;
    let raced = || Problem::new(Kind::Conflict, "somebody else changed the policy just now");
    let version = version.ok_or_else(raced)?;
    let detail = json!({
        "version": version, "before": before.map(|before| before.body), "after": body,
    });
    audit::note(&mut tx, &caller, now, "policy.changed", "policy".into(), detail).await?;
    tx.commit().await?;

    // answer
    let (created_at, created_by) = (Some(now), Some(caller.subject));
    Ok(Json(VersionView { version, policy: body, created_at, created_by }))
}

/// Brings back to the gates what another policy may let pass.
async fn ask_again(tx: &mut Scoped, caller: &Caller, now: Timestamp) -> Result<(), Problem> {
    // What could not be decided under a policy that does not parse is decided afresh.
    let cause = Wake::Policy.to_string();
    wake::wake(tx, &caller.tenant, &What::Cause(&cause), Way::On).await?;

    // Quotas and the warm-up curve are the policy's.
    let quotas = [CounterKind::QuotaMinute, CounterKind::QuotaHour, CounterKind::QuotaDay];
    let mut changed = lines::of_senders(tx, &caller.tenant).await?;
    changed.extend(quotas.map(|kind| LineKey { kind, target: None }));
    lines::dissolve(tx, &caller.tenant, &changed, now).await?;
    Ok(())
}

/// `GET /v1/policies`, for every role: the versions in pages, the one in force first. Version 0 is
/// the default of a tenant that has none.
async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<VersionView>>, Problem> {
    let (below, limit) = (paging.after_number()?.unwrap_or(i64::MAX), paging.limit()?);

    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = policies::list(&mut tx, &caller.tenant, below, limit).await?;
    let mut versions: Vec<_> = found
        .into_iter()
        .map(|version| VersionView {
            version: version.version,
            policy: version.body,
            created_at: Some(version.created_at),
            created_by: Some(version.created_by),
        })
        .collect();

    if versions.is_empty() && below == i64::MAX {
        let policy = wire::json::to_value(&Policy::default());
        versions.push(VersionView { version: 0, policy, created_at: None, created_by: None });
    }
    Ok(Json(Page::new(versions, limit, |version| version.version)))
}
