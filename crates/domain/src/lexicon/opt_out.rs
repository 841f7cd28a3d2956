//! Whether a text says stop: by a keyword, or in other words.

use super::{
    lookalikes, normal,
    rule::{LexiconRule, Tier},
    words::{Kind, WORDS},
};

/// How long a keyword is at least that is known in two pieces, in bytes: shorter pieces are words.
const LEAST_BROKEN: usize = 8;

/// In how many ways the courtesies at one end are taken off: the last ones may be words of a
/// keyword ("ya no más").
const WAYS: usize = 4;

/// The opt-out that a text is, if it is one. In doubt it is.
pub(super) fn find(text: &str) -> Option<(Tier, LexiconRule)> {
    let folded = normal::fold(text);
    let words = normal::words(&folded);

    if let Some(rule) = keyword(&words, &[Kind::Stop, Kind::StopAlone]) {
        return Some((Tier::Keyword, rule));
    }

    let as_written = in_other_words(text, &words);
    let rule = as_written.or_else(|| {
        lookalikes::readings(&folded).iter().find_map(|read| {
            let words = normal::words(read);
            let stops = [Kind::Stop, Kind::StopAlone];
            keyword(&words, &stops).or_else(|| in_other_words(read, &words))
        })
    });
    let rule = rule.or_else(|| drawn_out(&words));
    rule.map(|rule| (Tier::Phrase, rule))
}

/// A keyword of which letters are written twice ("ALTOO").
fn drawn_out(words: &[&str]) -> Option<LexiconRule> {
    let once: Vec<String> = words.iter().map(|word| lookalikes::letters_once(word)).collect();
    let once: Vec<&str> = once.iter().map(String::as_str).collect();
    keyword(&once, &[Kind::Stop, Kind::StopAlone])
}

/// The opt-out that somebody has put behind a machine's text: a keyword that is its last clause.
pub(super) fn at_the_end(text: &str) -> Option<LexiconRule> {
    let clauses: Vec<&str> = normal::clauses(text).collect();
    let mut last = clauses.iter().rev();
    last.find(|clause| !normal::fold(clause).trim().is_empty()).and_then(|last| own_keyword(last))
}

/// An opt-out that is no keyword alone: a phrase, also in one clause (what means something else in
/// one excuses no other), a keyword of its own, or a whole message that says no more than stop.
fn in_other_words(text: &str, words: &[&str]) -> Option<LexiconRule> {
    let in_clause = |clause: &str| phrase(&normal::words(&normal::fold(clause)));
    phrase(words)
        .or_else(|| normal::clauses(text).find_map(in_clause))
        .or_else(|| keyword_that_stands(text))
        .or_else(|| normal::clauses(text).find_map(stranger))
        .or_else(|| {
            let words = without_other_meanings(&normal::once(words));
            without_courtesies(&words).find_map(|words| WORDS.whole(Kind::Whole, words))
        })
        .or_else(|| {
            let words = without_other_meanings(words);
            let mut messages = without_courtesies(&words);
            messages.find_map(|words| keyword(words, &[Kind::Stop, Kind::StopAlone]))
        })
}

/// A keyword that is the whole message, however often it is repeated, spaced out or broken in two
/// ("un-subscribe").
pub(super) fn keyword(words: &[&str], kinds: &[Kind]) -> Option<LexiconRule> {
    let message = normal::squeezed(words);
    let broken = match words {
        [start, end] if start.len() + end.len() >= LEAST_BROKEN => Some(words.concat()),
        _ => None,
    };
    kinds.iter().find_map(|kind| {
        let whole = WORDS.keyword(*kind, &message);
        whole.or_else(|| WORDS.keyword(*kind, broken.as_deref()?))
    })
}

/// A phrase anywhere in the words, outside of what is known to mean something else.
fn phrase(words: &[&str]) -> Option<LexiconRule> {
    let (rule, _) = WORDS
        .find(Kind::Always, words)
        .or_else(|| WORDS.find(Kind::Phrase, &without_other_meanings(words)))?;
    Some(rule)
}

/// The words, those masked that are known to mean something else.
fn without_other_meanings<'a>(words: &[&'a str]) -> Vec<&'a str> {
    let mut rest = words.to_vec();
    while let Some((_, range)) = WORDS.find(Kind::Not, &rest) {
        rest[range].fill(normal::MASK);
    }
    rest
}

/// A strong keyword that is a clause ("Who is this? Stop.") and that no clause behind it takes back
/// ("Stop. Never mind, see you Friday").
fn keyword_that_stands(text: &str) -> Option<LexiconRule> {
    let clauses: Vec<&str> = normal::clauses(text).collect();
    clauses.iter().enumerate().find_map(|(index, clause)| {
        let rule = own_keyword(clause)?;
        let behind = normal::fold(&clauses[index + 1..].join(" "));
        let taken_back = WORDS.find(Kind::TakenBack, &normal::words(&behind)).is_some();
        (!taken_back).then_some(rule)
    })
}

/// A clause by which its writer is not the one who was meant: "I'm not Ann", with a name of up to
/// two words behind what says so.
fn stranger(clause: &str) -> Option<LexiconRule> {
    let mut said = clause.trim();
    for _ in 0..2 {
        let (before, last) = said.rsplit_once(' ')?;
        if !is_name(last) {
            return None;
        }
        let folded = normal::fold(before);
        let rule = WORDS.whole(Kind::Stranger, &normal::words(&folded));
        if rule.is_some() {
            return rule;
        }
        said = before.trim_end();
    }
    None
}

/// Whether a word is written like a name; "OK" is none.
fn is_name(word: &str) -> bool {
    word.starts_with(char::is_uppercase)
        && word.chars().skip(1).all(char::is_lowercase)
        && word.chars().count() >= 3
}

/// A strong keyword, or what says as much, that is all of a clause, or has nothing but courtesies
/// around it ("please stop").
fn own_keyword(clause: &str) -> Option<LexiconRule> {
    let folded = normal::fold(clause);
    let words = without_other_meanings(&normal::words(&folded));
    without_courtesies(&words).find_map(|words| {
        keyword(words, &[Kind::Stop]).or_else(|| WORDS.whole(Kind::Clause, words))
    })
}

/// The words between the courtesies at both ends: without all of them first, and with none of them
/// last.
fn without_courtesies<'a, 'b>(words: &'b [&'a str]) -> impl Iterator<Item = &'b [&'a str]> {
    let courtesy = |word: &&&str| WORDS.has_word(Kind::Courtesy, word);
    let front = words.iter().take_while(courtesy).count();
    let back = words.iter().rev().take_while(courtesy).count();

    let ways = |all: usize| (0..WAYS.min(all)).map(move |kept| all - kept).chain([0]);
    let ends = ways(front).flat_map(move |front| ways(back).map(move |back| (front, back)));
    ends.filter_map(|(front, back)| words.get(front..words.len().checked_sub(back)?))
}
