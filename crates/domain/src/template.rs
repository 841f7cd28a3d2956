//! Templates: texts with variables, the choice among variants, and the opt-out line.
//!
//! `{first_name}` stands for a value of the contact, `{first_name|friend}` for the value or, where
//! there is none, `friend`. `{{` and `}}` are braces. Values are never read as templates.

mod opt_out;
mod variant;

use std::fmt;

pub use opt_out::{opt_out_line, with_opt_out_line};
pub use variant::pick_variant;

use crate::invisible::visible;

/// The longest template text, in bytes: four times the longest body that a carrier takes.
pub const MAX_TEMPLATE: usize = 6_400;

/// The longest value that is put into a text, in characters; the rest is cut off. A name is
/// shorter; a field of a bad import would otherwise cost segments.
pub const MAX_VALUE: usize = 160;

/// A parsed template: parse once per version, render per contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable { name: String, fallback: Option<String> },
}

/// Why a template cannot be used, or not for this contact.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Longer than [`MAX_TEMPLATE`].
    #[error("the template is longer than {MAX_TEMPLATE} bytes")]
    TooLong,
    /// A `{` without `}`, or a `}` without `{`.
    #[error("a brace at byte {at} has no partner: write {{{{ or }}}} for a brace itself")]
    Unbalanced {
        /// Where it is, in bytes from the start.
        at: usize,
    },
    /// A name that is empty or has other characters than `a-z`, `0-9` and `_`.
    #[error("`{name}` is not a variable name: use a-z, 0-9 and _")]
    BadName {
        /// What is written between the braces.
        name: String,
    },
    /// A variable that contacts do not have. Found when the template is saved.
    #[error("there is no variable `{name}`")]
    UnknownVariable {
        /// The name that is not known.
        name: String,
    },
    /// The contact has no value and the template no fallback.
    #[error("the contact has no `{name}` and the template gives no fallback")]
    MissingValue {
        /// The variable without a value.
        name: String,
    },
}

impl Template {
    /// Reads a template text.
    ///
    /// # Errors
    /// [`TemplateError::TooLong`], [`TemplateError::Unbalanced`] or [`TemplateError::BadName`].
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.len() > MAX_TEMPLATE {
            return Err(TemplateError::TooLong);
        }

        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut read = 0;
        while let Some(offset) = text[read..].find(['{', '}']) {
            let brace = read + offset;
            plain.push_str(&text[read..brace]);
            let rest = &text[brace..];
            if rest.starts_with("{{") || rest.starts_with("}}") {
                plain.push_str(&rest[..1]);
                read = brace + 2;
                continue;
            }

            let inside = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
            let Some((inside, _)) = inside else {
                return Err(TemplateError::Unbalanced { at: brace });
            };
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(variable(inside, brace)?);
            read = brace + inside.len() + 2;
        }

        plain.push_str(&text[read..]);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self { parts })
    }

    /// The variables, in order of appearance, repeated where they are.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable { name, .. } => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// Checks that every variable is one that contacts can have.
    ///
    /// # Errors
    /// [`TemplateError::UnknownVariable`] for the first that is not.
    pub fn check(&self, is_known: impl Fn(&str) -> bool) -> Result<(), TemplateError> {
        match self.variables().find(|name| !is_known(name)) {
            Some(name) => Err(TemplateError::UnknownVariable { name: name.to_owned() }),
            None => Ok(()),
        }
    }

    /// The text for one contact. A value that is absent, blank or of nothing that can be seen takes
    /// the fallback. Control characters in values become blanks, so that a field cannot break a
    /// text into lines; characters that cannot be seen are left out, so that they cost no segments.
    ///
    /// # Errors
    /// [`TemplateError::MissingValue`] for the first variable with neither value nor fallback.
    pub fn render<'v>(
        &self,
        value: impl Fn(&str) -> Option<&'v str>,
    ) -> Result<String, TemplateError> {
        let mut text = String::with_capacity(160);
        for part in &self.parts {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Variable { name, fallback } => {
                    let own = value(name).map(visible);
                    let own = own.as_deref().map(str::trim).filter(|own| !own.is_empty());
                    match (own, fallback) {
                        (Some(own), _) => text.extend(clean(own)),
                        (None, Some(fallback)) => text.push_str(fallback),
                        (None, None) => {
                            return Err(TemplateError::MissingValue { name: name.clone() });
                        }
                    }
                }
            }
        }
        Ok(text)
    }
}

/// The template's text again, such that parsing it gives the same template.
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Text(plain) => {
                    f.write_str(&plain.replace('{', "{{").replace('}', "}}"))?;
                }
                Part::Variable { name, fallback: None } => write!(f, "{{{name}}}")?,
                Part::Variable { name, fallback: Some(other) } => write!(f, "{{{name}|{other}}}")?,
            }
        }
        Ok(())
    }
}

/// Reads what is written between two braces, the first of which is at byte `at`.
fn variable(inside: &str, at: usize) -> Result<Part, TemplateError> {
    let (name, fallback) = match inside.split_once('|') {
        Some((name, fallback)) => (name.trim(), Some(fallback.to_owned())),
        None => (inside.trim(), None),
    };
    if inside.contains('{') {
        return Err(TemplateError::Unbalanced { at });
    }

    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if name.is_empty() || !name.bytes().all(allowed) {
        return Err(TemplateError::BadName { name: name.to_owned() });
    }
    Ok(Part::Variable { name: name.to_owned(), fallback })
}

/// A value as it is put into a text: cut off, and in one line.
fn clean(value: &str) -> impl Iterator<Item = char> {
    value.chars().take(MAX_VALUE).map(|c| if c.is_control() { ' ' } else { c })
}
