//! A simulated phone, as a page: its texts in both directions, and a box to type an answer, which
//! goes the way of every text from a phone.
//!
//! `phone/{number}` is the page and takes answers, `phone/{number}/texts` is its list alone, which
//! the page fetches again each second. Everything comes from here, so that it works without a
//! network; without a script it works as well, only not live.

mod conversation;
mod render;

use std::sync::Arc;

use bytes::Bytes;
use http::{
    HeaderValue, Method, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION, X_CONTENT_TYPE_OPTIONS},
    request::Parts,
};

use super::answers::{unprocessable, wrong_method};
use crate::{
    app::App,
    inbound,
    phone::Phone,
    phone_text::PhoneText,
    reply::{Form, Reply, problem, whole},
};
use conversation::{Conversation, MAX_ANSWER};

/// The page fetches from here only, and nobody puts it into a frame.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

/// Answers a request whose path goes on with `rest` after `/sandbox/phone/`.
#[expect(clippy::result_large_err, reason = "the error is the answer, made once and moved out")]
pub(super) fn answer(
    app: &Arc<App>,
    head: &Parts,
    rest: &str,
    body: &[u8],
) -> Result<Response<Reply>, Response<Reply>> {
    match (rest, &head.method) {
        ("look.css", &Method::GET) => return Ok(file("text/css", include_str!("phone/look.css"))),
        ("live.js", &Method::GET) => {
            return Ok(file("text/javascript", include_str!("phone/live.js")));
        }
        _ => {}
    }

    let (number, part) = rest.split_once('/').unwrap_or((rest, ""));
    let phone = read_number(number).ok_or_else(|| {
        unprocessable("the phone's number must be in E.164 form, with its plus or without")
    })?;
    match (part, &head.method) {
        ("", &Method::GET) => Ok(html(render::page(&Conversation::of(app, phone)))),
        ("texts", &Method::GET) => Ok(html(render::texts(&Conversation::of(app, phone)))),
        ("", &Method::POST) => take_answer(app, phone, body),
        ("" | "texts", _) => Err(wrong_method()),
        _ => Err(problem(StatusCode::NOT_FOUND, "a phone has its page and its texts")),
    }
}

/// The number of a path, whose plus may be encoded or left out.
fn read_number(number: &str) -> Option<Phone> {
    let digits = ["+", "%2B", "%2b"].iter().find_map(|plus| number.strip_prefix(plus));
    Phone::parse(&format!("+{}", digits.unwrap_or(number)))
}

/// Sends what was typed, then goes back to the page.
#[expect(clippy::result_large_err, reason = "the error is the answer, made once and moved out")]
fn take_answer(
    app: &Arc<App>,
    phone: Phone,
    body: &[u8],
) -> Result<Response<Reply>, Response<Reply>> {
    // load
    let form = Form::parse(body).ok_or_else(|| unprocessable("the form cannot be read"))?;
    let to = form.get("to").ok_or_else(|| unprocessable("name the number to text as `to`"))?;
    let words = form.get("body").ok_or_else(|| unprocessable("type a text: `body` is empty"))?;
    if words.chars().count() > MAX_ANSWER {
        return Err(unprocessable("a text has at most 1600 characters"));
    }

    // say
    let (from, body) = (phone, words);
    let text = PhoneText { from, to, body, pictures: 0, gesture: None, opt_out: None, kind: None };
    inbound::receive(app, &text).ok_or_else(|| {
        unprocessable("no account has the number `to`: register it at its carrier first")
    })?;

    let mut response = html(String::new());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let page = HeaderValue::from_str(&format!("/sandbox/phone/{phone}"));
    response.headers_mut().insert(LOCATION, page.expect("digits make a header"));
    Ok(response)
}

fn file(kind: &'static str, text: &'static str) -> Response<Reply> {
    guarded(whole(StatusCode::OK, kind, Bytes::from_static(text.as_bytes())))
}

fn html(text: String) -> Response<Reply> {
    guarded(whole(StatusCode::OK, "text/html; charset=utf-8", Bytes::from(text)))
}

/// The headers that each part of the page has.
fn guarded(mut response: Response<Reply>) -> Response<Reply> {
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_with_its_plus_in_any_form_or_without() {
        for path in ["+14155550100", "%2B14155550100", "%2b14155550100", "14155550100"] {
            assert_eq!(read_number(path), Phone::parse("+14155550100"), "{path}");
        }
        for path in ["", "++14155550100", "Acme", "<b>", "+1415"] {
            assert_eq!(read_number(path), None, "{path}");
        }
    }
}
