//! How long a text may be. One limit: asked of a body before it is accepted, and of every text once
//! it is rendered.

use std::borrow::Cow;

use super::Code;
use crate::{
    encoding,
    language::Language,
    message::class::{Channel, MessageClass},
    storable::is_storable,
    template::{opt_out_line, with_opt_out_line},
};

/// The most segments that a message may take, its opt-out line included.
const MAX_SEGMENTS: u16 = 10;

/// What a text of more than 10 segments is told, where its class is not known: [`too_long`]
/// says more.
pub const TOO_LONG: &str = "the text takes more than 10 segments, its opt-out line included: \
                            1530 characters of the GSM alphabet, or 670 of UCS-2";

/// Whatever a text of so many bytes is made of, it takes no 10 segments.
pub const SURELY_FITS: usize = 300;

/// The text as it is sent: with the opt-out line where its class has one, as
/// [`encoding::as_sent`] writes it.
pub(super) fn complete(text: &str, class: MessageClass, language: Language) -> String {
    let complete = match class {
        MessageClass::Promo | MessageClass::Journey => with_opt_out_line(text, language),
        MessageClass::Conversational | MessageClass::Transactional | MessageClass::Compliance => {
            Cow::Borrowed(text)
        }
    };
    encoding::as_sent(&complete).into_owned()
}

/// The longest text on WhatsApp, in characters. It is one message, whatever its length.
const MAX_WHATSAPP: usize = 4_096;

/// The segments of a text that may be sent.
pub(super) fn measured(text: &str, channel: Channel) -> Result<u16, Code> {
    if !is_storable(text) {
        return Err("unsendable_text");
    }

    let segments = match channel {
        Channel::Sms => encoding::measure(text).segments,
        Channel::Whatsapp if text.chars().count() > MAX_WHATSAPP => return Err("too_long"),
        Channel::Whatsapp => 1,
    };
    if segments > MAX_SEGMENTS { Err("too_long") } else { Ok(segments) }
}

/// Likewise, where it is the opt-out line that makes it too long.
const TOO_LONG_WITH_LINE: &str = "the text takes more than 10 segments with the opt-out line that \
                                  is added to it, which takes up to 33 characters by the \
                                  recipient's language: write at most 1497 characters of the GSM \
                                  alphabet, or 637 of UCS-2";

/// What a text is told that does not fit ([`fits`]): whether it is too long by itself, or with the
/// opt-out line that messages of its class get.
pub fn too_long(text: &str, class: MessageClass) -> &'static str {
    let by_itself = measured(&encoding::as_sent(text), Channel::Sms) == Err("too_long");
    if by_itself || fits(text, class) { TOO_LONG } else { TOO_LONG_WITH_LINE }
}

/// Whether a text can be sent to anybody: the opt-out line is counted in the language whose line is
/// the longest, since a message is accepted before its recipient's language is known.
pub fn fits(text: &str, class: MessageClass) -> bool {
    text.len() <= SURELY_FITS
        || measured(&complete(text, class, longest_line()), Channel::Sms) != Err("too_long")
}

/// Likewise, where a text may take so many characters, whatever they are.
pub fn fits_in(text: &str, class: MessageClass, characters: usize) -> bool {
    complete(text, class, longest_line()).chars().count() <= characters
}

/// The language whose opt-out line is the longest.
fn longest_line() -> Language {
    let length = |language: &Language| opt_out_line(*language).chars().count();
    Language::ALL.into_iter().max_by_key(length).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLASSES: [MessageClass; 2] = [MessageClass::Transactional, MessageClass::Promo];

    #[test]
    fn a_limit_of_characters_holds_with_the_longest_opt_out_line() {
        let longest = |class| (0..=1_100).rev().find(|n| fits_in(&"я".repeat(*n), class, 1_024));
        assert_eq!(CLASSES.map(longest), [Some(1_024), Some(991)]);
    }

    #[test]
    fn the_limit_is_ten_segments_with_the_longest_opt_out_line() {
        let fitting = |unit: &str, class| (0..=1_700).rev().find(|n| fits(&unit.repeat(*n), class));
        // The German line and its break take 33.
        assert_eq!(CLASSES.map(|class| fitting("x", class)), [Some(1_530), Some(1_497)]);
        assert_eq!(CLASSES.map(|class| fitting("я", class)), [Some(670), Some(637)]);
    }

    #[test]
    fn a_text_that_is_too_long_is_told_whether_it_is_the_opt_out_line() {
        for (length, class, with_line) in [
            (1_498, MessageClass::Promo, true),
            (1_530, MessageClass::Promo, true),
            (1_531, MessageClass::Promo, false),
            (1_531, MessageClass::Transactional, false),
        ] {
            let text = "x".repeat(length);
            assert!(!fits(&text, class), "{length}");
            let says = too_long(&text, class).contains("that is added to it");
            assert_eq!(says, with_line, "{length} {class:?}");
        }
    }

    #[test]
    fn what_fits_can_be_sent_in_every_language() {
        let body = "x".repeat(1_497);
        for language in Language::ALL {
            let text = complete(&body, MessageClass::Promo, language);
            assert!(measured(&text, Channel::Sms).is_ok(), "{language:?}");
        }
    }

    #[test]
    fn the_shortcut_agrees_with_the_measure() {
        let awkward = ["€", "я", "👩‍👩‍👧‍👦", "e\u{301}", "^"];
        for unit in awkward {
            let text = unit.repeat(SURELY_FITS / unit.len());
            for class in CLASSES {
                assert!(
                    measured(&complete(&text, class, Language::De), Channel::Sms).is_ok(),
                    "{unit}"
                );
            }
        }
    }
}
