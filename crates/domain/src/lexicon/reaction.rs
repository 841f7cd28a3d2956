//! Reactions: what phones send as a text where somebody has put a heart on a message. They quote
//! what was sent (`Liked “Sale. Reply STOP to opt out”`), and their person has said none of it.

use super::{
    normal,
    words::{Kind, WORDS},
};

/// The signs that begin and end a quotation, in all languages with built-in words.
const OPENING: [char; 4] = ['“', '"', '«', '„'];
const CLOSING: [char; 4] = ['”', '"', '»', '“'];

/// How many words a reaction has that quotes nothing: `Removed a question mark from a photo`.
const LONGEST_OF_THING: usize = 8;

/// What a reaction leaves of a text: nothing, or what its writer has added behind the quotation.
/// None for a text that is no reaction.
pub(super) fn rest(text: &str) -> Option<&str> {
    let text = text.trim();
    if is_of_thing(text) {
        return Some("");
    }

    let (start, sign) = text.char_indices().find(|(_, c)| OPENING.contains(c))?;
    let (head, quoted) = (&text[..start], &text[start + sign.len_utf8()..]);
    is_head(head).then(|| after_quotation(quoted))
}

/// What stands behind the last sign that ends a quotation; nothing where none does: a long one is
/// cut off.
fn after_quotation(quoted: &str) -> &str {
    quoted.rsplit_once(CLOSING).map_or("", |(_, rest)| rest)
}

/// Whether these are the words before the quotation: `Liked`, or a sign and `to`.
fn is_head(head: &str) -> bool {
    let folded = normal::fold(head);
    let words = normal::words(&folded).join(" ");
    let is = |kind| WORDS.keyword(kind, &words).is_some();
    is(Kind::Reaction) || (has_sign(head) && is(Kind::ReactionSign))
}

/// Whether a text reacts to what cannot be quoted: `Loved an image`.
fn is_of_thing(text: &str) -> bool {
    let folded = normal::fold(text);
    let words = normal::words(&folded);
    words.len() <= LONGEST_OF_THING
        && (1..words.len()).any(|at| {
            let (head, thing) = (words[..at].join(" "), words[at..].join(" "));
            let is_head = WORDS.keyword(Kind::Reaction, &head).is_some()
                || (has_sign(text) && WORDS.keyword(Kind::ReactionSign, &head).is_some());
            is_head && WORDS.keyword(Kind::ReactionThing, &thing).is_some()
        })
}

/// Whether there is a sign that no sentence has: an emoji.
fn has_sign(text: &str) -> bool {
    let is_sign = |c: char| !c.is_ascii() && !c.is_alphanumeric() && !c.is_whitespace();
    text.chars().any(|c| is_sign(c) && !normal::is_invisible(c))
}
