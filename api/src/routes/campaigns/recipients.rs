//! `/v1/campaigns/{id}/recipients`: everybody in the audience with state and reason, in pages of
//! JSON, or all of them as NDJSON or CSV.

use axum::{
    Json, Router,
    body::Body,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use domain::ids::CampaignId;
use futures::stream;
use store::campaigns::{
    self,
    ledger::{self, LedgerRecipient},
};

use crate::{
    app::App,
    auth::Caller,
    http::{
        Id, Page, Paging, Problem, Query,
        accept::{NDJSON, accepted},
    },
};

/// How many recipients an export reads at once.
const STEP: i64 = 1_000;

pub(super) fn router() -> Router<App> {
    Router::new().route("/v1/campaigns/{id}/recipients", get(list))
}

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Ndjson,
    Csv,
}

/// `GET /v1/campaigns/{id}/recipients`, for every role: the recipients in pages of JSON, or all of
/// them where the caller accepts NDJSON or CSV; 404 where there is no such campaign.
async fn list(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Query(paging): Query<Paging>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    // check
    let (id, limit) = (CampaignId(id), paging.limit()?);
    let after = paging.after_number()?.unwrap_or(-1);
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    if campaigns::get(&mut tx, &caller.tenant, id, false).await?.is_none() {
        return Err(Problem::not_found("campaign"));
    }

    // answer
    if let Some(format) = Format::accepted(&headers) {
        drop(tx);
        return Ok(export(app, caller, id, after, format));
    }
    let found = ledger::recipients(&mut tx, &caller.tenant, id, after, limit).await?;
    Ok(Json(Page::new(found, limit, |recipient| recipient.seq)).into_response())
}

impl Format {
    /// The first format that the caller accepts; none where JSON is to do.
    fn accepted(headers: &HeaderMap) -> Option<Self> {
        accepted(headers).find_map(|kind| match kind {
            kind if NDJSON.contains(&kind) => Some(Self::Ndjson),
            "text/csv" => Some(Self::Csv),
            _ => None,
        })
    }
}

/// Everybody behind the recipient `after`, read step by step while the caller reads.
fn export(app: App, caller: Caller, id: CampaignId, after: i64, format: Format) -> Response {
    let steps = stream::try_unfold((Some(after), true), move |(after, first)| {
        let (app, caller) = (app.clone(), caller.clone());
        async move {
            let Some(after) = after else { return Ok(None) };
            let mut tx = app.transactions.begin(&caller.tenant).await?;
            let found = ledger::recipients(&mut tx, &caller.tenant, id, after, STEP).await?;
            let next = found.last().map(|last| last.seq).filter(|_| found.len() as i64 == STEP);
            Ok::<_, Problem>(Some((write(&found, format, first), (next, false))))
        }
    });

    let kind = match format {
        Format::Ndjson => "application/x-ndjson",
        Format::Csv => "text/csv; charset=utf-8",
    };
    ([(header::CONTENT_TYPE, kind)], Body::from_stream(steps)).into_response()
}

/// Some recipients in a format. The first have the header, where there is one.
fn write(found: &[LedgerRecipient], format: Format, first: bool) -> Bytes {
    match format {
        Format::Ndjson => {
            let mut lines = Vec::with_capacity(found.len() * 200);
            for recipient in found {
                wire::json::push_line(&mut lines, recipient);
            }
            lines.into()
        }
        Format::Csv => {
            // The header belongs to an empty audience too.
            let mut csv = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
            if first {
                csv.write_record(COLUMNS).expect("a record into memory");
            }
            for recipient in found {
                csv.serialize(recipient).expect("a flat record into memory");
            }
            csv.into_inner().expect("memory does not fail").into()
        }
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
