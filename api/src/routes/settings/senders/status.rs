//! `/v1/senders/status`: several senders taken out of use, or put back, at once.

use std::collections::BTreeSet;

use axum::{Json, extract::State};
use domain::{
    gates::{CounterKind, LineKey},
    health::{HealthCause, HealthState, SenderHealth},
    ids::{SenderId, TenantId},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{
    Scoped,
    capacity::lines,
    outbox,
    settings::{
        health::{self, NewHealth},
        sender_status::{self, SenderInUse},
    },
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;
use wire::{Event, EventKind, event::SenderData};

use crate::{
    app::App,
    audit,
    auth::{Allowed, EditSettings, Needs},
    document::{
        answers::{Always, OfBody},
        examples,
        words::{SenderStatus, StatusOutcome},
    },
    http::{Body, Errors, Problem},
};

/// How many senders one request may name.
const MOST: usize = 200;

pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(set))
}

/// What is to be in force of senders.
#[derive(Deserialize, ToSchema)]
#[schema(as = SenderStatusChange)]
#[serde(deny_unknown_fields)]
struct Change {
    /// The senders, each once.
    #[schema(min_items = 1, max_items = 200)]
    senders: Vec<Uuid>,
    /// `active`: it carries what comes, and its quarantine ends. `inactive`: it carries nothing.
    /// `quarantined`: others carry its messages and marketing waits, until it is `active` again.
    #[schema(value_type = SenderStatus)]
    status: String,
}

/// What became of the senders of a request.
#[derive(Serialize, ToSchema)]
#[schema(as = SenderStatusResult)]
struct Answer {
    /// How many senders have another status by it.
    changed: usize,
    /// One for each sender, in the order of the request.
    results: Vec<Row>,
}

/// What became of one sender of a request.
#[derive(Serialize, ToSchema)]
#[schema(as = SenderStatusRow)]
struct Row {
    /// The sender that it is about.
    sender: Uuid,
    /// What became of it.
    #[schema(value_type = StatusOutcome)]
    outcome: &'static str,
}

/// A status that somebody gives to senders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Active,
    Inactive,
    Quarantined,
}

impl Status {
    const ALL: [Self; 3] = [Self::Active, Self::Inactive, Self::Quarantined];

    fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Quarantined => "quarantined",
        }
    }

    /// What is in force of a sender with this status, after what was.
    fn after(self, was: SenderInUse) -> SenderInUse {
        let state = |state| SenderHealth { state, rests_until: None };
        match self {
            Self::Active => {
                SenderInUse { usable: true, health: state(HealthState::Healthy), quarantines: 0 }
            }
            Self::Inactive => SenderInUse { usable: false, ..was },
            Self::Quarantined => SenderInUse { health: state(HealthState::Quarantined), ..was },
        }
    }
}

/// A sender that has another status by the request.
struct Changed {
    id: SenderId,
    was: SenderInUse,
    is: SenderInUse,
}

/// `POST /v1/senders/status`, for admins and owners: gives up to 200 senders a status. What waits
/// for one of them is asked about again. Answers 200 with what became of each.
#[utoipa::path(
    post, path = "/v1/senders/status", tag = "settings", operation_id = "set_sender_status",
    security(("bearer" = [EditSettings::NAME])),
    request_body(content = Change, example = json!({
        "senders": [examples::SPARE_SENDER], "status": "active",
    })),
    responses(
        (status = 200, description = "What became of each sender.", body = Answer),
        Always, OfBody,
    ),
)]
async fn set(
    State(app): State<App>,
    caller: Allowed<EditSettings>,
    Body(body): Body<Change>,
) -> Result<Json<Answer>, Problem> {
    // check
    let status = check(&body)?;

    // load
    let now = app.now();
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = sender_status::lock(&mut tx, &caller.tenant, &body.senders).await?;

    // decide
    let changed: Vec<Changed> = body
        .senders
        .iter()
        .zip(&found)
        .filter_map(|(id, was)| {
            let (id, was) = (SenderId(*id), (*was)?);
            let is = status.after(was);
            (is != was).then_some(Changed { id, was, is })
        })
        .collect();

    // record
    if !changed.is_empty() {
        record(&mut tx, &caller.tenant, status, &changed, now).await?;
        let senders: Vec<SenderId> = changed.iter().map(|one| one.id).collect();
        let detail = json!({ "status": status.as_str(), "senders": senders });
        let action = "sender.status_changed";
        audit::note(&mut tx, &caller, now, action, "senders".into(), detail).await?;
    }
    tx.commit().await?;
    app.named.forget(&caller.tenant);

    // answer
    Ok(Json(answer(&body.senders, &found, &changed)))
}

