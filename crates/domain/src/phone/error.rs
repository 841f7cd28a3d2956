//! Why an input is no number, and how much of one is looked at.

/// The longest input that is looked at, in bytes that can be seen: no written number needs more.
pub const MAX_INPUT: usize = 64;

/// Why an input is no number that can be sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PhoneError {
    /// Nothing but blanks.
    #[error("the number is empty")]
    Empty,
    /// Letters or signs where digits belong, or far too much text.
    #[error("this is not a phone number")]
    NotANumber,
    /// No `+` and no region to assume, or a calling code that does not exist.
    #[error("the country is unknown: write the number with + and country code")]
    UnknownCountry,
    /// Fewer digits than any number of the country.
    #[error("the number is too short for its country")]
    TooShort,
    /// More digits than any number of the country.
    #[error("the number is too long for its country")]
    TooLong,
    /// The length is right, but the country assigns no such numbers.
    #[error("no such number is assigned in its country")]
    Unassigned,
    /// A text cannot reach an extension.
    #[error("a number with an extension cannot receive texts")]
    Extension,
    /// A spreadsheet wrote it as `1.21256E+10`: its last digits are gone.
    #[error("the spreadsheet has rounded this number: make its column text and export it again")]
    Rounded,
}
