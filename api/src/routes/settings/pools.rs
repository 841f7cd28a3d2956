//! `/v1/pools`: groups of senders that a campaign spreads over.

use std::collections::HashSet;

use axum::{Json, Router, extract::State, http::StatusCode, response::Response, routing::get};
use domain::{draft::MAX_CANDIDATES, ids::PoolId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::settings::senders::{self, Pool};
use uuid::Uuid;

use crate::{
    app::App,
    auth::Caller,
    fields,
    http::{Creation, Errors, Page, Paging, Problem, Query},
    ids,
};

/// How many senders a pool may have: each of them is offered to every message.
const MOST: usize = MAX_CANDIDATES;

pub(super) fn router() -> Router<App> {
    Router::new().route("/v1/pools", get(list).post(create))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPool {
    name: String,
    senders: Vec<Uuid>,
}

#[derive(Serialize)]
struct PoolView {
    id: PoolId,
    name: String,
    senders: Vec<Uuid>,
    created_at: Timestamp,
}

fn view(pool: Pool) -> PoolView {
    let Pool { id, name, senders, created_at } = pool;
    PoolView { id, name, senders, created_at }
}

/// `POST /v1/pools`, for admins and owners: makes a pool of senders that exist. Answers 201 with
/// it.
async fn create(mut new: Creation<NewPool>) -> Result<Response, Problem> {
    // check
    check(&new.body)?;
    let missing = senders::missing(&mut new.tx, &new.caller.tenant, &new.body.senders).await?;
    let mut errors = Errors::default();
    for id in missing {
        let index = new.body.senders.iter().position(|sender| *sender == id).unwrap_or_default();
        errors.add(&format!("senders[{index}]"), "not_found", "no sender with this id");
    }
    errors.done()?;

    // record
    let pool = Pool {
        id: PoolId(ids::fresh()),
        name: new.body.name.trim().to_owned(),
        senders: std::mem::take(&mut new.body.senders),
        created_at: new.now,
    };
    senders::create_pool(&mut new.tx, &new.caller.tenant, &pool).await?;

    // answer
    new.finish(StatusCode::CREATED, &view(pool)).await
}

/// Whether the pool makes sense, as far as no row is needed to see it.
fn check(body: &NewPool) -> Result<(), Problem> {
    let mut errors = Errors::default();
    fields::name(&body.name, &mut errors);
    let count = body.senders.len();
    let limits = format!("1 to {MOST} senders; make another pool for more");
    errors.check((1..=MOST).contains(&count), "senders", "out_of_range", &limits);
    let distinct: HashSet<_> = body.senders.iter().collect();
    errors.check(distinct.len() == count, "senders", "duplicate", "each sender once");
    errors.done()
}

/// `GET /v1/pools`, for every role: the pools in pages.
async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<PoolView>>, Problem> {
    let (after, limit) = (paging.after_id()?, paging.limit()?);

    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = senders::list_pools(&mut tx, &caller.tenant, after, limit).await?;
    Ok(Json(Page::new(found.into_iter().map(view).collect(), limit, |pool| pool.id)))
}
