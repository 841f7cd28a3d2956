//! What people of a business write in the WhatsApp Business app while the platform has the same
//! number ("coexistence"): changes of the field `smb_message_echoes`. Each is read by itself.
//!
//! The form is that of messages, with the person in `to`. Meta tells of texts that were taken back
//! or changed later in the same field (`revoke`, `edit`): they are no answers.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    is_message_id,
    webhook::{Contact, Message, Metadata, address, only, utterance},
};
use crate::{
    report::{PhoneEcho, WebhookError},
    said::Said,
};

/// The field whose changes hold what was written on the phone.
pub(super) const FIELD: &str = "smb_message_echoes";

#[derive(Deserialize)]
struct Value<'a> {
    metadata: Metadata,
    #[serde(borrow, default)]
    contacts: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default)]
    message_echoes: Option<Vec<&'a RawValue>>,
}

/// To whom a text went, who may keep their number to themselves, and when.
#[derive(Deserialize)]
struct Dispatch<'a> {
    #[serde(default)]
    to: Option<String>,
    #[serde(default)]
    to_user_id: Option<String>,
    /// Seconds since 1970, as a text of them or a number.
    #[serde(borrow, default)]
    timestamp: Option<&'a RawValue>,
}

/// The parts of a change of the field.
pub(super) fn read(value: &RawValue, parts: &mut Vec<Result<Said, WebhookError>>) {
    let Ok(value) = serde_json::from_str::<Value<'_>>(value.get()) else {
        parts.push(Err(WebhookError::Parameter("value")));
        return;
    };

    let number = value.metadata.phone_number_id;
    let only = only(value.contacts.as_deref().unwrap_or_default());
    let echoes = value.message_echoes.unwrap_or_default();
    if echoes.is_empty() {
        parts.push(Ok(Said::Nothing));
    }
    parts.extend(echoes.iter().map(|one| echo(one, &number, only.as_ref())));
}

fn echo(message: &RawValue, number: &str, only: Option<&Contact>) -> Result<Said, WebhookError> {
    let unreadable = |_| WebhookError::Parameter("message_echoes");
    let dispatch: Dispatch<'_> = serde_json::from_str(message.get()).map_err(unreadable)?;
    let message: Message<'_> = serde_json::from_str(message.get()).map_err(unreadable)?;
    if !is_message_id(&message.id) {
        return Err(WebhookError::Parameter("message_echoes.id"));
    }
    let said = match message.kind.as_str() {
        "revoke" | "edit" => None,
        _ => utterance(&message).filter(|said| !said.is_reaction),
    };
    let Some(said) = said else { return Ok(Said::Nothing) };

    let digits = dispatch.to.as_deref().or_else(|| only?.wa_id.as_deref());
    let digits = digits.map(|to| to.trim_start_matches('+'));
    let user_id = dispatch.to_user_id.as_deref().or_else(|| only?.user_id.as_deref());
    let Some(to) = address(digits, user_id) else { return Ok(Said::EchoToNobody) };
    let user_id = user_id.filter(|id| *id != to).map(str::to_owned);
    let (sid, from) = (message.id, number.to_owned());
    let sent_at = dispatch.timestamp.and_then(|told| end_of_second(told.get()));
    Ok(Said::Echo(PhoneEcho { sid, from, to, user_id, body: said.body, sent_at }))
}

/// The end of the second that Meta names: what the person wrote within it came first. None for what
/// is no second since 1970.
fn end_of_second(told: &str) -> Option<Timestamp> {
    let second: u64 = told.trim_matches('"').parse().ok()?;
    Timestamp::from_second(i64::try_from(second).ok()?.checked_add(1)?).ok()
}
