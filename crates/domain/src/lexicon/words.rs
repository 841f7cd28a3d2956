//! The built-in words: `data/lexicon/<language>.tsv`, one row per kind and pattern.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
    sync::LazyLock,
};

use super::{
    pattern::{Classes, Pattern},
    rule::LexiconRule,
};
use crate::language::Language;

/// What a row is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// A keyword that opts out as a whole message, and as a sentence of its own in a longer one.
    Stop,
    /// A keyword that opts out only as the whole message: it has a common other meaning.
    StopAlone,
    /// A pattern that opts out wherever it stands.
    Phrase,
    /// A pattern that does not opt out, taken out before phrases are looked for.
    Not,
    /// A pattern that opts out even where a `Not` overlaps it.
    Always,
    /// A pattern that opts out only as the whole message.
    Whole,
    /// A pattern that opts out as a whole clause, unless a clause behind it takes it back ("Stop
    /// it! I love it").
    Clause,
    /// A pattern of the words with which somebody says that they are not the one who was meant; the
    /// name stands behind them ("I'm not Ann").
    Stranger,
    /// A pattern behind a keyword by which its writer takes it back ("Stop. Never mind").
    TakenBack,
    /// A pattern of the texts that machines answer an opt-out, opt-in or HELP with: ours, those of
    /// other companies, those of carriers.
    Automatic,
    /// A pattern of the texts that machines answer whatever comes: that somebody is away, that
    /// nothing was delivered, that nobody reads.
    Away,
    /// The words before what a reaction quotes.
    Reaction,
    /// Likewise, where a sign stands before them: "👍 to".
    ReactionSign,
    /// Likewise, where words of [`Kind::ReactionBehind`] stand behind the quotation: "Hat".
    ReactionBefore,
    /// The words behind what a reaction quotes: "geliebt".
    ReactionBehind,
    /// What a reaction is to that cannot be quoted: "an image".
    ReactionThing,
    /// A keyword that opts in.
    Start,
    /// A keyword that opts in unless it answers a question.
    StartUnlessAsked,
    /// A keyword that asks for help.
    Help,
    /// A word with which questions begin.
    Question,
    /// A word that may stand around a keyword without changing it.
    Courtesy,
    /// A pattern by which an outbound text tells how to opt out.
    Line,
}

/// A row with a pattern.
#[derive(Debug)]
struct PatternRow {
    pattern: Pattern,
    rule: LexiconRule,
}

