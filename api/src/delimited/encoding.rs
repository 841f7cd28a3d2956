//! The alphabet of a file: what it is in, and the same in UTF-8.

use std::{
    fmt,
    io::{self, Read},
};

/// The alphabet that a file is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// UTF-8, or ASCII.
    Utf8,
    /// What Excel for Windows writes where it is not told otherwise.
    Windows1252,
    /// UTF-16, as "Unicode text" of spreadsheets.
    Utf16 {
        /// The first byte of a pair is the higher one.
        big_endian: bool,
    },
}

impl Encoding {
    /// The alphabet by a file's first bytes and by all of them, and how many bytes its mark takes.
    ///
    /// # Errors
    /// What the file is, where it is no text.
    pub(super) fn of(start: &[u8], census: &Census) -> Result<(Self, usize), &'static str> {
        for (mark, what) in FORMATS {
            if start.starts_with(mark) {
                return Err(what);
            }
        }
        if is_utf32(start) {
            return Err("this is a text in UTF-32");
        }
        match start {
            [0xef, 0xbb, 0xbf, ..] => return Ok((Self::Utf8, 3)),
            [0xff, 0xfe, ..] => return Ok((Self::Utf16 { big_endian: false }, 2)),
            [0xfe, 0xff, ..] => return Ok((Self::Utf16 { big_endian: true }, 2)),
            [1..=255, 0, 1..=255, 0, ..] => return Ok((Self::Utf16 { big_endian: false }, 0)),
            [0, 1..=255, 0, 1..=255, ..] => return Ok((Self::Utf16 { big_endian: true }, 0)),
            _ => {}
        }

        let first = start.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
        if first.iter().any(|byte| *byte < b' ' && *byte != b'\t') {
            return Err("this is a binary file");
        }
        // A character that the file's end cuts off is none.
        let invalid = census.invalid + u64::from(!census.pending.is_empty());
        let is_utf8 = invalid <= census.sequences;
        Ok((if is_utf8 { Self::Utf8 } else { Self::Windows1252 }, 0))
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Utf8 => "UTF-8",
            Self::Windows1252 => "Windows-1252",
            Self::Utf16 { .. } => "UTF-16",
        })
    }
}

/// Whether a text has four bytes for each character, by its mark or its first characters.
fn is_utf32(start: &[u8]) -> bool {
    matches!(
        start,
        [0xff, 0xfe, 0, 0, ..]
            | [0, 0, 0xfe, 0xff, ..]
            | [1..=255, 0, 0, 0, 1..=255, 0, 0, 0, ..]
            | [0, 0, 0, 1..=255, 0, 0, 0, 1..=255, ..]
    )
}

/// What a text is instead of rows, by how it begins once it is in UTF-8; none where it may be rows.
pub(super) fn other_text(start: &[u8]) -> Option<&'static str> {
    let start = start.trim_ascii_start();
    let after = |mark: u8| start.strip_prefix(&[mark]).map(<[u8]>::trim_ascii_start);
    if let Some([b'!' | b'?' | b'/' | b'a'..=b'z' | b'A'..=b'Z', ..]) = after(b'<') {
        return Some("this is a web page or another text with tags (HTML, XML)");
    }
    if matches!(after(b'{'), Some([b'"', ..])) || matches!(after(b'['), Some([b'{' | b'[', ..])) {
        return Some("this is JSON");
    }
    let is_cards = start.get(..CARDS.len()).is_some_and(|s| s.eq_ignore_ascii_case(CARDS));
    is_cards.then_some("this is a file of address cards (vCard)")
}

/// How a file of address cards begins (RFC 6350).
const CARDS: &[u8] = b"BEGIN:VCARD";

/// Files that are sent for CSV, by their first bytes.
const FORMATS: [(&[u8], &str); 8] = [
    (b"PK\x03\x04", "this is an Excel workbook (xlsx) or another zip file"),
    (b"\xd0\xcf\x11\xe0", "this is an Excel workbook (xls)"),
    (b"%PDF", "this is a PDF"),
    (b"\x1f\x8b", "this is a compressed file"),
    (b"{\\rtf", "this is a text document (rtf)"),
    (b"\x89PNG", "this is a picture (png)"),
    (b"\xff\xd8\xff", "this is a picture (jpeg)"),
    (b"GIF8", "this is a picture (gif)"),
];

