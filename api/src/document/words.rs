//! Closed sets of words that the API alone knows, as the document has them. Sets that others have
//! too are described beside their types.

use std::borrow::Cow;

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{Object, ObjectBuilder, Schema, Type},
    },
};

/// The schema of a text that is one of these words.
pub(crate) fn words<const N: usize>(words: [&str; N]) -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).build()
}

/// The schema of texts by name, each of at most `longest` characters.
pub(crate) fn texts_by_name(about: &str, longest: usize) -> ObjectBuilder {
    let text = ObjectBuilder::new().schema_type(Type::String).max_length(Some(longest));
    ObjectBuilder::new().description(Some(about)).additional_properties(Some(text))
}

/// Makes a type for the document alone out of each set: a field names it as its `value_type`.
macro_rules! sets {
    ($($(#[doc = $about:literal])+ $name:ident [$($word:literal),+];)*) => {$(
        $(#[doc = $about])+
        pub(crate) enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let mut set = words([$($word),+]);
                set.description = Some([$($about.trim()),+].join(" "));
                set.into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )*};
}

/// Makes a type for the document alone out of each body that is a text: a file, lines, a form. Its
/// limit is in bytes, which no fewer characters have.
macro_rules! texts {
    ($($(#[doc = $about:literal])+ $name:ident $most:literal;)*) => {$(
        $(#[doc = $about])+
        pub(crate) enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let about = [$($about.trim()),+].join(" ");
                let text = ObjectBuilder::new().schema_type(Type::String).description(Some(about));
                text.max_length(Some($most)).into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )*};
}

texts! {
    /// A table of contacts, 512 MiB at most.
    ContactFile 536_870_912;
    /// A table of numbers, 4 MiB at most.
    DoNotContactFile 4_194_304;
    /// A message in each line, 4 MiB at most.
    MessageLines 4_194_304;
    /// A form as the carrier writes it, 1 MiB at most.
    WebhookForm 1_048_576;
}

sets! {
    /// What a stop or its end is about: everything of the tenant, or one program.
    ConsentScope ["tenant", "program"];
    /// What can be added to a ledger of consent; `confirm` is the second half of a double opt-in.
    NewConsentAction ["grant", "confirm", "revoke", "restore"];
    /// How a consent that a tenant records can have been captured.
    NewConsentMethod [
        "web_form", "keyword", "paper", "voice", "email", "point_of_sale", "in_app", "import", "api"
    ];
    /// Why a number must not be texted: it is on the list, or the person has opted out.
    StopCause ["do_not_contact", "opted_out"];
    /// What became of one row of a list of numbers.
    DoNotContactOutcome ["created", "unchanged", "invalid"];
    /// What stands in a timeline; the field of its name says more of it, of `opt_out` that of
    /// `consent`.
    TimelineKindName ["message", "text", "phone", "consent", "opt_out", "note", "campaign"];
    /// What became of one contact of a list. `duplicate`: one before it has the same number.
    ContactOutcome ["created", "updated", "unchanged", "duplicate", "invalid"];
    /// What somebody makes of senders.
    SenderStatus ["active", "inactive", "quarantined"];
    /// What became of one sender of a list.
    StatusOutcome ["changed", "unchanged", "not_found"];
    /// The alphabet of a file.
    FileEncoding ["UTF-8", "UTF-16", "Windows-1252"];
    /// The span of one point of a series.
    SeriesGrain ["minute", "hour", "day"];
    /// What a carrier reports: what became of a text, or a text from a person.
    WebhookPart ["status", "inbound"];
}
