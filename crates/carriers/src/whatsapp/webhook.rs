//! What Meta posts about messages: the value of a change, with messages of people and statuses of
//! ours in any mixture. Each message and each status is read by itself: one that cannot be read
//! does not lose the others.

use domain::billing::{PriceCategory, PriceNotice};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{is_media_id, is_message_id};
use crate::{
    report::{ReceivedText, ReportedNumbers, ReportedStatus, StatusReport, WebhookError},
    said::Said,
    tag::parse_tag,
};

/// The longest payload of a button, in characters.
const MAX_PAYLOAD: usize = 256;

/// The parts of a change that holds messages and statuses.
pub(super) fn read_value(value: &RawValue, parts: &mut Vec<Result<Said, WebhookError>>) {
    let Ok(value) = serde_json::from_str::<Value<'_>>(value.get()) else {
        parts.push(Err(WebhookError::Parameter("value")));
        return;
    };

    let number = value.metadata.phone_number_id;
    let only = only(value.contacts.as_deref().unwrap_or_default());
    let messages = value.messages.unwrap_or_default();
    parts.extend(messages.iter().map(|message| text(message, &number, only.as_ref())));
    let statuses = value.statuses.unwrap_or_default();
    parts.extend(statuses.iter().map(|status| report(status, &number, only.as_ref())));
}

/// The person beside what is told, where it is one alone.
pub(super) fn only(contacts: &[&RawValue]) -> Option<Contact> {
    match contacts {
        [contact] => serde_json::from_str(contact.get()).ok(),
        _ => None,
    }
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
pub(super) struct Contact {
    #[serde(default)]
    pub(super) wa_id: Option<String>,
    #[serde(default)]
    pub(super) user_id: Option<String>,
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
struct Status<'a> {
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
    #[serde(borrow, default)]
    pricing: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct StatusError {
    code: u32,
}

fn report(status: &RawValue, number: &str, only: Option<&Contact>) -> Result<Said, WebhookError> {
    let status: Status<'_> =
        serde_json::from_str(status.get()).map_err(|_| WebhookError::Parameter("status"))?;
    if !is_message_id(&status.id) {
        return Err(WebhookError::Parameter("status.id"));
    }

    let code = status.errors.first().map(|error| error.code);
    let Some(stands) = status_of(&status.status, code) else { return Ok(Said::Nothing) };
    let digits = status.recipient_id.as_deref().or_else(|| only?.wa_id.as_deref());
    let user_id = status.recipient_user_id.as_deref().or_else(|| only?.user_id.as_deref());
    let to = address(digits, user_id);
    Ok(Said::Report(StatusReport {
        reference: status.biz_opaque_callback_data.as_deref().and_then(parse_tag),
        sid: status.id,
        numbers: ReportedNumbers { to, from: Some(number.to_owned()) },
        status: stands,
        price: price(status.pricing, stands),
    }))
}

#[derive(Deserialize)]
struct Pricing {
    #[serde(default)]
    billable: Option<bool>,
    #[serde(default)]
    pricing_model: Option<String>,
    #[serde(default)]
    category: Option<String>,
    #[serde(default, rename = "type")]
    kind: Option<String>,
}

/// The model of prices by conversation, which Meta left in July 2025: it says nothing of a message.
const BY_CONVERSATION: &str = "CBP";

/// What Meta bills a message as. What cannot be read of it, or says nothing, settles no price. A
/// message that was not delivered is not billed.
fn price(pricing: Option<&RawValue>, stands: ReportedStatus) -> Option<PriceNotice> {
    let unsaid =
        matches!(stands, ReportedStatus::Undelivered(_)).then_some(PriceNotice::NOT_BILLED);
    let read = pricing.and_then(|pricing| serde_json::from_str::<Pricing>(pricing.get()).ok());
    let Some(pricing) = read else { return unsaid };
    if pricing.pricing_model.as_deref() == Some(BY_CONVERSATION) {
        return unsaid;
    }

    let kind = pricing.kind.as_deref();
    let by_kind = match kind {
        Some("regular") => Some(true),
        Some("free_customer_service" | "free_entry_point") => Some(false),
        Some(_) | None => None,
    };
    let Some(is_billed) = pricing.billable.or(by_kind) else { return unsaid };
    Some(PriceNotice {
        is_billed,
        category: pricing.category.as_deref().and_then(PriceCategory::from_name),
        is_free_entry: kind == Some("free_entry_point"),
    })
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

/// What is read of a message, whoever has written it.
#[derive(Deserialize)]
pub(super) struct Message<'a> {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
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
    #[serde(default)]
    audio: Option<Media>,
    #[serde(default)]
    sticker: Option<Media>,
    /// Cards are files without words, of which the number alone is looked at.
    #[serde(borrow, default)]
    contacts: Option<Vec<&'a RawValue>>,
}

/// Words as a text or on a button of a template.
#[derive(Deserialize)]
struct Words {
    #[serde(alias = "body", default)]
    text: String,
    #[serde(default)]
    payload: Option<String>,
}

#[derive(Deserialize)]
struct Interactive {
    #[serde(default)]
    button_reply: Option<Choice>,
    #[serde(default)]
    list_reply: Option<Choice>,
    #[serde(default)]
    nfm_reply: Option<Filled>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    id: Option<String>,
    title: String,
}

/// A form that the person has filled in.
#[derive(Deserialize)]
struct Filled {
    #[serde(default)]
    body: Option<String>,
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
    id: Option<String>,
    #[serde(default)]
    caption: Option<String>,
}

/// What a person said.
#[derive(Default)]
pub(super) struct Utterance {
    /// What it is in words.
    pub(super) body: String,
    /// What the button or row that was chosen brings back.
    payload: Option<String>,
    pub(super) is_reaction: bool,
    /// How many files came with it.
    num_media: u16,
    /// Meta's id of the file that it is.
    media: Vec<String>,
}

fn text(message: &RawValue, number: &str, only: Option<&Contact>) -> Result<Said, WebhookError> {
    let message: Message<'_> =
        serde_json::from_str(message.get()).map_err(|_| WebhookError::Parameter("message"))?;
    if !is_message_id(&message.id) {
        return Err(WebhookError::Parameter("message.id"));
    }
    let Some(said) = utterance(&message) else { return Ok(Said::Nothing) };

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
        body: said.body,
        payload: said.payload,
        is_reaction: said.is_reaction,
        num_media: said.num_media,
        media: said.media,
        // WhatsApp passes opt-out words on as they are and answers none of them.
        keyword: None,
        answered: false,
        service: None,
    }))
}

