//! Countries as ISO 3166 two-letter codes.

use std::{collections::HashMap, fmt, str::FromStr, sync::LazyLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A country or territory by its ISO 3166-1 alpha-2 code, such as `US`. Any two letters are
/// accepted: whether there is such a country is known by the tables that use it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

/// Why a text is not a country code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a country is two letters, such as US or AU")]
pub struct BadCountry;

impl Country {
    /// The United States without their territories.
    pub const US: Self = Self(*b"US");
    /// Canada, which shares the United States' numbering plan.
    pub const CA: Self = Self(*b"CA");
    /// Australia, with its own quiet hours.
    pub const AU: Self = Self(*b"AU");

    /// The two capital letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("two ASCII letters")
    }

    /// The country that a person means: by its two letters, or by a name of `data/countries.tsv`,
    /// in any case. None where no country has them.
    pub fn named(written: &str) -> Option<Self> {
        NAMES.get(&plain(written)).copied()
    }

    /// Whether United States law applies: the states and the inhabited territories, which have
    /// country codes of their own.
    pub fn under_us_law(self) -> bool {
        matches!(&self.0, b"US" | b"PR" | b"VI" | b"GU" | b"MP" | b"AS")
    }
}

impl FromStr for Country {
    type Err = BadCountry;

    fn from_str(text: &str) -> Result<Self, BadCountry> {
        match *text.as_bytes() {
            [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
                Ok(Self([a.to_ascii_uppercase(), b.to_ascii_uppercase()]))
            }
            _ => Err(BadCountry),
        }
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Country {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Country {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Countries by code and by name, in the form that [`plain`] gives.
static NAMES: LazyLock<HashMap<String, Country>> = LazyLock::new(|| {
    let rows = include_str!("../data/countries.tsv").lines().filter(|row| !row.starts_with('#'));
    let mut names = HashMap::new();
    for row in rows {
        let (code, written) = row.split_once('\t').expect("two columns in countries.tsv");
        let country = code.parse().expect("a country in countries.tsv");
        names.extend(written.split('|').chain([code]).map(|name| (plain(name), country)));
    }
    names
});

/// A name without what people write differently: case, dots, blanks, `&` for `and`, and `the`.
fn plain(written: &str) -> String {
    let lower = written.to_lowercase().replace('&', " and ");
    let words = lower.split(|c: char| !c.is_alphanumeric() && c != '.').filter(|w| *w != "the");
    words.map(|word| word.replace('.', "")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_known_by_its_letters_and_by_what_people_call_it() {
        for (written, code) in [
            ("US", "US"),
            (" gb ", "GB"),
            ("UK", "GB"),
            ("U.S.A.", "US"),
            ("united states", "US"),
            ("The Netherlands", "NL"),
            ("Antigua and Barbuda", "AG"),
            ("Bosnia & Herzegovina", "BA"),
            ("SINGAPORE", "SG"),
            ("Côte d'Ivoire", "CI"),
        ] {
            assert_eq!(Country::named(written).map(|c| c.to_string()).as_deref(), Some(code));
        }
        for written in ["", "XX", "Narnia", "1", "+44"] {
            assert_eq!(Country::named(written), None, "{written:?}");
        }
    }
}
