//! What Meta posts: an envelope of entries and changes, each with messages of people, statuses of
//! our messages, or what happened to the account, in any mixture. Each message and each status is
//! read by itself: one that cannot be read does not lose the others. Verify the signature first.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::is_message_id;
use crate::{
    report::{ReceivedText, ReportedNumbers, ReportedStatus, StatusReport, WebhookError},
    said::{self, Said},
    tag::parse_tag,
};

/// The field whose changes hold messages and statuses. Others tell of the account, its templates
/// and its numbers.
const MESSAGES: &str = "messages";

/// The reports on messages of ours.
pub(crate) fn read_reports(body: &[u8]) -> Result<Vec<StatusReport>, WebhookError> {
    said::reports(parts(body)?)
}

/// The messages of people.
pub(crate) fn read_texts(body: &[u8]) -> Result<Vec<ReceivedText>, WebhookError> {
    said::texts(parts(body)?)
}

/// How many parts could not be read, where others could.
pub(crate) fn unread(body: &[u8]) -> usize {
    said::unread(&parts(body).unwrap_or_default())
}

/// A change by its field, with its value.
type Change<'a> = (String, &'a RawValue);

/// Every part by itself, in the order of the envelope.
fn parts(body: &[u8]) -> Result<Vec<Result<Said, WebhookError>>, WebhookError> {
    let mut parts = Vec::new();
    for change in changes(body)? {
        match change {
            Ok((field, value)) if field == MESSAGES => read_value(value, &mut parts),
            Ok(_) => parts.push(Ok(Said::Nothing)),
            Err(why) => parts.push(Err(why)),
        }
    }
    Ok(parts)
}

/// The changes of all entries.
pub(super) fn changes(body: &[u8]) -> Result<Vec<Result<Change<'_>, WebhookError>>, WebhookError> {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow)]
        entry: Vec<&'a RawValue>,
    }
    #[derive(Deserialize)]
    struct Entry<'a> {
        #[serde(borrow)]
        changes: Vec<&'a RawValue>,
    }

    let envelope: Envelope<'_> =
        serde_json::from_slice(body).map_err(|_| WebhookError::Parameter("entry"))?;
    let mut found = Vec::new();
    for entry in envelope.entry {
        match serde_json::from_str::<Entry<'_>>(entry.get()) {
            Ok(entry) => found.extend(entry.changes.into_iter().map(change)),
            Err(_) => found.push(Err(WebhookError::Parameter("changes"))),
        }
    }
    Ok(found)
}

fn change(change: &RawValue) -> Result<Change<'_>, WebhookError> {
    #[derive(Deserialize)]
    struct Wire<'a> {
        field: String,
        #[serde(borrow)]
        value: &'a RawValue,
    }
    let change: Wire<'_> =
        serde_json::from_str(change.get()).map_err(|_| WebhookError::Parameter("field"))?;
    Ok((change.field, change.value))
}

/// The parts of a change that holds messages and statuses.
fn read_value(value: &RawValue, parts: &mut Vec<Result<Said, WebhookError>>) {
    let Ok(value) = serde_json::from_str::<Value<'_>>(value.get()) else {
        parts.push(Err(WebhookError::Parameter("value")));
        return;
    };

    let number = value.metadata.phone_number_id;
    let contacts = value.contacts.unwrap_or_default();
    let only = match contacts.as_slice() {
        [contact] => serde_json::from_str::<Contact>(contact.get()).ok(),
        _ => None,
    };
    let messages = value.messages.unwrap_or_default();
    parts.extend(messages.iter().map(|message| text(message, &number, only.as_ref())));
    let statuses = value.statuses.unwrap_or_default();
    parts.extend(statuses.iter().map(|status| report(status, &number)));
}

#[derive(Deserialize)]
struct Value<'a> {
    metadata: Metadata,
    #[serde(borrow, default)]
    contacts: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default)]
    messages: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default)]
    statuses: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
pub(super) struct Metadata {
    pub(super) phone_number_id: String,
}

/// A person, who may keep their number to themselves.
#[derive(Deserialize)]
struct Contact {
    #[serde(default)]
    wa_id: Option<String>,
    #[serde(default)]
    user_id: Option<String>,
    #[serde(default)]
    profile: Option<Profile>,
}

/// What a person shows of themselves.
#[derive(Deserialize)]
struct Profile {
    #[serde(default)]
    username: Option<String>,
}

/// The address of a person: the number where it is said, else the business-scoped user id.
pub(super) fn address(digits: Option<&str>, user_id: Option<&str>) -> Option<String> {
    let is_number =
        |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match (digits.filter(is_number), user_id) {
        (Some(digits), _) => Some(format!("+{digits}")),
        (None, Some(id)) => Some(id.to_owned()),
        (None, None) => None,
    }
}

// === statuses ===

#[derive(Deserialize)]
struct Status {
    id: String,
    status: String,
    #[serde(default)]
    recipient_id: Option<String>,
    #[serde(default)]
    recipient_user_id: Option<String>,
    #[serde(default)]
    biz_opaque_callback_data: Option<String>,
    #[serde(default)]
    errors: Vec<StatusError>,
}

#[derive(Deserialize)]
struct StatusError {
    code: u32,
}

fn report(status: &RawValue, number: &str) -> Result<Said, WebhookError> {
    let status: Status =
        serde_json::from_str(status.get()).map_err(|_| WebhookError::Parameter("status"))?;
    if !is_message_id(&status.id) {
        return Err(WebhookError::Parameter("status.id"));
    }

    let code = status.errors.first().map(|error| error.code);
    let Some(stands) = status_of(&status.status, code) else { return Ok(Said::Nothing) };
    let to = address(status.recipient_id.as_deref(), status.recipient_user_id.as_deref());
    Ok(Said::Report(StatusReport {
        reference: status.biz_opaque_callback_data.as_deref().and_then(parse_tag),
        sid: status.id,
        numbers: ReportedNumbers { to, from: Some(number.to_owned()) },
        status: stands,
    }))
}

