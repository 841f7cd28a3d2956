//! One time zone of the bundled IANA database.

use std::{
    collections::HashMap,
    fmt,
    str::FromStr,
    sync::{LazyLock, OnceLock},
};

use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A zone of the IANA database that is built into the program, so that a decision does not depend
/// on the machine's files. Two bytes and `Copy`; orders by name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Zone(u16);

/// Why a text is not a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnknownZone {
    /// No zone has this name.
    #[error("this is not a time zone of the IANA database, such as America/New_York")]
    NoSuchZone,
    /// `MST` is the time of Denver in winter, and of Arizona all year.
    #[error("MST may be Denver's or Arizona's: write America/Denver or America/Phoenix")]
    MountainOrArizona,
    /// `GMT` is the time of London in winter, and of West Africa all year.
    #[error("GMT may be London's or West Africa's: write Europe/London, Africa/Accra or UTC")]
    LondonOrWestAfrica,
}

impl Zone {
    /// The zone of this name, in any case: `america/new_york` is `America/New_York`.
    ///
    /// For what is stored and sent: the names `EST`, `MST`, `HST` and `GMT` are offsets without a
    /// summer time here. What people write is for [`Zone::read`].
    ///
    /// # Errors
    /// [`UnknownZone`] where the database has no such name.
    pub fn parse(name: &str) -> Result<Self, UnknownZone> {
        if let Some(index) = EXACT.get(name) {
            return Ok(Self(*index));
        }
        let found = ZONES.binary_search_by(|entry| {
            let folded = entry.name.bytes().map(|b| b.to_ascii_lowercase());
            folded.cmp(name.bytes().map(|b| b.to_ascii_lowercase()))
        });
        found.map(|index| Self(index as u16)).map_err(|_| UnknownZone::NoSuchZone)
    }

    /// The zone that people mean where they write one: by an abbreviation of the United States the
    /// zone of the place, summer and winter, else by its name. A name of no place is refused.
    ///
    /// # Errors
    /// [`UnknownZone`], with what to write instead.
    pub fn read(written: &str) -> Result<Self, UnknownZone> {
        let written = written.trim();
        if written.eq_ignore_ascii_case("MST") {
            return Err(UnknownZone::MountainOrArizona);
        }
        if written.eq_ignore_ascii_case("GMT") {
            return Err(UnknownZone::LondonOrWestAfrica);
        }
        if NO_PLACE.iter().any(|name| name.eq_ignore_ascii_case(written)) {
            return Err(UnknownZone::NoSuchZone);
        }
        let abbreviation =
            ABBREVIATIONS.iter().find(|(name, _)| name.eq_ignore_ascii_case(written));
        Self::parse(abbreviation.map_or(written, |(_, zone)| zone))
    }

    /// The IANA name.
    pub fn as_str(self) -> &'static str {
        &ZONES[usize::from(self.0)].name
    }

    /// The zone's rules.
    pub fn rules(self) -> &'static TimeZone {
        let entry = &ZONES[usize::from(self.0)];
        entry.rules.get_or_init(|| DATABASE.get(&entry.name).expect("a name of the database"))
    }
}

/// Reads what people write: [`Zone::read`].
impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(written: &str) -> Result<Self, UnknownZone> {
        Self::read(written)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_str(NameVisitor)
    }
}

/// Names of the database that are no place's: what a clock shows that nobody has set.
const NO_PLACE: [&str; 2] = ["Factory", "Etc/Unknown"];

/// The abbreviations that people in the United States write, and the zones that they live in.
const ABBREVIATIONS: [(&str, &str); 10] = [
    ("EST", "America/New_York"),
    ("EDT", "America/New_York"),
    ("CST", "America/Chicago"),
    ("CDT", "America/Chicago"),
    ("MDT", "America/Denver"),
    ("PST", "America/Los_Angeles"),
    ("PDT", "America/Los_Angeles"),
    ("AKST", "America/Anchorage"),
    ("AKDT", "America/Anchorage"),
    ("HST", "Pacific/Honolulu"),
];

struct NameVisitor;

impl de::Visitor<'_> for NameVisitor {
    type Value = Zone;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an IANA time zone")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Zone, E> {
        Zone::parse(name).map_err(E::custom)
    }
}

struct Entry {
    name: String,
    rules: OnceLock<TimeZone>,
}

static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// By the name as the database writes it, which is how payloads have it.
static EXACT: LazyLock<HashMap<&'static str, u16>> = LazyLock::new(|| {
    ZONES.iter().enumerate().map(|(index, entry)| (entry.name.as_str(), index as u16)).collect()
});

/// Sorted by name without regard to case.
static ZONES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let mut names: Vec<String> =
        DATABASE.available().map(|name| name.as_str().to_owned()).collect();
    names.sort_by_cached_key(|name| name.to_ascii_lowercase());
    names.into_iter().map(|name| Entry { name, rules: OnceLock::new() }).collect()
});
