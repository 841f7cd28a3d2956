//! A template that the carrier keeps, as WhatsApp does: reviewed before it is used, and sent by its
//! name with values for its variables.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::storable::is_storable;

/// The most parameters; more than any template that WhatsApp approves has.
pub const MAX_PARAMETERS: usize = 50;

/// The longest parameter, in characters: a body has at most 1,024 in all.
pub const MAX_PARAMETER: usize = 1_024;

/// The longest name, in characters.
const MAX_NAME: usize = 512;

/// A template of the carrier's, with the values of its body's variables in their order. Made by
/// [`CarrierTemplate::new`] alone, so that what is sent is what the carrier takes. `Debug` hides
/// the values.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CarrierTemplate {
    /// Its name at the carrier.
    pub name: String,
    /// Its language, as the carrier writes it: `en_US`.
    pub language: String,
    /// The values of its variables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<String>,
}

/// Why there is no such template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadCarrierTemplate {
    /// The name is none.
    #[error("a template's name is 1 to 512 of a-z, 0-9 and _")]
    Name,
    /// The language is none.
    #[error("a template's language is written as en or en_US")]
    Language,
    /// There are more parameters than any template has.
    #[error("a template has at most 50 parameters")]
    TooMany,
    /// The parameter of this index says nothing, is too long or cannot be sent.
    #[error("a parameter has 1 to 1024 characters that can be sent, and says something")]
    Parameter(usize),
}

impl CarrierTemplate {
    /// A template with its parameters as the carrier takes them: line breaks, tabs and runs of
    /// spaces become one space, since WhatsApp refuses them (error 132018).
    ///
    /// # Errors
    /// What is wrong; a blank parameter is, because the carrier refuses it.
    pub fn new(
        name: &str,
        language: &str,
        parameters: &[String],
    ) -> Result<Self, BadCarrierTemplate> {
        let of_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if !(1..=MAX_NAME).contains(&name.len()) || !name.bytes().all(of_name) {
            return Err(BadCarrierTemplate::Name);
        }
        if !is_language(language) {
            return Err(BadCarrierTemplate::Language);
        }
        if parameters.len() > MAX_PARAMETERS {
            return Err(BadCarrierTemplate::TooMany);
        }

        let checked = parameters.iter().enumerate().map(|(index, text)| {
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let fits = (1..=MAX_PARAMETER).contains(&text.chars().count());
            let fits = fits && is_storable(&text) && !crate::invisible::is_blank(&text);
            fits.then_some(text).ok_or(BadCarrierTemplate::Parameter(index))
        });
        let parameters = checked.collect::<Result<Vec<String>, _>>()?;
        Ok(Self { name: name.to_owned(), language: language.to_owned(), parameters })
    }

    /// What is stored and shown as its text: its name and language, and the values.
    pub fn shown(&self) -> String {
        let head = format!("{} ({})", self.name, self.language);
        match self.parameters.as_slice() {
            [] => head,
            values => format!("{head}: {}", values.join(" | ")),
        }
    }
}

impl fmt::Debug for CarrierTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, language, parameters } = self;
        write!(f, "CarrierTemplate({name}, {language}, {} parameters)", parameters.len())
    }
}

/// `en`, `en_US`, `zh_CN`, `fil`: a language of two or three letters, and perhaps a country.
fn is_language(text: &str) -> bool {
    let (language, country) = text.split_once('_').map_or((text, None), |(l, c)| (l, Some(c)));
    let is_country = |country: &str| {
        (2..=4).contains(&country.len()) && country.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    (2..=3).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_lowercase())
        && country.is_none_or(is_country)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(parameters: &[&str]) -> Result<Vec<String>, BadCarrierTemplate> {
        let parameters: Vec<String> = parameters.iter().map(|text| (*text).to_owned()).collect();
        CarrierTemplate::new("order_shipped", "en_US", &parameters).map(|of| of.parameters)
    }

    #[test]
    fn parameters_are_sent_on_one_line_with_single_spaces() {
        let values = with(&["Ana", " 12\tHigh\n\nStreet ", "a    b"]);
        assert_eq!(values, Ok(vec!["Ana".into(), "12 High Street".into(), "a b".into()]));
    }

    #[test]
    fn a_blank_parameter_is_refused_by_its_index() {
        for blank in ["", " \n\t ", "\u{200b}", "\u{2800}"] {
            let refused = with(&["Ana", blank]);
            assert_eq!(refused, Err(BadCarrierTemplate::Parameter(1)), "{blank:?}");
        }
        assert_eq!(with(&[&"x".repeat(1_025)]), Err(BadCarrierTemplate::Parameter(0)));
        assert_eq!(with(&["x"; 51]), Err(BadCarrierTemplate::TooMany));
    }

    #[test]
    fn names_and_languages_have_the_carriers_form() {
        let made = |name: &str, language: &str| CarrierTemplate::new(name, language, &[]).map(drop);
        for language in ["en", "en_US", "zh_CN", "fil", "pt_BR"] {
            assert_eq!(made("hello_world", language), Ok(()), "{language}");
        }
        for language in ["", "EN", "en-US", "english", "en_", "e"] {
            assert_eq!(made("hello", language), Err(BadCarrierTemplate::Language), "{language}");
        }
        for name in ["", "Hello", "a b", "a-b", &"a".repeat(513)] {
            assert_eq!(made(name, "en"), Err(BadCarrierTemplate::Name), "{name}");
        }
    }

    #[test]
    fn what_is_shown_names_the_template_and_its_values() {
        let values = ["Ana".to_owned(), "7".to_owned()];
        let template = CarrierTemplate::new("order", "de", &values).expect("right");
        assert_eq!(template.shown(), "order (de): Ana | 7");
    }
}