/// Where a message stands; none for words that Meta may add. A voice message that was played was
/// read; a failure may follow `sent`, so that it says the message was not delivered.
fn status_of(word: &str, code: Option<u32>) -> Option<ReportedStatus> {
    match word {
        "accepted" | "held_for_quality_assessment" => Some(ReportedStatus::Pending),
        "sent" => Some(ReportedStatus::Sent),
        "delivered" => Some(ReportedStatus::Delivered),
        "read" | "played" => Some(ReportedStatus::Read),
        "failed" => Some(ReportedStatus::Undelivered(code)),
        _ => None,
    }
}

// === messages of people ===

#[derive(Deserialize)]
struct Message<'a> {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    from: Option<String>,
    #[serde(default)]
    from_user_id: Option<String>,
    #[serde(default)]
    text: Option<Words>,
    #[serde(default)]
    button: Option<Words>,
    #[serde(default)]
    interactive: Option<Interactive>,
    #[serde(default)]
    reaction: Option<Reaction>,
    #[serde(default)]
    location: Option<Location>,
    #[serde(default)]
    image: Option<Media>,
    #[serde(default)]
    video: Option<Media>,
    #[serde(default)]
    document: Option<Media>,
    /// The others are files without words, looked at by their type alone.
    #[serde(borrow, default)]
    contacts: Option<Vec<&'a RawValue>>,
}

/// Words as a text or on a button.
#[derive(Deserialize)]
struct Words {
    #[serde(alias = "body", default)]
    text: String,
}

#[derive(Deserialize)]
struct Interactive {
    #[serde(default)]
    button_reply: Option<Choice>,
    #[serde(default)]
    list_reply: Option<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    title: String,
}

#[derive(Deserialize)]
struct Reaction {
    #[serde(default)]
    emoji: Option<String>,
}

#[derive(Deserialize)]
struct Location {
    latitude: f64,
    longitude: f64,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    address: Option<String>,
}

#[derive(Deserialize)]
struct Media {
    #[serde(default)]
    caption: Option<String>,
}

fn text(message: &RawValue, number: &str, only: Option<&Contact>) -> Result<Said, WebhookError> {
    let message: Message<'_> =
        serde_json::from_str(message.get()).map_err(|_| WebhookError::Parameter("message"))?;
    if !is_message_id(&message.id) {
        return Err(WebhookError::Parameter("message.id"));
    }
    let Some((body, num_media)) = words_of(&message) else { return Ok(Said::Nothing) };

    // Who hides their number is named by the id, in the message or in the one contact beside it.
    let digits = message.from.as_deref().or_else(|| only?.wa_id.as_deref());
    let user_id = message.from_user_id.as_deref().or_else(|| only?.user_id.as_deref());
    let from = address(digits, user_id).ok_or(WebhookError::Parameter("message.from"))?;
    let user_id = user_id.filter(|id| *id != from).map(str::to_owned);
    let username = only.and_then(|only| only.profile.as_ref()?.username.clone());
    Ok(Said::Text(ReceivedText {
        sid: message.id,
        from,
        user_id,
        username,
        to: number.to_owned(),
        body,
        num_media,
        media: Vec::new(),
        // WhatsApp passes opt-out words on as they are and answers none of them.
        keyword: None,
        answered: false,
        service: None,
    }))
}

/// What a person said, in words, and how many files came with it; none where it is nothing that was
/// said: a sign taken back, or a change of number.
fn words_of(message: &Message<'_>) -> Option<(String, u16)> {
    let words = |words: &Option<Words>| words.as_ref().map(|of| of.text.clone());
    let file = |media: &Option<Media>| {
        let caption = media.as_ref().and_then(|media| media.caption.clone());
        Some((caption.unwrap_or_default(), 1))
    };

    match message.kind.as_str() {
        "text" => Some((words(&message.text)?, 0)),
        "button" => Some((words(&message.button)?, 0)),
        "interactive" => {
            let of = message.interactive.as_ref()?;
            let choice = of.button_reply.as_ref().or(of.list_reply.as_ref());
            Some((choice.map_or_else(String::new, |choice| choice.title.clone()), 0))
        }
        "reaction" => {
            let emoji = message.reaction.as_ref()?.emoji.clone()?;
            (!emoji.is_empty()).then_some((emoji, 0))
        }
        "location" => Some((place(message.location.as_ref()?), 0)),
        "image" => file(&message.image),
        "video" => file(&message.video),
        "document" => file(&message.document),
        "audio" | "sticker" => Some((String::new(), 1)),
        "contacts" => {
            let cards = message.contacts.as_ref().map_or(0, Vec::len);
            Some((String::new(), u16::try_from(cards).unwrap_or(u16::MAX)))
        }
        "system" => None,
        // Orders, and what Meta may add: somebody has written, whatever it is.
        _ => Some((String::new(), 0)),
    }
}

/// A place in words: its name and address, else its coordinates.
fn place(location: &Location) -> String {
    let named: Vec<&str> = [&location.name, &location.address]
        .into_iter()
        .filter_map(Option::as_deref)
        .filter(|text| !text.is_empty())
        .collect();
    match named.as_slice() {
        [] => format!("{}, {}", location.latitude, location.longitude),
        named => named.join(", "),
    }
}
