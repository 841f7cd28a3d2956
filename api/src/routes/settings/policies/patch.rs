//! What a patch of a policy looks like in the document: a policy in which every rule may be left
//! out or null. It is made of the policy's own schema, so that no rule is missing in it.

use std::{borrow::Cow, collections::HashMap};

use domain::gates::Policy;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{AnyOfBuilder, Object, ObjectBuilder, Schema, SchemaType, Type},
    },
};

/// Schemas by their names.
type Parts = HashMap<String, RefOr<Schema>>;

/// The body of a patch, as the document has it.
pub(super) struct PolicyPatch;

impl PartialSchema for PolicyPatch {
    fn schema() -> RefOr<Schema> {
        let mut parts = Vec::new();
        Policy::schemas(&mut parts);
        let RefOr::T(Schema::Object(policy)) = Policy::schema() else { return Policy::schema() };

        let mut patch = patch(policy, &parts.into_iter().collect());
        let about = "Rules with their new values; null is the default. What is left out stays.";
        patch.description = Some(about.into());
        patch.into()
    }
}

impl ToSchema for PolicyPatch {
    fn name() -> Cow<'static, str> {
        "PolicyPatch".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Policy::schemas(schemas);
    }
}

/// An object whose members may all be null, those of inner objects too. What a member is about
/// stands beside both.
fn patch(mut object: Object, parts: &Parts) -> Object {
    for rule in object.properties.values_mut() {
        let mut member = member(rule, parts);
        let about = taken_description(&mut member);
        let null = ObjectBuilder::new().schema_type(Type::Null);
        *rule = AnyOfBuilder::new().description(about).item(member).item(null).into();
    }
    object
}

/// What a schema is about, taken out of it; none where it does not say.
fn taken_description(schema: &mut RefOr<Schema>) -> Option<String> {
    match schema {
        RefOr::Ref(to) => Some(std::mem::take(&mut to.description)).filter(|said| !said.is_empty()),
        RefOr::T(Schema::Object(value)) => value.description.take(),
        RefOr::T(Schema::Array(values)) => values.description.take(),
        RefOr::T(_) => None,
    }
}

/// A member of a patch: what it leaves out has no default, an object is a patch again, and null is
/// not said here.
fn member(rule: &RefOr<Schema>, parts: &Parts) -> RefOr<Schema> {
    let mut rule = rule.clone();

    match &mut rule {
        RefOr::Ref(to) => {
            to.default = None;
            let name = to.ref_location.rsplit('/').next().unwrap_or_default();
            if let Some(RefOr::T(Schema::Object(inner))) = parts.get(name)
                && !inner.properties.is_empty()
            {
                let mut inner = patch(inner.clone(), parts);
                inner.description = Some(to.description.clone());
                return inner.into();
            }
        }
        RefOr::T(Schema::Object(value)) => {
            value.default = None;
            if let SchemaType::Array(types) = &value.schema_type
                && let Some(other) = types.iter().find(|one| **one != Type::Null)
            {
                value.schema_type = other.clone().into();
            }
        }
        RefOr::T(Schema::Array(values)) => values.default = None,
        RefOr::T(_) => {}
    }
    rule
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_of_a_policy_may_be_null_in_a_patch() {
        let patch = wire::json::to_value(&PolicyPatch::schema());
        let rules = wire::json::to_value(&Policy::default());
        for rule in rules.as_object().expect("rules").keys() {
            assert_eq!(patch["properties"][rule]["anyOf"][1]["type"], "null", "{rule}");
            assert!(patch["properties"][rule]["description"].is_string(), "{rule}");
            assert!(patch["properties"][rule]["anyOf"][0]["description"].is_null(), "{rule}");
        }
        assert_eq!(patch["properties"]["help_contact"]["anyOf"][0]["type"], "string");

        let quota = &patch["properties"]["quota"]["anyOf"][0];
        assert_eq!(quota["properties"]["per_day"]["anyOf"][1]["type"], "null");
        assert!(!patch.to_string().contains("\"default\":"), "{patch}");
    }
}
