//! `/v1/audit`: who did what, and whether the trail is as it was written.

use axum::{Json, extract::State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::audit::{self, AuditFilter, StoredEntry};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    auth::{Allowed, Needs, Read},
    document::answers::Always,
    http::{Page, Paging, Problem, Query},
};

/// How many entries one call checks.
const MOST: i64 = 200_000;

/// What it is called that tells of every brand.
const TRAIL: &str = "the audit trail";

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(verify))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Those in which this was done.
    #[param(example = "consent.granted", max_length = 100)]
    action: Option<String>,
    /// Those of what was done to this, such as `campaign:` with its id.
    #[param(max_length = 200)]
    subject: Option<String>,
    /// Those of this instant and later.
    #[param(example = "2026-01-01T00:00:00Z")]
    since: Option<Timestamp>,
}

/// One entry of the audit trail.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry)]
struct EntryView {
    /// From 1, without a gap.
    #[schema(minimum = 1)]
    seq: i64,
    /// When it was done.
    at: Timestamp,
    /// Who did it: `key:<id>`, `user:<sub>`, `stage:<name>`, `operator`, or `phone` for somebody on
    /// the company's phone itself.
    #[schema(example = "operator")]
    actor: String,
    /// What was done.
    #[schema(example = "policy.changed")]
    action: String,
    /// To what it was done.
    #[schema(example = "policy")]
    subject: String,
    /// An object: before, after, why. A text alone where somebody made it unreadable.
    detail: Value,
    /// The hash of the entry before, in hexadecimal digits.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    prev_hash: String,
    /// SHA-256 over the hash before and the fields, in hexadecimal digits.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    hash: String,
}

fn view(entry: StoredEntry) -> EntryView {
    EntryView {
        seq: entry.seq,
        at: entry.at,
        actor: entry.actor,
        action: entry.action,
        subject: entry.subject,
        // As it was hashed; what somebody made unreadable is shown as the text that it is.
        detail: serde_json::from_str(&entry.detail).unwrap_or(Value::String(entry.detail)),
        prev_hash: wire::hex(&entry.prev_hash),
        hash: wire::hex(&entry.hash),
    }
}

/// `GET /v1/audit?action=&subject=&since=`, for every role: the entries of the trail in pages, the
/// newest first. It tells of every brand: who is limited to some gets 403.
#[utoipa::path(
    get, path = "/v1/audit", tag = "operations", operation_id = "list_audit_entries",
    security(("bearer" = [Read::NAME])),
    params(Paging, Wanted),
    responses((status = 200, description = "A page of entries.", body = Page<EntryView>), Always),
)]
async fn list(
    State(app): State<App>,
    caller: Allowed<Read>,
    Query(paging): Query<Paging>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Page<EntryView>>, Problem> {
    caller.sees_all(TRAIL)?;
    let (below, limit) = (paging.after_number()?.unwrap_or(i64::MAX), paging.limit()?);
    let filter =
        AuditFilter { action: wanted.action, subject: wanted.subject, since: wanted.since };

    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = audit::list(&mut tx, &caller.tenant, &filter, below, limit).await?;
    Ok(Json(Page::new(found.into_iter().map(view).collect(), limit, |entry| entry.seq)))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Start {
    /// The entries up to this one were checked by an earlier call; 0 where it is not said.
    #[serde(default)]
    #[param(minimum = 0, example = 0)]
    after: Option<i64>,
}

/// Whether the audit trail is as it was written.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditVerdict)]
struct Verdict {
    /// Whether everything that was looked at is as it was written.
    ok: bool,
    /// How many entries were looked at and are fine.
    entries: i64,
    head: Head,
    /// The first entry that is not as it was written.
    #[schema(required)]
    first_bad: Option<Bad>,
    /// The next call's `after`: the number of the last entry that was looked at; none where there
    /// is nothing more.
    #[schema(required)]
    next_after: Option<i64>,
}

/// The end of the trail: kept elsewhere, it shows later that nothing was written anew.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditHead)]
struct Head {
    /// The number of the last entry; 0 where there is none.
    seq: i64,
    /// Its hash, in hexadecimal digits.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    hash: String,
}

/// An entry of the trail that is not as it was written.
#[derive(Serialize, ToSchema)]
#[schema(as = BadAuditEntry)]
struct Bad {
    /// The number that it has, or should have.
    seq: i64,
    /// What is wrong, in English.
    why: &'static str,
}

/// `GET /v1/audit/verify?after=`, for every role: whether the trail is as it was written. Checks up
/// to 200,000 entries, and says where the next call is to go on; 422 where the trail ends before
/// `after`, 403 to who is limited to brands.
#[utoipa::path(
    get, path = "/v1/audit/verify", tag = "operations", operation_id = "verify_audit",
    security(("bearer" = [Read::NAME])),
    params(Start),
    responses((status = 200, description = "What was found.", body = Verdict), Always),
)]
async fn verify(
    State(app): State<App>,
    caller: Allowed<Read>,
    Query(start): Query<Start>,
) -> Result<Json<Verdict>, Problem> {
    caller.sees_all(TRAIL)?;
    let after = start.after.unwrap_or(0);
    if after < 0 {
        return Err(Problem::field("after", "out_of_range", "0 or the number of an entry"));
    }

    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let checked = audit::verify(&mut tx, &caller.tenant, after, MOST).await?;
    let last = checked.head.0;
    if after > last {
        // Whoever goes on where an earlier call has ended must not take this for a check.
        let detail = format!(
            "the trail ends at entry {last}; where an earlier call has checked entry {after}, the \
             end of the trail is gone"
        );
        return Err(Problem::field("after", "out_of_range", detail));
    }

    Ok(Json(Verdict {
        ok: checked.first_bad.is_none(),
        entries: checked.entries,
        head: Head { seq: checked.head.0, hash: wire::hex(&checked.head.1) },
        first_bad: checked.first_bad.map(|(seq, why)| Bad { seq, why }),
        next_after: checked.next_after,
    }))
}
