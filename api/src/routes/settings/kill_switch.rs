//! `/v1/kill-switch`: stops a tenant, a campaign or a sender at once, and lets it go on.

use std::collections::BTreeSet;

use axum::{Json, Router, extract::State, routing::get};
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
use uuid::Uuid;

use crate::{
    app::App,
    audit,
    auth::Caller,
    http::{Body, Errors, Problem},
};

pub(super) fn router() -> Router<App> {
    Router::new().route("/v1/kill-switch", get(list).put(set))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetSwitch {
    /// `tenant`, `campaign` or `sender`
    scope: String,
    /// The campaign or sender.
    #[serde(default)]
    target: Option<Uuid>,
    /// `on`, `paused` or `stopped`
    mode: String,
    #[serde(default)]
    reason: String,
}

#[derive(Serialize)]
struct SwitchView {
    scope: &'static str,
    target: Option<Uuid>,
    mode: &'static str,
    reason: String,
    changed_at: Timestamp,
}

#[derive(Serialize)]
struct Set {
    #[serde(flatten)]
    switch: SwitchView,
    /// How many messages that were held for it go back to the gates.
    released: i64,
}

async fn set(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<SetSwitch>,
) -> Result<Json<Set>, Problem> {
    let mut tx = app.store.scoped([&caller.tenant]).await?;
    let (scope, mode) = check(&mut tx, &caller, &body).await?;
    let now = app.now();
    let target = body.target.map_or_else(String::new, |id| id.to_string());
    let key = switches::cause_key(scope, &target);
    let switch = Switch { scope, target, mode, reason: body.reason, changed_at: now };
    let known = switches::list(&mut tx, &caller.tenant).await?;
    let before =
        known.iter().find(|old| (&old.scope, &old.target) == (&switch.scope, &switch.target));
    let before = before.map_or(SwitchMode::On, |old| old.mode);
    let released = match switch.mode {
        SwitchMode::On => {
            switches::clear(&mut tx, &caller.tenant, switch.scope, &switch.target, None).await?;
            for cause in woken(&known, &switch, &key) {
                wake::wake(&mut tx, &caller.tenant, &What::Cause(&cause), Way::On).await?;
            }
            wake::waiting(&mut tx, &caller.tenant, &key).await?
        }
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
    tx.commit().await.map_err(store::fault)?;
    Ok(Json(Set { switch: view(switch), released }))
}

/// The causes that a switch ends which is turned on. A message that is held for one sender may have
/// others: when one of them is on again, all that wait for any sender are asked.
fn woken(known: &[Switch], switch: &Switch, key: &str) -> BTreeSet<String> {
    let of_senders = switch.scope == SwitchScope::Sender;
    let paused =
        |other: &&Switch| other.scope == SwitchScope::Sender && other.mode == SwitchMode::Paused;
    let senders = known.iter().filter(|_| of_senders).filter(paused);
    let others = senders.map(|other| switches::cause_key(other.scope, &other.target));
    others.chain([key.to_owned()]).collect()
}

/// What is parked under a switch that is stopped comes back to be blocked. Which sender a deferred
/// message would have is not known before the gates choose it: those come when they are due.
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

/// Checks all of a switch, and answers its scope and mode.
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
        (Some(SwitchScope::Tenant), None) => {}
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
    scope.zip(mode).ok_or_else(|| Problem::field("scope", "unknown", "unknown"))
}

#[derive(Serialize)]
struct Switches {
    /// The platform's own: `on`, `paused` or `stopped`.
    platform: &'static str,
    /// Those of the tenant that are not on.
    data: Vec<SwitchView>,
}

async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Switches>, Problem> {
    let mut tx = app.store.scoped([&caller.tenant]).await?;
    let platform = platform_switch::mode(&mut tx).await?.as_str();
    let data = switches::list(&mut tx, &caller.tenant).await?.into_iter().map(view).collect();
    Ok(Json(Switches { platform, data }))
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
