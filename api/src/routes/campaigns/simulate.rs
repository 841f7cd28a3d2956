//! `POST /v1/campaigns/{id}/simulate`: what a campaign would come to from an instant on, without
//! anything being sent or written. As NDJSON also what is said about each recipient.
//!
//! An audience of any size is read, a thousand at a time. Of those who have to wait 250,000 are
//! followed, for 60 days, and asked 2,000,000 times in all; beyond that `waiting` counts them and
//! there is no `finish_at`. Chunks are read one after the other: what changes meanwhile is seen by
//! the later ones, but for policy, caps and switches, which are the first one's.

use axum::{
    body::Body as RawBody,
    extract::{Request, State},
    http::header,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use domain::{
    gates::Gate,
    ids::{CampaignId, ContactId, SenderId},
    money::Money,
    simulate::{Answered, SenderTotal, SimulatedGroup, SimulationReport},
};
use futures::stream;
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use stage::Fault;
use store::campaigns;
use tokio::sync::OwnedSemaphorePermit;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use wire::json::push_line;

use crate::{
    app::App,
    auth::{Allowed, Needs, Read},
    document::{
        answers::{Always, Missing, OfBody},
        examples,
    },
    dry_run::{self, GateView, Outcome, OutcomeUnlessAdmitted, instant, run::Run},
    http::{
        Errors, Id, Problem,
        accept::{NDJSON, accepted},
        body::{JSON_LIMIT, decode, expect_json},
        read_body,
        view::money,
    },
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(simulate))
}

/// What a simulation is to go by.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = SimulationRequest)]
#[serde(deny_unknown_fields)]
struct Question {
    /// From when on; now where it is not said.
    #[serde(default)]
    #[schema(value_type = Option<Timestamp>)]
    at: Option<String>,
}

/// `POST /v1/campaigns/{id}/simulate`, for every role: what the campaign would come to from an
/// instant on. Answers 200 with the sum, and where the caller accepts NDJSON a line for each
/// recipient before it; 429 while another one of the tenant is under way here. Without a body, or
/// with `null`, it goes from now on.
#[utoipa::path(
    post, path = "/v1/campaigns/{id}/simulate", tag = "campaigns",
    operation_id = "simulate_campaign",
    security(("bearer" = [Read::NAME])),
    params(("id" = Uuid, Path, description = "The campaign.", example = json!(examples::DRAFT))),
    request_body(content = Option<Question>, example = json!({ "at": "2026-07-01T15:00:00Z" })),
    responses(
        (status = 200, description = "The sum; in NDJSON a line for each recipient first.", content(
            (Report = "application/json"),
            (Line = "application/x-ndjson", example = json!({
                "contact_id": examples::CONTACT, "verdict": "block", "gate": "dnc",
                "code": "opted_out", "reason": "the person has opted out", "until": null,
                "gates": [{
                    "gate": "dnc", "verdict": "block", "code": "opted_out",
                    "reason": "the person has opted out", "until": null,
                }],
            })),
        )),
        Always, OfBody, Missing,
    ),
)]
async fn simulate(
    State(app): State<App>,
    caller: Allowed<Read>,
    Id(id): Id,
    request: Request,
) -> Result<Response, Problem> {
    // parse
    let (parts, body) = request.into_parts();
    let body = read_body(&app, &caller, body, JSON_LIMIT).await?;
    let question = if body.is_empty() {
        Question::default()
    } else {
        expect_json(&parts.headers)?;
        decode::<Option<Question>>(&body)?.unwrap_or_default()
    };

    // check
    let mut errors = Errors::default();
    let at = instant(question.at.as_deref(), &mut errors).unwrap_or_else(|| app.now());
    errors.done()?;
    let busy = |_| Problem::too_many("another simulation of yours is under way", 5);
    let share = app.simulations.of(caller.tenant.as_str());
    let permit = share.try_acquire_owned().map_err(busy)?;

    // load
    let currency = app.tenants.get(&app.store, &caller.tenant).await?.currency.clone();
    let mut tx = app.transactions.reading(&caller.tenant).await?;
    let campaign = campaigns::get(&mut tx, &caller.tenant, CampaignId(id), false).await?;
    let campaign = campaign.ok_or_else(|| Problem::not_found("campaign"))?;
    let run = Run::begin(app.store.clone(), tx, caller.tenant.id().clone(), campaign, at).await?;

    // answer
    let wants_lines = accepted(&parts.headers).any(|kind| NDJSON.contains(&kind));
    Ok(answer(run, currency, wants_lines, permit))
}

