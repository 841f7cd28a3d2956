//! Money in integer micro-units, and its JSON form.

use std::{
    fmt,
    iter::Sum,
    ops::{Add, AddAssign, Neg, Sub},
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use utoipa::ToSchema;

/// Millionths of a currency unit: 0.0079 dollars are 7,900. Sums saturate rather than wrap, which
/// no real balance reaches (nine trillion units).
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
)]
#[serde(transparent)]
pub struct Micros(pub i64);

/// An amount with its currency, in JSON `{"amount": "0.0079", "currency": "USD"}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct Money {
    /// The amount, a decimal number in a string: JSON numbers are floats to many readers.
    #[serde(with = "decimal")]
    #[schema(value_type = String, pattern = r"^-?[0-9]+(\.[0-9]{1,6})?$", example = "0.0079")]
    pub amount: Micros,
    /// The currency of the amount.
    pub currency: Currency,
}

/// A currency by its ISO 4217 code, such as `USD`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// Why a text is no amount or currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadMoney {
    /// Not digits with at most one point and six decimals, or beyond the range.
    #[error("an amount is a decimal number with at most six decimals, such as \"0.0079\"")]
    Amount,
    /// Not three letters.
    #[error("a currency is three letters, such as USD")]
    Currency,
}

impl Micros {
    /// No money at all.
    pub const ZERO: Self = Self(0);
    /// One whole unit of the currency.
    pub const UNIT: Self = Self(1_000_000);

    /// So many times this amount.
    pub fn times(self, count: u32) -> Self {
        Self(self.0.saturating_mul(i64::from(count)))
    }
}

impl Money {
    /// An amount in US dollars.
    pub fn usd(amount: Micros) -> Self {
        Self { amount, currency: Currency::USD }
    }
}

impl Currency {
    /// The US dollar.
    pub const USD: Self = Self(*b"USD");

    /// The three capital letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("three ASCII letters")
    }
}

impl Add for Micros {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Micros {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Micros {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Neg for Micros {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl Sum for Micros {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

/// A decimal number with at least two decimals and no others than needed: `1.50`, `0.0079`.
impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let whole = self.0.unsigned_abs();
        let decimals = format!("{:06}", whole % 1_000_000);
        let kept = decimals.trim_end_matches('0').len().max(2);
        write!(f, "{sign}{}.{}", whole / 1_000_000, &decimals[..kept])
    }
}

impl FromStr for Micros {
    type Err = BadMoney;

    fn from_str(text: &str) -> Result<Self, BadMoney> {
        let (negative, number) = match text.strip_prefix('-') {
            Some(number) => (true, number),
            None => (false, text),
        };
        let (whole, decimals) = match number.split_once('.') {
            Some((whole, decimals)) if !decimals.is_empty() => (whole, decimals),
            Some(_) => return Err(BadMoney::Amount),
            None => (number, ""),
        };

        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || decimals.len() > 6 || !digits(whole) || !digits(decimals) {
            return Err(BadMoney::Amount);
        }

        let magnitude: i64 =
            format!("{whole}{decimals:0<6}").parse().map_err(|_| BadMoney::Amount)?;
        Ok(Self(if negative { -magnitude } else { magnitude }))
    }
}

impl FromStr for Currency {
    type Err = BadMoney;

    fn from_str(text: &str) -> Result<Self, BadMoney> {
        match <[u8; 3]>::try_from(text.as_bytes()) {
            Ok(code) if code.iter().all(u8::is_ascii_alphabetic) => {
                Ok(Self(code.map(|letter| letter.to_ascii_uppercase())))
            }
            Ok(_) | Err(_) => Err(BadMoney::Currency),
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(D::Error::custom)
    }
}

/// Amounts as decimal strings.
mod decimal {
    use super::{Deserialize, Deserializer, Error, Micros, Serializer};

    pub(super) fn serialize<S: Serializer>(amount: &Micros, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(amount)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Micros, D::Error> {
        String::deserialize(d)?.parse().map_err(D::Error::custom)
    }
}
