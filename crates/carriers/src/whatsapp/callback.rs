//! What a callback says: every part of it by itself, whichever change it is in. Verify the
//! signature first.

use super::{
    echoes,
    envelope::{Change, changes},
    webhook::read_value,
};
use crate::{
    report::{PhoneEcho, ReceivedText, StatusReport, WebhookError},
    said::{self, Said},
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

/// What people of the business have written on the phone.
pub(crate) fn read_echoes(body: &[u8]) -> Vec<PhoneEcho> {
    said::echoes(parts(body).unwrap_or_default())
}

/// How many parts could not be read, where others could.
pub(crate) fn unread(body: &[u8]) -> usize {
    said::unread(&parts(body).unwrap_or_default())
}

/// Every part by itself, in the order of the envelope.
fn parts(body: &[u8]) -> Result<Vec<Result<Said, WebhookError>>, WebhookError> {
    let mut parts = Vec::new();
    for change in changes(body)? {
        match change {
            Ok(Change { field, value, .. }) => match field.as_str() {
                MESSAGES => read_value(value, &mut parts),
                echoes::FIELD => echoes::read(value, &mut parts),
                _ => parts.push(Ok(Said::Nothing)),
            },
            Err(why) => parts.push(Err(why)),
        }
    }
    Ok(parts)
}
