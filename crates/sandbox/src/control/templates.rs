//! `PUT /sandbox/businesses/{id}/templates/{name}/{language}`: what Meta's reviewers and people do
//! to a template. The account is told of each change, as Meta tells it.

use std::sync::Arc;

use http::{Response, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::answers::{ok, read, unprocessable};
use crate::{
    app::{App, TemplateEdit},
    posting,
    reply::{Reply, problem},
    whatsapp::callback,
};

/// What becomes of the template; what is not said stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    /// `APPROVED`, `REJECTED`, `PAUSED`, `DISABLED` or another word of Meta's.
    #[serde(default)]
    status: Option<Box<str>>,
    /// Why it was rejected, as `INVALID_FORMAT`.
    #[serde(default)]
    reason: Option<Box<str>>,
    /// `GREEN`, `YELLOW`, `RED` or `UNKNOWN`.
    #[serde(default)]
    quality: Option<Box<str>>,
    /// `MARKETING`, `UTILITY` or `AUTHENTICATION`.
    #[serde(default)]
    category: Option<Box<str>>,
    /// Whether the account is told; it is, unless a test wants to see it ask.
    #[serde(default = "yes")]
    told: bool,
}

fn yes() -> bool {
    true
}

#[expect(clippy::result_large_err, reason = "the error is the answer, made once and moved out")]
pub(super) fn put(
    app: &Arc<App>,
    path: &str,
    body: &[u8],
) -> Result<Response<Reply>, Response<Reply>> {
    let parts: Vec<&str> = path.split('/').collect();
    let ["businesses", business, "templates", name, language] = parts.as_slice() else {
        return Err(unprocessable("businesses/{id}/templates/{name}/{language}"));
    };
    let (name, language) = (*name, *language);
    let Change { status, reason, quality, category, told } = read(body)?;

    let mut state = app.state();
    let edit = TemplateEdit { status, reason, quality, category };
    let edited = state.businesses.edit_template(business, (name, language), edit);
    let Some((before, after)) = edited else {
        return Err(problem(StatusCode::NOT_FOUND, "no such template"));
    };
    let deliveries = if told {
        callback::template(&mut state, business, (name, language), (&before, &after))
    } else {
        Vec::new()
    };
    drop(state);

    let calls = deliveries.len();
    for delivery in deliveries {
        posting::post(app, Box::new(delivery));
    }
    Ok(ok(&json!({
        "name": name, "language": language, "status": after.status, "reason": after.reason,
        "quality": after.quality, "category": after.category, "callbacks": calls,
    })))
}
