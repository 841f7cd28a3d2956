//! A number as it stands in messages and files, brought into a form that can be parsed: without
//! what nobody sees, and without what spreadsheets make of it.

use std::borrow::Cow;

use super::error::{MAX_INPUT, PhoneError};
use crate::invisible::is_invisible;

/// How many digits a number has at least that a spreadsheet takes for an amount.
const LEAST_DIGITS: usize = 7;

/// The number without blanks around it and characters that cannot be seen, and as a whole number
/// where a spreadsheet wrote an amount.
///
/// # Errors
/// [`PhoneError::Rounded`] where digits are lost, [`PhoneError::NotANumber`] for what is far too
/// long or no whole number.
pub(super) fn plain(input: &str) -> Result<Cow<'_, str>, PhoneError> {
    // An unseen character takes up to four bytes.
    if input.len() > 4 * MAX_INPUT {
        return Err(PhoneError::NotANumber);
    }
    match seen(input.trim()) {
        Cow::Borrowed(text) => Ok(whole(text)?.map_or(Cow::Borrowed(text), Cow::Owned)),
        Cow::Owned(text) => Ok(Cow::Owned(whole(&text)?.unwrap_or(text))),
    }
}

/// The number without what cannot be seen: zero-width characters, marks of direction, tabs, and
/// every blank but the usual one.
fn seen(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
        return Cow::Borrowed(text);
    }
    let is_odd_blank = |c: char| c.is_whitespace() && !matches!(c, ' ' | '\n' | '\r');
    let seen: String = text.chars().filter(|c| !is_invisible(*c) && !is_odd_blank(*c)).collect();
    Cow::Owned(seen.trim().to_owned())
}

/// The whole number that a spreadsheet wrote as an amount (`6421123456.0`, `1.2125550147E10`); none
/// where it wrote none.
fn whole(text: &str) -> Result<Option<String>, PhoneError> {
    let (sign, amount) = match text.strip_prefix('+') {
        Some(amount) => ("+", amount),
        None => ("", text),
    };
    let (mantissa, exponent) = amount.split_once(['e', 'E']).unwrap_or((amount, ""));
    let (integer, fraction) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, ""));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if integer.is_empty() || !are_digits(integer) || !are_digits(fraction) {
        return Ok(None);
    }

    if mantissa.len() == amount.len() {
        return match fraction.len() {
            0 => Ok(None),
            _ if integer.len() < LEAST_DIGITS => Ok(None),
            _ if fraction.bytes().all(|byte| byte == b'0') => Ok(Some(format!("{sign}{integer}"))),
            // People write groups behind a dot, but none of one digit.
            1 => Err(PhoneError::NotANumber),
            _ => Ok(None),
        };
    }

    // As many digits of the fraction are whole as the exponent says: more than there are is lost.
    let power = exponent.strip_prefix('+').unwrap_or(exponent);
    let Some(power) = power.parse::<usize>().ok().filter(|_| are_digits(power)) else {
        return Ok(None);
    };
    let (moved, rest) = fraction.split_at_checked(power).ok_or(PhoneError::Rounded)?;
    if rest.bytes().any(|byte| byte != b'0') {
        return Err(PhoneError::NotANumber);
    }
    Ok(Some(format!("{sign}{integer}{moved}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_of_spreadsheets_are_whole_numbers_or_refused() {
        for (written, expected) in [
            ("12125550147.0", Ok("12125550147")),
            ("+6421123456.0", Ok("+6421123456")),
            ("12125550147,00", Ok("12125550147")),
            ("1.2125550147E10", Ok("12125550147")),
            ("+1.2125550147e+10", Ok("+12125550147")),
            ("1.21255501470E+10", Ok("12125550147")),
            ("1.21256E+10", Err(PhoneError::Rounded)),
            ("1E+10", Err(PhoneError::Rounded)),
            ("1.212555014E10", Err(PhoneError::Rounded)),
            ("1.21255501475E10", Err(PhoneError::NotANumber)),
            ("6421123456.5", Err(PhoneError::NotANumber)),
            ("212.555.0147", Ok("212.555.0147")),
            ("212555.0147", Ok("212555.0147")),
            ("01.23.45.67.00", Ok("01.23.45.67.00")),
            ("+1 212 555 0147", Ok("+1 212 555 0147")),
            ("E10", Ok("E10")),
            ("12 E 34th", Ok("12 E 34th")),
        ] {
            assert_eq!(plain(written).as_deref(), expected.as_deref(), "{written}");
        }
    }
}
