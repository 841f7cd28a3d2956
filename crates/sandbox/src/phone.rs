//! A phone number in eight bytes: the digits of E.164 as one integer.

use std::fmt;

/// An E.164 number: a plus, a digit that is not 0, then 6 to 14 more digits. `Debug` hides it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Phone(u64);

impl Phone {
    /// Reads exactly the form that carriers print; anything else is `None`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('+')?;
        let fits = (7..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|b| b.is_ascii_digit());
        if fits { digits.parse().ok().map(Self) } else { None }
    }

    pub(crate) fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}", self.0)
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phone(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_form_is_a_phone_number() {
        for good in ["+14155550100", "+61491570156", "+3461234567"] {
            assert_eq!(Phone::parse(good).map(|p| p.to_string()).as_deref(), Some(good));
        }
        for bad in ["", "+", "14155550100", "+0415555010", "+141555", "+1 4155550100", "+1234a678"]
        {
            assert!(Phone::parse(bad).is_none(), "{bad}");
        }
        for bad in ["+1234567890123456", "whatsapp:+14155550100"] {
            assert!(Phone::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn debug_hides_the_number() {
        let phone = Phone::parse("+14155550100").expect("a phone number");
        assert!(!format!("{phone:?}").contains("415"));
    }
}
