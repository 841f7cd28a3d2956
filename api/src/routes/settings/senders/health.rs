//! How senders do: what became of their texts lately, and who could take the place of one that is
//! out of traffic.

use domain::{
    gates::Policy,
    health::{HealthCause, HealthState, Outcomes},
    ids::{SenderId, TenantId},
};
use jiff::Timestamp;
use serde::Serialize;
use store::{
    Scoped,
    analytics::outcomes,
    settings::{
        health::{self, ShownHealth},
        senders::Sender,
    },
};
use utoipa::ToSchema;

use crate::http::Problem;

/// How a sender does.
#[derive(Serialize, ToSchema)]
#[schema(as = SenderHealth)]
pub(super) struct HealthView {
    /// Where it is between full traffic and none.
    state: HealthState,
    /// Why it is not healthy; null where it is.
    #[schema(required)]
    cause: Option<HealthCause>,
    /// Since when it is there; null: since it was set up.
    #[schema(required)]
    since: Option<Timestamp>,
    /// When its quarantine ends in a probe; null where it is in none, or somebody has to end it.
    #[schema(required)]
    rests_until: Option<Timestamp>,
    /// How many minutes back its texts are looked at here.
    window_minutes: u16,
    /// How many of its texts of that time were delivered.
    delivered: i64,
    /// How many of these texts the carrier refused or could not deliver; opt-outs do not count.
    failed: i64,
    /// How many of the failed texts carriers filtered or blocked.
    complaints: i64,
    /// How many of a hundred with a known end were delivered; null where no end is known.
    #[schema(required)]
    delivered_percent: Option<f64>,
    /// Who could take its place; null where it is healthy.
    #[schema(required)]
    replacement: Option<Replacement>,
}

/// Who could take the place of a sender that is out of traffic.
#[derive(Serialize, ToSchema)]
#[schema(as = SenderReplacement)]
struct Replacement {
    /// A healthy sender of one of its pools, for the same country; null where there is none.
    #[schema(required)]
    sender: Option<SenderId>,
    /// Why this one, or why none.
    #[schema(example = "a healthy sender of the same pool")]
    reason: &'static str,
}

/// The health of these senders, in their order.
pub(super) async fn healths(
    tx: &mut Scoped,
    tenant: &TenantId,
    policy: &Policy,
    now: Timestamp,
    senders: &[Sender],
) -> Result<Vec<Option<HealthView>>, Problem> {
    let policy = &policy.health;
    let ids: Vec<SenderId> = senders.iter().map(|sender| sender.id).collect();
    let shown = health::shown(tx, tenant, &ids, now).await?;
    let since = now - policy.window();
    let keys: Vec<_> = ids.iter().map(|id| (tenant, *id, since)).collect();
    let seen = outcomes::since(tx, &keys).await?;

    let view = |(shown, by_code): (Option<ShownHealth>, outcomes::ByCode)| {
        let shown = shown?;
        let seen = carriers::outcomes(&by_code, &shown.carrier);
        Some(view(&shown, &seen, policy.window_minutes))
    };
    Ok(shown.into_iter().zip(seen).map(view).collect())
}

fn view(shown: &ShownHealth, seen: &Outcomes, window_minutes: u16) -> HealthView {
    HealthView {
        state: shown.health.state,
        cause: shown.cause,
        since: shown.since,
        rests_until: shown.health.rests_until,
        window_minutes,
        delivered: seen.delivered,
        failed: seen.failed,
        complaints: seen.complaints,
        delivered_percent: seen.delivered_percent(),
        replacement: replacement(shown),
    }
}

fn replacement(shown: &ShownHealth) -> Option<Replacement> {
    match shown.health.state {
        HealthState::Healthy => None,
        HealthState::Quarantined | HealthState::Probing => {
            let sender = shown.replacement;
            let reason = match (sender, shown.pools) {
                (Some(_), _) => "a healthy sender of the same pool, for the same country",
                (None, 0) => "it is in no pool: put it into one with other senders",
                (None, _) => {
                    "no other sender of its pools is healthy, in use and for the same country"
                }
            };
            Some(Replacement { sender, reason })
        }
    }
}