/// A line of NDJSON: each recipient has one, and the last is the sum.
#[derive(Serialize, ToSchema)]
#[schema(as = SimulationLine)]
#[serde(untagged)]
enum Line {
    Recipient(RecipientView),
    Sum(Report),
}

/// What is said about one recipient at the first instant.
#[derive(Serialize, ToSchema)]
#[schema(as = SimulatedRecipient)]
struct RecipientView {
    contact_id: ContactId,
    /// `fail` of a text that cannot be made, else what the gates say.
    #[schema(value_type = Outcome)]
    verdict: String,
    /// The gate that decided, where one did.
    #[schema(required)]
    gate: Option<Gate>,
    /// The reason, for programs; none of an admission.
    #[schema(required)]
    code: Option<String>,
    /// The reason in English; none of an admission.
    #[schema(required)]
    reason: Option<String>,
    /// Until when it waits or may be sent, or from when another message would pass.
    #[schema(required)]
    until: Option<Timestamp>,
    /// What each gate says, in their order; nothing of a text that cannot be made.
    gates: Vec<GateView>,
}

/// The sum; before it, where they are wanted, a line for each recipient. It is worked out while the
/// caller reads, as a large audience takes longer than other requests may; a caller who goes away
/// ends it. An outage on the way cuts the answer off.
fn answer(run: Run, currency: String, lines: bool, permit: OwnedSemaphorePermit) -> Response {
    let steps = stream::try_unfold(Some((run, permit)), move |state| {
        let currency = currency.clone();
        async move {
            let Some((mut run, permit)) = state else { return Ok::<_, Fault>(None) };

            while let Some(answered) = run.chunk(lines).await? {
                if lines && !answered.is_empty() {
                    let mut bytes = Vec::with_capacity(answered.len() * 1_000);
                    answered.into_iter().for_each(|one| push_line(&mut bytes, &recipient(one)));
                    return Ok(Some((Bytes::from(bytes), Some((run, permit)))));
                }
            }

            let mut bytes = Vec::new();
            push_line(&mut bytes, &Line::Sum(view(run.finish().await, &currency)));
            Ok(Some((bytes.into(), None)))
        }
    });

    let kind = if lines { "application/x-ndjson" } else { "application/json" };
    ([(header::CONTENT_TYPE, kind)], RawBody::from_stream(steps)).into_response()
}

fn recipient(one: Answered) -> Line {
    let Answered { contact, stamp, gates } = one;
    Line::Recipient(RecipientView {
        contact_id: contact,
        verdict: stamp.verdict,
        gate: stamp.gate,
        code: stamp.code,
        reason: stamp.reason,
        until: stamp.until,
        gates: dry_run::gates(gates),
    })
}

