//! What Postgres can store of a text: everything but U+0000, in `text` as in `jsonb`. A text from
//! outside that holds it is refused where somebody can correct it, and goes without it where
//! nobody can: what a person wrote, and what a model answered.

/// The one character that cannot be stored.
const UNSTORABLE: char = '\0';

/// Why a text is refused.
pub const UNSTORABLE_TEXT: &str = "the character U+0000 cannot be stored";

/// Whether a text can be stored as it is.
pub fn is_storable(text: &str) -> bool {
    !text.contains(UNSTORABLE)
}

/// A text as it can be stored.
pub fn storable(text: String) -> String {
    if is_storable(&text) { text } else { text.replace(UNSTORABLE, "") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_loses_what_cannot_be_stored_and_nothing_else() {
        assert_eq!(storable("S\0TO\0P".to_owned()), "STOP");
        assert_eq!(storable("\u{1}\u{fffd}".to_owned()), "\u{1}\u{fffd}");
        assert!(is_storable("") && !is_storable("\0"));
    }
}
