//! `PUT /sandbox/applications/{id}`: sets an application of Bandwidth up, as its dashboard would.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::Response;
use serde::Deserialize;
use serde_json::json;

use super::answers::{is_callback_url, ok, read, unprocessable};
use crate::{
    app::{App, Application},
    phone::Phone,
    reply::Reply,
};

/// The most numbers of one application.
const MAX_NUMBERS: usize = 10_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The account that it is of.
    account: String,
    /// Where it is called back, about its texts and with those of people.
    callback_url: String,
    /// The credentials of its callbacks.
    #[serde(default)]
    user: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    numbers: Vec<String>,
}

#[expect(clippy::result_large_err, reason = "the error is the answer, made once and moved out")]
pub(super) fn put(
    app: &Arc<App>,
    path: &str,
    body: &[u8],
) -> Result<Response<Reply>, Response<Reply>> {
    let id = path.trim_start_matches("applications/");
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    if !(1..=64).contains(&id.len()) || !id.bytes().all(plain) {
        return Err(unprocessable("an application's id is letters, digits and -"));
    }

    let settings: Settings = read(body)?;
    if !is_callback_url(&settings.callback_url) {
        return Err(unprocessable("callback_url is not a URL of http or https"));
    }
    let fine = settings.numbers.iter().all(|number| Phone::parse(number).is_some());
    if !fine || settings.numbers.len() > MAX_NUMBERS {
        return Err(unprocessable("numbers are in E.164 form, at most 10,000"));
    }

    let credentials = format!("{}:{}", settings.user, settings.password);
    let authorization = (credentials.len() > 1)
        .then(|| format!("Basic {}", STANDARD.encode(credentials)).into_boxed_str());
    let application = Application {
        account: settings.account.into(),
        callback_url: settings.callback_url.into(),
        authorization,
    };
    if !app.state().applications.put(id, application, &settings.numbers) {
        return Err(unprocessable("there are too many applications"));
    }
    Ok(ok(&json!({ "application": id, "numbers": settings.numbers })))
}
