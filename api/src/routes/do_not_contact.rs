//! `/v1/do-not-contact`: numbers that must not be texted, with cause and time.

use axum::{Json, Router, extract::State, http::StatusCode, response::Response, routing::get};
use domain::phone::PhoneNumber;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::contacts::{self, Change, Standing};

use crate::{
    app::App,
    auth::Caller,
    http::{Creation, Errors, Page, Paging, Problem, Query},
    ids,
};

pub(super) fn router() -> Router<App> {
    Router::new().route("/v1/do-not-contact", get(list).post(add))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewStop {
    phone: String,
    reason: String,
}

#[derive(Serialize)]
struct StopView {
    phone: String,
    channel: String,
    do_not_contact_at: Option<Timestamp>,
    reason: Option<String>,
    opted_out_at: Option<Timestamp>,
    opt_out_cause: Option<String>,
}

fn view(standing: Standing) -> StopView {
    StopView {
        phone: standing.number,
        channel: standing.channel,
        do_not_contact_at: standing.do_not_contact_at,
        reason: standing.do_not_contact_reason,
        opted_out_at: standing.opted_out_at,
        opt_out_cause: standing.opt_out_cause,
    }
}

/// Puts a number on the list; one that is on it keeps its first date and reason.
async fn add(mut new: Creation<NewStop>) -> Result<Response, Problem> {
    let tenant = new.tenant.clone();
    let mut errors = Errors::default();
    errors.text("reason", &new.body.reason, 1, 100);
    let number = PhoneNumber::parse(&new.body.phone, tenant.country.parse().ok());
    if let Err(why) = number {
        errors.add("phone", "invalid_number", why.to_string());
    }
    errors.done()?;
    let Ok(number) = number else { return Err(Problem::not_found("number")) };
    let numbers = [number.as_str().to_owned()];
    let before = contacts::standings(&mut new.tx, &tenant.id, &numbers, true).await?;
    if before.first().is_none_or(|standing| standing.do_not_contact_at.is_none()) {
        let change = Change {
            consent_id: ids::fresh(),
            number: number.as_str().to_owned(),
            action: "revoke",
            method: "api",
            language: None,
            source: Some(new.body.reason.trim().to_owned()),
            evidence: json!({ "by": new.caller.subject }),
            previous: if before.is_empty() { "none" } else { "known" }.to_owned(),
            at: new.now,
            recorded_by: new.caller.subject.clone(),
        };
        contacts::change_standings(&mut new.tx, &tenant.id, &[change]).await?;
    }
    let after = contacts::standings(&mut new.tx, &tenant.id, &numbers, false).await?;
    let after = after.into_iter().next().ok_or_else(|| Problem::not_found("number"))?;
    new.finish(StatusCode::CREATED, &view(after)).await
}

async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<StopView>>, Problem> {
    let (after, limit) = (paging.after_text()?.unwrap_or_default(), paging.limit()?);
    let mut tx = app.store.scoped([&caller.tenant]).await?;
    let found = contacts::list_stopped(&mut tx, &caller.tenant, &after, limit).await?;
    let found: Vec<_> = found.into_iter().map(view).collect();
    Ok(Json(Page::new(found, limit, |stop| stop.phone.clone())))
}
