//! From Bandwidth's reply to a send to a [`CarrierReply`]. Pure.
//!
//! Bandwidth refuses a call by its HTTP status and a JSON object `{type, description}`, with
//! `fieldErrors` where fields are wrong. There is no numeric code, so the status is one here; a
//! field that is wrong has the code by which a report would name the same fault.
//!
//! - A 4xx in Bandwidth's own form was not taken. One that is not did not surely come from
//!   Bandwidth: unknown.
//! - A 429 in that form was not queued: it may be tried again.
//! - Every 5xx is unknown, because it may come after acceptance or from something in between.

use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::codes::{BAD_ENCODING, BAD_FROM, BAD_TO};
use crate::answer::{CarrierReply, Doubt, Refusal, Throttle, ThrottleScope};

/// Reads a complete reply.
pub(super) fn classify(status: u16, retry_after: Option<Duration>, body: &[u8]) -> CarrierReply {
    let code = u32::from(status);
    let uncertain = CarrierReply::Unknown { why: Doubt::Status { status, code: None } };
    let unreadable = CarrierReply::Unknown { why: Doubt::Unreadable { status } };
    match status {
        200..=299 => accepted(body).unwrap_or(unreadable),
        ..=199 | 300..=399 | 408 | 409 | 500.. => uncertain,
        400..=407 | 410..=499 => {
            let Some(error) = ErrorBody::read(body) else { return unreadable };
            match status {
                400 => error.refused(),
                401 | 403 | 404 => CarrierReply::AuthFailed { code },
                405 | 406 | 415 => CarrierReply::Refused { code, reason: Refusal::Request },
                429 => {
                    let throttle = Throttle { scope: ThrottleScope::Account, retry_after };
                    CarrierReply::NotSent { code: Some(code), throttle: Some(throttle) }
                }
                ..=399 | 402 | 407..=414 | 416..=428 | 430.. => {
                    CarrierReply::Refused { code, reason: Refusal::Unlisted }
                }
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Created<'a> {
    id: String,
    /// A number in practice; read whatever it is, because a taken text must not become a doubt
    /// over it.
    #[serde(borrow, default)]
    segment_count: Option<&'a RawValue>,
}

fn accepted(body: &[u8]) -> Option<CarrierReply> {
    let created: Created<'_> = serde_json::from_slice(body).ok()?;
    if !super::is_message_id(&created.id) {
        return None;
    }
    let segments = created.segment_count.and_then(|raw| segments(raw.get()));
    Some(CarrierReply::Accepted { sid: created.id, segments })
}

/// A count of segments, as a number or a text of one.
pub(super) fn segments(json: &str) -> Option<u16> {
    json.trim_matches('"').parse().ok().filter(|count| *count > 0)
}

/// Bandwidth's own form of an error.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ErrorBody {
    #[serde(rename = "type")]
    _kind: String,
    #[serde(rename = "description")]
    _description: String,
    #[serde(default)]
    field_errors: Vec<FieldError>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FieldError {
    #[serde(default)]
    field_name: String,
}

impl ErrorBody {
    fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }

    /// Whose fault it is, by the field that is wrong: the first one that says so.
    fn refused(&self) -> CarrierReply {
        let by_field = |field: &FieldError| {
            // Elements of a list are named `to[0]`.
            match field.field_name.split(['[', '.']).next().unwrap_or_default() {
                "to" => Some((BAD_TO, Refusal::Recipient)),
                "from" => Some((BAD_FROM, Refusal::Sender)),
                "text" => Some((BAD_ENCODING, Refusal::Content)),
                _ => None,
            }
        };
        let named = self.field_errors.iter().find_map(by_field);
        let (code, reason) = named.unwrap_or((400, Refusal::Request));
        CarrierReply::Refused { code, reason }
    }
}

/// Whether an error is in Bandwidth's own form.
pub(super) fn is_error(body: &[u8]) -> bool {
    ErrorBody::read(body).is_some()
}
