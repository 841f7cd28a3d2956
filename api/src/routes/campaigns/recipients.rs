//! `/v1/campaigns/{id}/recipients`: everybody in the audience with state and reason, in pages of
//! JSON, or all of them as NDJSON or CSV.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use domain::{
    gates::Gate,
    ids::{CampaignId, TenantId},
    message::state::MessageState,
};
use futures::stream;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::{
    Scoped,
    campaigns::{
        self,
        ledger::{self, LedgerRecipient, RecipientState},
    },
};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    app::App,
    auth::{Allowed, Needs, Read},
    document::{
        answers::{Always, Missing},
        examples,
    },
    http::{
        Id, Page, Paging, Problem, Query,
        accept::{Format, csv, lines},
    },
};

/// How many recipients an export reads at once.
const STEP: i64 = 1_000;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// One recipient of a campaign, with where they stand. The fields are the columns of CSV.
#[derive(Serialize, ToSchema)]
#[schema(as = CampaignRecipient)]
struct RecipientView {
    /// Their index in the audience, from 0.
    seq: i64,
    /// Who they are, as a contact.
    contact_id: Uuid,
    /// The number, in E.164.
    #[schema(example = json!(examples::PHONE))]
    number: String,
    /// Of their message, whether it is there yet or not.
    message_id: Uuid,
    /// Where the message stands; `waiting` while there is none.
    #[schema(value_type = RecipientState)]
    state: &'static str,
    /// The gate that deferred, held or blocked it.
    #[schema(required)]
    gate: Option<Gate>,
    /// The gate's reason, or the carrier's error.
    #[schema(required)]
    code: Option<String>,
    /// How many segments its text has, once there is one.
    #[schema(required)]
    segments: Option<i16>,
    /// Until when it waits.
    #[schema(required)]
    due: Option<Timestamp>,
    /// When it came to this.
    #[schema(required)]
    changed_at: Option<Timestamp>,
}

fn view(recipient: LedgerRecipient) -> RecipientView {
    RecipientView {
        seq: recipient.seq,
        contact_id: recipient.contact_id,
        number: recipient.number,
        message_id: recipient.message_id,
        state: recipient.state.as_str(),
        gate: recipient.gate,
        code: recipient.code,
        segments: recipient.segments,
        due: recipient.due,
        changed_at: recipient.changed_at,
    }
}

/// Which recipients are wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Those whose message is in this state alone. A page looks at `limit` recipients, and may hold
    /// fewer than that or none.
    #[param(inline, value_type = Option<RecipientState>, example = "delivered")]
    state: Option<String>,
}

/// Those in one state, or all.
#[derive(Clone)]
struct InState(Option<Arc<str>>);

impl InState {
    /// # Errors
    /// No recipient can be in such a state.
    fn of(wanted: Wanted) -> Result<Self, Problem> {
        let known = |name: &str| name == "waiting" || MessageState::from_name(name).is_some();
        if wanted.state.as_deref().is_some_and(|name| !known(name)) {
            return Err(Problem::field("state", "unknown", "a state that recipients have"));
        }
        Ok(Self(wanted.state.map(Into::into)))
    }

    fn has(&self, recipient: &RecipientView) -> bool {
        self.0.as_deref().is_none_or(|state| state == recipient.state)
    }
}

/// The recipients behind the recipient `after`, as callers read them.
async fn load(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: CampaignId,
    after: i64,
    limit: i64,
) -> Result<Vec<RecipientView>, Problem> {
    let found = ledger::recipients(tx, tenant, id, after, limit).await?;
    Ok(found.into_iter().map(view).collect())
}

/// `GET /v1/campaigns/{id}/recipients?state=`, for every role: the recipients in pages of JSON, or
/// all of them where the caller accepts NDJSON or CSV; 404 where there is no such campaign. NDJSON
/// has a line for each recipient, CSV its fields as columns under a header.
#[utoipa::path(
    get, path = "/v1/campaigns/{id}/recipients", tag = "campaigns",
    operation_id = "list_campaign_recipients",
    security(("bearer" = [Read::NAME])),
    params(
        ("id" = Uuid, Path, description = "The campaign.", example = json!(examples::RUNNING)),
        Paging,
        Wanted,
    ),
    responses(
        (status = 200, description = "A page of recipients, or all of them.", content(
            (Page<RecipientView> = "application/json"),
            (RecipientView = "application/x-ndjson", example = json!({
                "seq": 0, "contact_id": examples::CONTACT, "number": examples::PHONE,
                "message_id": examples::MESSAGE, "state": "blocked", "gate": "dnc",
                "code": "opted_out", "segments": 1, "due": null,
                "changed_at": "2026-05-01T14:00:00Z",
            })),
            (String = "text/csv", example =
                "seq,contact_id,number,message_id,state,gate,code,segments,due,changed_at\n\
                 0,871b7699-0263-5b74-bdc2-4ba8f9db8e05,+12125550123,\
                 0b7e1ffb-6a0d-5e0e-9d0b-6f7f3c1d2a60,delivered,,,1,,2026-05-01T14:00:00Z\n"),
        )),
        Always, Missing,
    ),
)]
async fn list(
    State(app): State<App>,
    caller: Allowed<Read>,
    Id(id): Id,
    Query(paging): Query<Paging>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    // check
    let (id, limit, state) = (CampaignId(id), paging.limit()?, InState::of(wanted)?);
    let after = paging.after_number()?.unwrap_or(-1);
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    if campaigns::get(&mut tx, &caller.tenant, id, false).await?.is_none() {
        return Err(Problem::not_found("campaign"));
    }

    // answer
    if let Some(format) = Format::accepted(&headers) {
        drop(tx);
        return Ok(export(app, caller, id, (after, state), format));
    }
    let mut found = load(&mut tx, &caller.tenant, id, after, limit).await?;
    let full = found.len() as i64 >= limit;
    let next = found.last().filter(|_| full).map(|last| last.seq.to_string());
    found.retain(|recipient| state.has(recipient));
    Ok(Json(Page::until(found, next)).into_response())
}

/// Everybody behind the recipient `after`, read step by step while the caller reads.
fn export(
    app: App,
    caller: Allowed<Read>,
    id: CampaignId,
    (after, state): (i64, InState),
    format: Format,
) -> Response {
    let steps = stream::try_unfold((Some(after), true), move |(after, first)| {
        let (app, caller, state) = (app.clone(), caller.clone(), state.clone());
        async move {
            let Some(after) = after else { return Ok(None) };
            let mut tx = app.transactions.begin(&caller.tenant).await?;
            let mut found = load(&mut tx, &caller.tenant, id, after, STEP).await?;
            let next = found.last().map(|last| last.seq).filter(|_| found.len() as i64 == STEP);
            found.retain(|recipient| state.has(recipient));
            Ok::<_, Problem>(Some((write(&found, format, first), (next, false))))
        }
    });

    format.answer(steps)
}

/// Some recipients in a format. The first have the header, where there is one.
fn write(found: &[RecipientView], format: Format, first: bool) -> Bytes {
    match format {
        Format::Ndjson => lines(found),
        Format::Csv => csv(found, &COLUMNS, first),
    }
}

/// The fields of a recipient, in their order.
const COLUMNS: [&str; 10] = [
    "seq",
    "contact_id",
    "number",
    "message_id",
    "state",
    "gate",
    "code",
    "segments",
    "due",
    "changed_at",
];