/// The status, or everything that is wrong with the request.
fn check(body: &Change) -> Result<Status, Problem> {
    let mut errors = Errors::default();
    let count = body.senders.len();
    let limits = format!("1 to {MOST} senders");
    errors.check((1..=MOST).contains(&count), "senders", "out_of_range", &limits);
    let distinct: BTreeSet<_> = body.senders.iter().collect();
    errors.check(distinct.len() == count, "senders", "duplicate", "each sender once");
    let status = Status::ALL.into_iter().find(|status| status.as_str() == body.status);
    let known = "active, inactive or quarantined";
    errors.check(status.is_some(), "status", "unknown", known);
    errors.done()?;
    status.ok_or_else(|| Problem::field("status", "unknown", known))
}

/// Writes what is in force now, tells of health, and has everything asked about again that waits
/// for one of the senders.
async fn record(
    tx: &mut Scoped,
    tenant: &TenantId,
    status: Status,
    changed: &[Changed],
    now: Timestamp,
) -> Result<(), Problem> {
    let of_use =
        |usable: bool| move |one: &&Changed| one.was.usable != usable && one.is.usable == usable;
    for usable in [true, false] {
        let ids: Vec<Uuid> = changed.iter().filter(of_use(usable)).map(|one| one.id.0).collect();
        sender_status::set_usable(tx, tenant, &ids, usable).await?;
    }

    let by_health = changed.iter().filter(|one| one.was.health != one.is.health);
    let new: Vec<NewHealth<'_>> = by_health
        .map(|one| NewHealth {
            tenant,
            id: one.id,
            health: one.is.health,
            cause: (status == Status::Quarantined).then_some(HealthCause::ByHand),
            quarantines: one.is.quarantines,
        })
        .collect();
    let versions = health::save(tx, &new, now).await?;
    let events = new.iter().zip(versions);
    let events: Vec<Event> = events.map(|(one, version)| event(one, version, now)).collect();

    for one in changed {
        let line = LineKey { kind: CounterKind::SenderDay, target: Some(one.id.0) };
        if one.was.usable != one.is.usable {
            lines::dissolve(tx, tenant, &[line], now).await?;
        }
    }
    if status != Status::Quarantined {
        let ids: Vec<SenderId> = changed.iter().map(|one| one.id).collect();
        health::wake(tx, tenant, &ids).await?;
    }
    Ok(outbox::insert(tx, &events).await?)
}

/// What subscribers are told of a sender's health that somebody has changed.
fn event(new: &NewHealth<'_>, version: i64, now: Timestamp) -> Event {
    let kind = match new.health.state {
        HealthState::Healthy => EventKind::SenderRecovered,
        HealthState::Quarantined | HealthState::Probing => EventKind::SenderQuarantined,
    };
    let data = SenderData {
        sender: new.id,
        cause: new.cause,
        until: new.health.rests_until,
        delivered: 0,
        failed: 0,
        complaints: 0,
    };
    Event::new(kind, new.tenant, new.id.0, version, now, &data)
}

fn answer(asked: &[Uuid], found: &[Option<SenderInUse>], changed: &[Changed]) -> Answer {
    let is_changed: BTreeSet<Uuid> = changed.iter().map(|one| one.id.0).collect();
    let row = |(sender, found): (&Uuid, &Option<SenderInUse>)| {
        let outcome = match found {
            None => "not_found",
            Some(_) if is_changed.contains(sender) => "changed",
            Some(_) => "unchanged",
        };
        Row { sender: *sender, outcome }
    };
    Answer { changed: changed.len(), results: asked.iter().zip(found).map(row).collect() }
}