/// All rows of all languages.
#[derive(Debug)]
pub(super) struct Words {
    patterns: Vec<PatternRow>,
    /// The indices of the patterns that begin with a word, by kind.
    starts: HashMap<(Kind, &'static str), Vec<usize>>,
    keywords: HashMap<(Kind, &'static str), LexiconRule>,
    single: HashSet<(Kind, &'static str)>,
}

impl Words {
    /// Where a pattern of a kind first matches, and its rule.
    pub(super) fn find(&self, kind: Kind, words: &[&str]) -> Option<(LexiconRule, Range<usize>)> {
        self.find_behind(kind, words, 0)
    }

    /// Likewise, from one word on.
    fn find_behind(
        &self,
        kind: Kind,
        words: &[&str],
        from: usize,
    ) -> Option<(LexiconRule, Range<usize>)> {
        words.iter().enumerate().skip(from).find_map(|(start, word)| {
            let rows = self.starts.get(&(kind, *word))?;
            rows.iter().find_map(|index| {
                let row = &self.patterns[*index];
                Some((row.rule, row.pattern.find_from(words, start)?))
            })
        })
    }

    /// From the first word that patterns of a kind match to the last, and the rule of the first
    /// match.
    pub(super) fn span(&self, kind: Kind, words: &[&str]) -> Option<(LexiconRule, Range<usize>)> {
        let (rule, mut span) = self.find(kind, words)?;
        while let Some((_, next)) = self.find_behind(kind, words, span.end) {
            span.end = next.end;
        }
        Some((rule, span))
    }

    /// The rule of a kind's pattern that the words match from the first to the last.
    pub(super) fn whole(&self, kind: Kind, words: &[&str]) -> Option<LexiconRule> {
        let rows = self.starts.get(&(kind, *words.first()?))?;
        let mut rows = rows.iter().map(|index| &self.patterns[*index]);
        rows.find(|row| row.pattern.is_whole(words)).map(|row| row.rule)
    }

    /// The rule of a keyword that is the whole message.
    pub(super) fn keyword(&self, kind: Kind, message: &str) -> Option<LexiconRule> {
        self.keywords.get(&(kind, message)).copied()
    }

    /// Whether a list of single words has this one.
    pub(super) fn has_word(&self, kind: Kind, word: &str) -> bool {
        self.single.contains(&(kind, word))
    }
}

/// The built-in words, read once.
pub(super) static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let mut words = Words {
        patterns: Vec::new(),
        starts: HashMap::new(),
        keywords: HashMap::new(),
        single: HashSet::new(),
    };

    for language in Language::ALL {
        let mut classes = Classes::new();
        let rows = source(language).lines().filter(|row| !row.starts_with('#') && !row.is_empty());
        for row in rows {
            let (name, text) = row.split_once('\t').expect("two columns in the lexicon");
            if name == CLASS {
                let (name, members) = text.split_once(' ').expect("a name and its words");
                classes.insert(name, members.split('|').collect());
            } else {
                add(&mut words, &classes, language, name, text);
            }
        }
    }
    words
});

/// The first column of a row that names a class of words for the patterns below it.
const CLASS: &str = "class";

/// Adds one row of a language's file.
fn add(
    words: &mut Words,
    classes: &Classes,
    language: Language,
    name: &'static str,
    text: &'static str,
) {
    let kind = kind(name);
    let rule = LexiconRule { language, kind: name, words: text };

    match kind {
        Kind::Stop
        | Kind::StopAlone
        | Kind::Start
        | Kind::StartUnlessAsked
        | Kind::Help
        | Kind::Reaction
        | Kind::ReactionSign
        | Kind::ReactionBefore
        | Kind::ReactionBehind
        | Kind::ReactionThing => {
            // The first language that has a keyword names it: STOP is English in every file.
            for keyword in text.split('|') {
                let rule = LexiconRule { words: keyword, ..rule };
                words.keywords.entry((kind, keyword)).or_insert(rule);
            }
        }
        Kind::Phrase
        | Kind::Not
        | Kind::Always
        | Kind::Whole
        | Kind::Clause
        | Kind::Stranger
        | Kind::TakenBack
        | Kind::Automatic
        | Kind::Away
        | Kind::Line => {
            let pattern = Pattern::parse(text, classes);
            for first in pattern.first() {
                words.starts.entry((kind, *first)).or_default().push(words.patterns.len());
            }
            words.patterns.push(PatternRow { pattern, rule });
        }
        Kind::Question | Kind::Courtesy => {
            words.single.extend(text.split('|').map(|word| (kind, word)));
        }
    }
}

/// The kind that a row's first column names.
fn kind(name: &str) -> Kind {
    match name {
        "stop" => Kind::Stop,
        "stop_alone" => Kind::StopAlone,
        "phrase" => Kind::Phrase,
        "not" => Kind::Not,
        "always" => Kind::Always,
        "whole" => Kind::Whole,
        "clause" => Kind::Clause,
        "stranger" => Kind::Stranger,
        "taken_back" => Kind::TakenBack,

        "automatic" => Kind::Automatic,
        "away" => Kind::Away,
        "reaction" => Kind::Reaction,
        "reaction_sign" => Kind::ReactionSign,
        "reaction_before" => Kind::ReactionBefore,
        "reaction_behind" => Kind::ReactionBehind,
        "reaction_thing" => Kind::ReactionThing,

        "start" => Kind::Start,
        "start_unless_asked" => Kind::StartUnlessAsked,
        "help" => Kind::Help,
        "question" => Kind::Question,
        "courtesy" => Kind::Courtesy,
        "line" => Kind::Line,
        other => panic!("the lexicon has no kind {other}"),
    }
}

/// The rows of a language, as they are built in.
fn source(language: Language) -> &'static str {
    match language {
        Language::En => include_str!("../../data/lexicon/en.tsv"),
        Language::Es => include_str!("../../data/lexicon/es.tsv"),
        Language::Fr => include_str!("../../data/lexicon/fr.tsv"),
        Language::Pt => include_str!("../../data/lexicon/pt.tsv"),
        Language::De => include_str!("../../data/lexicon/de.tsv"),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::normal, *};

    #[test]
    fn every_word_of_the_lexicon_is_in_the_form_that_texts_are_compared_in() {
        let keywords = WORDS.keywords.keys().map(|(_, keyword)| *keyword);
        let single = WORDS.single.iter().map(|(_, word)| *word);
        let patterns = WORDS.patterns.iter().flat_map(|row| row.pattern.vocabulary());

        for text in keywords.chain(single).chain(patterns) {
            assert_eq!(
                normal::words(&normal::fold(text)).join(" "),
                text,
                "a row could never match"
            );
        }
    }

    #[test]
    fn no_keyword_means_two_things() {
        let mut seen = HashMap::new();
        for (kind, keyword) in WORDS.keywords.keys() {
            assert_eq!(seen.insert(*keyword, *kind), None, "{keyword}");
        }
    }
}
