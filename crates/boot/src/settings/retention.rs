//! For how long things are kept: whole days, each with a floor that something else gives.

use std::ops::RangeInclusive;

use jiff::SignedDuration;

use super::{error::SettingsError, parse};

/// Dead letters are kept for 30 days and may be sent again in that time, with their text.
const LEAST: i64 = 31;

/// The longest that can be asked for: a hundred years.
const MOST: i64 = 36_525;

/// For how long things are kept, where a setting says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionSettings {
    /// Texts, from the end of their message.
    pub text: SignedDuration,
    /// Messages, from their end.
    pub messages: SignedDuration,
    /// Rows of imports.
    pub import_rows: SignedDuration,
}

impl RetentionSettings {
    /// Reads the three settings, in the order of the fields.
    ///
    /// # Errors
    /// One is no number of days, or too short.
    pub(super) fn of(given: &[Option<String>; 3]) -> Result<Self, SettingsError> {
        let [text, messages, import_rows] = given.each_ref().map(Option::as_deref);
        let found = Self {
            text: days("MILLRACE_RETAIN_TEXT", text, LEAST..=MOST, 90)?,
            messages: days("MILLRACE_RETAIN_MESSAGES", messages, LEAST..=MOST, 400)?,
            import_rows: days("MILLRACE_RETAIN_IMPORT_ROWS", import_rows, 1..=MOST, 30)?,
        };

        if found.messages < found.text {
            let text = found.text.as_hours() / 24;
            let problem = format!("must be at least MILLRACE_RETAIN_TEXT, which is {text}d");
            return Err(SettingsError::new("MILLRACE_RETAIN_MESSAGES", problem));
        }
        Ok(found)
    }
}

/// Whole days within a range.
fn days(
    name: &'static str,
    text: Option<&str>,
    range: RangeInclusive<i64>,
    default: i64,
) -> Result<SignedDuration, SettingsError> {
    let days = match parse::given(text) {
        None => default,
        Some(text) => {
            let number = text.strip_suffix('d').and_then(|number| number.parse().ok());
            let (least, most) = (range.start(), range.end());
            let wrong =
                || format!("'{text}' must be days from {least}d to {most}d, such as {default}d");
            number
                .filter(|days| range.contains(days))
                .ok_or_else(|| SettingsError::new(name, wrong()))?
        }
    };
    Ok(SignedDuration::from_hours(24 * days))
}
