//! `message_templates` of an account: created, approved at once, and listed in pages.

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::{
    call::Call,
    errors::{Refusal, invalid},
};
use crate::reply::{self, Reply};

/// Templates per page, unless the call names a number.
const DEFAULT_LIMIT: usize = 25;

/// The most templates per page.
const MAX_LIMIT: usize = 1_000;

/// Creates a template of a text.
pub(super) fn create(call: &Call<'_>) -> Result<Response<Reply>, Refusal> {
    let body: Value = serde_json::from_slice(call.body).map_err(|_| invalid("no JSON"))?;
    let word = |name: &str| {
        let word = body[name].as_str().filter(|word| !word.is_empty());
        word.ok_or_else(|| invalid(&format!("{name} is missing")))
    };
    let (name, language, category) = (word("name")?, word("language")?, word("category")?);
    if !["MARKETING", "UTILITY", "AUTHENTICATION"].contains(&category) {
        return Err(invalid("category is none"));
    }
    let components = body["components"].as_array().map_or(&[][..], Vec::as_slice);
    let text = components.iter().find(|part| part["type"] == "BODY");
    let text = text.and_then(|part| part["text"].as_str());
    let text = text.ok_or_else(|| invalid("components must hold a BODY with a text"))?;

    let mut state = call.app.state();
    let of = (name, language);
    let id = state.businesses.add_template(&call.business, of, (category, text));
    let id = id.ok_or_else(|| invalid("there is such a template in this language"))?;
    let made = json!({ "id": id.to_string(), "status": "APPROVED", "category": category });
    Ok(reply::json(StatusCode::OK, &made))
}

/// Answers a page of templates, by name and language.
pub(super) fn list(call: &Call<'_>) -> Response<Reply> {
    let limit = call.query.get("limit").and_then(|limit| limit.parse().ok());
    let limit = limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    let start = call.query.get("after").and_then(|after| after.parse().ok()).unwrap_or(0_usize);

    let state = call.app.state();
    let all = state.businesses.get(&call.business).map(|of| &of.templates);
    let page: Vec<Value> = all
        .into_iter()
        .flatten()
        .skip(start)
        .take(limit)
        .map(|((name, language), template)| {
            json!({
                "id": template.id.to_string(),
                "name": name,
                "language": language,
                "category": template.category,
                "status": "APPROVED",
                "quality_score": { "score": "GREEN" },
                "rejected_reason": "NONE",
                "components": [{ "type": "BODY", "text": template.body }],
            })
        })
        .collect();

    let end = start + page.len();
    let more = all.is_some_and(|all| end < all.len());
    let mut paging =
        json!({ "cursors": { "before": start.to_string(), "after": end.to_string() } });
    if more {
        let path = format!("{}/message_templates", call.business);
        paging["next"] = format!("{}/{path}?limit={limit}&after={end}", call.root).into();
    }
    reply::json(StatusCode::OK, &json!({ "data": page, "paging": paging }))
}
