//! Measures a text: its alphabet, its units, and its segments by the carriers' rules.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};
use unicode_segmentation::UnicodeSegmentation;
use utoipa::ToSchema;

/// The alphabet of a message. One character outside GSM 03.38 makes the whole message UCS-2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub enum Encoding {
    /// The 7-bit default alphabet; a unit is a septet.
    #[serde(rename = "GSM-7")]
    Gsm7,
    /// UTF-16 on the wire; a unit is 16 bits.
    #[serde(rename = "UCS-2")]
    Ucs2,
}

impl Encoding {
    /// Units that fit when the message is one segment.
    pub fn single(self) -> u32 {
        match self {
            Self::Gsm7 => 160,
            Self::Ucs2 => 70,
        }
    }

    /// Units per segment when there are several: each carries a header of 6 octets.
    pub fn multi(self) -> u32 {
        match self {
            Self::Gsm7 => 153,
            Self::Ucs2 => 67,
        }
    }
}

/// What may not be divided between two segments of a UCS-2 message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EncodingRule {
    /// A grapheme cluster: a family, a flag, a letter with its accent.
    Grapheme,
    /// A surrogate pair only.
    Surrogate,
}

/// A measured text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encoded {
    /// The alphabet that the whole text travels in.
    pub encoding: Encoding,
    /// Septets (an extension character takes two) or UTF-16 units.
    pub units: u32,
    /// Segments by [`EncodingRule::Grapheme`], which is what [`measure`] bills by; 0 for an empty
    /// text.
    pub segments: u16,
    /// The first character that GSM 03.38 does not have, and so the reason for UCS-2.
    pub offender: Option<char>,
}

/// Measures a text as it is; see [`as_sent`] for what to do to it first.
///
/// Segments are counted by the grapheme rule, because that is the rule of Twilio's own calculator:
/// it is the published estimate of what Twilio bills. The two rules differ only where a cluster of
/// several units lies across a boundary, and there the grapheme rule gives the higher number, so
/// that an estimate, and the budget reserved by it, is never too low. [`count_segments`] gives
/// either. The settlement takes the count that the carrier reports.
pub fn measure(text: &str) -> Encoded {
    match gsm_units(text) {
        Ok(units) => {
            let segments = gsm_segments(text, units);
            Encoded { encoding: Encoding::Gsm7, units: units.sum, segments, offender: None }
        }
        Err(offender) => {
            let units = ucs2_units(text);
            let segments = ucs2_segments(text, units, EncodingRule::Grapheme);
            Encoded { encoding: Encoding::Ucs2, units, segments, offender: Some(offender) }
        }
    }
}

/// The number of segments by a given rule. The rules differ in UCS-2 only.
pub fn count_segments(text: &str, rule: EncodingRule) -> u16 {
    match gsm_units(text) {
        Ok(units) => gsm_segments(text, units),
        Err(_) => ucs2_segments(text, ucs2_units(text), rule),
    }
}

/// The units in each segment, for previews.
pub fn layout(text: &str, rule: EncodingRule) -> Vec<u32> {
    match gsm_units(text) {
        Ok(units) => fill(text.chars().map(cost), units.sum, Encoding::Gsm7),
        Err(_) => ucs2_layout(text, ucs2_units(text), rule),
    }
}

/// The text in Unicode normal form C. Does not allocate for texts that are in that form.
pub fn nfc(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}

/// The text as it is sent and counted: in normal form C, and with lines that end in LF. What ends
/// them otherwise (CR LF) would take two units and be one line all the same.
pub fn as_sent(text: &str) -> Cow<'_, str> {
    if !text.contains('\r') {
        return nfc(text);
    }
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    Cow::Owned(nfc(&lines).into_owned())
}

/// Septets of a character in GSM 03.38: 1 in the basic table, 2 in the extension table, 0 if the
/// alphabet does not have it.
pub fn septets(c: char) -> u32 {
    match c {
        '\n' | '\r' | ' '..='Z' | '_' | 'a'..='z' => 1,
        '¡' | '£' | '¤' | '¥' | '§' | '¿' => 1,
        'Ä' | 'Å' | 'Æ' | 'Ç' | 'É' | 'Ñ' | 'Ö' | 'Ø' | 'Ü' | 'ß' => 1,
        'à' | 'ä' | 'å' | 'æ' | 'è' | 'é' | 'ì' => 1,
        'ñ' | 'ò' | 'ö' | 'ø' | 'ù' | 'ü' => 1,
        'Γ' | 'Δ' | 'Θ' | 'Λ' | 'Ξ' | 'Π' | 'Σ' | 'Φ' | 'Ψ' | 'Ω' => 1,
        '\u{c}' | '[' | '\\' | ']' | '^' | '{' | '|' | '}' | '~' | '€' => 2,
        _ => 0,
    }
}

