//! Smart encoding: typographic characters replaced by look-alikes of GSM 03.38, on request.

use std::{borrow::Cow, collections::HashMap, sync::LazyLock};

use super::measure::{Encoded, Encoding, measure};

/// What smart encoding would do to a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Smart<'a> {
    /// The text to send: replaced where that makes it GSM-7, else as it was.
    pub text: Cow<'a, str>,
    /// The measure of the text as it was.
    pub before: Encoded,
    /// The measure of the text to send.
    pub after: Encoded,
}

/// Replaces quotes, dashes, ellipses, odd blanks and the like (`data/smart_encoding.tsv`), if the
/// text is GSM-7 then; a text that stays UCS-2 keeps its typography. Accents are kept: Spanish
/// without them is misspelled.
pub fn smart(text: &str) -> Smart<'_> {
    let before = measure(text);
    let unchanged = Smart { text: Cow::Borrowed(text), before, after: before };
    if before.encoding == Encoding::Gsm7 {
        return unchanged;
    }

    let mut replaced = String::with_capacity(text.len());
    for c in text.chars() {
        match REPLACEMENTS.get(&c) {
            Some(replacement) => replaced.push_str(replacement),
            None => replaced.push(c),
        }
    }

    let after = measure(&replaced);
    match after.encoding {
        Encoding::Gsm7 => Smart { text: Cow::Owned(replaced), before, after },
        Encoding::Ucs2 => unchanged,
    }
}

static REPLACEMENTS: LazyLock<HashMap<char, &'static str>> = LazyLock::new(|| {
    let rows = include_str!("../../data/smart_encoding.tsv").lines();
    rows.filter(|row| !row.starts_with('#'))
        .map(|row| {
            let (code, replacement) = row.split_once('\t').expect("two columns");
            let code = u32::from_str_radix(code, 16).expect("a code point in hexadecimal");
            // The editor of the file can see neither a blank nor nothing.
            let replacement = match replacement {
                "SPACE" => " ",
                "NOTHING" => "",
                shown => shown,
            };
            (char::from_u32(code).expect("a character"), replacement)
        })
        .collect()
});
