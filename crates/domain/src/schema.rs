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
    country::Country, ids::TenantId, money::Currency, phone::PhoneNumber, quiet_hours::Window,
};

macro_rules! texts {
    ($($name:ident, $about:literal, $pattern:literal, $example:literal;)*) => {$(
        impl PartialSchema for $name {
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

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )*};
}

texts! {
    Country, "A country by its ISO 3166-1 alpha-2 code.", "^[A-Z]{2}$", "US";
    Currency, "A currency by its ISO 4217 code.", "^[A-Z]{3}$", "USD";
    PhoneNumber, "A number in E.164.", r"^\+[1-9][0-9]{1,14}$", "+12125550123";
    TenantId, "A tenant by its short name.", "^[a-z0-9-]{2,32}$", "acme";
    Window, "When something is allowed, local time: days and hours, several with commas between; \
        or `never`.", "^(never|.*[0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2})$", "mon-sat 08:00-21:00";
}
