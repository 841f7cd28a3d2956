//! A row of the lexicon, as logs and reviews name it, and how sure an opt-out by one is.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::language::Language;

/// A row of `data/lexicon/`: shown as `en:stop:unsubscribe`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LexiconRule {
    /// The language of the row; also a hint in which language to confirm.
    pub language: Language,
    /// The kind of row: `stop`, `phrase`, `start`, ...
    pub kind: &'static str,
    /// The words of the row.
    pub words: &'static str,
}

impl fmt::Display for LexiconRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.language.as_str(), self.kind, self.words)
    }
}

/// How sure an opt-out is. Both stop every text at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// 1: the whole message is a keyword. Confirmed once.
    Keyword,
    /// 2: the message says so in other words. Blocked now, reviewed by a person later.
    Phrase,
}

impl Tier {
    /// The tier as reports number it, 1 or 2.
    pub fn number(self) -> u8 {
        match self {
            Self::Keyword => 1,
            Self::Phrase => 2,
        }
    }
}
