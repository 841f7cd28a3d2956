//! What Bandwidth posts: a JSON array of events, those of our texts and texts of people in any
//! mixture. The direction decides which is which. Each event is read by itself: one that cannot be
//! read does not lose the others. Verify the credentials first.

use domain::media::MOST_PER_MESSAGE;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::is_message_id;
use crate::{
    report::{ReceivedText, ReportedNumbers, ReportedStatus, StatusReport, WebhookError},
    said::{self, Said},
    tag::parse_tag,
};

/// The first digit of codes that do not tell what became of the text: no receipt in time, or one
/// that Bandwidth does not understand.
const AMBIGUOUS: u32 = 9;

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "type")]
    kind: String,
    /// Whom the event is about: the recipient of a text of ours, our number of a person's.
    #[serde(default)]
    to: Option<String>,
    /// A number in practice.
    #[serde(rename = "errorCode", borrow, default)]
    error_code: Option<&'a RawValue>,
    message: Message<'a>,
}

#[derive(Deserialize)]
struct Message<'a> {
    id: String,
    direction: String,
    #[serde(default)]
    owner: Option<String>,
    #[serde(default)]
    from: Option<String>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    tag: Option<String>,
    #[serde(borrow, default)]
    media: Option<Vec<&'a RawValue>>,
}

/// The reports on texts of ours.
pub(crate) fn read_reports(body: &[u8]) -> Result<Vec<StatusReport>, WebhookError> {
    said::reports(parts(body)?)
}

/// The texts of people.
pub(crate) fn read_texts(body: &[u8]) -> Result<Vec<ReceivedText>, WebhookError> {
    said::texts(parts(body)?)
}

/// How many events could not be read, where others could.
pub(crate) fn unread(body: &[u8]) -> usize {
    said::unread(&parts(body).unwrap_or_default())
}

/// Every event by itself, in the order of the array.
fn parts(body: &[u8]) -> Result<Vec<Result<Said, WebhookError>>, WebhookError> {
    let events: Vec<&RawValue> =
        serde_json::from_slice(body).map_err(|_| WebhookError::Parameter("body"))?;
    Ok(events.into_iter().map(read_one).collect())
}

fn read_one(item: &RawValue) -> Result<Said, WebhookError> {
    let event: Event<'_> =
        serde_json::from_str(item.get()).map_err(|_| WebhookError::Parameter("event"))?;
    if !is_message_id(&event.message.id) {
        return Err(WebhookError::Parameter("message.id"));
    }
    match event.message.direction.as_str() {
        "out" => Ok(report(event)),
        "in" => text(event),
        _ => Err(WebhookError::Parameter("message.direction")),
    }
}

fn report(event: Event<'_>) -> Said {
    let code = event.error_code.and_then(|raw| code(raw.get()));
    let Some(status) = status_of(&event.kind, code) else { return Said::Nothing };
    let message = event.message;
    Said::Report(StatusReport {
        reference: message.tag.as_deref().and_then(parse_tag),
        sid: message.id,
        numbers: ReportedNumbers { to: event.to, from: message.from.or(message.owner) },
        status,
        price: None,
    })
}

fn text(event: Event<'_>) -> Result<Said, WebhookError> {
    if event.kind != "message-received" {
        return Ok(Said::Nothing);
    }
    let message = event.message;
    let given = message.media.unwrap_or_default();
    let media = given.iter().filter_map(|raw| serde_json::from_str::<String>(raw.get()).ok());
    Ok(Said::Text(ReceivedText {
        sid: message.id,
        from: message.from.ok_or(WebhookError::Parameter("message.from"))?,
        user_id: None,
        username: None,
        to: event.to.or(message.owner).ok_or(WebhookError::Parameter("to"))?,
        body: message.text.unwrap_or_default(),
        payload: None,
        is_reaction: false,
        num_media: u16::try_from(given.len()).unwrap_or(u16::MAX),
        media: media.take(MOST_PER_MESSAGE).collect(),
        // Bandwidth passes opt-out words on as they are and answers none of them.
        keyword: None,
        answered: false,
        service: None,
    }))
}

/// Where a text of ours stands by the type of an event; none for types that do not say it, and for
/// those that Bandwidth may add.
fn status_of(kind: &str, code: Option<u32>) -> Option<ReportedStatus> {
    match kind {
        "message-sending" => Some(ReportedStatus::Pending),
        "message-sent" => Some(ReportedStatus::Sent),
        "message-delivered" => Some(ReportedStatus::Delivered),
        "message-failed" => Some(failure(code, ReportedStatus::Failed)),
        "message-read" => Some(ReportedStatus::Read),
        _ => None,
    }
}

/// A failure by its code. An ambiguous one is none: the text has left, and nobody knows more.
pub(super) fn failure(
    code: Option<u32>,
    failed: fn(Option<u32>) -> ReportedStatus,
) -> ReportedStatus {
    match code {
        Some(code) if code / 1_000 == AMBIGUOUS => ReportedStatus::Sent,
        Some(_) | None => failed(code),
    }
}

/// An error code, as a number or a text of one; 0 is none.
pub(super) fn code(json: &str) -> Option<u32> {
    json.trim_matches('"').parse().ok().filter(|code| *code > 0)
}
