//! Phone numbers: any reasonable input becomes E.164, or an error that says what is wrong with it.
//!
//! Parsing and validity follow Google's libphonenumber (crate `rlibphonenumber`, see
//! `docs/adr/0001-phone-numbers.md`). A number is a person's: `Debug` shows its last two digits.

mod error;
mod variants;
mod written;

use std::{fmt, str::FromStr, sync::LazyLock};

use rlibphonenumber::{
    NumberLengthType, PHONE_NUMBER_UTIL, ParseError, PhoneNumber as Parsed, PhoneNumberFormat,
    PhoneNumberType, Region, ValidationError,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use error::{MAX_INPUT, PhoneError};

use crate::{country::Country, nanp};

/// A phone number in E.164: `+`, then 7 to 15 digits. 17 bytes and `Copy`, so that batches of
/// messages hold it without allocating. Orders as its text does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber {
    /// ASCII, padded with zero bytes.
    text: [u8; MAX_LEN],
    len: u8,
}

/// `+` and 15 digits.
const MAX_LEN: usize = 16;

/// What a number's range is assigned to, as far as the numbering plan tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LineType {
    /// Given to mobiles only.
    Mobile,
    /// The plan does not separate mobiles from landlines (North America, Mexico).
    MobileOrFixed,
    /// Given to landlines only.
    Fixed,
    /// Voice over IP.
    Voip,
    /// Follows a person rather than a line.
    Personal,
    /// Free for the caller.
    TollFree,
    /// Premium rate, shared cost, pagers, company and voicemail access numbers.
    Service,
    /// Assigned, but not said to what.
    Unknown,
}

impl PhoneNumber {
    /// Reads a person's number as people write it, `default_region` being the country of numbers
    /// without `+`. Accepts blanks, dots, brackets, hyphens, full-width digits, `tel:` and a
    /// leading `00`; passes over characters that cannot be seen, and reads what a spreadsheet wrote
    /// as an amount. A mobile that is written in another form comes back in its canonical one: see
    /// [`canonical`](Self::canonical).
    ///
    /// # Errors
    /// Every reason of [`PhoneError`]: only numbers that libphonenumber calls valid pass.
    pub fn parse(input: &str, default_region: Option<Country>) -> Result<Self, PhoneError> {
        let number = Self::parse_own(input, default_region)?;
        let canonical = number.canonical();
        Ok(if canonical == number || canonical.is_assigned() { canonical } else { number })
    }

    /// Reads a number that texts leave from: like [`parse`](Self::parse), but in the form in which
    /// it is assigned, as it may be a landline's.
    ///
    /// # Errors
    /// Likewise.
    pub fn parse_own(input: &str, default_region: Option<Country>) -> Result<Self, PhoneError> {
        let plain = written::plain(input)?;
        let input = plain.as_ref();
        if input.is_empty() {
            return Err(PhoneError::Empty);
        }
        if input.len() > MAX_INPUT || has_words(input) {
            return Err(PhoneError::NotANumber);
        }

        match valid(input, default_region) {
            Ok(number) => Ok(number),
            Err(first) => match rewritten(input) {
                Some(other) => valid(&other, None).map_err(|_| first),
                None => Err(first),
            },
        }
    }

    /// Reads a number that was canonical before: `+` and digits only. Checks its form, not
    /// whether it is assigned: what is stored stays readable when a numbering plan changes.
    ///
    /// # Errors
    /// [`PhoneError::NotANumber`] for any other form.
    pub fn from_e164(text: &str) -> Result<Self, PhoneError> {
        let bytes = text.as_bytes();
        let formed = (8..=MAX_LEN).contains(&bytes.len())
            && bytes[0] == b'+'
            && matches!(bytes[1], b'1'..=b'9')
            && bytes[2..].iter().all(u8::is_ascii_digit);
        if !formed {
            return Err(PhoneError::NotANumber);
        }

        let mut padded = [0; MAX_LEN];
        padded[..bytes.len()].copy_from_slice(bytes);
        Ok(Self { text: padded, len: bytes.len() as u8 })
    }

    /// Reads a number as a carrier names it: E.164, in whatever form of it. Like
    /// [`from_e164`](Self::from_e164), but in its canonical form.
    ///
    /// # Errors
    /// [`PhoneError::NotANumber`] for any other form.
    pub fn from_carrier(text: &str) -> Result<Self, PhoneError> {
        Ok(Self::from_e164(text)?.canonical())
    }

