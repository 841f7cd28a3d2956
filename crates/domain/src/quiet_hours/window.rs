//! A weekly window of local time, and its one-line form.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// The seconds of a day of 24 hours.
pub(super) const DAY: i64 = 86_400;

const MINUTES: u16 = 1_440;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// When texts are allowed, for each day of the week, in local time. As text and in JSON:
/// `daily 09:00-21:00` or `mon-fri 09:00-18:00, sat 10:00-14:00`. A day that is not named is
/// closed all day; `never` closes them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    /// The day's span by weekday, Monday first.
    days: [Span; 7],
}

/// A part of a day: start included, end excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    /// Minutes after local midnight, 0 to 1440.
    from: u16,
    /// Minutes after local midnight; not after `from` means that nothing is allowed.
    to: u16,
}

/// Why a text is not a window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadWindow {
    /// A part is not days and hours.
    #[error("write days and hours, such as `mon-fri 09:00-18:00`: `{0}` is neither")]
    Form(String),
    /// The end is not after the start; a window over midnight is written as two days.
    #[error("the end must come after the start on the same day: `{0}`")]
    Order(String),
    /// A day has two windows.
    #[error("each day may be named once: `{0}`")]
    Twice(String),
}

impl Span {
    const CLOSED: Self = Self { from: 0, to: 0 };

    /// The part of a day between two times in minutes after midnight; at most 1440.
    pub fn new(from: u16, to: u16) -> Option<Self> {
        (from < to && to <= MINUTES).then_some(Self { from, to })
    }

    fn intersect(self, other: Self) -> Self {
        Self::new(self.from.max(other.from), self.to.min(other.to)).unwrap_or(Self::CLOSED)
    }
}

impl Window {
    /// Every hour of every day.
    pub const ALWAYS: Self = Self { days: [Span { from: 0, to: MINUTES }; 7] };

    /// The same part of every day.
    pub fn daily(span: Span) -> Self {
        Self { days: [span; 7] }
    }

    /// The window of the hours that both allow.
    pub fn intersect(self, other: Self) -> Self {
        let mut days = self.days;
        for (day, theirs) in days.iter_mut().zip(other.days) {
            *day = day.intersect(theirs);
        }
        Self { days }
    }

    /// Whether no hour of the week is allowed.
    pub fn is_never(self) -> bool {
        self.days.iter().all(|span| *span == Span::CLOSED)
    }

    /// Whether it is open on a local day (days since 1970-01-01) at a local second of the day, and
    /// the second of that day at which this may change.
    pub(super) fn state_at(self, day: i64, second: i64) -> (bool, i64) {
        // 1970-01-01 was a Thursday.
        let weekday = (day + 3).rem_euclid(7) as usize;
        let Span { from, to } = self.days[weekday];
        let (from, to) = (i64::from(from) * 60, i64::from(to) * 60);

        if second < from {
            (false, from)
        } else if second < to {
            (true, to)
        } else {
            (false, DAY)
        }
    }
}

impl FromStr for Window {
    type Err = BadWindow;

    fn from_str(text: &str) -> Result<Self, BadWindow> {
        if text == "never" {
            return Ok(Self::daily(Span::CLOSED));
        }

        let mut days = [None; 7];
        for part in text.split(',').map(str::trim) {
            let form = || BadWindow::Form(part.to_owned());
            let (names, hours) = part.split_once(' ').ok_or_else(form)?;
            let (first, last) = day_range(names).ok_or_else(form)?;
            let (from, to) = hours.trim().split_once('-').ok_or_else(form)?;

            let [from, to] = [from, to].map(minutes);
            let span = Span::new(from.ok_or_else(form)?, to.ok_or_else(form)?);
            let span = span.ok_or_else(|| BadWindow::Order(part.to_owned()))?;

            for day in &mut days[first..=last] {
                if day.replace(span).is_some() {
                    return Err(BadWindow::Twice(part.to_owned()));
                }
            }
        }
        Ok(Self { days: days.map(|day| day.unwrap_or(Span::CLOSED)) })
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = 0;
        let mut separator = "";
        while first < 7 {
            let span = self.days[first];
            let alike = self.days[first..].iter().take_while(|other| **other == span).count();

            if span != Span::CLOSED {
                let names = match (first, alike) {
                    (_, 7) => "daily".to_owned(),
                    (_, 1) => DAYS[first].to_owned(),
                    _ => format!("{}-{}", DAYS[first], DAYS[first + alike - 1]),
                };
                write!(f, "{separator}{names} {}-{}", ClockTime(span.from), ClockTime(span.to))?;
                separator = ", ";
            }
            first += alike;
        }

        if separator.is_empty() { f.write_str("never") } else { Ok(()) }
    }
}

impl Serialize for Window {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Window {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(D::Error::custom)
    }
}

/// Minutes after midnight as `HH:MM`.
struct ClockTime(u16);

impl fmt::Display for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

/// `daily`, `mon` or `mon-fri`; a range may not run over the end of the week.
fn day_range(names: &str) -> Option<(usize, usize)> {
    if names.eq_ignore_ascii_case("daily") {
        return Some((0, 6));
    }
    let day = |name: &str| DAYS.iter().position(|day| day.eq_ignore_ascii_case(name));
    let (first, last) = names.split_once('-').unwrap_or((names, names));
    let (first, last) = (day(first)?, day(last)?);
    (first <= last).then_some((first, last))
}

/// `HH:MM`, `24:00` included.
fn minutes(clock: &str) -> Option<u16> {
    let (hours, minutes) = clock.split_once(':')?;
    let number = |part: &str| -> Option<u16> {
        (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse().ok())?
    };

    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let total = hours * 60 + minutes;
    (minutes < 60 && total <= MINUTES).then_some(total)
}