/// The sum. The first counts are of the one instant; what is sent, segments, cost and times are of
/// the whole run. `audience` is `admitted + deferred + held + blocked + expired + failed`, and also
/// `sent + dropped + waiting + held + blocked + expired + failed`.
#[derive(Serialize, ToSchema)]
#[schema(as = CampaignSimulation)]
struct Report {
    /// The first instant, at which everybody is asked about.
    at: Timestamp,
    /// Of the policy that the gates go by; none where the tenant's facts cannot be read.
    #[schema(required)]
    policy_version: Option<i64>,
    /// People who are asked about.
    audience: u64,
    /// People whom every gate lets pass.
    admitted: u64,
    /// People who wait until an instant.
    deferred: u64,
    /// People who wait for a switch or a policy.
    held: u64,
    /// People who are never sent to.
    blocked: u64,
    /// People whose messages are of no use any more before they could be sent.
    expired: u64,
    /// People whose text cannot be made.
    failed: u64,
    /// What the budgets hold for those admitted at once.
    reserved: Amount,
    /// Those who are not admitted, by gate and reason, in the gates' order.
    by_gate: Vec<GroupView>,
    /// What each sender carries on each day.
    senders: Vec<SenderView>,
    /// Messages that leave within the whole run.
    sent: u64,
    /// Of the messages that leave.
    segments: u64,
    /// Of the messages that leave.
    cost: Money,
    /// When the first message leaves.
    #[schema(required)]
    first_send_at: Option<Timestamp>,
    /// When the last message leaves; none while some still wait at the end of what is looked at.
    #[schema(required)]
    finish_at: Option<Timestamp>,
    /// People who had to wait and then were held, blocked, or of no use any more.
    dropped: u64,
    /// People who still wait 60 days on, or after so many asks that it was given up.
    waiting: u64,
    /// Whether nobody waits at the end.
    complete: bool,
}

/// What those admitted at once take of the budgets.
#[derive(Serialize, ToSchema)]
#[schema(as = SimulatedReservation)]
struct Amount {
    /// How many segments its text takes.
    segments: u64,
    cost: Money,
}

/// Recipients about whom one gate says one thing.
#[derive(Serialize, ToSchema)]
#[schema(as = SimulatedGroup)]
struct GroupView {
    /// None for a validity that ends first, a sender's pace, and a text that cannot be made.
    #[schema(required)]
    gate: Option<Gate>,
    /// The reason, for programs.
    code: &'static str,
    /// What is said of them, who are not admitted.
    #[schema(value_type = OutcomeUnlessAdmitted)]
    verdict: &'static str,
    /// How many recipients.
    count: u64,
    /// The first instant that one of them waits for.
    #[schema(required)]
    earliest_until: Option<Timestamp>,
    /// The last instant that one of them waits for.
    #[schema(required)]
    latest_until: Option<Timestamp>,
}

/// What one sender carries in one of its days.
#[derive(Serialize, ToSchema)]
#[schema(as = SimulatedSenderDay)]
struct SenderView {
    sender_id: SenderId,
    /// The day, in the sender's zone.
    day: Date,
    /// Messages of this campaign.
    admitted: u64,
    /// Messages that fit the day, those of others included.
    cap: u32,
}

/// The sum as callers read it.
fn view(report: SimulationReport, currency: &str) -> Report {
    let SimulationReport { answers, groups, senders, .. } = report;
    let group = |SimulatedGroup { gate, code, verdict, count, earliest_until, latest_until }| {
        GroupView { gate, code, verdict, count, earliest_until, latest_until }
    };
    let sender = |SenderTotal { sender, day, admitted, cap }| SenderView {
        sender_id: sender,
        day,
        admitted,
        cap,
    };

    Report {
        at: report.at,
        policy_version: report.policy_version,
        audience: answers.audience(),
        admitted: answers.admitted,
        deferred: answers.deferred,
        held: answers.held,
        blocked: answers.blocked,
        expired: answers.expired,
        failed: answers.failed,
        reserved: Amount { segments: answers.segments, cost: money(answers.cost, currency) },
        by_gate: groups.into_iter().map(group).collect(),
        senders: senders.into_iter().map(sender).collect(),
        sent: report.sent,
        segments: report.segments,
        cost: money(report.cost, currency),
        first_send_at: report.first_send_at,
        finish_at: report.finish_at,
        dropped: report.dropped,
        waiting: report.waiting,
        complete: report.waiting == 0,
    }
}