    /// The form that a contact and an opt-out are kept by: of mobiles that are written in more than
    /// one way (Brazil with and without the ninth digit, Mexico with and without the 1, Argentina
    /// with and without the 9) always the same one; any other number as it is.
    #[must_use]
    pub fn canonical(self) -> Self {
        self.other_form().unwrap_or(self)
    }

    /// The canonical form, where the number is written in another one.
    fn other_form(&self) -> Option<Self> {
        Self::of_digits(&variants::canonical(self.digits())?)
    }

    fn of_digits(digits: &str) -> Option<Self> {
        Self::from_e164(&format!("+{digits}")).ok()
    }

    /// Every other form of the same number, the canonical one among them. What was stored before
    /// all forms were one may be under any.
    pub fn other_forms(self) -> impl Iterator<Item = Self> {
        let canonical = self.canonical();
        let written: Vec<_> = variants::written(canonical.digits()).collect();
        let written = written.into_iter().filter_map(|digits| Self::of_digits(&digits));
        written.chain([canonical]).filter(move |form| *form != self)
    }

    /// The number in E.164, with its `+`.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text[..usize::from(self.len)]).expect("a sign and ASCII digits")
    }

    /// The digits without `+`.
    pub fn digits(&self) -> &str {
        &self.as_str()[1..]
    }

    /// The country of the number; `None` for international services such as +870 and for calling
    /// codes that are not assigned. North American numbers without a place (toll-free) count as
    /// `US`, as libphonenumber has it.
    pub fn country(&self) -> Option<Country> {
        if let Some(area_code) = self.area_code() {
            return Some(nanp::area(area_code).map_or(Country::US, |area| area.country));
        }
        if self.digits().starts_with(AU_MOBILE) && self.len == 12 {
            return Some(Country::AU);
        }

        match self.calling_code()? {
            CallingCode::One(country) => Some(country),
            CallingCode::Many => self.parsed()?.get_region_code().and_then(iso),
        }
    }

    /// The area code of a North American number (calling code 1), 200 to 999.
    pub fn area_code(&self) -> Option<u16> {
        let digits = self.digits().strip_prefix('1')?;
        if digits.len() == 10 { digits[..3].parse().ok() } else { None }
    }

    /// What the number's range is assigned to.
    pub fn line(&self) -> LineType {
        let Some(parsed) = self.parsed() else { return LineType::Unknown };
        match parsed.get_type() {
            PhoneNumberType::Mobile => LineType::Mobile,
            PhoneNumberType::FixedLineOrMobile => LineType::MobileOrFixed,
            PhoneNumberType::FixedLine => LineType::Fixed,
            PhoneNumberType::VoIP => LineType::Voip,
            PhoneNumberType::PersonalNumber => LineType::Personal,
            PhoneNumberType::TollFree => LineType::TollFree,
            PhoneNumberType::PremiumRate
            | PhoneNumberType::SharedCost
            | PhoneNumberType::Pager
            | PhoneNumberType::UAN
            | PhoneNumberType::VoiceMail => LineType::Service,
            PhoneNumberType::Unknown => LineType::Unknown,
        }
    }

    /// Whether a mobile may be behind the number: false only where the plan says otherwise.
    pub fn is_mobile_possible(&self) -> bool {
        match self.line() {
            LineType::Mobile
            | LineType::MobileOrFixed
            | LineType::Voip
            | LineType::Personal
            | LineType::Unknown => true,
            LineType::Fixed | LineType::TollFree | LineType::Service => false,
        }
    }

    fn is_assigned(&self) -> bool {
        self.parsed().is_some_and(|parsed| parsed.is_valid())
    }

    fn parsed(&self) -> Option<Parsed> {
        PHONE_NUMBER_UTIL.parse(self.as_str(), None).ok()
    }

    fn calling_code(&self) -> Option<CallingCode> {
        let digits = self.digits();
        (1..=3).find_map(|len| CALLING_CODES[digits[..len].parse::<usize>().ok()?])
    }
}

impl FromStr for PhoneNumber {
    type Err = PhoneError;

    fn from_str(text: &str) -> Result<Self, PhoneError> {
        Self::parse(text, None)
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.as_str();
        write!(f, "PhoneNumber(..{})", &text[text.len() - 2..])
    }
}

impl Serialize for PhoneNumber {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for PhoneNumber {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_str(E164Visitor)
    }
}

/// Reads a borrowed text where the format has one, so that payloads decode without allocating.
struct E164Visitor;

impl de::Visitor<'_> for E164Visitor {
    type Value = PhoneNumber;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a phone number in E.164")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<PhoneNumber, E> {
        // The text is a person's number: the error must not repeat it.
        PhoneNumber::from_e164(text).map_err(|_| E::custom("not a phone number in E.164"))
    }
}

