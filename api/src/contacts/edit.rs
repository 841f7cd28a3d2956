//! A change of one person as written: what is named is set, `null` clears it, what is not named
//! stays. Each field has the rule that it has when a contact is made.

use std::collections::BTreeMap;

use domain::template::MAX_VALUE;
use serde::{Deserialize, Deserializer};
use store::contacts::Contact;
use utoipa::{
    ToSchema,
    openapi::schema::{Object, ObjectBuilder, SchemaType, Type},
};

use super::read::{
    attributes, count_attributes, either, language, own_fields, region, tags, text, zone,
};
use crate::{
    fields,
    http::{Errors, FieldError},
};

/// A field of a change: none where it is not named, `Some(None)` where it is cleared.
type Named = Option<Option<String>>;

/// A change of a person. An empty text clears as `null` does.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = ContactChange)]
#[serde(deny_unknown_fields)]
pub(crate) struct Edit {
    /// The given name; null clears it.
    #[serde(default, deserialize_with = "named")]
    #[schema(value_type = Option<String>, max_length = 100)]
    first_name: Named,
    /// The family name; null clears it.
    #[serde(default, deserialize_with = "named")]
    #[schema(value_type = Option<String>, max_length = 100)]
    last_name: Named,
    /// ISO 639-1, such as `es`.
    #[serde(default, deserialize_with = "named")]
    #[schema(value_type = Option<String>, max_length = 100)]
    language: Named,
    /// An IANA zone, such as `America/New_York`, or an abbreviation of the United States.
    #[serde(default, deserialize_with = "named")]
    #[schema(value_type = Option<String>, max_length = 100)]
    time_zone: Named,
    /// The postal code, which tells a time zone; null clears it.
    #[serde(default, deserialize_with = "named")]
    #[schema(value_type = Option<String>, max_length = 100)]
    postal_code: Named,
    /// A state by its code, or ISO 3166-2.
    #[serde(default, deserialize_with = "named")]
    #[schema(value_type = Option<String>, max_length = 100)]
    region: Named,
    /// Another name of `region`.
    #[serde(default, deserialize_with = "named")]
    #[schema(value_type = Option<String>, max_length = 100)]
    state: Named,
    /// All the tags that the person is to have.
    #[serde(default)]
    #[schema(max_items = 50, max_length = 64)]
    tags: Option<Vec<String>>,
    /// Tags to add to those that are there.
    #[serde(default)]
    #[schema(max_items = 50, max_length = 64)]
    add_tags: Vec<String>,
    /// Tags to take off.
    #[serde(default)]
    #[schema(max_items = 50, max_length = 64)]
    remove_tags: Vec<String>,
    /// Own fields to set, 50 at most, or to clear with `null`. A name has 1 to 64 of a-z, 0-9 and
    /// `_`, a value 500 characters at most.
    #[serde(default)]
    #[schema(schema_with = attributes_schema)]
    attributes: BTreeMap<String, Option<String>>,
}

/// The schema of own fields, of which `null` clears one.
fn attributes_schema() -> Object {
    let value = SchemaType::from_iter([Type::String, Type::Null]);
    let value = ObjectBuilder::new().schema_type(value).max_length(Some(MAX_VALUE));
    own_fields("Own fields by name, to set or to clear with `null`.")
        .additional_properties(Some(value))
        .build()
}

fn named<'de, D: Deserializer<'de>>(decoder: D) -> Result<Named, D::Error> {
    Option::deserialize(decoder).map(Some)
}

/// The contact with a change, or everything that is wrong with the change.
pub(crate) fn edited(contact: &Contact, edit: Edit) -> Result<Contact, Vec<FieldError>> {
    let mut errors = Errors::default();
    let mut contact = contact.clone();
    let country = contact.country.parse().ok();

    if let Some(name) = edit.first_name {
        contact.first_name = text("first_name", name, &mut errors).unwrap_or_default();
    }
    if let Some(name) = edit.last_name {
        contact.last_name = text("last_name", name, &mut errors).unwrap_or_default();
    }
    if let Some(written) = edit.language {
        contact.language = language(written, &mut errors);
    }
    if let Some(written) = edit.time_zone {
        contact.time_zone = zone(written, &mut errors);
    }
    if let Some(written) = edit.postal_code {
        contact.postal_code = text("postal_code", written, &mut errors);
    }
    if let Some(written) = either(edit.region, edit.state, &mut errors) {
        contact.region = region(written, country, &mut errors);
    }

    if let Some(all) = edit.tags {
        contact.tags = tags(all, &mut errors);
    }
    contact.tags.extend(tags(edit.add_tags, &mut errors));
    fields::tags("remove_tags", edit.remove_tags.len(), &mut errors);
    contact.tags.retain(|tag| !edit.remove_tags.iter().any(|removed| removed.trim() == tag));
    contact.tags.sort();
    contact.tags.dedup();

    count_attributes(edit.attributes.len(), &mut errors);
    let (set, cleared): (Vec<_>, Vec<_>) =
        edit.attributes.into_iter().partition(|(_, value)| value.is_some());
    let set = set.into_iter().filter_map(|(name, value)| Some((name, value?)));
    contact.attributes.extend(attributes(set.collect(), &mut errors));
    for (name, _) in cleared {
        fields::variable_name("attributes", &name, &mut errors);
        contact.attributes.remove(&name);
    }

    if errors.is_empty() { Ok(contact) } else { Err(errors.into_vec()) }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;

    fn contact() -> Contact {
        Contact {
            contact_id: Uuid::nil(),
            number: "+12125550100".into(),
            country: "US".into(),
            first_name: "Ana".into(),
            last_name: "Ruiz".into(),
            language: Some("es".into()),
            time_zone: None,
            postal_code: Some("10001".into()),
            region: None,
            tags: vec!["a".into(), "b".into()],
            attributes: [("plan".to_owned(), "gold".to_owned())].into(),
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn change(change: Value) -> Result<Contact, Vec<FieldError>> {
        edited(&contact(), serde_json::from_value(change).expect("an edit"))
    }

    #[test]
    fn what_is_named_is_set_null_clears_and_the_rest_stays() {
        assert_eq!(change(json!({})).expect("nothing"), contact());

        let changed = change(json!({
            "last_name": null, "language": "en-US", "postal_code": "", "state": "fl",
            "attributes": { "plan": null, "shoe": "42" },
        }));
        let expected = Contact {
            last_name: String::new(),
            language: Some("en".into()),
            postal_code: None,
            region: Some("US-FL".into()),
            attributes: [("shoe".to_owned(), "42".to_owned())].into(),
            ..contact()
        };
        assert_eq!(changed.expect("a change"), expected);
    }

    #[test]
    fn tags_are_replaced_added_and_taken_off() {
        let tags = |edit| change(edit).expect("a change").tags;
        assert_eq!(tags(json!({ "remove_tags": ["a", "none"] })), ["b"]);
        assert_eq!(tags(json!({ "add_tags": ["c", "a"] })), ["a", "b", "c"]);
        assert_eq!(tags(json!({ "tags": ["z"], "add_tags": ["y"] })), ["y", "z"]);
        assert!(tags(json!({ "tags": [] })).is_empty());
    }

    #[test]
    fn every_field_that_is_wrong_is_named() {
        let wrong = json!({ "language": "klingon", "time_zone": "Mars", "add_tags": [""] });
        let errors = change(wrong).expect_err("wrong");
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["language", "time_zone"], "an empty tag is none");
    }
}
