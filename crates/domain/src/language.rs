//! The languages that texts are written in, as far as the built-in words reach.

use serde::{Deserialize, Serialize};

/// A language with built-in words: opt-out keywords, answers, the opt-out line.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English; it also stands in for every language without words of its own.
    #[default]
    En,
    /// Spanish, of Spain and of the Americas.
    Es,
    /// French, of France and of Canada.
    Fr,
    /// Portuguese, of Portugal and of Brazil.
    Pt,
    /// German, of all countries that speak it.
    De,
}

impl Language {
    /// Every language with words of its own.
    pub const ALL: [Self; 5] = [Self::En, Self::Es, Self::Fr, Self::Pt, Self::De];

    /// The two letters of ISO 639-1.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Es => "es",
            Self::Fr => "fr",
            Self::Pt => "pt",
            Self::De => "de",
        }
    }

    /// The language of a tag such as `es-MX` or `pt_BR`, by its first part.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or(tag);
        Self::ALL.into_iter().find(|language| language.as_str().eq_ignore_ascii_case(primary))
    }
}
