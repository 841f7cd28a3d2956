//! What media are: their types, known by their first bytes and never by what somebody calls them,
//! and what becomes of one.

use serde::Serialize;

/// How many media one message or text has at most: what carriers take and bring.
pub const MOST_PER_MESSAGE: usize = 10;

/// The longest address that media are fetched from, in bytes.
pub const LONGEST_URL: usize = 2_000;

/// Whether media came in or go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaDirection {
    /// A person has sent it.
    In,
    /// The company has given it, to be sent.
    Out,
}

/// What has become of media.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaState {
    /// It has yet to be fetched.
    Pending,
    /// The platform has it.
    Stored,
    /// The platform does not have it, and never will.
    Refused,
}

/// Why media are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaRefusal {
    /// Its address is none that may be called, or the account that it came through cannot be used.
    Address,
    /// What is there is of another type than the platform keeps.
    Type,
    /// It is larger than 5 MiB, or empty.
    Size,
    /// Its address says that it is not there, or not for us.
    Gone,
    /// Its address was tried for eight hours and gave no answer of use.
    Unreachable,
    /// Too many of its company waited when it came.
    TooMany,
}

macro_rules! named {
    ($name:ident: $($variant:ident $text:literal)*) => {
        impl $name {
            /// Every value, in the order of the list.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name in rows and answers.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The value of this name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == name)
            }
        }
    };
}

named! { MediaDirection: In "in" Out "out" }
named! { MediaState: Pending "pending" Stored "stored" Refused "refused" }
named! {
    MediaRefusal: Address "address" Type "type" Size "size" Gone "gone"
    Unreachable "unreachable" TooMany "too_many"
}

crate::described_words! {
    MediaDirection, "Whether a person has sent it (`in`), or the tenant gives it to be sent \
        (`out`).";
    MediaState, "What has become of it: it has yet to be fetched, the platform has it, or does not \
        have it and never will.";
    MediaRefusal, "Why it is refused: its address may not be called, its type is not kept, it is \
        empty or too large, its address does not give it or gave no answer, or too many others \
        waited.";
}

impl MediaRefusal {
    /// What it means, and what to do.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Address => "the address may not be called: use https and a public host",
            Self::Type => "the type is not kept: send a picture, sound, video, PDF or vCard",
            Self::Size => "it is empty or larger than 5 MiB: make it smaller",
            Self::Gone => "the address does not give it: check it and give it again",
            Self::Unreachable => "the address did not answer for eight hours: give it again",
            Self::TooMany => "10,000 others waited to be fetched: give it again later",
        }
    }
}

/// The type of media by their first bytes; none where it is none that is kept. Nothing is kept that
/// a browser would run: no HTML, no SVG.
pub fn media_type(bytes: &[u8]) -> Option<&'static str> {
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    let at =
        |offset: usize, magic: &[u8]| bytes.get(offset..).is_some_and(|it| it.starts_with(magic));

    match () {
        () if starts(b"\xff\xd8\xff") => Some("image/jpeg"),
        () if starts(b"\x89PNG\r\n\x1a\n") => Some("image/png"),
        () if starts(b"GIF87a") || starts(b"GIF89a") => Some("image/gif"),
        () if starts(b"RIFF") && at(8, b"WEBP") => Some("image/webp"),
        () if starts(b"RIFF") && at(8, b"WAVE") => Some("audio/wav"),
        () if at(4, b"ftyp") => Some(of_brand(bytes.get(8..12).unwrap_or_default())),
        () if starts(b"#!AMR") => Some("audio/amr"),
        () if starts(b"OggS") => Some("audio/ogg"),
        () if starts(b"ID3") => Some("audio/mpeg"),
        () if starts(b"\xff\xfb") || starts(b"\xff\xf3") || starts(b"\xff\xf2") => {
            Some("audio/mpeg")
        }
        () if starts(b"\xff\xf1") || starts(b"\xff\xf9") => Some("audio/aac"),
        () if starts(b"\x1a\x45\xdf\xa3") => Some("video/webm"),
        () if starts(b"%PDF-") => Some("application/pdf"),
        () if is_card(bytes) => Some("text/vcard"),
        () => None,
    }
}

/// The type of an ISO base media file by its brand.
fn of_brand(brand: &[u8]) -> &'static str {
    match brand {
        b"heic" | b"heix" | b"mif1" | b"msf1" => "image/heic",
        b"avif" => "image/avif",
        b"M4A " | b"M4B " => "audio/mp4",
        b"qt  " => "video/quicktime",
        [b'3', b'g', b'p' | b'2', _] => "video/3gpp",
        _ => "video/mp4",
    }
}

/// Whether a file is a contact card, whatever mark of its encoding it begins with.
fn is_card(bytes: &[u8]) -> bool {
    const BEGIN: &[u8] = b"BEGIN:VCARD";
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    text.get(..BEGIN.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(BEGIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_are_known_by_their_first_bytes() {
        let cases = [
            (&b"\xff\xd8\xff\xe0\x00\x10JFIF"[..], Some("image/jpeg")),
            (b"\x89PNG\r\n\x1a\n....", Some("image/png")),
            (b"GIF89a", Some("image/gif")),
            (b"RIFF\x10\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"RIFF\x10\0\0\0WAVEfmt ", Some("audio/wav")),
            (b"\0\0\0\x20ftypisom", Some("video/mp4")),
            (b"\0\0\0\x20ftyp3gp5", Some("video/3gpp")),
            (b"\0\0\0\x20ftypM4A ", Some("audio/mp4")),
            (b"\0\0\0\x20ftypheic", Some("image/heic")),
            (b"#!AMR\n", Some("audio/amr")),
            (b"%PDF-1.7", Some("application/pdf")),
            (b"begin:vcard\r\n", Some("text/vcard")),
            (b"\xef\xbb\xbfBEGIN:VCARD", Some("text/vcard")),
            (b"", None),
            (b"<html>", None),
            (b"<svg xmlns", None),
            (b"<?xml ", None),
            (b"MZ\x90\0", None),
            (b"RIFF", None),
        ];

        for (bytes, expected) in cases {
            assert_eq!(media_type(bytes), expected, "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn names_read_back_and_reasons_say_what_to_do() {
        for refusal in ["address", "type", "size", "gone", "unreachable", "too_many"] {
            let known = MediaRefusal::from_name(refusal).expect("a reason");
            assert_eq!(known.as_str(), refusal);
            assert!(known.reason().contains(':'), "{refusal}");
        }
        assert_eq!(MediaState::from_name("stored"), Some(MediaState::Stored));
        assert_eq!(MediaState::from_name("Stored"), None);
        assert_eq!(MediaDirection::from_name("in"), Some(MediaDirection::In));
    }
}
