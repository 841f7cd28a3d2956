//! Mail that the sandbox has caught: the newest first, and no more than fits.

use std::collections::VecDeque;

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::Serialize;

/// The most mails that are remembered; older ones are forgotten first.
const MAX_MAILS: usize = 1_000;

/// The most bytes of texts that are remembered.
const MAX_BYTES: usize = 8 << 20;

/// A mail, as outsiders read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Mail {
    from: String,
    to: Vec<String>,
    subject: String,
    /// The body, decoded.
    text: String,
    /// Machine time at which it came.
    at: Timestamp,
}

/// What was caught.
#[derive(Default)]
pub(crate) struct Mailbox {
    /// The oldest first.
    mails: VecDeque<Mail>,
    bytes: usize,
}

impl Mailbox {
    /// Adds a mail; the oldest make room.
    pub(crate) fn add(&mut self, mail: Mail) {
        self.bytes += mail.size();
        self.mails.push_back(mail);
        while self.mails.len() > MAX_MAILS || self.bytes > MAX_BYTES {
            let Some(gone) = self.mails.pop_front() else { return };
            self.bytes -= gone.size();
        }
    }

    /// The newest mails to an address, or to anybody.
    pub(crate) fn newest(&self, to: Option<&str>, at_most: usize) -> Vec<&Mail> {
        let is_to = |mail: &&Mail| {
            to.is_none_or(|to| mail.to.iter().any(|one| one.eq_ignore_ascii_case(to)))
        };
        self.mails.iter().rev().filter(is_to).take(at_most).collect()
    }
}

impl Mail {
    /// Reads a mail of one part, as its client has sent it.
    pub(crate) fn read(from: String, to: Vec<String>, raw: &[u8], at: Timestamp) -> Self {
        let raw = String::from_utf8_lossy(raw);
        let (head, body) = raw.split_once("\r\n\r\n").unwrap_or((&raw, ""));
        let subject = header(head, "subject").unwrap_or_default();
        let encoding = header(head, "content-transfer-encoding").unwrap_or_default();
        let text = match encoding.to_ascii_lowercase().as_str() {
            "quoted-printable" => quoted_printable(body),
            "base64" => base64(body),
            _ => body.to_owned(),
        };
        Self { from, to, subject, text: text.replace("\r\n", "\n"), at }
    }

    fn size(&self) -> usize {
        let to: usize = self.to.iter().map(String::len).sum();
        self.from.len() + to + self.subject.len() + self.text.len()
    }
}

/// A header's value, its lines joined.
fn header(head: &str, name: &str) -> Option<String> {
    let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    unfolded.lines().find_map(|line| {
        let (of, value) = line.split_once(':')?;
        of.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

fn base64(body: &str) -> String {
    let packed: String = body.split_whitespace().collect();
    let bytes = STANDARD.decode(packed).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// RFC 2045, section 6.7: `=` with two digits is a byte, `=` at the end of a line is nothing.
fn quoted_printable(body: &str) -> String {
    let joined = body.replace("=\r\n", "");
    let mut bytes = Vec::with_capacity(joined.len());
    let mut rest = joined.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match byte.filter(|_| *first == b'=') {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str) -> Mail {
        Mail::read("a@b.c".into(), vec!["d@e.f".into()], raw.as_bytes(), Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_mail_is_decoded_whatever_it_was_packed_in() {
        for (encoding, body) in [
            ("7bit", "A long line"),
            ("quoted-printable", "A long=\r\n=20line"),
            ("base64", "QSBsb25n\r\nIGxpbmU="),
        ] {
            let raw = format!(
                "Subject: One\r\n two\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}"
            );
            let mail = read(&raw);
            assert_eq!((mail.subject.as_str(), mail.text.as_str()), ("One two", "A long line"));
        }
    }

    #[test]
    fn the_oldest_make_room() {
        let mut mailbox = Mailbox::default();
        for n in 0..MAX_MAILS + 1 {
            mailbox.add(read(&format!("Subject: {n}\r\n\r\n")));
        }
        assert_eq!(mailbox.mails.len(), MAX_MAILS);
        assert_eq!(mailbox.newest(Some("D@e.f"), 1)[0].subject, MAX_MAILS.to_string());
        assert!(mailbox.newest(Some("nobody@e.f"), 1).is_empty());

        let large = "x".repeat(MAX_BYTES / 4);
        (0..5).for_each(|_| mailbox.add(read(&format!("Subject: x\r\n\r\n{large}"))));
        assert!(mailbox.bytes <= MAX_BYTES && mailbox.mails.len() < 5);
    }
}