/// Which bytes beyond ASCII a file has: text in Windows-1252 is hardly ever UTF-8 by chance, and a
/// damaged character in UTF-8 has many others beside it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Census {
    /// Characters of UTF-8 beyond ASCII.
    sequences: u64,
    /// Bytes that are no part of one.
    invalid: u64,
    /// The beginning of a character at the end of what was counted.
    pending: Vec<u8>,
}

impl Census {
    /// The census of a file that is here as a whole.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut census = Self::default();
        census.add(bytes);
        census
    }

    /// Counts the next bytes of the file.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        if self.pending.is_empty() {
            self.count(bytes);
        } else {
            let mut joined = std::mem::take(&mut self.pending);
            joined.extend_from_slice(bytes);
            self.count(&joined);
        }
    }

    fn count(&mut self, mut bytes: &[u8]) {
        loop {
            let (valid, rest) = match std::str::from_utf8(bytes) {
                Ok(text) => (text.as_bytes(), None),
                Err(error) => {
                    let (valid, rest) = bytes.split_at(error.valid_up_to());
                    (valid, Some((rest, error.error_len())))
                }
            };
            // Each character beyond ASCII has one byte of this range.
            self.sequences += valid.iter().filter(|byte| **byte >= 0xc0).count() as u64;

            match rest {
                None => return,
                Some((rest, None)) => {
                    self.pending = rest.to_vec();
                    return;
                }
                Some((rest, Some(length))) => {
                    self.invalid += 1;
                    bytes = &rest[length..];
                }
            }
        }
    }
}

/// A file in UTF-8 that is in another alphabet.
pub(super) struct Decoded<R> {
    source: R,
    encoding: Encoding,
    /// Bytes that are not decoded yet: half a character.
    pending: Vec<u8>,
    /// What is decoded, and how much of it has been read.
    text: String,
    read: usize,
}

impl<R: Read> Decoded<R> {
    pub(super) fn new(source: R, encoding: Encoding) -> Self {
        Self { source, encoding, pending: Vec::new(), text: String::new(), read: 0 }
    }

    /// Decodes the next bytes. False at the end of the file.
    fn fill(&mut self) -> io::Result<bool> {
        (self.text, self.read) = (String::new(), 0);
        let mut bytes = [0; 16 * 1024];
        let length = self.source.read(&mut bytes)?;
        self.pending.extend_from_slice(&bytes[..length]);

        match self.encoding {
            // Nobody decodes it: it is read as it is.
            Encoding::Utf8 => self.text.push_str(&String::from_utf8_lossy(&self.pending)),
            Encoding::Windows1252 => self.text.extend(self.pending.iter().map(windows_1252)),
            Encoding::Utf16 { big_endian } => {
                let held = self.held_back(big_endian, length == 0);
                let pairs = self.pending[..self.pending.len() - held].chunks(2);
                let units = pairs.map(|pair| unit(pair, big_endian));
                let decoded = char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}'));
                self.text.extend(decoded);
                self.pending.drain(..self.pending.len() - held);
                return Ok(length > 0);
            }
        }
        self.pending.clear();
        Ok(length > 0)
    }

    /// How many bytes wait for more: half a pair, or the first of a character's two.
    fn held_back(&self, big_endian: bool, at_end: bool) -> usize {
        if at_end {
            return 0;
        }
        let odd = self.pending.len() % 2;
        let whole = &self.pending[..self.pending.len() - odd];
        let last = whole.chunks(2).next_back().map(|pair| unit(pair, big_endian));
        odd + if last.is_some_and(|unit| (0xd800..0xdc00).contains(&unit)) { 2 } else { 0 }
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.read == self.text.len() {
            if !self.fill()? && self.text.is_empty() {
                return Ok(0);
            }
        }
        let left = &self.text.as_bytes()[self.read..];
        let length = left.len().min(into.len());
        into[..length].copy_from_slice(&left[..length]);
        self.read += length;
        Ok(length)
    }
}

/// The two bytes of a unit of UTF-16; half of one at the end of a file is none.
fn unit(pair: &[u8], big_endian: bool) -> u16 {
    match pair {
        [first, second] if big_endian => u16::from_be_bytes([*first, *second]),
        [first, second] => u16::from_le_bytes([*first, *second]),
        _ => 0xfffd,
    }
}

