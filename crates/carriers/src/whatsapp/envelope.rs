//! The envelope of what Meta posts: entries, each with changes of fields. Each entry and each
//! change is read by itself: one that cannot be read does not lose the others.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::report::WebhookError;

/// A change of a field.
pub(super) struct Change<'a> {
    /// The field: `messages`.
    pub(super) field: String,
    /// What it has become.
    pub(super) value: &'a RawValue,
    /// When, as the entry says it; none where it says nothing that is a time.
    pub(super) at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    entry: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    /// Seconds since 1970.
    #[serde(borrow, default)]
    time: Option<&'a RawValue>,
    #[serde(borrow)]
    changes: Vec<&'a RawValue>,
}

/// The changes of all entries, in their order.
pub(super) fn changes(body: &[u8]) -> Result<Vec<Result<Change<'_>, WebhookError>>, WebhookError> {
    let envelope: Envelope<'_> =
        serde_json::from_slice(body).map_err(|_| WebhookError::Parameter("entry"))?;

    let mut found = Vec::new();
    for entry in envelope.entry {
        match serde_json::from_str::<Entry<'_>>(entry.get()) {
            Ok(Entry { time, changes }) => {
                let at = time.and_then(at);
                found.extend(changes.into_iter().map(|change| read(change, at)));
            }
            Err(_) => found.push(Err(WebhookError::Parameter("changes"))),
        }
    }
    Ok(found)
}

fn at(time: &RawValue) -> Option<Timestamp> {
    Timestamp::from_second(time.get().parse().ok()?).ok()
}

fn read(change: &RawValue, at: Option<Timestamp>) -> Result<Change<'_>, WebhookError> {
    #[derive(Deserialize)]
    struct Wire<'a> {
        field: String,
        #[serde(borrow)]
        value: &'a RawValue,
    }
    let Wire { field, value } =
        serde_json::from_str(change.get()).map_err(|_| WebhookError::Parameter("field"))?;
    Ok(Change { field, value, at })
}
