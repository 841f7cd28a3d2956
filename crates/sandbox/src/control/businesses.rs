//! `PUT /sandbox/businesses/{id}`: sets a WhatsApp Business Account up, as Meta's dashboard would.

use std::{collections::BTreeMap, sync::Arc};

use http::Response;
use serde::Deserialize;
use serde_json::json;

use super::answers::{is_callback_url, ok, read, unprocessable};
use crate::{
    app::{App, Business},
    reply::Reply,
};

/// The most numbers of one account.
const MAX_NUMBERS: usize = 10_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// What calls are made with.
    access_token: String,
    /// What callbacks are signed with.
    app_secret: String,
    /// Where it is called back, about its messages and with those of people.
    callback_url: String,
    /// The ids of its numbers.
    numbers: Vec<String>,
    /// Who reviews its templates.
    #[serde(default)]
    review: Review,
}

/// How templates are reviewed.
#[derive(Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Review {
    /// Each is approved as soon as it is made.
    #[default]
    AtOnce,
    /// Each waits for `PUT /sandbox/businesses/{id}/templates/{name}/{language}`.
    ByHand,
}

#[expect(clippy::result_large_err, reason = "the error is the answer, made once and moved out")]
pub(super) fn put(
    app: &Arc<App>,
    path: &str,
    body: &[u8],
) -> Result<Response<Reply>, Response<Reply>> {
    let id = path.trim_start_matches("businesses/");
    let is_id = |text: &str| {
        (5..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !is_id(id) {
        return Err(unprocessable("an account's id is 5 to 20 digits"));
    }

    let settings: Settings = read(body)?;
    if !is_callback_url(&settings.callback_url) {
        return Err(unprocessable("callback_url is not a URL of http or https"));
    }
    let fine = settings.numbers.iter().all(|number| is_id(number) && number != id);
    if !fine || settings.numbers.len() > MAX_NUMBERS {
        return Err(unprocessable("numbers are ids of 5 to 20 digits, at most 10,000"));
    }

    let business = Business {
        access_token: settings.access_token.into(),
        app_secret: settings.app_secret.into(),
        callback_url: settings.callback_url.into(),
        reviews_by_hand: settings.review == Review::ByHand,
        templates: BTreeMap::new(),
        templates_made: 0,
    };
    if !app.state().businesses.put(id, business, &settings.numbers) {
        return Err(unprocessable("there are too many accounts"));
    }
    Ok(ok(&json!({ "business": id, "numbers": settings.numbers })))
}
