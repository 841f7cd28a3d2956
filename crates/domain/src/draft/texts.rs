//! Texts of templates: the variants of a version, parsed once per batch, and the one that a contact
//! gets. A campaign may send a template of the carrier's instead.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Deserialize;
use uuid::Uuid;

use super::content::CarrierTemplate;
use crate::{
    ids::{CampaignId, ContactId, TemplateId, TenantId},
    template::{Template, pick_variant},
};

/// The parsed templates of a batch. A version that cannot be read is in here as a failure.
#[derive(Debug, Default)]
pub struct Texts {
    campaigns: HashMap<(TenantId, CampaignId), Option<CampaignText>>,
    templates: HashMap<(TenantId, TemplateId), Option<Variants>>,
}

/// Why there is no text, as a reason code.
pub type Code = &'static str;

/// What a campaign's messages are made from.
#[derive(Debug)]
pub enum CampaignText {
    /// The version of a template that it has fixed.
    Variants(Variants),
    /// A template of the carrier's, whose values may name fields of the contact.
    Carrier(CarrierTemplate),
}

/// The variants of one version.
#[derive(Debug)]
pub struct Variants {
    /// In the order of the weights.
    keys: Vec<String>,
    weights: Vec<u32>,
    /// By language, in the order of the weights.
    bodies: Vec<BTreeMap<String, Template>>,
}

/// The variant that a contact gets, in the language that it is in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PickedVariant<'a> {
    /// Its name within the version.
    pub key: &'a str,
    /// The language of the text, by ISO 639-1.
    pub language: &'a str,
    /// The text, with its variables.
    pub template: &'a Template,
}

/// As stored: `[{key, weight, bodies: {language: text}}]`.
#[derive(Deserialize)]
struct Variant {
    key: String,
    weight: u32,
    bodies: BTreeMap<String, String>,
}

impl Texts {
    /// Parses what was loaded: the variants of versions, and of a campaign's template of the
    /// carrier the template.
    pub fn parse(
        campaigns: HashMap<(TenantId, CampaignId), String>,
        templates: HashMap<(TenantId, TemplateId), String>,
    ) -> Self {
        Self {
            campaigns: campaigns
                .into_iter()
                .map(|(key, json)| (key, read_campaign(&json)))
                .collect(),
            templates: templates.into_iter().map(|(key, json)| (key, read(&json))).collect(),
        }
    }

    /// The templates of the carrier that campaigns send, each with the campaign's tenant.
    pub fn carrier_templates(&self) -> impl Iterator<Item = (&TenantId, &CarrierTemplate)> {
        self.campaigns.iter().filter_map(|((tenant, _), text)| match text {
            Some(CampaignText::Carrier(template)) => Some((tenant, template)),
            Some(CampaignText::Variants(_)) | None => None,
        })
    }

    /// What a campaign's messages are made from.
    ///
    /// # Errors
    /// `unknown_campaign`, or `bad_template` for what cannot be read.
    pub fn of_campaign(&self, tenant: &TenantId, id: CampaignId) -> Result<&CampaignText, Code> {
        let found = self.campaigns.get(&(tenant.clone(), id)).ok_or("unknown_campaign")?;
        found.as_ref().ok_or("bad_template")
    }

    /// The variants of a template's latest version.
    ///
    /// # Errors
    /// `unknown_template`, or `bad_template` for a version that cannot be read.
    pub fn of_template(&self, tenant: &TenantId, id: TemplateId) -> Result<&Variants, Code> {
        let found = self.templates.get(&(tenant.clone(), id)).ok_or("unknown_template")?;
        found.as_ref().ok_or("bad_template")
    }
}

impl Variants {
    /// The variables that some text of it needs a value for.
    pub fn required(&self) -> BTreeSet<&str> {
        let texts = self.bodies.iter().flat_map(BTreeMap::values);
        texts.flat_map(Template::required).collect()
    }

    /// Each text of it: the bytes that it always has, and the variables that add to them.
    pub fn shapes(&self) -> Vec<(usize, Vec<String>)> {
        let texts = self.bodies.iter().flat_map(BTreeMap::values);
        let shape = texts.map(|text| {
            let variables = text.variables().map(str::to_owned).collect();
            (text.plain_text().len(), variables)
        });
        shape.collect()
    }

