//! `message_templates` of an account: created, listed in pages, deleted. A new one is approved at
//! once, unless the account has its reviews by hand.

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::{
    call::Call,
    errors::{Refusal, invalid, no_template},
};
use crate::{
    app::NewTemplate,
    reply::{self, Reply},
};

/// Templates per page, unless the call names a number.
const DEFAULT_LIMIT: usize = 25;

/// The most templates per page.
const MAX_LIMIT: usize = 1_000;

/// The longest text, in characters.
const MAX_TEXT: usize = 1_024;

/// Creates a template.
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
    check_text(text.ok_or_else(|| invalid("components must hold a BODY with a text"))?)?;

    let mut state = call.app.state();
    let new = NewTemplate { name, language, category, components };
    let made = state.businesses.add_template(&call.business, &new);
    let made = made.ok_or_else(|| invalid("there is such a template in this language"))?;
    let made = json!({
        "id": made.id.to_string(), "status": &*made.status, "category": &*made.category,
    });
    Ok(reply::json(StatusCode::OK, &made))
}

/// Variables may be neither first nor last, nor beside each other.
fn check_text(text: &str) -> Result<(), Refusal> {
    let words = text.split("{{").map(|part| part.split_once("}}").map_or(part, |(_, rest)| rest));
    let words: Vec<&str> = words.collect();
    let has_variables = words.len() > 1;
    if text.chars().count() > MAX_TEXT {
        return Err(invalid("the text has more than 1024 characters"));
    }
    if has_variables && words.iter().any(|words| words.trim().is_empty()) {
        return Err(invalid("variables may not be first, last or beside each other"));
    }
    Ok(())
}

/// Deletes a template by its name and id, or all languages of a name.
pub(super) fn delete(call: &Call<'_>) -> Result<Response<Reply>, Refusal> {
    let name = call.query.get("name").ok_or_else(|| invalid("name is missing"))?;
    let id = match call.query.get("hsm_id") {
        None => None,
        Some(id) => Some(id.parse().map_err(|_| invalid("hsm_id is none"))?),
    };
    if call.app.state().businesses.remove_template(&call.business, name, id) == 0 {
        return Err(no_template());
    }
    Ok(reply::json(StatusCode::OK, &json!({ "success": true })))
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
                "status": template.status,
                "quality_score": { "score": template.quality },
                "rejected_reason": template.reason,
                "components": template.components,
            })
        })
        .collect();

    let end = start + page.len();
    let more = all.is_some_and(|all| end < all.len());
    let mut paging =
        json!({ "cursors": { "before": start.to_string(), "after": end.to_string() } });
    if more {
        let next = format!("/{}/message_templates?limit={limit}&after={end}", call.business);
        paging["next"] = next.into();
    }
    reply::json(StatusCode::OK, &json!({ "data": page, "paging": paging }))
}
