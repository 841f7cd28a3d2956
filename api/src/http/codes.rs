//! Every code that an error of a field can have. They do not change: programs go by them.

use serde::Serializer;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

/// The codes in alphabetical order, each with what it means.
pub(crate) const CODES: [(&str, &str); 55] = [
    ("ambiguous", "two things are said where one is meant"),
    ("common", "the password is easily guessed"),
    ("duplicate", "an item before this one has the same number, id or key"),
    ("duplicate_field", "the field is given twice"),
    ("empty", "the file has no lines"),
    ("empty_text", "the text is empty"),
    ("fixed", "the field cannot be changed in this state"),
    ("host_not_allowed", "the settings do not let the account of the sender be called"),
    ("invalid", "the value does not have the form that is described"),
    ("invalid_character", "the text holds a character that cannot be stored (U+0000)"),
    ("invalid_header", "the first line of the file cannot be read"),
    ("invalid_name", "the name has a character that names may not have"),
    ("invalid_number", "this is no phone number that can get texts"),
    ("invalid_query", "the parameter cannot be read"),
    ("invalid_template", "the text's variables cannot be read"),
    ("invalid_time", "this is no instant as RFC 3339 writes it"),
    ("invalid_type", "JSON of another type is needed"),
    ("key_reused", "the idempotency key was used with another body"),
    ("last_sender", "the pool has no other sender, and keeps one at least"),
    ("missing_variable", "the text needs this variable, and the contact may not have it"),
    ("no_phone_number", "the person's address is no phone number"),
    ("no_weight", "one variant must have a weight above 0"),
    ("not_allowed", "the host is not one that may be called here, or there is no sandbox"),
    ("not_csv", "the file is no table of text"),
    ("not_found", "there is no such thing in this tenant"),
    ("other_channel", "the campaign goes by another channel"),
    ("other_class", "the campaign has another class"),
    ("out_of_range", "the number or the count lies outside the limits"),
    ("required", "the field is missing"),
    ("reserved", "only the platform makes this"),
    ("template_disabled", "the carrier has stopped the template for good"),
    ("template_paused", "the carrier has paused the template"),
    ("template_pending", "the carrier reviews the template still"),
    ("template_rejected", "the carrier has rejected the template, or not taken it"),
    ("template_unknown", "the carrier account has no such template in this language"),
    ("too_long", "the text is longer than the limit"),
    ("too_many", "there are more items than the limit"),
    ("too_short", "the text is shorter than the limit"),
    ("unexpected", "the field has no meaning beside the others"),
    ("unknown", "the word is not one of those that are listed"),
    ("unknown_campaign", "there is no such campaign"),
    ("unknown_carrier", "no such carrier is built in"),
    ("unknown_column", "the file has no column of this name"),
    ("unknown_field", "there is no field of this name"),
    ("unknown_grain", "the span of a point is minute, hour or day"),
    ("unknown_language", "this is no language by ISO 639-1"),
    ("unknown_parameter", "the path has no parameter of this name"),
    ("unknown_template", "there is no such template, or not in this version"),
    ("unknown_topic", "the topic is `dashboard` or `campaign:<id>`"),
    ("unknown_variable", "no contact has this variable"),
    ("unsendable_text", "the text holds a character that cannot be sent"),
    ("unsupported", "this is not served here"),
    ("unusable", "the sender carries nothing now, or no sender of the pool does"),
    ("variable", "the text is sent as it is written, and has a variable in it"),
    ("wrong_currency", "the amount is not in the tenant's currency"),
];

/// Writes a code. One that is not in the list is a defect, which tests find.
pub(super) fn serialize<S: Serializer>(code: &&'static str, s: S) -> Result<S::Ok, S::Error> {
    debug_assert!(CODES.iter().any(|(known, _)| known == code), "{code} is not in the list");
    s.serialize_str(code)
}

/// The codes as the document has them.
pub(super) fn schema() -> Object {
    let meanings = CODES.map(|(code, means)| format!("- `{code}`: {means}")).join("\n");
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(format!(
            "What is wrong, for programs; codes do not change.\n\n{meanings}"
        )))
        .enum_values(Some(CODES.map(|(code, _)| code)))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_listed_once_and_in_order() {
        assert!(CODES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
