//! Dates and times as they stand in lists of people, most of them without a zone.

use jiff::{Timestamp, civil, tz::TimeZone};

use crate::http::Errors;

/// What would have been right.
const EXPECTED: &str = "a date such as 2026-03-08, or a time such as \
     2026-03-08T09:30:00-05:00 or, by the tenant's clock, 2026-03-08 09:30";

/// Reads a date or a time of a field, as lists of people have them; blanks count as not said.
pub(crate) fn moment(
    field: &str,
    written: Option<&str>,
    zone: &TimeZone,
    errors: &mut Errors,
) -> Option<Timestamp> {
    let written = written.map(str::trim).filter(|written| !written.is_empty())?;
    let read = instant(written, zone);
    if read.is_none() {
        errors.add(field, "invalid_time", EXPECTED);
    }
    read
}

/// Reads an RFC 3339 time, a time without a zone by the tenant's clock, or a date, which is its
/// beginning by that clock. None for anything else. The database keeps microseconds.
fn instant(written: &str, zone: &TimeZone) -> Option<Timestamp> {
    let read: Timestamp = written.parse().ok().or_else(|| without_zone(written, zone))?;
    Timestamp::from_microsecond(read.as_microsecond()).ok()
}

/// Reads a date, or a time by the tenant's clock.
fn without_zone(written: &str, zone: &TimeZone) -> Option<Timestamp> {
    // The parsers pass over what is in brackets, which would be another zone.
    if written.contains('[') {
        return None;
    }
    let time: civil::DateTime = if written.contains(':') {
        written.parse().ok()?
    } else {
        written.parse::<civil::Date>().ok()?.to_datetime(civil::Time::midnight())
    };
    Some(time.to_zoned(zone.clone()).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use domain::zones::Zone;

    use super::*;

    fn read(written: &str, zone: &str) -> Option<String> {
        let zone = Zone::parse(zone).expect("a zone");
        instant(written, zone.rules()).map(|at| at.to_string())
    }

    #[test]
    fn a_time_without_a_zone_is_by_the_tenants_clock() {
        for (written, zone, expected) in [
            ("2026-03-04 10:00", "America/New_York", "2026-03-04T15:00:00Z"),
            ("2026-03-04T10:00:30", "America/New_York", "2026-03-04T15:00:30Z"),
            ("2026-07-04 10:00", "America/New_York", "2026-07-04T14:00:00Z"),
            ("2026-03-04 10:00", "Australia/Sydney", "2026-03-03T23:00:00Z"),
            ("2026-03-04T10:00Z", "Australia/Sydney", "2026-03-04T10:00:00Z"),
            ("2026-03-04 10:00+01:00", "Australia/Sydney", "2026-03-04T09:00:00Z"),
            ("2026-03-04", "America/New_York", "2026-03-04T05:00:00Z"),
            ("2026-03-04", "Australia/Sydney", "2026-03-03T13:00:00Z"),
            ("2026-03-04", "Pacific/Auckland", "2026-03-03T11:00:00Z"),
        ] {
            assert_eq!(read(written, zone).as_deref(), Some(expected), "{written} in {zone}");
        }
    }

    #[test]
    fn what_is_neither_a_date_nor_a_time_is_not_read() {
        for written in ["yesterday", "03/04/2026", "2026-02-30", "2026-03-04T10:00[Europe/Paris]"] {
            assert_eq!(read(written, "America/New_York"), None, "{written}");
        }
    }
}
