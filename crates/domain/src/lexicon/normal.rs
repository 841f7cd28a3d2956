//! The form in which texts and the words of the lexicon are compared.

use std::borrow::Cow;

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::invisible::is_invisible;

/// Nobody sees it, but as a blank.
const BRAILLE_BLANK: char = '\u{2800}';

/// The A and the Z of the letters that flags are made of.
const FIRST_IN_FLAGS: char = '\u{1f1e6}';
const LAST_IN_FLAGS: char = '\u{1f1ff}';

/// Fills the gap where words were taken out; no text has it as a word.
pub(super) const MASK: &str = "_";

/// How much of a text is read, in bytes: a carrier's longest, in the widest characters.
const MAX_BYTES: usize = 6_400;

/// The start of a text, cut at a character.
pub(super) fn head(text: &str) -> &str {
    let mut end = text.len().min(MAX_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The words of a folded text.
pub(super) fn words(folded: &str) -> Vec<&str> {
    folded.split(' ').filter(|word| !word.is_empty()).collect()
}

/// A text as its words, with blanks between: in lower case, without accents, apostrophes, signs and
/// emoji. Full-width letters are letters, and the stop sign counts as the word.
pub(super) fn fold(text: &str) -> String {
    let text = spell_signs(text);
    let mut folded = String::with_capacity(text.len());
    if text.is_ascii() {
        for byte in text.bytes().filter(|byte| !matches!(byte, b'\'' | b'`')) {
            let word = byte.is_ascii_alphanumeric();
            folded.push(if word { byte.to_ascii_lowercase().into() } else { ' ' });
        }
        return folded;
    }

    for c in text.nfkd().filter(|c| !is_combining_mark(*c)) {
        match c {
            // Contractions are one word, and people leave the apostrophe out anyway.
            '\'' | '’' | '‘' | 'ʼ' | '`' | '´' => {}
            // No boundary.
            BRAILLE_BLANK => folded.push(' '),
            c if is_invisible(c) => {}
            '🛑' => folded.push_str(" stop "),
            FIRST_IN_FLAGS..=LAST_IN_FLAGS => folded.extend(in_a_flag(c)),
            'ß' | 'ẞ' => folded.push_str("ss"),
            'œ' | 'Œ' => folded.push_str("oe"),
            c if c.is_alphanumeric() => folded.extend(c.to_lowercase()),
            _ => folded.push(' '),
        }
    }
    folded
}

/// The letter of a sign that flags are made of.
fn in_a_flag(c: char) -> Option<char> {
    let index = u32::from(c).checked_sub(u32::from(FIRST_IN_FLAGS))?;
    char::from_u32(u32::from('a') + index)
}

/// A number sign that numbers nothing ("wrong #") is the word, a dollar before a letter ("$top")
/// the letter that it looks like.
fn spell_signs(text: &str) -> Cow<'_, str> {
    if !text.contains(['#', '$']) {
        return Cow::Borrowed(text);
    }

    let mut spelled = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let next = rest.peek().copied();
        match c {
            '#' if !next.is_some_and(char::is_alphanumeric) => spelled.push_str(" number "),
            '$' if next.is_some_and(char::is_alphabetic) => spelled.push('s'),
            c => spelled.push(c),
        }
    }
    Cow::Owned(spelled)
}

/// The words, repetitions of a word dropped.
pub(super) fn once<'a>(words: &[&'a str]) -> Vec<&'a str> {
    let mut kept = words.to_vec();
    kept.dedup();
    kept
}

/// The words as one text, repetitions of a word dropped ("stop stop stop") and letters that were
/// spaced out put together ("S T O P").
pub(super) fn squeezed(words: &[&str]) -> String {
    if words.len() > 2 && words.iter().all(|word| word.chars().count() == 1) {
        return words.concat();
    }
    once(words).join(" ")
}

/// The parts of a text between signs that end a sentence or a thought. A hyphen inside a word
/// ("non-stop") is none.
pub(super) fn clauses(text: &str) -> impl Iterator<Item = &str> {
    text.split(['.', '!', '?', ';', ',', ':', '\n', '\r', '(', ')', '…', '–', '—', '"', '“', '”'])
        .flat_map(|part| part.split(" - "))
}
