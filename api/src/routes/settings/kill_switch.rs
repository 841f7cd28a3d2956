//! `/v1/kill-switch`: stops a tenant, a campaign or a sender at once, and lets it go on.

use std::collections::BTreeSet;

use axum::{Json, extract::State};
use domain::{gates::SwitchMode, ids::CampaignId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{
    Scoped, campaigns,
    parked::wake::{self, Way, What},
    settings::{
        platform_switch, senders,
        switches::{self, Switch, SwitchScope},
    },
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    app::App,
    audit,
    auth::{Allowed, Caller, EditCampaigns, Needs, Read},
    document::{
        answers::{Always, OfBody},
        examples,
    },
    http::{Body, Errors, Problem},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, set))
}

/// What a switch is to do.
#[derive(Deserialize, ToSchema)]
#[schema(as = SwitchChange)]
#[serde(deny_unknown_fields)]
struct SetSwitch {
    /// Whose switch it is.
    #[schema(value_type = SwitchScope)]
    scope: String,
    /// The id of the campaign or sender; none for the tenant.
    #[serde(default)]
    target: Option<Uuid>,
    /// `on` lets messages go, `paused` holds them until it is on again, `stopped` ends them.
    #[schema(value_type = SwitchMode)]
    mode: String,
    /// Why, for people.
    #[serde(default)]
    #[schema(max_length = 500)]
    reason: String,
}

/// A switch of the tenant, of a campaign or of a sender.
#[derive(Serialize, ToSchema)]
#[schema(as = Switch)]
struct SwitchView {
    /// Whose switch it is.
    #[schema(value_type = SwitchScope)]
    scope: &'static str,
    /// The id of the campaign or sender; null for the tenant.
    #[schema(required)]
    target: Option<Uuid>,
    /// `on` lets messages go, `paused` holds them until it is on again, `stopped` ends them.
    #[schema(value_type = SwitchMode)]
    mode: &'static str,
    /// Why, for people; empty where nobody said.
    reason: String,
    /// When it was thrown last.
    changed_at: Timestamp,
}

/// A switch as it was set.
#[derive(Serialize, ToSchema)]
#[schema(as = ChangedSwitch)]
struct Set {
    #[serde(flatten)]
    switch: SwitchView,
    /// How many messages that were held for it go back to the gates.
    released: i64,
}

/// `PUT /v1/kill-switch`, for operators, admins and owners: turns a switch on, pauses it or stops
/// it. Who is limited to brands may not throw the company's (403). Answers 200 with the switch and
/// how many held messages go back to the gates.
#[utoipa::path(
    put, path = "/v1/kill-switch", tag = "settings", operation_id = "set_switch",
    security(("bearer" = [EditCampaigns::NAME])),
    request_body(content = SetSwitch, example = json!({
        "scope": "campaign", "target": examples::RUNNING, "mode": "paused",
        "reason": "The offer is sold out.",
    })),
    responses(
        (status = 200, description = "The switch as it was set.", body = Set), Always, OfBody,
    ),
)]
async fn set(
    State(app): State<App>,
    caller: Allowed<EditCampaigns>,
    Body(body): Body<SetSwitch>,
) -> Result<Json<Set>, Problem> {
    // check
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let (scope, mode) = check(&mut tx, &caller, &body).await?;

    // load
    let now = app.now();
    let target = body.target.map_or_else(String::new, |id| id.to_string());
    let switch = Switch { scope, target, mode, reason: body.reason, changed_at: now };
    let key = switches::cause_key(switch.scope, &switch.target);
    let known = switches::list(&mut tx, &caller.tenant).await?;
    let is_same = |old: &&Switch| (&old.scope, &old.target) == (&switch.scope, &switch.target);
    let before = known.iter().find(is_same).map_or(SwitchMode::On, |old| old.mode);

    // record
    let released = match mode {
        SwitchMode::On => turn_on(&mut tx, &caller, &known, &switch, &key).await?,
        SwitchMode::Paused => {
            switches::set(&mut tx, &caller.tenant, &switch).await?;
            wake::cancel(&mut tx, &caller.tenant, &What::Cause(&key)).await?;
            0
        }
        SwitchMode::Stopped => {
            switches::set(&mut tx, &caller.tenant, &switch).await?;
            end_parked(&mut tx, &caller, &switch, body.target, &key).await?;
            wake::waiting(&mut tx, &caller.tenant, &key).await?
        }
    };
    let detail = json!({
        "before": before.as_str(),
        "after": switch.mode.as_str(),
        "reason": switch.reason,
        "released": released,
    });
    audit::note(&mut tx, &caller, now, "switch.changed", key, detail).await?;
    tx.commit().await?;

    // answer
    Ok(Json(Set { switch: view(switch), released }))
}

/// Turns the switch on and wakes what was held for it. Says how many messages that is.
async fn turn_on(
    tx: &mut Scoped,
    caller: &Caller,
    known: &[Switch],
    switch: &Switch,
    key: &str,
) -> Result<i64, Problem> {
    switches::clear(tx, &caller.tenant, switch.scope, &switch.target, None).await?;
    for cause in woken(known, switch, key) {
        wake::wake(tx, &caller.tenant, &What::Cause(&cause), Way::On).await?;
    }
    Ok(wake::waiting(tx, &caller.tenant, key).await?)
}

