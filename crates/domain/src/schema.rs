//! How documents describe values that are written as texts.

use std::borrow::Cow;

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{ObjectBuilder, Schema, Type},
    },
};

use crate::{
    country::Country, gates::SwitchMode, ids::TenantId, money::Currency, phone::PhoneNumber,
    quiet_hours::Window,
};

/// The schema of a value that is one of a fixed set of words.
pub fn words(about: &str, words: impl IntoIterator<Item = &'static str>) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(about))
        .enum_values(Some(words))
        .build()
        .into()
}

/// Describes enums that are written by their names: each has `ALL` and `as_str`.
#[macro_export]
macro_rules! described_words {
    ($($name:ident, $about:literal;)*) => {$(
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                $crate::schema::words($about, $name::ALL.iter().map(|word| word.as_str()))
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )*};
}

described_words! {
    SwitchMode, "What a switch does to the messages that it is over: they go on, wait, or are \
        never sent.";
}

macro_rules! texts {
    ($($type:ty, $name:literal, $about:literal, $pattern:literal, $example:literal;)*) => {$(
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some($about))
                    .pattern(Some($pattern))
                    .examples([$example])
                    .build()
                    .into()
            }
        }

        impl ToSchema for $type {
            fn name() -> Cow<'static, str> {
                $name.into()
            }
        }
    )*};
}

texts! {
    Country, "Country", "A country by its ISO 3166-1 alpha-2 code.", "^[A-Z]{2}$", "US";
    Currency, "Currency", "A currency by its ISO 4217 code.", "^[A-Z]{3}$", "USD";
    PhoneNumber, "PhoneNumber", "A number in E.164.", r"^\+[1-9][0-9]{1,14}$", "+12125550123";
    TenantId, "TenantId", "A tenant by its short name.", "^[a-z0-9-]{2,32}$", "acme";
    Window, "QuietWindow", "When something is allowed, local time: days and hours, several with \
        commas between; or `never`.",
        "^(never|.*[0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2})$", "mon-sat 08:00-21:00";
}