#[derive(Clone, Copy)]
enum CallingCode {
    /// One country has it.
    One(Country),
    /// Several share it: the digits that follow decide.
    Many,
}

/// Calling code 61 is shared with two islands, but mobiles count as Australian.
const AU_MOBILE: &str = "614";

/// By calling code, 1 to 999. Saves a full parse where a calling code belongs to one country.
static CALLING_CODES: LazyLock<Vec<Option<CallingCode>>> = LazyLock::new(|| {
    let mut table: Vec<Option<CallingCode>> = vec![None; 1000];
    for region in PHONE_NUMBER_UTIL.get_supported_regions() {
        let code = PHONE_NUMBER_UTIL.get_country_code_for_region(region);
        let (Some(code), Some(country)) = (code, iso(region)) else { continue };

        if let Some(slot) = usize::try_from(code).ok().and_then(|code| table.get_mut(code)) {
            *slot = Some(slot.map_or(CallingCode::One(country), |_| CallingCode::Many));
        }
    }
    table
});

/// Whether letters other than a `tel:` scheme or an extension's mark are in the input.
/// libphonenumber would read words as keypad digits, and so turn a typing error into a stranger.
fn has_words(input: &str) -> bool {
    input
        .split(|c: char| !c.is_alphabetic())
        .filter(|word| !word.is_empty())
        .any(|word| !["tel", "ext", "x", "extension"].contains(&word.to_lowercase().as_str()))
}

/// The country of a region of libphonenumber; none for its region of international services.
fn iso(region: Region) -> Option<Country> {
    region.to_string().parse().ok()
}

/// Input that libphonenumber reads wrongly or not at all, in the form that it reads: with a leading
/// `00` in countries that dial abroad otherwise.
fn rewritten(input: &str) -> Option<String> {
    let digits: String = input.chars().filter(char::is_ascii_digit).collect();
    digits.strip_prefix("00").map(|rest| format!("+{rest}"))
}

/// Reads a number that is assigned, or a mobile whose canonical form is, or says what is wrong with
/// it.
fn valid(input: &str, default_region: Option<Country>) -> Result<PhoneNumber, PhoneError> {
    if let Some(number) = plainly_valid(input) {
        return Ok(number);
    }

    let region = default_region.and_then(|country| Region::try_from(country.as_str()).ok());
    let parsed = PHONE_NUMBER_UTIL.parse(input, region).map_err(reason)?;
    if parsed.extension.is_some() {
        return Err(PhoneError::Extension);
    }

    let number = PhoneNumber::from_e164(&parsed.format_as(PhoneNumberFormat::E164));
    if !parsed.is_valid() {
        let canonical = number.ok().and_then(|number| number.other_form());
        if let Some(canonical) = canonical.filter(PhoneNumber::is_assigned) {
            return Ok(canonical);
        }
        return Err(match parsed.is_possible_with_reason() {
            Err(ValidationError::TooShort) | Ok(NumberLengthType::IsPossibleLocalOnly) => {
                PhoneError::TooShort
            }
            Err(ValidationError::TooLong) => PhoneError::TooLong,
            Err(ValidationError::InvalidCountryCode) => PhoneError::UnknownCountry,
            Err(ValidationError::InvalidLength) | Ok(NumberLengthType::IsPossible) => {
                PhoneError::Unassigned
            }
        });
    }
    number
}

/// A canonical North American number or Australian mobile without the cost of parsing: nothing in
/// them can be a prefix to strip. Whether it is assigned is asked all the same.
fn plainly_valid(input: &str) -> Option<PhoneNumber> {
    let number = PhoneNumber::from_e164(input).ok()?;
    let digits = number.digits();
    let (calling_code, rest) = match digits.len() {
        11 if digits.starts_with('1') && !matches!(digits.as_bytes()[1], b'0' | b'1') => {
            (1, &digits[1..])
        }
        11 if digits.starts_with(AU_MOBILE) => (61, &digits[2..]),
        _ => return None,
    };

    let parsed = Parsed {
        country_code: calling_code,
        national_number: rest.parse().ok()?,
        ..Parsed::default()
    };
    parsed.is_valid().then_some(number)
}

/// What libphonenumber could not parse.
fn reason(error: ParseError) -> PhoneError {
    match error {
        ParseError::InvalidCountryCode => PhoneError::UnknownCountry,
        ParseError::NotANumber(_) => PhoneError::NotANumber,
        ParseError::TooShortAfterIdd | ParseError::TooShortNsn => PhoneError::TooShort,
        ParseError::TooLongNsn => PhoneError::TooLong,
    }
}