/// [`septets`], by table where there is one.
fn cost(c: char) -> u32 {
    if c.is_ascii() { u32::from(ASCII[c as usize]) } else { septets(c) }
}

/// What a text takes in septets.
#[derive(Clone, Copy)]
struct GsmUnits {
    sum: u32,
    /// Whether some character takes two.
    has_pairs: bool,
}

/// The septets of a text, or the first character that GSM 03.38 does not have.
fn gsm_units(text: &str) -> Result<GsmUnits, char> {
    let mut units = GsmUnits { sum: 0, has_pairs: false };
    for c in text.chars() {
        let cost = cost(c);
        if cost == 0 {
            return Err(c);
        }
        units.sum += cost;
        units.has_pairs |= cost == 2;
    }
    Ok(units)
}

fn ucs2_units(text: &str) -> u32 {
    text.chars().map(|c| c.len_utf16() as u32).sum()
}

/// An escape and its character stay together, so that a segment may end one septet early: only a
/// long text with extension characters needs to be laid out for that.
fn gsm_segments(text: &str, units: GsmUnits) -> u16 {
    if units.sum <= Encoding::Gsm7.single() {
        u16::from(units.sum > 0)
    } else if units.has_pairs {
        saturate(fill(text.chars().map(cost), units.sum, Encoding::Gsm7).len())
    } else {
        saturate(units.sum.div_ceil(Encoding::Gsm7.multi()) as usize)
    }
}

/// Only texts that can have clusters or surrogate pairs need to be laid out.
fn ucs2_segments(text: &str, units: u32, rule: EncodingRule) -> u16 {
    if units <= Encoding::Ucs2.single() {
        u16::from(units > 0)
    } else if text.chars().all(stands_alone) {
        saturate(units.div_ceil(Encoding::Ucs2.multi()) as usize)
    } else {
        saturate(ucs2_layout(text, units, rule).len())
    }
}

/// Whether a character surely is one unit and one cluster: Latin letters, the usual typographic
/// signs, the euro. `\r\n` is a cluster, but one that may be divided.
fn stands_alone(c: char) -> bool {
    matches!(c, '\0'..='\u{2ff}' | '\u{2010}'..='\u{2027}' | '€')
}

fn ucs2_layout(text: &str, units: u32, rule: EncodingRule) -> Vec<u32> {
    if rule == EncodingRule::Surrogate || units <= Encoding::Ucs2.single() {
        return fill(text.chars().map(|c| c.len_utf16() as u32), units, Encoding::Ucs2);
    }

    let limit = Encoding::Ucs2.multi();
    let mut segments = vec![0];
    for cluster in text.graphemes(true) {
        let whole: u32 = cluster.chars().map(|c| c.len_utf16() as u32).sum();
        // A cluster longer than a segment cannot be kept whole: it starts a segment and is divided.
        if whole <= limit && cluster != "\r\n" {
            put(&mut segments, whole, limit);
        } else {
            if whole > limit && segments.last() != Some(&0) {
                segments.push(0);
            }
            cluster.chars().for_each(|c| put(&mut segments, c.len_utf16() as u32, limit));
        }
    }
    segments
}

/// Fills segments greedily with parts that may not be divided.
fn fill(parts: impl Iterator<Item = u32>, units: u32, encoding: Encoding) -> Vec<u32> {
    if units == 0 {
        return Vec::new();
    }
    if units <= encoding.single() {
        return vec![units];
    }

    let mut segments = vec![0];
    parts.for_each(|part| put(&mut segments, part, encoding.multi()));
    segments
}

/// Puts a part into the last segment, or into a new one where it does not fit.
fn put(segments: &mut Vec<u32>, part: u32, limit: u32) {
    match segments.last_mut() {
        Some(last) if *last + part <= limit => *last += part,
        Some(_) | None => segments.push(part),
    }
}

/// A number of segments; the largest that fits stands for more, which no text has that a carrier
/// takes (Twilio: 1,600 characters).
fn saturate(segments: usize) -> u16 {
    u16::try_from(segments).unwrap_or(u16::MAX)
}

/// [`septets`] of the ASCII characters, which are nearly all there are on the hot path.
const ASCII: [u8; 128] = {
    let mut table = [0; 128];
    let mut code = 0;
    while code < table.len() {
        table[code] = match code as u8 {
            b'\n' | b'\r' | b' '..=b'Z' | b'_' | b'a'..=b'z' => 1,
            0x0c | b'['..=b'^' | b'{'..=b'~' => 2,
            _ => 0,
        };
        code += 1;
    }
    table
};
