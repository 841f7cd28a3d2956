//! Characters that nobody sees: zero-width ones, marks of direction, selectors of form. They come
//! along when people copy a name or a number, and each of them turns a whole text into UCS-2.

use std::borrow::Cow;

/// Whether a character shows nothing and takes no room: those of Unicode's
/// `Default_Ignorable_Code_Point` (DerivedCoreProperties), the interlinear marks, and the blank of
/// Braille, with which people make empty names.
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Whether a text shows nothing: it is empty, or holds blanks and what nobody sees alone.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_invisible(c))
}

/// A text without what nobody sees in it. Joiners and selectors of form stay behind characters that
/// they act on: emoji, and scripts in which letters join.
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || !text.chars().any(is_invisible) {
        return Cow::Borrowed(text);
    }

    let mut kept = String::with_capacity(text.len());
    for c in text.chars() {
        let acts =
            acts_on_its_neighbour(c) && kept.ends_with(|before: char| before >= FIRST_JOINING);
        if acts || !is_invisible(c) {
            kept.push(c);
        }
    }
    Cow::Owned(kept)
}

/// The first character behind which a joiner may mean something: before it are Latin, Greek,
/// Cyrillic and Armenian letters, which never join.
const FIRST_JOINING: char = '\u{590}';

/// Joiners, selectors of form, and the tags that make an emoji a flag.
fn acts_on_its_neighbour(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0020}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_blank_that_shows_nothing() {
        for text in ["", " \n", "\u{200b}\u{2060}", "\u{3000}\u{fe0f}", "\u{3164} \u{2800}"] {
            assert!(is_blank(text), "{text:?}");
        }
        for text in ["x", "\u{200b}x", ".", "❤\u{fe0f}"] {
            assert!(!is_blank(text), "{text:?}");
        }
    }

    #[test]
    fn what_nobody_sees_is_left_out_and_what_forms_a_character_stays() {
        for (text, expected) in [
            ("Ann", "Ann"),
            ("An\u{200b}n\u{feff}", "Ann"),
            ("\u{202a}Ann\u{202c}\u{ad}\u{2060}", "Ann"),
            ("A\u{200d}n\u{fe0f}n\u{200c}", "Ann"),
            ("\u{3164}\u{200e}", ""),
            ("José\u{200b}", "José"),
            ("👩\u{200d}👧", "👩\u{200d}👧"),
            ("❤\u{fe0f}", "❤\u{fe0f}"),
            ("می\u{200c}خواهم", "می\u{200c}خواهم"),
            ("می\u{200b}خواهم", "میخواهم"),
        ] {
            assert_eq!(visible(text), expected, "{text:?}");
        }
    }
}
