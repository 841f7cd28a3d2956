//! What of a text its writer has not written: lines of an earlier text that a phone or a mail
//! program has put into the answer.

use std::borrow::Cow;

use super::normal;

/// How mail programs begin the earlier message, which fills the rest of the text, behind a row of
/// dashes; in French and German as far as their spellings agree.
const EARLIER: [&str; 6] = [
    "original message",
    "forwarded message",
    "mensaje original",
    "message d",
    "mensagem original",
    "urspr",
];

/// Likewise, without dashes.
const FORWARDED: &str = "begin forwarded message";

/// How mail programs introduce what they quote: `On Jun 11, 2026, Demo wrote:`. The first word of
/// the line, and one behind a date.
const INTRODUCED: [(&str, &str); 5] = [
    ("on ", " wrote"),
    ("el ", " escribi"),
    ("le ", " a écrit"),
    ("em ", " escreveu"),
    ("am ", " schrieb"),
];

/// The text without quoted lines. One of which nothing else is left is given whole: people also
/// write `> STOP`.
pub(super) fn without(text: &str) -> Cow<'_, str> {
    let lines = || text.split(['\n', '\r']);
    if !lines().any(|line| is_quote(line) || begins_earlier(line) || introduces(line)) {
        return Cow::Borrowed(text);
    }

    let lines = lines().take_while(|line| !begins_earlier(line));
    let own: Vec<&str> = lines.filter(|line| !is_quote(line) && !introduces(line)).collect();
    let own = own.join("\n");
    if normal::fold(&own).trim().is_empty() { Cow::Borrowed(text) } else { Cow::Owned(own) }
}

fn is_quote(line: &str) -> bool {
    line.trim_start().starts_with('>')
}

/// Whether the rest of the text is an earlier message.
fn begins_earlier(line: &str) -> bool {
    let line = line.trim_start().to_lowercase();
    let words = line.trim_start_matches(['-', ' ']);
    let is_earlier = EARLIER.iter().any(|earlier| words.starts_with(earlier));
    (line.starts_with("--") && is_earlier) || line.starts_with(FORWARDED)
}

/// Whether a line says who wrote what follows, with what it quotes itself.
fn introduces(line: &str) -> bool {
    let line = line.trim_start().to_lowercase();
    INTRODUCED.iter().any(|(first, wrote)| {
        let behind = line.starts_with(first).then(|| line.split_once(wrote)).flatten();
        behind.is_some_and(|(date, behind)| {
            date.contains(|c: char| c.is_ascii_digit()) && behind.contains(':')
        })
    })
}

#[cfg(test)]
mod tests {
    use super::without;

    #[test]
    fn lines_of_an_earlier_text_are_left_out_and_a_text_of_nothing_else_is_kept() {
        assert_eq!(without("> Reply STOP to end\nok thanks"), "ok thanks");
        assert_eq!(without("ok\r\n-----Original Message-----\r\nReply STOP to end"), "ok\n");
        assert_eq!(without("> STOP"), "> STOP");
        assert_eq!(without("On Jun 11 Demo wrote: > Reply STOP\n\nSee you!"), "\nSee you!");
        assert_eq!(without("ok\nAm 11.06. um 10:30 schrieb Demo:\n> STOPP"), "ok");
        assert_eq!(without("ok\n---------- Forwarded message ---------\nReply STOP"), "ok");
        assert_eq!(without("On Monday I wrote: STOP"), "On Monday I wrote: STOP");
        assert_eq!(without("5 > 4"), "5 > 4");
    }
}
