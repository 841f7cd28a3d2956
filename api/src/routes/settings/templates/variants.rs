//! The variants of a template: checked when they are saved, so that no campaign finds out later.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    draft::{self, CONTACT_FIELDS},
    message::class::MessageClass,
    template::{MAX_TEMPLATE, Template},
};
use serde::{Deserialize, Serialize};
use utoipa::{
    ToSchema,
    openapi::schema::{Object, ObjectBuilder, Type},
};

use crate::{fields, http::Errors};

/// How many variants a template may have.
const MOST: usize = 26;

/// One way to say it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = TemplateVariant)]
#[serde(deny_unknown_fields)]
pub(crate) struct Variant {
    /// Its name in analytics, which no other variant of the version has.
    #[schema(min_length = 1, max_length = 32, example = "a")]
    pub(crate) key: String,
    /// How often it is chosen, in relation to the others; one at least is above 0.
    #[schema(maximum = 10000)]
    weight: u32,
    /// Texts by language.
    #[schema(schema_with = bodies)]
    pub(crate) bodies: BTreeMap<String, String>,
}

/// What the document says of bodies.
fn bodies() -> Object {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    ObjectBuilder::new()
        .property_names(Some(text().pattern(Some("^[a-z]{2}$"))))
        .additional_properties(Some(text().min_length(Some(1)).max_length(Some(MAX_TEMPLATE))))
        .min_properties(Some(1))
        .description(Some(
            "Texts by language, by its two small letters of ISO 639-1; at least one. A text has 1 \
             to 6,400 bytes and takes at most 10 segments. `{first_name|friend}` stands for a \
             value or, where there is none, for `friend`.",
        ))
        .build()
}

/// Checks variants against what contacts have and what is declared.
pub(super) fn check(variants: &[Variant], declared: &[String], errors: &mut Errors) {
    errors.check((1..=MOST).contains(&variants.len()), "variants", "out_of_range", "1 to 26");
    fields::variables("variables", declared.len(), errors);
    for name in declared {
        fields::variable_name("variables", name, errors);
    }

    let mut keys = BTreeSet::new();
    for (index, variant) in variants.iter().take(MOST).enumerate() {
        let new = keys.insert(variant.key.as_str());
        check_variant(&format!("variants[{index}]"), variant, new, declared, errors);
    }

    let chosen = variants.iter().any(|variant| variant.weight > 0);
    errors.check(chosen, "variants", "no_weight", "at least one weight above 0");
}

/// Checks one variant. `has_own_key`: no variant before it has the same key.
fn check_variant(
    path: &str,
    variant: &Variant,
    has_own_key: bool,
    declared: &[String],
    errors: &mut Errors,
) {
    let field = |name: &str| format!("{path}.{name}");
    errors.text(&field("key"), &variant.key, 1, 32);
    errors.check(has_own_key, &field("key"), "duplicate", "each variant has its own key");
    errors.check(variant.weight <= 10_000, &field("weight"), "out_of_range", "0 to 10000");

    if variant.bodies.is_empty() {
        errors.add(&field("bodies"), "required", "at least one language");
    }
    for (language, body) in &variant.bodies {
        let field = field(&format!("bodies.{language}"));
        let is_code = fields::is_language(language);
        errors.check(is_code, &field, "unknown_language", "a code such as en or es");
        if let Some(template) = check_body(&field, body, declared, errors) {
            // Which class it is for is not known yet, so no opt-out line is counted.
            let fits = draft::fits(&template.plain_text(), MessageClass::Transactional);
            errors.check(fits, &field, "too_long", draft::TOO_LONG);
        }
    }
}

/// Checks one text: its form, and that every variable is one that there is. Answers it, read.
pub(super) fn check_body(
    field: &str,
    body: &str,
    declared: &[String],
    errors: &mut Errors,
) -> Option<Template> {
    errors.text(field, body, 1, usize::MAX);
    let known = |name: &str| {
        CONTACT_FIELDS.contains(&name) || declared.iter().any(|declared| declared == name)
    };
    let template = match Template::parse(body) {
        Ok(template) => template,
        Err(why) => {
            errors.add(field, "invalid_template", why.to_string());
            return None;
        }
    };

    let unknown: BTreeSet<_> = template.variables().filter(|name| !known(name)).collect();
    for name in unknown {
        let detail = format!(
            "there is no variable {{{name}}}: use {}, or declare it in variables",
            CONTACT_FIELDS.join(", ")
        );
        errors.add(field, "unknown_variable", detail);
    }
    Some(template)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(body: &str, declared: &[&str]) -> Vec<(String, &'static str)> {
        let bodies = [("en".to_owned(), body.to_owned())].into();
        let variants = [Variant { key: "a".into(), weight: 1, bodies }];
        let declared: Vec<_> = declared.iter().map(|name| (*name).to_owned()).collect();
        let mut errors = Errors::default();

        check(&variants, &declared, &mut errors);
        errors.into_vec().into_iter().map(|error| (error.field, error.code)).collect()
    }

    #[test]
    fn an_unknown_variable_is_refused_by_its_field() {
        let field = "variants[0].bodies.en".to_owned();
        assert_eq!(errors("Hi {first_name|friend}, {code}", &["code"]), []);
        assert_eq!(errors("Hi {code}", &[]), [(field.clone(), "unknown_variable")]);
        assert_eq!(errors("Hi {first_name", &[]), [(field.clone(), "invalid_template")]);
        assert_eq!(errors("", &[]), [(field, "too_short")]);
    }
}
