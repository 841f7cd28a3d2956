//! Patterns of words, as the rows of the lexicon write them.
//!
//! `stop texting|messaging me? .. $`: alternatives with `|`, an optional word with `?`, up to
//! three words of any kind with `..`, one word of any kind with `*`, a number with `#`, the start
//! and end of the message with `^` and `$`. `@texts` stands for each word of the class that the
//! language's file has under this name.

use std::{collections::HashMap, ops::Range};

use super::normal::MASK;

/// A row's pattern, parsed.
#[derive(Debug)]
pub(super) struct Pattern {
    parts: Vec<Part>,
    from_start: bool,
    to_end: bool,
}

#[derive(Debug)]
enum Part {
    Word(Vec<&'static str>),
    Optional(Vec<&'static str>),
    Gap,
    Any,
    Number,
}

/// How many words `..` may stand for.
const GAP: usize = 3;

/// The classes of words that a language's patterns name.
pub(super) type Classes = HashMap<&'static str, Vec<&'static str>>;

impl Pattern {
    /// Reads a row. It must begin with a required word: patterns are looked up by it.
    pub(super) fn parse(text: &'static str, classes: &Classes) -> Self {
        let body = text.trim_start_matches('^').trim_end_matches('$').trim();
        let parts = body.split_whitespace().map(|part| match part.strip_suffix('?') {
            _ if part == ".." => Part::Gap,
            _ if part == "*" => Part::Any,
            _ if part == "#" => Part::Number,
            Some(words) => Part::Optional(options(words, classes)),
            None => Part::Word(options(part, classes)),
        });

        Self {
            parts: parts.collect(),
            from_start: text.starts_with('^'),
            to_end: text.ends_with('$'),
        }
    }

    /// The words of the pattern, for the check that they are in normal form.
    #[cfg(test)]
    pub(super) fn vocabulary(&self) -> impl Iterator<Item = &'static str> {
        self.parts.iter().flat_map(|part| match part {
            Part::Word(words) | Part::Optional(words) => words.clone(),
            Part::Gap | Part::Any | Part::Number => Vec::new(),
        })
    }

    /// The words that the pattern can begin with.
    pub(super) fn first(&self) -> &[&'static str] {
        match self.parts.first() {
            Some(Part::Word(words)) => words,
            Some(Part::Optional(_) | Part::Gap | Part::Any | Part::Number) | None => {
                panic!("a pattern of the lexicon begins with a required word")
            }
        }
    }

    /// The words that the pattern matches from this one on; never an empty range.
    pub(super) fn find_from(&self, words: &[&str], start: usize) -> Option<Range<usize>> {
        if self.from_start && start > 0 {
            return None;
        }
        Some(start..self.matches(&self.parts, self.to_end, words, start)?)
    }

    /// Whether the pattern matches all of the words, from the first to the last.
    pub(super) fn is_whole(&self, words: &[&str]) -> bool {
        self.matches(&self.parts, true, words, 0).is_some()
    }

    /// The index behind a match of these parts from this word on, if they match.
    fn matches(&self, parts: &[Part], to_end: bool, words: &[&str], index: usize) -> Option<usize> {
        let Some((part, rest)) = parts.split_first() else {
            return (!to_end || index == words.len()).then_some(index);
        };

        let is = |known: &dyn Fn(&str) -> bool| words.get(index).is_some_and(|word| known(word));
        let is_one_of = |options: &[&str]| is(&|word| options.contains(&word));
        let next = |index| self.matches(rest, to_end, words, index);
        match part {
            Part::Word(options) if is_one_of(options) => next(index + 1),
            Part::Any if is(&|word| word != MASK) => next(index + 1),
            Part::Number if is(&|word| word.bytes().all(|c| c.is_ascii_digit())) => next(index + 1),
            Part::Word(_) | Part::Any | Part::Number => None,
            Part::Optional(options) => {
                is_one_of(options).then(|| next(index + 1)).flatten().or_else(|| next(index))
            }
            Part::Gap => {
                let furthest = words.len().min(index + GAP);
                (index..=furthest).find_map(next)
            }
        }
    }
}

/// The words that a part lists, those of its classes among them.
fn options(part: &'static str, classes: &Classes) -> Vec<&'static str> {
    let words = |option: &'static str| match option.strip_prefix('@') {
        Some(name) => classes.get(name).expect("a class of the language").clone(),
        None => vec![option],
    };
    part.split('|').flat_map(words).collect()
}

#[cfg(test)]
mod tests {
    use super::{Classes, Pattern};

    fn matches(pattern: &'static str, text: &str) -> bool {
        let words: Vec<&str> = text.split(' ').collect();
        let classes = Classes::from([("pets", vec!["cat", "dog"])]);
        let pattern = Pattern::parse(pattern, &classes);
        (0..words.len()).any(|start| pattern.find_from(&words, start).is_some())
    }

    #[test]
    fn a_pattern_matches_words_alternatives_options_and_gaps() {
        assert!(matches("stop texting|calling", "please stop calling me"));
        assert!(!matches("stop texting|calling", "please stop"));

        assert!(
            matches("no more? texts", "no texts") && matches("no more? texts", "no more texts")
        );

        assert!(matches("take .. off", "take me and him off"));
        assert!(!matches("take .. off", "take a b c d off"));

        assert!(matches("^ stop it $", "stop it") && !matches("^ stop it $", "stop it please"));
        assert!(!matches("^ stop", "do stop") && matches("stop $", "do stop"));

        assert!(matches("^ stop * $", "stop sales") && !matches("^ stop * $", "stop _"));
        assert!(matches("feed @pets|bird", "feed dog") && matches("feed @pets|bird", "feed bird"));
        assert!(!matches("feed @pets", "feed pets"));

        assert!(matches("end # $", "end 12345") && !matches("end # $", "end sales"));
    }
}
