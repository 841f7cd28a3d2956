//! Short codes and names: what a machine texts from in place of a phone number.

use std::{fmt, str::FromStr};

/// The longest name, in characters: that of GSM, eleven letters (3GPP TS 23.040, 9.1.2.5).
const LONGEST_NAME: usize = 11;

/// The digits that a short code has at least and at most.
const SHORT_CODE: std::ops::RangeInclusive<usize> = 3..=8;

/// A short code (`12345`) or an alphanumeric name (`SUPPORT`). No person is behind it, and a name
/// cannot be texted: nothing is ever sent to one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SenderCode(String);

/// Why a text is no short code and no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a short code has 3 to 8 digits, a name up to 11 letters, digits, blanks and signs")]
pub struct BadSenderCode;

impl SenderCode {
    /// The code as the carrier wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SenderCode {
    type Err = BadSenderCode;

    fn from_str(text: &str) -> Result<Self, BadSenderCode> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        let is_short_code =
            digits.bytes().all(|c| c.is_ascii_digit()) && SHORT_CODE.contains(&digits.len());

        let is_sign = |c: u8| c.is_ascii_alphanumeric() || b" &+-_.'".contains(&c);
        let is_name = text.len() <= LONGEST_NAME
            && text.bytes().all(is_sign)
            && text.bytes().any(|c| c.is_ascii_alphabetic());

        if is_short_code || is_name { Ok(Self(text.to_owned())) } else { Err(BadSenderCode) }
    }
}

impl fmt::Display for SenderCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_codes_and_names_are_read_and_numbers_are_neither() {
        for text in ["123", "12345", "+24273", "32665", "SUPPORT", "Acme Coffee", "AT&T", "B-2"] {
            assert_eq!(text.parse::<SenderCode>().map(|code| code.to_string()), Ok(text.into()));
        }
        for text in
            ["", "12", "+12125550123", "2125550123", "whatsapp:+12125550123", "Acme Coffees", "é"]
        {
            assert_eq!(text.parse::<SenderCode>(), Err(BadSenderCode), "{text:?}");
        }
    }
}
