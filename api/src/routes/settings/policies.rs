//! `/v1/policies`: the numbers that the gates go by, in versions; the highest is in force.

mod patch;

use axum::{Json, extract::State};
use domain::gates::{ClosedStates, CounterKind, LineKey, Policy, PolicyFault, Wake};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};
use store::{
    Scoped,
    capacity::lines,
    parked::wake::{self, Way, What},
    settings::policies,
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::changed::{Changed, changes, merge};
use crate::{
    app::App,
    audit,
    auth::{Allowed, Caller, EditSettings, Needs, Read},
    document::answers::{Always, Conflict, OfBody},
    http::{Body, FieldError, Kind, Page, Paging, Problem, Query, body::decode},
    transactions::TenantTx,
};
use patch::PolicyPatch;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, replace, amend))
}

/// A version of the tenant's policy.
#[derive(Serialize, ToSchema)]
#[schema(as = PolicyVersion)]
struct VersionView {
    /// From 1; 0 is the default of a tenant that has set none.
    #[schema(minimum = 0)]
    version: i64,
    #[schema(value_type = Policy)]
    policy: Value,
    /// Null of version 0.
    #[schema(required)]
    created_at: Option<Timestamp>,
    /// Who added it, `key:` or `user:` and their id; null of version 0.
    #[schema(required)]
    created_by: Option<String>,
    /// In the answer to a change: each rule that is another now, those left out included.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    changed: Option<Vec<Changed>>,
    /// In the answer to a change: where the policy now stops everything; left out where nowhere.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(nullable = false)]
    warnings: Vec<PolicyWarning>,
}

/// Where a rule stops everything, though not everywhere.
#[derive(Serialize, ToSchema)]
struct PolicyWarning {
    /// The rule, with dots where it lies deeper.
    #[schema(example = "quiet_hours.window")]
    rule: &'static str,
    /// The states of the United States whose law leaves no hour, by code; empty where each leaves
    /// one, and all together none.
    states: Vec<&'static str>,
    /// What is stopped, in English.
    detail: String,
}

/// `PUT /v1/policies`, for admins and owners: adds a version, which is in force at once. What is
/// left out of it has its default, and is stored with it: a later default changes no policy that
/// somebody chose. Answers 200 with the version and every rule that has changed, 409 where somebody
/// else has added one at the same time.
#[utoipa::path(
    put, path = "/v1/policies", tag = "settings", operation_id = "replace_policy",
    security(("bearer" = [EditSettings::NAME])),
    request_body(content = Policy, example = json!({
        "allowed_countries": ["US", "CA"],
        "suppression_days": 60,
        "frequency": { "messages": 2, "hours": 24 },
        "quota": { "per_minute": 600, "per_hour": 20000, "per_day": 100000 },
        "quiet_hours": { "window": "mon-sat 10:00-19:00" },
    })),
    responses(
        (status = 200, description = "The version that is in force now.", body = VersionView),
        Always, OfBody, Conflict,
    ),
)]
async fn replace(
    State(app): State<App>,
    caller: Allowed<EditSettings>,
    Body(policy): Body<Policy>,
) -> Result<Json<VersionView>, Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let before = InForce::load(&mut tx, &caller).await?;
    add(&app, &caller, tx, before, policy).await
}

/// `PATCH /v1/policies`, for admins and owners: adds a version in which the rules that are named
/// have their new values, and all others stay (RFC 7396: `null` is a rule's default). Answers as
/// PUT does.
#[utoipa::path(
    patch, path = "/v1/policies", tag = "settings", operation_id = "update_policy",
    security(("bearer" = [EditSettings::NAME])),
    request_body(content = PolicyPatch, example = json!({
        "suppression_days": 30,
        "quota": { "per_day": 50000 },
        "help_contact": "call 212-555-0100",
    })),
    responses(
        (status = 200, description = "The version that is in force now.", body = VersionView),
        Always, OfBody, Conflict,
    ),
)]
async fn amend(
    State(app): State<App>,
    caller: Allowed<EditSettings>,
    Body(patch): Body<Map<String, Value>>,
) -> Result<Json<VersionView>, Problem> {
    // load
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let before = InForce::load(&mut tx, &caller).await?;

    // check
    let mut amended = before.policy.clone();
    merge(&mut amended, &Value::Object(patch));
    let policy = decode(&wire::json::to_vec(&amended))?;
    add(&app, &caller, tx, before, policy).await
}

/// The policy that a change begins from.
struct InForce {
    version: i64,
    policy: Value,
}

impl InForce {
    async fn load(tx: &mut TenantTx, caller: &Caller) -> Result<Self, Problem> {
        let stored = policies::list(tx, &caller.tenant, i64::MAX, 1).await?.pop();
        Ok(match stored {
            Some(stored) => Self { version: stored.version, policy: stored.body },
            None => Self { version: 0, policy: wire::json::to_value(&Policy::default()) },
        })
    }
}

/// Adds the version after `before`, and brings back to the gates what it may let pass.
async fn add(
    app: &App,
    caller: &Caller,
    mut tx: TenantTx,
    before: InForce,
    policy: Policy,
) -> Result<Json<VersionView>, Problem> {
    // check
    let faults = policy.faults().into_iter().map(field_error).collect::<Vec<_>>();
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    let (now, body) = (app.now(), wire::json::to_value(&policy));

    // record
    let version = policies::add(&mut tx, &caller.tenant, &body, &caller.subject, now).await?;
    ask_again(&mut tx, caller, now).await?;
    let raced = || Problem::new(Kind::Conflict, "somebody else changed the policy just now");
    let version = version.filter(|version| *version == before.version + 1).ok_or_else(raced)?;
    let was = (before.version > 0).then_some(&before.policy);
    let detail = json!({ "version": version, "before": was, "after": body });
    audit::note(&mut tx, caller, now, "policy.changed", "policy".into(), detail).await?;
    tx.commit().await?;

    // answer
    Ok(Json(VersionView {
        version,
        changed: Some(changes(&before.policy, &body)),
        warnings: warnings(&policy),
        policy: body,
        created_at: Some(now),
        created_by: Some(caller.subject.clone()),
    }))
}

/// What is told of a policy that is accepted.
fn warnings(policy: &Policy) -> Vec<PolicyWarning> {
    let closed = policy.closed_states().into_iter();
    let warning = |ClosedStates { states, detail }| PolicyWarning {
        rule: "quiet_hours.window",
        states,
        detail,
    };
    closed.map(warning).collect()
}

fn field_error(fault: PolicyFault) -> FieldError {
    let detail = format!("`{}` does not fit: {}", fault.given, fault.fits);
    FieldError { field: fault.field, code: "out_of_range", detail }
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
#[utoipa::path(
    get, path = "/v1/policies", tag = "settings", operation_id = "list_policies",
    security(("bearer" = [Read::NAME])),
    params(Paging),
    responses(
        (status = 200, description = "A page of versions.", body = Page<VersionView>), Always,
    ),
)]
async fn list(
    State(app): State<App>,
    caller: Allowed<Read>,
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
            changed: None,
            warnings: Vec::new(),
        })
        .collect();

    if versions.is_empty() && below == i64::MAX {
        let policy = wire::json::to_value(&Policy::default());
        let (created_at, created_by) = (None, None);
        let (changed, warnings) = (None, Vec::new());
        let version = 0;
        versions.push(VersionView { version, policy, created_at, created_by, changed, warnings });
    }
    Ok(Json(Page::new(versions, limit, |version| version.version)))
}
