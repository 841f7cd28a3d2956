//! Whom a campaign is for, as callers write it and as it is stored.

use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{AdditionalProperties, ArrayBuilder, ObjectBuilder, OneOfBuilder, Schema, Type},
    },
};

use crate::{fields, http::Errors};

/// An audience as callers write it.
pub(super) struct NewCampaignAudience;

impl PartialSchema for NewCampaignAudience {
    fn schema() -> RefOr<Schema> {
        let tag =
            ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(64));
        let tags = ArrayBuilder::new()
            .items(tag)
            .min_items(Some(1))
            .max_items(Some(50))
            .description(Some("Contacts that have all of them."));
        let all = ObjectBuilder::new()
            .schema_type(Type::Boolean)
            .enum_values(Some([true]))
            .description(Some("Every contact."));
        let alone = |name: &str, value: RefOr<Schema>| {
            ObjectBuilder::new()
                .property(name, value)
                .required(name)
                .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)))
        };

        let about = "Contacts with all of these tags, or everyone: that is said, and never meant \
            by saying nothing.";
        OneOfBuilder::new()
            .item(alone("tags", tags.into()))
            .item(alone("all", all.into()))
            .description(Some(about))
            .into()
    }
}

impl ToSchema for NewCampaignAudience {}

/// Contacts with all of these tags, or everyone: that is said, and never meant by saying nothing.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = CampaignAudience)]
#[serde(deny_unknown_fields)]
pub(super) struct Audience {
    /// Contacts that have all of them; none beside `all`.
    #[serde(default)]
    #[schema(max_items = 50, min_length = 1, max_length = 64)]
    tags: Vec<String>,
    /// Every contact of the tenant.
    #[serde(default)]
    all: bool,
}

impl Audience {
    pub(super) fn check(&self, errors: &mut Errors) {
        fields::tags("audience.tags", self.tags.len(), errors);
        for tag in &self.tags {
            fields::tag("audience.tags", tag, errors);
        }

        let detail = "say tags, or all: true for every contact";
        errors.check(self.all || !self.tags.is_empty(), "audience", "required", detail);
        let both = self.all && !self.tags.is_empty();
        errors.check(!both, "audience", "ambiguous", "give tags or all, not both");
    }

    /// What is stored, read back; none where this version cannot.
    pub(super) fn of_stored(stored: &Value) -> Option<Self> {
        let audience: Self = serde_json::from_value(stored.clone()).ok()?;
        let all = audience.all || audience.tags.is_empty();
        Some(Self { all, ..audience })
    }

    /// As it is stored: no tags are everyone.
    pub(super) fn stored(&self) -> Value {
        if self.all { json!({ "all": true }) } else { json!({ "tags": self.tags }) }
    }
}
