//! `POST /sandbox/preferences`: what a person chooses in WhatsApp itself about the marketing of a
//! number. The account is told, and from a stop on templates of marketing are refused.

use std::sync::Arc;

use http::{Response, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::answers::{read, unprocessable};
use crate::{
    app::App,
    phone::Phone,
    posting,
    reply::{self, Reply},
    whatsapp::callback,
};

/// A person's choice.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Preference {
    /// Who chooses, by their phone number.
    from: String,
    /// The id of the number that they choose it for.
    to: String,
    marketing: Choice,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Choice {
    Stop,
    Resume,
}

#[expect(clippy::result_large_err, reason = "the error is the answer, made once and moved out")]
pub(super) fn choose(app: &Arc<App>, body: &[u8]) -> Result<Response<Reply>, Response<Reply>> {
    let said: Preference = read(body)?;
    let from = Phone::parse(&said.from)
        .ok_or_else(|| unprocessable("from must be a phone number in E.164 form"))?;
    let stops = said.marketing == Choice::Stop;

    let mut state = app.state();
    let (number, business) = state
        .businesses
        .of_number(&said.to)
        .ok_or_else(|| unprocessable("no business has the number `to`"))?;
    state.businesses.prefers(&number, from, stops);
    let delivery = callback::preference(&mut state, &business, &number, (from, stops));
    drop(state);

    let calls = usize::from(delivery.is_some());
    if let Some(delivery) = delivery {
        posting::post(app, delivery);
    }
    Ok(reply::json(StatusCode::ACCEPTED, &json!({ "callbacks": calls })))
}
