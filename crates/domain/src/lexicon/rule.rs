//! A row of the lexicon, as logs and reviews name it.

use std::fmt;

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
