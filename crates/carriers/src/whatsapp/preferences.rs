//! What people choose in WhatsApp itself about the marketing of a business: changes of the field
//! `user_preferences`. Each choice is read by itself.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    envelope::changes,
    webhook::{Metadata, address},
};
use crate::report::MarketingStop;

/// The field whose changes hold choices.
const FIELD: &str = "user_preferences";

#[derive(Deserialize)]
struct Value<'a> {
    metadata: Metadata,
    #[serde(borrow, default)]
    user_preferences: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Preference {
    #[serde(default)]
    wa_id: Option<String>,
    #[serde(default)]
    user_id: Option<String>,
    category: String,
    value: String,
    /// Seconds since 1970, as a number or a text.
    timestamp: Box<RawValue>,
}

/// The people who have stopped marketing. Who resumes it is not told: what else stops
/// it here stays.
pub(crate) fn read_marketing_stops(body: &[u8]) -> Vec<MarketingStop> {
    let Ok(changes) = changes(body) else { return Vec::new() };
    let of_field = changes.into_iter().flatten().filter(|change| change.field == FIELD);
    let values =
        of_field.filter_map(|change| serde_json::from_str::<Value<'_>>(change.value.get()).ok());

    let stops = values.flat_map(|value| {
        let number = value.metadata.phone_number_id;
        let read = |one: &RawValue| serde_json::from_str::<Preference>(one.get()).ok();
        let all: Vec<Preference> = value.user_preferences.into_iter().filter_map(read).collect();
        all.into_iter().filter_map(move |one| stop(one, &number))
    });
    stops.collect()
}

fn stop(one: Preference, number: &str) -> Option<MarketingStop> {
    let is_stop = one.category == "marketing_messages" && one.value == "stop";
    let from = address(one.wa_id.as_deref(), one.user_id.as_deref()).filter(|_| is_stop)?;
    let at = one.timestamp.get().trim_matches('"');
    Some(MarketingStop { name: format!("{FIELD}:{from}:{at}"), from, to: number.to_owned() })
}
