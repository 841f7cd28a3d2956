//! `POST /v1/campaigns/{id}/simulate`: what a campaign would come to from an instant on, without
//! anything being sent or written. As NDJSON also what is said about each recipient.
//!
//! An audience of any size is read, a thousand at a time. Of those who have to wait 250,000 are
//! followed, for 60 days, and asked 2,000,000 times in all; beyond that `waiting` counts them and
//! there is no `finish_at`. Chunks are read one after the other: what changes meanwhile is seen by
//! the later ones, but for policy, caps and switches, which are the first one's.

use axum::{
    Router,
    body::Body as RawBody,
    extract::{Request, State},
    http::header,
    response::{IntoResponse, Response},
    routing::post,
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
use wire::json::push_line;

use crate::{
    app::App,
    auth::Caller,
    dry_run::{self, GateView, instant, run::Run},
    http::{
        Errors, Id, Problem,
        accept::{NDJSON, accepted},
        body::{JSON_LIMIT, decode, expect_json},
        read_body,
        view::money,
    },
};

pub(super) fn router() -> Router<App> {
    Router::new().route("/v1/campaigns/{id}/simulate", post(simulate))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    #[serde(default)]
    at: Option<String>,
}

/// `POST /v1/campaigns/{id}/simulate`, for every role: what the campaign would come to from an
/// instant on. Answers 200 with the sum, and where the caller accepts NDJSON a line for each
/// recipient before it; 503 while another one of the
/// tenant is under way here.
async fn simulate(
    State(app): State<App>,
    caller: Caller,
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
        decode(&body)?
    };

    // check
    let mut errors = Errors::default();
    let at = instant(question.at.as_deref(), &mut errors).unwrap_or_else(|| app.now());
    errors.done()?;
    let busy = |_| Problem::unavailable("another simulation of yours is under way", 5);
    let share = app.simulations.of(caller.tenant.as_str());
    let permit = share.try_acquire_owned().map_err(busy)?;

    // load
    let currency = app.tenants.get(&app.store, &caller.tenant).await?.currency.clone();
    let mut tx = app.transactions.reading(&caller.tenant).await?;
    let campaign = campaigns::get(&mut tx, &caller.tenant, CampaignId(id), false).await?;
    let campaign = campaign.ok_or_else(|| Problem::not_found("campaign"))?;
    let run = Run::begin(app.store.clone(), tx, caller.tenant, campaign, at).await?;

    // answer
    let wants_lines = accepted(&parts.headers).any(|kind| NDJSON.contains(&kind));
    Ok(answer(run, currency, wants_lines, permit))
}

/// What is said about one recipient.
#[derive(Serialize)]
struct Line {
    contact_id: ContactId,
    verdict: String,
    gate: Option<Gate>,
    code: Option<String>,
    reason: Option<String>,
    until: Option<Timestamp>,
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
                    answered.into_iter().for_each(|one| push_line(&mut bytes, &line(one)));
                    return Ok(Some((Bytes::from(bytes), Some((run, permit)))));
                }
            }

            let mut bytes = Vec::new();
            push_line(&mut bytes, &view(run.finish().await, &currency));
            Ok(Some((bytes.into(), None)))
        }
    });

    let kind = if lines { "application/x-ndjson" } else { "application/json" };
    ([(header::CONTENT_TYPE, kind)], RawBody::from_stream(steps)).into_response()
}

fn line(one: Answered) -> Line {
    let Answered { contact, stamp, gates } = one;
    Line {
        contact_id: contact,
        verdict: stamp.verdict,
        gate: stamp.gate,
        code: stamp.code,
        reason: stamp.reason,
        until: stamp.until,
        gates: dry_run::gates(gates),
    }
}

/// The sum. The first counts are of the one instant; what is sent, segments, cost and times are of
/// the whole run. `audience` is `admitted + deferred + held + blocked + expired + failed`, and also
/// `sent + dropped + waiting + held + blocked + expired + failed`.
#[derive(Serialize)]
struct ReportView {
    at: Timestamp,
    policy_version: Option<i64>,
    audience: u64,
    admitted: u64,
    deferred: u64,
    held: u64,
    blocked: u64,
    expired: u64,
    failed: u64,
    /// What the budgets hold for those admitted at once.
    reserved: Amount,
    by_gate: Vec<GroupView>,
    senders: Vec<SenderView>,
    sent: u64,
    segments: u64,
    cost: Money,
    first_send_at: Option<Timestamp>,
    /// None while some still wait at the end of what is looked at.
    finish_at: Option<Timestamp>,
    /// Those who had to wait and then were held, blocked, or of no use any more.
    dropped: u64,
    /// Those who still wait 60 days on, or after so many asks that it was given up.
    waiting: u64,
    complete: bool,
}

#[derive(Serialize)]
struct Amount {
    segments: u64,
    cost: Money,
}

#[derive(Serialize)]
struct GroupView {
    gate: Option<Gate>,
    code: &'static str,
    verdict: &'static str,
    count: u64,
    earliest_until: Option<Timestamp>,
    latest_until: Option<Timestamp>,
}

#[derive(Serialize)]
struct SenderView {
    sender_id: SenderId,
    day: Date,
    admitted: u64,
    cap: u32,
}

/// The sum as callers read it.
fn view(report: SimulationReport, currency: &str) -> ReportView {
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

    ReportView {
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
