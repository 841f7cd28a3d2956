//! The variants of a template: checked when they are saved, so that no campaign finds out later.

use std::collections::{BTreeMap, BTreeSet};

use domain::template::Template;
use serde::{Deserialize, Serialize};

use crate::{http::Errors, submit::message::MAX_BODY};

/// How many variants a template may have.
const MOST: usize = 26;

/// How many variables a template may declare.
const MOST_VARIABLES: usize = 50;

/// What every contact has, even if it is empty.
const CONTACT_FIELDS: [&str; 4] = ["first_name", "last_name", "postal_code", "region"];

/// One way to say it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Variant {
    /// Its name in analytics.
    key: String,
    /// How often it is chosen, in relation to the others.
    weight: u32,
    /// Texts by language.
    pub(super) bodies: BTreeMap<String, String>,
}

/// Checks variants against what contacts have and what is declared.
pub(super) fn check(variants: &[Variant], declared: &[String], errors: &mut Errors) {
    errors.check((1..=MOST).contains(&variants.len()), "variants", "out_of_range", "1 to 26");
    let few = declared.len() <= MOST_VARIABLES;
    errors.check(few, "variables", "too_many", "at most 50");
    for name in declared {
        let fine = (1..=64).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        errors.check(fine, "variables", "invalid_name", "names have 1 to 64 of a-z, 0-9 and _");
    }
    let mut keys = BTreeSet::new();
    for (at, variant) in variants.iter().take(MOST).enumerate() {
        let field = |name: &str| format!("variants[{at}].{name}");
        errors.text(&field("key"), &variant.key, 1, 32);
        let new = keys.insert(variant.key.as_str());
        errors.check(new, &field("key"), "duplicate", "each variant has its own key");
        errors.check(variant.weight <= 10_000, &field("weight"), "out_of_range", "0 to 10000");
        if variant.bodies.is_empty() {
            errors.add(&field("bodies"), "required", "at least one language");
        }
        for (language, body) in &variant.bodies {
            let field = field(&format!("bodies.{language}"));
            let code = language.len() == 2 && language.bytes().all(|b| b.is_ascii_lowercase());
            errors.check(code, &field, "unknown_language", "a code such as en or es");
            check_body(&field, body, declared, errors);
        }
    }
    let chosen = variants.iter().any(|variant| variant.weight > 0);
    errors.check(chosen, "variants", "no_weight", "at least one weight above 0");
}

/// Checks one text.
pub(super) fn check_body(field: &str, body: &str, declared: &[String], errors: &mut Errors) {
    errors.text(field, body, 1, MAX_BODY);
    let known = |name: &str| {
        CONTACT_FIELDS.contains(&name) || declared.iter().any(|declared| declared == name)
    };
    match Template::parse(body) {
        Err(why) => errors.add(field, "invalid_template", why.to_string()),
        Ok(template) => {
            let unknown: BTreeSet<_> = template.variables().filter(|name| !known(name)).collect();
            for name in unknown {
                let detail = format!(
                    "there is no variable {{{name}}}: use {}, or declare it in variables",
                    CONTACT_FIELDS.join(", ")
                );
                errors.add(field, "unknown_variable", detail);
            }
        }
    }
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
