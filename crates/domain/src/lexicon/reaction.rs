//! Reactions: what phones send as a text where somebody has put a heart on a message. They quote
//! what was sent (`Liked “Sale. Reply STOP to opt out”`), and their person has said none of it.

use super::{
    normal, opt_out,
    words::{Kind, WORDS},
};
use crate::invisible::is_invisible;

/// The signs that begin a quotation, in all languages with built-in words, and those that end it.
const QUOTES: [(char, &[char]); 7] = [
    ('“', &['”']),
    ('"', &['"']),
    ('«', &['»']),
    ('»', &['«']),
    ('„', &['“', '”', '"']),
    ('‘', &['’']),
    ('\'', &['\'']),
];

/// How many words a reaction has that quotes nothing: `Removed a question mark from a photo`.
const LONGEST_OF_THING: usize = 8;

/// What a reaction leaves of a text: nothing, or what its writer has added behind the quotation.
/// None for a text that is no reaction.
pub(super) fn rest(text: &str) -> Option<&str> {
    let text = text.trim();
    if is_of_thing(text) || is_sign_alone(text) {
        return Some("");
    }

    text.char_indices().find_map(|(start, sign)| {
        let (_, closing) = QUOTES.iter().find(|(opening, _)| *opening == sign)?;
        let (head, quoted) = (&text[..start], &text[start + sign.len_utf8()..]);
        let rest = after_quotation(quoted, closing);
        if is_head(head) {
            return Some(if is_behind(&letters(rest)) { "" } else { rest });
        }
        is_around(head, rest).then_some("")
    })
}

/// What stands behind the last sign that ends a quotation; nothing where none does: a long one is
/// cut off.
fn after_quotation<'a>(quoted: &'a str, closing: &[char]) -> &'a str {
    quoted.rsplit_once(closing).map_or("", |(_, rest)| rest)
}

/// Whether these are the words before the quotation: `Liked`, or a sign and `to`.
fn is_head(head: &str) -> bool {
    let words = letters(head);
    let is = |kind| WORDS.keyword(kind, &words).is_some();
    is(Kind::Reaction) || (has_sign(head) && is(Kind::ReactionSign))
}

/// Whether these are the words around the quotation, where a language has some behind it: `Hat „…“
/// geliebt`.
fn is_around(head: &str, rest: &str) -> bool {
    WORDS.keyword(Kind::ReactionBefore, &letters(head)).is_some() && is_behind(&letters(rest))
}

/// Whether these are words behind the quotation: `Reacted to “…” with 👍`.
fn is_behind(words: &str) -> bool {
    WORDS.keyword(Kind::ReactionBehind, words).is_some()
}

/// The words of a text without its signs: the stop sign of `Reacted 🛑 to` is none of them, and a
/// keycap has no number.
fn letters(text: &str) -> String {
    let is_kept = |c: &char| c.is_alphabetic() || c.is_whitespace() || *c == '-';
    let letters: String = text.chars().filter(is_kept).collect();
    normal::words(&normal::fold(&letters)).join(" ")
}

/// Whether a text is a sign and nothing else: `👍`. The stop sign says stop, and so do letters that
/// flags are made of.
fn is_sign_alone(text: &str) -> bool {
    let says = |c: char| c.is_alphanumeric() || matches!(c, '?' | '¿' | '？');
    has_sign(text) && !text.contains(says) && opt_out::find(text).is_none()
}

/// Whether a text reacts to what cannot be quoted: `Loved an image`, `Liked 3 images`.
fn is_of_thing(text: &str) -> bool {
    let words = letters(text);
    let words = normal::words(&words);
    let is = |kind, words: &[&str]| WORDS.keyword(kind, &words.join(" ")).is_some();
    let is_thing = |words: &[&str], least_behind: usize| {
        (1..=words.len().saturating_sub(least_behind)).any(|end| {
            let (thing, behind) = words.split_at(end);
            let is_whole = behind.is_empty() || is(Kind::ReactionBehind, behind);
            is(Kind::ReactionThing, thing) && is_whole
        })
    };

    words.len() <= LONGEST_OF_THING
        && (1..words.len()).any(|at| {
            let (head, rest) = words.split_at(at);
            let is_head =
                is(Kind::Reaction, head) || (has_sign(text) && is(Kind::ReactionSign, head));
            (is_head && is_thing(rest, 0)) || (is(Kind::ReactionBefore, head) && is_thing(rest, 1))
        })
}

/// Whether there is a sign that no sentence has: an emoji.
fn has_sign(text: &str) -> bool {
    let is_sign = |c: char| !c.is_ascii() && !c.is_alphanumeric() && !c.is_whitespace();
    text.chars().any(|c| is_sign(c) && !is_invisible(c))
}
