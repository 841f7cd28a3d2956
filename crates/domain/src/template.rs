//! Templates: texts with variables, the choice among variants, and the opt-out line.
//!
//! `{first_name}` stands for a value of the contact, `{first_name|friend}` for the value or, where
//! there is none, `friend`. `{{first_name}}` says the same, as other systems write it. `\{` and
//! `\}` are braces, and `\\` before a brace is a backslash. Values are never read as templates.

mod opt_out;
mod variant;

use std::fmt;

pub use opt_out::{opt_out_line, with_opt_out_line};
pub use variant::pick_variant;

use crate::invisible::visible;

/// The longest template text, in bytes: four times the longest body that a carrier takes.
pub const MAX_TEMPLATE: usize = 6_400;

/// The longest value of a variable, in characters. Longer ones are refused where they come in: a
/// value is put into a text as a whole, and never cut off.
pub const MAX_VALUE: usize = 500;

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
    #[error("a brace at byte {at} has no partner: write \\{{ or \\}} for a brace itself")]
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
            let rest = &text[brace..];
            if push_unescaped(&mut plain, &text[read..brace]) {
                plain.push_str(&rest[..1]);
                read = brace + 1;
                continue;
            }

            let (part, length) = match doubled(rest) {
                Some(doubled) => doubled,
                // What is no variable between doubled braces: each pair is a brace.
                None if rest.starts_with("{{") || rest.starts_with("}}") => {
                    plain.push_str(&rest[..1]);
                    read = brace + 2;
                    continue;
                }
                None => {
                    let inside = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
                    let (inside, _) = inside.ok_or(TemplateError::Unbalanced { at: brace })?;
                    (variable(inside, brace)?, inside.len() + 2)
                }
            };
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(part);
            read = brace + length;
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

    /// The variables that must have a value: those without a fallback.
    pub fn required(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable { name, fallback: None } => Some(name.as_str()),
            Part::Variable { fallback: Some(_), .. } | Part::Text(_) => None,
        })
    }

    /// What every text of the template has, whatever its values.
    pub fn plain_text(&self) -> String {
        let plain = self.parts.iter().filter_map(|part| match part {
            Part::Text(plain) => Some(plain.as_str()),
            Part::Variable { .. } => None,
        });
        plain.collect()
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
        let mut parts = self.parts.iter().peekable();
        while let Some(part) = parts.next() {
            match part {
                Part::Text(plain) => write_escaped(f, plain, parts.peek().is_some())?,
                Part::Variable { name, fallback: None } => write!(f, "{{{name}}}")?,
                Part::Variable { name, fallback: Some(other) } => write!(f, "{{{name}|{other}}}")?,
            }
        }
        Ok(())
    }
}

/// Takes over what is written before a brace: of its backslashes right before the brace each pair
/// is one. Says whether one more is left over, which makes the brace a brace.
fn push_unescaped(plain: &mut String, before: &str) -> bool {
    let text = before.trim_end_matches('\\');
    let backslashes = before.len() - text.len();
    plain.push_str(text);
    plain.extend(std::iter::repeat_n('\\', backslashes / 2));
    backslashes % 2 == 1
}

/// Writes plain text so that it is read as such; `is_followed`: by a variable.
fn write_escaped(f: &mut fmt::Formatter<'_>, plain: &str, is_followed: bool) -> fmt::Result {
    for piece in plain.split_inclusive(['{', '}']) {
        let text = piece.trim_end_matches(['{', '}']);
        let brace = &piece[text.len()..];
        f.write_str(text)?;
        if !brace.is_empty() || is_followed {
            f.write_str(&text[text.trim_end_matches('\\').len()..])?;
        }
        if !brace.is_empty() {
            write!(f, "\\{brace}")?;
        }
    }
    Ok(())
}

/// A variable between doubled braces at the start of a text, and how many bytes it takes.
fn doubled(text: &str) -> Option<(Part, usize)> {
    let (inside, _) = text.strip_prefix("{{")?.split_once("}}")?;
    let part = variable(inside, 0).ok().filter(|_| !inside.contains('}'))?;
    Some((part, inside.len() + 4))
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

/// A value as it is put into a text: in one line.
fn clean(value: &str) -> impl Iterator<Item = char> {
    value.chars().map(|c| if c.is_control() { ' ' } else { c })
}
