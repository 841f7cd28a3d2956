//! Short codes, names, and whatever else carriers say that a text is from in place of a phone
//! number.

use std::{fmt, str::FromStr};

use crate::{invisible::is_invisible, phone::PhoneNumber};

/// The longest that is kept, in characters. Names of GSM have eleven (3GPP TS 23.040, 9.1.2.5), but
/// carriers hand on what others have written.
const LONGEST: usize = 64;

/// A short code (`12345`), an alphanumeric name (`SUPPORT`), or anything else that can be read and
/// is no number in E.164. No person is known behind it: nothing is ever sent to one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SenderCode(String);

/// Why a text is no short code and no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a short code or a name has 1 to 64 characters that can be read, and is no phone number")]
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
        let is_seen = text.chars().any(|c| !c.is_whitespace() && !is_invisible(c));
        let is_kept = !text.chars().any(char::is_control) && text.chars().count() <= LONGEST;
        let is_number = PhoneNumber::from_e164(text).is_ok();
        if is_seen && is_kept && !is_number {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadSenderCode)
        }
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
        let longest = "x".repeat(LONGEST);
        for text in ["123", "+24273", "SUPPORT", "AT&T", "B-2", "é", longest.as_str()] {
            assert_eq!(text.parse::<SenderCode>().map(|code| code.to_string()), Ok(text.into()));
        }
        for text in ["266696687", "A name of 20 letters", "+1", "\u{ff11}2345", "2125550123"] {
            assert_eq!(text.parse::<SenderCode>().map(|code| code.to_string()), Ok(text.into()));
        }

        let longer = "x".repeat(LONGEST + 1);
        for text in
            ["", "  ", "\u{200b}", "+12125550123", "SUP\0PORT", "SUP\nPORT", longer.as_str()]
        {
            assert_eq!(text.parse::<SenderCode>(), Err(BadSenderCode), "{text:?}");
        }
    }
}
