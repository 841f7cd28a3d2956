//! What of a text its writer has not written: lines of an earlier text that a phone or a mail
//! program has put into the answer.

use std::borrow::Cow;

use super::normal;

/// How mail programs begin the earlier message, which fills the rest of the text.
const EARLIER: &str = "-----original message";

/// The text without quoted lines. One of which nothing else is left is given whole: people also
/// write `> STOP`.
pub(super) fn without(text: &str) -> Cow<'_, str> {
    let is_quote = |line: &str| line.trim_start().starts_with('>');
    let begins_earlier = |line: &str| line.trim_start().to_lowercase().starts_with(EARLIER);
    let lines = || text.split(['\n', '\r']);
    if !lines().any(|line| is_quote(line) || begins_earlier(line)) {
        return Cow::Borrowed(text);
    }

    let own: Vec<&str> =
        lines().take_while(|line| !begins_earlier(line)).filter(|line| !is_quote(line)).collect();
    let own = own.join("\n");
    if normal::fold(&own).trim().is_empty() { Cow::Borrowed(text) } else { Cow::Owned(own) }
}

#[cfg(test)]
mod tests {
    use super::without;

    #[test]
    fn lines_of_an_earlier_text_are_left_out_and_a_text_of_nothing_else_is_kept() {
        assert_eq!(without("> Reply STOP to end\nok thanks"), "ok thanks");
        assert_eq!(without("ok\r\n-----Original Message-----\r\nReply STOP to end"), "ok\n");
        assert_eq!(without("> STOP"), "> STOP");
        assert_eq!(without("5 > 4"), "5 > 4");
    }
}