/// A character of Windows-1252: Latin-1, with signs where that has none (WHATWG Encoding Standard,
/// index-windows-1252).
fn windows_1252(byte: &u8) -> char {
    const SIGNS: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => SIGNS[usize::from(byte - 0x80)],
        _ => char::from(*byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The file in UTF-8, given in parts of some bytes.
    fn decoded(bytes: &[u8], part: usize) -> Result<String, &'static str> {
        let mut census = Census::default();
        bytes.chunks(part).for_each(|chunk| census.add(chunk));
        let (encoding, mark) = Encoding::of(bytes, &census)?;

        let mut text = String::new();
        let parts = Parts { bytes: bytes[mark..].to_vec(), part };
        match encoding {
            Encoding::Utf8 => text = String::from_utf8_lossy(&bytes[mark..]).into_owned(),
            other => {
                Decoded::new(parts, other).read_to_string(&mut text).expect("UTF-8");
            }
        }
        Ok(text)
    }

    /// Gives some bytes at a time.
    struct Parts {
        bytes: Vec<u8>,
        part: usize,
    }

    impl Read for Parts {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let length = self.part.min(self.bytes.len()).min(into.len());
            into[..length].copy_from_slice(&self.bytes[..length]);
            self.bytes.drain(..length);
            Ok(length)
        }
    }

    #[test]
    fn a_file_is_read_in_its_own_alphabet() {
        const TEXT: &str = "phone,name\n1,José 😀\n";
        let utf16 = |big: bool| {
            let units = "\u{feff}".encode_utf16().chain(TEXT.encode_utf16());
            let bytes = units.map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() });
            bytes.flatten().collect::<Vec<u8>>()
        };
        let marked = [b"\xef\xbb\xbf", TEXT.as_bytes()].concat();

        for part in [1, 3, 7, 4096] {
            for bytes in [TEXT.as_bytes(), &marked, &utf16(true), &utf16(false)] {
                assert_eq!(decoded(bytes, part).as_deref(), Ok(TEXT), "{part}");
            }
            assert_eq!(decoded(&utf16(false)[2..], part).as_deref(), Ok(TEXT), "without its mark");
            let windows = b"phone,name\n1,Jos\xe9 \x80 \x93\n";
            assert_eq!(decoded(windows, part).as_deref(), Ok("phone,name\n1,José € “\n"));
        }
    }

    #[test]
    fn one_damaged_character_does_not_make_another_alphabet() {
        let damaged = "phone\nJosé\nMüller\n".as_bytes().iter().copied().chain([0xe9]);
        let damaged: Vec<u8> = damaged.collect();
        let (encoding, _) = Encoding::of(&damaged, &Census::of(&damaged)).expect("a text");
        assert_eq!(encoding, Encoding::Utf8);
    }

    #[test]
    fn a_file_that_is_no_text_is_named() {
        for (bytes, what) in [
            (&b"PK\x03\x04\x14\0"[..], "xlsx"),
            (b"\xd0\xcf\x11\xe0\xa1", "xls"),
            (b"%PDF-1.7", "PDF"),
            (b"\x1f\x8b\x08", "compressed"),
            (b"\x89PNG\r\n\x1a\n\0", "picture"),
            (b"\x01\x02\x03", "binary"),
            (b"phone\0\n", "binary"),
            (b"\xff\xfe\0\0p\0\0\0", "UTF-32"),
            (b"\0\0\xfe\xff\0\0\0p", "UTF-32"),
            (b"p\0\0\0h\0\0\0", "UTF-32"),
            (b"\0\0\0p\0\0\0h", "UTF-32"),
        ] {
            let said = decoded(bytes, 4096).expect_err("no text");
            assert!(said.contains(what), "{said}");
        }
        assert!(decoded(b"phone,name\n1,A\0\n", 4096).is_ok(), "its line says so");
    }

    #[test]
    fn a_text_that_is_no_rows_is_named() {
        for (text, what) in [
            ("<!DOCTYPE html>\n<html>", Some("HTML")),
            ("\r\n  <html><table>", Some("HTML")),
            ("<?xml version=\"1.0\"?>", Some("XML")),
            ("{\"contacts\": []}", Some("JSON")),
            ("[ {\"phone\": 1}]", Some("JSON")),
            ("begin:vcard\r\nVERSION:3.0", Some("vCard")),
            ("[phone],[name]", None),
            ("\"phone\",\"<b>\"", None),
            ("< 30 days,phone", None),
            ("", None),
        ] {
            let said = other_text(text.as_bytes());
            assert_eq!(said.is_some(), what.is_some(), "{text}");
            assert!(said.is_none_or(|said| said.contains(what.unwrap_or_default())), "{text}");
        }
    }
}