/// The causes that end when a switch is turned on. A message that is held for one sender may have
/// others: when one of them is on again, all that wait for any sender are asked.
fn woken(known: &[Switch], switch: &Switch, key: &str) -> BTreeSet<String> {
    let of_senders = switch.scope == SwitchScope::Sender;
    let paused =
        |other: &&Switch| other.scope == SwitchScope::Sender && other.mode == SwitchMode::Paused;
    let senders = known.iter().filter(|_| of_senders).filter(paused);
    let others = senders.map(|other| switches::cause_key(other.scope, &other.target));
    others.chain([key.to_owned()]).collect()
}

/// Brings back what is parked under a switch that is stopped, so that the gates block it. Which
/// sender a deferred message would have is not known before the gates choose it: those come when
/// they are due.
async fn end_parked(
    tx: &mut Scoped,
    caller: &Caller,
    switch: &Switch,
    target: Option<Uuid>,
    key: &str,
) -> Result<(), Problem> {
    let what = match (switch.scope, target) {
        (SwitchScope::Tenant, _) => What::Everything,
        (SwitchScope::Campaign, Some(id)) => What::Campaign(CampaignId(id)),
        (SwitchScope::Campaign, None) | (SwitchScope::Sender, _) => What::Cause(key),
    };
    wake::wake(tx, &caller.tenant, &what, Way::Ending).await?;
    Ok(())
}

/// Whose the switch is and what it is to do, or everything that is wrong. The campaign or sender
/// must exist.
async fn check(
    tx: &mut Scoped,
    caller: &Caller,
    body: &SetSwitch,
) -> Result<(SwitchScope, SwitchMode), Problem> {
    let mut errors = Errors::default();
    errors.text("reason", &body.reason, 0, 500);
    let (scope, mode) = (SwitchScope::from_name(&body.scope), SwitchMode::from_name(&body.mode));
    errors.check(mode.is_some(), "mode", "unknown", "on, paused or stopped");

    match (scope, body.target) {
        (Some(SwitchScope::Tenant), None) => caller.sees_all("the company's switch")?,
        (Some(SwitchScope::Tenant), Some(_)) => {
            errors.add("target", "unexpected", "the tenant needs no target");
        }
        (Some(SwitchScope::Campaign | SwitchScope::Sender), None) => {
            errors.add("target", "required", "the id");
        }
        (Some(SwitchScope::Campaign), Some(id)) => {
            let found = campaigns::get(tx, &caller.tenant, CampaignId(id), false).await?;
            errors.check(found.is_some(), "target", "not_found", "no campaign with this id");
        }
        (Some(SwitchScope::Sender), Some(id)) => {
            let missing = senders::missing(tx, &caller.tenant, &[id]).await?;
            errors.check(missing.is_empty(), "target", "not_found", "no sender with this id");
        }
        (None, _) => errors.add("scope", "unknown", "tenant, campaign or sender"),
    }

    errors.done()?;
    let unknown = || Problem::field("scope", "unknown", "tenant, campaign or sender");
    scope.zip(mode).ok_or_else(unknown)
}

/// The switches that a tenant's messages obey.
#[derive(Serialize, ToSchema)]
struct Switches {
    /// What the platform's own switch does to messages of every tenant.
    #[schema(value_type = SwitchMode)]
    platform: &'static str,
    /// Those of the tenant that are not on.
    data: Vec<SwitchView>,
}

/// `GET /v1/kill-switch`, for every role: the platform's switch, and those of the tenant that are
/// not on. Who is limited to brands sees the company's, and those of their campaigns and senders.
#[utoipa::path(
    get, path = "/v1/kill-switch", tag = "settings", operation_id = "list_switches",
    security(("bearer" = [Read::NAME])),
    responses((status = 200, description = "The switches.", body = Switches), Always),
)]
async fn list(State(app): State<App>, caller: Allowed<Read>) -> Result<Json<Switches>, Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let platform = platform_switch::mode(&mut tx).await?.as_str();
    let mut switches = switches::list(&mut tx, &caller.tenant).await?;
    if caller.tenant.is_limited() {
        switches = seen(&mut tx, &caller, switches).await?;
    }
    Ok(Json(Switches { platform, data: switches.into_iter().map(view).collect() }))
}

/// Of these switches those of campaigns and senders that the caller sees, and the company's.
async fn seen(
    tx: &mut Scoped,
    caller: &Caller,
    switches: Vec<Switch>,
) -> Result<Vec<Switch>, Problem> {
    let mut seen = Vec::with_capacity(switches.len());
    for switch in switches {
        let is_seen = match (switch.scope, switch.target.parse()) {
            (SwitchScope::Tenant, _) => true,
            (SwitchScope::Campaign, Ok(id)) => {
                campaigns::get(tx, &caller.tenant, CampaignId(id), false).await?.is_some()
            }
            (SwitchScope::Sender, Ok(id)) => {
                senders::missing(tx, &caller.tenant, &[id]).await?.is_empty()
            }
            (_, Err(_)) => false,
        };
        if is_seen {
            seen.push(switch);
        }
    }
    Ok(seen)
}

fn view(switch: Switch) -> SwitchView {
    SwitchView {
        scope: switch.scope.as_str(),
        target: switch.target.parse().ok(),
        mode: switch.mode.as_str(),
        reason: switch.reason,
        changed_at: switch.changed_at,
    }
}
