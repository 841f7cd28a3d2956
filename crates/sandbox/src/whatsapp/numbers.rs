//! `phone_numbers` of an account, listed in pages.

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::call::Call;
use crate::reply::{self, Reply};

/// Numbers per page, unless the call names a number, and at most.
const DEFAULT_LIMIT: usize = 25;
const MAX_LIMIT: usize = 1_000;

/// A number as the API shows it.
pub(super) fn show(number: &str) -> Value {
    json!({
        "id": number,
        "display_phone_number": number,
        "verified_name": "Sandbox",
        "status": "CONNECTED",
        "quality_rating": "GREEN",
        "throughput": { "level": "STANDARD" },
        "whatsapp_business_manager_messaging_limit": "TIER_2K",
    })
}

/// Answers a page of the account's numbers, in the order of their ids.
pub(super) fn list(call: &Call<'_>) -> Response<Reply> {
    let limit = call.query.get("limit").and_then(|limit| limit.parse().ok());
    let limit = limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    let start = call.query.get("after").and_then(|after| after.parse().ok()).unwrap_or(0_usize);

    let state = call.app.state();
    let all: Vec<&str> = state.businesses.numbers_of(&call.business).collect();
    let page: Vec<Value> = all.iter().skip(start).take(limit).map(|number| show(number)).collect();

    let end = start + page.len();
    let mut paging =
        json!({ "cursors": { "before": start.to_string(), "after": end.to_string() } });
    if end < all.len() {
        let next = format!("/{}/phone_numbers?limit={limit}&after={end}", call.business);
        paging["next"] = next.into();
    }
    reply::json(StatusCode::OK, &json!({ "data": page, "paging": paging }))
}
