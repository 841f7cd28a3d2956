//! How many segments a text is, counted here once more on its own, so that the ledger can
//! contradict the platform's count. Rule: Twilio's calculator, which keeps a whole grapheme
//! cluster in one segment.

use unicode_segmentation::UnicodeSegmentation;

const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡\
ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// How many segments a text takes; 0 for an empty one.
pub(crate) fn segments(text: &str) -> u8 {
    if text.is_empty() {
        return 0;
    }

    let count = match septets(text) {
        Some(sizes) => filled(&sizes, 160, 153),
        None => filled(&clusters(text), 70, 67),
    };

    u8::try_from(count).unwrap_or(u8::MAX)
}

/// The septets of each character, or `None` when one is outside GSM 03.38.
fn septets(text: &str) -> Option<Vec<usize>> {
    text.chars().map(septets_of).collect()
}

fn septets_of(c: char) -> Option<usize> {
    if c.is_ascii_alphanumeric() || c == ' ' || BASIC.contains(c) {
        Some(1)
    } else if EXTENSION.contains(c) {
        Some(2)
    } else {
        None
    }
}

/// The UTF-16 units of each grapheme cluster. CR LF is two, as in Twilio's calculator.
fn clusters(text: &str) -> Vec<usize> {
    let mut sizes = Vec::new();
    for cluster in text.graphemes(true) {
        if cluster == "\r\n" {
            sizes.extend([1, 1]);
        } else {
            sizes.push(cluster.encode_utf16().count());
        }
    }
    sizes
}

/// How many segments the pieces fill, none of them split: up to `single` units go into one segment,
/// more go into parts of `part` units each.
fn filled(sizes: &[usize], single: usize, part: usize) -> usize {
    if sizes.iter().sum::<usize>() <= single {
        return 1;
    }

    let mut count = 1;
    let mut used = 0;
    for size in sizes {
        if used + size > part && used > 0 {
            count += 1;
            used = 0;
        }
        used += size;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vector_counts_as_twilio_s_calculator_does() {
        let file: serde_json::Value =
            serde_json::from_str(include_str!("../tests/data/segments.json")).expect("JSON");
        let cases = file["cases"].as_array().expect("cases");
        assert!(cases.len() >= 45);

        for case in cases {
            // A lone surrogate is no text here, and no text has no segments.
            let Some(text) = case["text"].as_str().filter(|text| !text.is_empty()) else {
                continue;
            };

            let expected = case["segments"].as_u64().expect("a count");
            assert_eq!(u64::from(segments(text)), expected, "{}", case["id"]);
            let gsm = case["encoding"] == "GSM-7";
            assert_eq!(septets(text).is_some(), gsm, "{}", case["id"]);
        }
    }

    #[test]
    fn no_text_is_no_segment() {
        assert_eq!(segments(""), 0);
    }
}
