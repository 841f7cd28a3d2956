//! From Twilio's reply to a send to a [`CarrierReply`]. Pure; every status and every listed code
//! has a decided verdict here.
//!
//! Decisions beyond the table of codes:
//! - A 4xx in Twilio's JSON error form whose code is not listed is a refusal with a generic cause:
//!   that form says that the request was turned down, and holding such messages would hide it.
//! - A 4xx that is not in that form did not surely come from Twilio: unknown. So is a 429 with any
//!   other code than 20429, the only one that says "never processed".
//! - A throttle code counts only with the HTTP status that the table lists it with.
//! - Every 5xx is unknown, also with a listed code, because it may come after acceptance.

use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::codes::{CodeVerdict, row};
use crate::answer::{CarrierReply, Doubt, Refusal, Throttle};

/// Reads a complete reply.
pub(super) fn classify(status: u16, retry_after: Option<Duration>, body: &[u8]) -> CarrierReply {
    match status {
        200..=299 => accepted(status, body),
        401 => match error_code(status, body) {
            Some(code) => CarrierReply::AuthFailed { code },
            None => unreadable(status),
        },
        408 | 0..=199 | 300..=399 | 500.. => {
            CarrierReply::Unknown { why: Doubt::Status { status, code: error_code(status, body) } }
        }
        400 | 402..=407 | 409..=499 => match error_code(status, body) {
            Some(code) => by_code(status, code, retry_after),
            None => unreadable(status),
        },
    }
}

fn by_code(status: u16, code: u32, retry_after: Option<Duration>) -> CarrierReply {
    let ambiguous = CarrierReply::Unknown { why: Doubt::Status { status, code: Some(code) } };
    let Some(row) = row(code) else {
        return match status {
            429 => ambiguous,
            ..429 | 430.. => CarrierReply::Refused { code, reason: Refusal::Unlisted },
        };
    };
    match row.verdict {
        CodeVerdict::Throttled(scope, wait) if row.http == status => {
            let throttle = Throttle { scope, retry_after: retry_after.or(wait) };
            CarrierReply::NotSent { code: Some(code), throttle: Some(throttle) }
        }
        CodeVerdict::Refused(reason) if status != 429 => CarrierReply::Refused { code, reason },
        CodeVerdict::AccountStopped if status != 429 => CarrierReply::AuthFailed { code },
        CodeVerdict::Throttled(..)
        | CodeVerdict::Refused(_)
        | CodeVerdict::AccountStopped
        | CodeVerdict::Ambiguous => ambiguous,
    }
}

/// Twilio's own error forms: `{code, message, more_info, status}` and RFC 9457
/// `{type, title, status, code}`. Their status repeats the HTTP status.
#[derive(Deserialize)]
struct ErrorBody<'a> {
    code: u32,
    #[serde(default)]
    status: Option<u16>,
    #[serde(borrow, default)]
    message: Option<&'a RawValue>,
    #[serde(borrow, default)]
    title: Option<&'a RawValue>,
}

/// The code of an error body, if it is in one of Twilio's forms.
pub(super) fn error_code(status: u16, body: &[u8]) -> Option<u32> {
    let error: ErrorBody<'_> = serde_json::from_slice(body).ok()?;
    let in_form = error.message.is_some() || error.title.is_some();
    (in_form && error.status.is_none_or(|said| said == status)).then_some(error.code)
}

#[derive(Deserialize)]
struct Created<'a> {
    sid: String,
    /// Text in practice; read whatever it is, because a taken text must not become a doubt over it.
    #[serde(borrow, default)]
    num_segments: Option<&'a RawValue>,
}

fn accepted(status: u16, body: &[u8]) -> CarrierReply {
    match serde_json::from_slice::<Created<'_>>(body) {
        Ok(created) if super::is_sid(&created.sid) => {
            let segments = created.num_segments.and_then(|raw| segments(raw.get()));
            CarrierReply::Accepted { sid: created.sid, segments }
        }
        Ok(_) | Err(_) => unreadable(status),
    }
}

/// `"0"` means that Twilio has not counted yet.
pub(super) fn segments(json: &str) -> Option<u16> {
    json.trim_matches('"').parse().ok().filter(|count| *count > 0)
}

fn unreadable(status: u16) -> CarrierReply {
    CarrierReply::Unknown { why: Doubt::Unreadable { status } }
}

#[cfg(test)]
mod tests {
    use super::classify;
    use crate::answer::{CarrierReply, Doubt};

    fn with_code(status: u16, code: u32) -> CarrierReply {
        let body = format!(r#"{{"code":{code},"message":"m","more_info":"","status":{status}}}"#);
        classify(status, None, body.as_bytes())
    }

    #[test]
    fn no_status_outside_2xx_to_4xx_ever_settles_a_message() {
        for status in (0..200).chain(300..400).chain(500..=999).chain([408]) {
            for code in [20003, 20429, 20503, 21211, 21610, 21611, 77777] {
                let why = Doubt::Status { status, code: Some(code) };
                assert_eq!(with_code(status, code), CarrierReply::Unknown { why });
            }
            let why = Doubt::Status { status, code: None };
            assert_eq!(classify(status, None, b"<html>"), CarrierReply::Unknown { why });
        }
    }

    #[test]
    fn a_throttle_code_with_another_status_is_not_trusted() {
        for (status, code) in [(400, 20429), (403, 20429), (429, 21611), (404, 21611)] {
            let why = Doubt::Status { status, code: Some(code) };
            assert_eq!(with_code(status, code), CarrierReply::Unknown { why });
        }
    }

    #[test]
    fn a_429_settles_only_with_the_code_that_says_never_processed() {
        for code in [20003, 20409, 21211, 21610, 63018, 77777] {
            let why = Doubt::Status { status: 429, code: Some(code) };
            assert_eq!(with_code(429, code), CarrierReply::Unknown { why });
        }
        let why = Doubt::Unreadable { status: 429 };
        assert_eq!(classify(429, None, b"slow down"), CarrierReply::Unknown { why });
    }

    #[test]
    fn a_4xx_that_is_not_in_twilios_form_is_not_believed() {
        for body in [
            "",
            "<html>Bad Request</html>",
            "{}",
            "[]",
            r#"{"code":21211}"#,
            r#"{"code":"21211","message":"m"}"#,
            r#"{"code":null,"message":"m","status":400}"#,
            r#"{"code":21211,"message":"m","status":502}"#,
            r#"{"message":"m","status":400}"#,
        ] {
            for status in [400, 401, 403, 404, 422, 499] {
                let why = Doubt::Unreadable { status };
                let answer = classify(status, None, body.as_bytes());
                assert_eq!(answer, CarrierReply::Unknown { why }, "{status} {body}");
            }
        }
    }
}