/// What a person said; none where it is nothing that was said: a sign taken back, or a change of
/// number.
pub(super) fn utterance(message: &Message<'_>) -> Option<Utterance> {
    let plain = |body: String| Utterance { body, ..Utterance::default() };

    match message.kind.as_str() {
        "text" => Some(plain(message.text.as_ref()?.text.clone())),
        "button" => {
            let Words { text, payload } = message.button.as_ref()?;
            let payload = payload.as_deref().and_then(payload_of);
            Some(Utterance { payload, ..plain(text.clone()) })
        }
        "interactive" => Some(chosen(message.interactive.as_ref()?)),
        "reaction" => {
            let emoji = message.reaction.as_ref()?.emoji.clone().filter(|sign| !sign.is_empty())?;
            Some(Utterance { is_reaction: true, ..plain(emoji) })
        }
        "location" => Some(plain(place(message.location.as_ref()?))),
        "image" => Some(file(message.image.as_ref())),
        "video" => Some(file(message.video.as_ref())),
        "document" => Some(file(message.document.as_ref())),
        "audio" => Some(file(message.audio.as_ref())),
        "sticker" => Some(file(message.sticker.as_ref())),
        "contacts" => {
            let cards = message.contacts.as_ref().map_or(0, Vec::len);
            let num_media = u16::try_from(cards).unwrap_or(u16::MAX);
            Some(Utterance { num_media, ..Utterance::default() })
        }
        "system" => None,
        // Orders, and what Meta may add: somebody has written, whatever it is.
        _ => Some(Utterance::default()),
    }
}

/// What was chosen or filled in: its title is what the person says.
fn chosen(interactive: &Interactive) -> Utterance {
    let Interactive { button_reply, list_reply, nfm_reply } = interactive;
    if let Some(Choice { id, title }) = button_reply.as_ref().or(list_reply.as_ref()) {
        let payload = id.as_deref().and_then(payload_of);
        return Utterance { body: title.clone(), payload, ..Utterance::default() };
    }
    let body = nfm_reply.as_ref().and_then(|form| form.body.clone());
    Utterance { body: body.unwrap_or_default(), ..Utterance::default() }
}

/// A payload that may be passed on: ours have at most 256 characters, others are none.
fn payload_of(written: &str) -> Option<String> {
    (1..=MAX_PAYLOAD).contains(&written.chars().count()).then(|| written.to_owned())
}

/// A file, with its caption where it has one. Its id is what it is fetched by.
fn file(media: Option<&Media>) -> Utterance {
    let caption = media.and_then(|media| media.caption.clone());
    let id = media.and_then(|media| media.id.clone()).filter(|id| is_media_id(id));
    Utterance {
        body: caption.unwrap_or_default(),
        num_media: 1,
        media: id.into_iter().collect(),
        ..Utterance::default()
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