    /// The variant of a contact, by stable hash of `picked_by` (the campaign, or the template) and
    /// contact, in the first of the languages that it has, else in its own first.
    ///
    /// # Errors
    /// `bad_template` for a version without texts or weights.
    pub fn pick<'a>(
        &'a self,
        picked_by: Uuid,
        contact: ContactId,
        languages: [Option<&str>; 2],
    ) -> Result<PickedVariant<'a>, Code> {
        let index = pick_variant(picked_by, contact.0, &self.weights).ok_or("bad_template")?;
        let (key, bodies) =
            self.keys.get(index).zip(self.bodies.get(index)).ok_or("bad_template")?;

        let wanted = languages.into_iter().flatten().find_map(|tag| in_language(bodies, tag));
        let (language, template) = wanted.or_else(|| bodies.iter().next()).ok_or("bad_template")?;
        Ok(PickedVariant { key, language, template })
    }
}

/// The body in a language: `es-MX` takes `es-MX` before `es`.
fn in_language<'a>(
    bodies: &'a BTreeMap<String, Template>,
    tag: &str,
) -> Option<(&'a String, &'a Template)> {
    let primary = tag.split(['-', '_']).next().unwrap_or(tag);
    bodies.get_key_value(tag).or_else(|| bodies.get_key_value(primary))
}

/// Parses what a campaign's messages are made from: a list of variants, or an object.
fn read_campaign(json: &str) -> Option<CampaignText> {
    if json.trim_start().starts_with('{') {
        return serde_json::from_str(json).ok().map(CampaignText::Carrier);
    }
    read(json).map(CampaignText::Variants)
}

/// Parses the variants of a version; none where one of them cannot be read.
fn read(json: &str) -> Option<Variants> {
    let variants: Vec<Variant> = serde_json::from_str(json).ok()?;
    let parse = |variant: &Variant| {
        let bodies = variant.bodies.iter();
        let parsed = bodies.map(|(tag, text)| Some((tag.clone(), Template::parse(text).ok()?)));
        parsed.collect::<Option<BTreeMap<_, _>>>()
    };

    Some(Variants {
        weights: variants.iter().map(|variant| variant.weight).collect(),
        bodies: variants.iter().map(parse).collect::<Option<_>>()?,
        keys: variants.into_iter().map(|variant| variant.key).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = r#"[
        {"key": "a", "weight": 1, "bodies": {"en": "Hi {first_name|there}", "es": "Hola"}},
        {"key": "b", "weight": 1, "bodies": {"en": "Hello"}}
    ]"#;

    fn contact(n: u128) -> ContactId {
        ContactId(Uuid::from_u128(n))
    }

    #[test]
    fn a_contact_gets_the_same_variant_every_time_and_contacts_share_the_variants() {
        let variants = read(TWO).expect("variants");
        let pick = |n| {
            let picked = variants.pick(Uuid::nil(), contact(n), [None, Some("en")])?;
            Ok::<_, Code>((picked.key, picked.template.to_string()))
        };
        let picked: Vec<_> = (0..200).map(|n| pick(n).expect("a text")).collect();
        assert_eq!(picked, (0..200).map(|n| pick(n).expect("a text")).collect::<Vec<_>>());

        let hello = picked.iter().filter(|(_, text)| text == "Hello").count();
        assert!((60..140).contains(&hello), "{hello}");
        for (key, text) in picked {
            assert_eq!(key == "b", text == "Hello", "the key is that of the text");
        }
    }

    #[test]
    fn the_contacts_language_comes_before_the_tenants_and_any_before_none() {
        let variants =
            read(&TWO.replace(
                r#""weight": 1, "bodies": {"en": "Hello"}"#,
                r#""weight": 0, "bodies": {}"#,
            ));
        let variants = variants.expect("variants");
        let language = |own, tenants| {
            let picked = variants.pick(Uuid::nil(), contact(1), [own, tenants]);
            picked.expect("a text").language
        };

        assert_eq!(language(Some("es"), Some("en")), "es");
        assert_eq!(language(Some("es-MX"), Some("en")), "es");
        assert_eq!(language(Some("fr"), Some("es")), "es");
        assert_eq!(language(Some("fr"), Some("de")), "en");
    }

    #[test]
    fn what_cannot_be_read_is_a_failure_and_not_a_text() {
        let unreadable = r#"[{"key": "a", "weight": 1, "bodies": {"en": "{oops"}}]"#;
        let unnamed = r#"[{"weight": 1, "bodies": {"en": "Hi"}}]"#;
        for bad in ["{}", "[{}]", unreadable, unnamed] {
            assert!(read(bad).is_none(), "{bad}");
        }
        let empty = read("[]").expect("no variants");
        assert!(empty.pick(Uuid::nil(), contact(1), [None, None]).is_err());

        let texts = Texts::default();
        let tenant: TenantId = "acme".parse().expect("a tenant");
        assert_eq!(
            texts.of_campaign(&tenant, CampaignId(Uuid::nil())).err(),
            Some("unknown_campaign")
        );
        assert_eq!(
            texts.of_template(&tenant, TemplateId(Uuid::nil())).err(),
            Some("unknown_template")
        );
    }
}
