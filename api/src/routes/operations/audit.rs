//! `/v1/audit`: who did what, and whether the trail is as it was written.

use axum::{Json, Router, extract::State, routing::get};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::audit::{self, AuditFilter, StoredEntry};

use crate::{
    app::App,
    auth::Caller,
    http::{Page, Paging, Problem, Query},
};

/// How many entries one call checks.
const MOST: i64 = 200_000;

pub(super) fn router() -> Router<App> {
    Router::new().route("/v1/audit", get(list)).route("/v1/audit/verify", get(verify))
}

#[derive(Deserialize)]
struct Wanted {
    action: Option<String>,
    subject: Option<String>,
    since: Option<Timestamp>,
}

#[derive(Serialize)]
struct EntryView {
    seq: i64,
    at: Timestamp,
    actor: String,
    action: String,
    subject: String,
    detail: Value,
    prev_hash: String,
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
/// newest first.
async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(paging): Query<Paging>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Page<EntryView>>, Problem> {
    let (below, limit) = (paging.after_number()?.unwrap_or(i64::MAX), paging.limit()?);
    let filter =
        AuditFilter { action: wanted.action, subject: wanted.subject, since: wanted.since };

    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = audit::list(&mut tx, &caller.tenant, &filter, below, limit).await?;
    Ok(Json(Page::new(found.into_iter().map(view).collect(), limit, |entry| entry.seq)))
}

#[derive(Deserialize)]
struct From {
    /// The entries up to this one were checked by an earlier call.
    #[serde(default)]
    after: Option<i64>,
}

#[derive(Serialize)]
struct Verdict {
    /// Whether everything that was looked at is as it was written.
    ok: bool,
    /// How many entries were looked at.
    entries: i64,
    head: Head,
    first_bad: Option<Bad>,
    /// There is more: the next call's `after`.
    next_after: Option<i64>,
}

/// The end of the trail: kept elsewhere, it shows later that nothing was written anew.
#[derive(Serialize)]
struct Head {
    seq: i64,
    hash: String,
}

#[derive(Serialize)]
struct Bad {
    seq: i64,
    why: &'static str,
}

/// `GET /v1/audit/verify?after=`, for every role: whether the trail is as it was written. Checks up
/// to 200,000 entries, and says where the next call is to go on; 422 where the trail ends before
/// `after`.
async fn verify(
    State(app): State<App>,
    caller: Caller,
    Query(from): Query<From>,
) -> Result<Json<Verdict>, Problem> {
    let after = from.after.unwrap_or(0);
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
