//! An event consumer as it is asked for, and what makes it valid.

use jiff::{SignedDuration, Timestamp};
use pipeline::access::subscribers::Beginning;
use serde::Deserialize;
use store::settings::event_consumers::EventConsumer;
use utoipa::ToSchema;
use uuid::Uuid;
use wire::Stream;

use crate::{
    fields,
    http::{Errors, Problem},
};

/// How long credentials hold, unless the caller says otherwise.
const USUAL: SignedDuration = SignedDuration::from_hours(24 * 90);

/// How long credentials hold at most.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 400);

/// What an event consumer may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Readable {
    /// Each event as it happens.
    Events,
    /// The totals so far.
    Analytics,
}

/// An event consumer to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewEventConsumer {
    /// What it is for, for people.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// Where it begins: `new` with what happens from now on, `all` with the oldest that is kept, or
    /// an instant (RFC 3339) by the broker's clock.
    #[schema(example = "new", min_length = 3, max_length = 40)]
    from: String,
    /// What it reads, each once: `events` (what happens), `analytics` (the totals so far). Left
    /// out, both.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 2)]
    reads: Option<Vec<Readable>>,
    /// When its credentials end, by the machine's clock, at most 400 days ahead. Left out, in 90
    /// days.
    #[serde(default)]
    expires_at: Option<Timestamp>,
}

/// The same, once it is valid.
pub(super) struct NewConsumer {
    name: String,
    begins: String,
    reads: Vec<Stream>,
    /// Where it begins.
    pub(super) from: Beginning,
    /// When its credentials end.
    pub(super) expires_at: Timestamp,
}

impl NewEventConsumer {
    /// What is asked for, or everything that is wrong with it.
    ///
    /// # Errors
    /// A field is wrong.
    pub(super) fn check(self, now: Timestamp) -> Result<NewConsumer, Problem> {
        let mut errors = Errors::default();
        fields::name(&self.name, &mut errors);
        let from = beginning(&self.from, now, &mut errors);
        let reads = reads(self.reads.as_deref(), &mut errors);

        let expires_at = self.expires_at.unwrap_or(now + USUAL);
        let is_ahead = expires_at > now && expires_at <= now + LONGEST;
        errors.check(is_ahead, "expires_at", "out_of_range", "in the future, at most 400 days");
        errors.done()?;

        let (name, begins) = (self.name.trim().to_owned(), self.from);
        Ok(NewConsumer { name, begins, reads, from, expires_at })
    }
}

impl NewConsumer {
    /// As it is kept.
    pub(super) fn consumer(&self, id: Uuid, now: Timestamp) -> EventConsumer {
        EventConsumer {
            id,
            name: self.name.clone(),
            reads: self.reads.iter().map(|stream| stream.name().to_owned()).collect(),
            begins: self.begins.clone(),
            created_at: now,
            expires_at: self.expires_at,
        }
    }
}

fn beginning(written: &str, now: Timestamp, errors: &mut Errors) -> Beginning {
    match (written, written.parse::<Timestamp>()) {
        ("new", _) => Beginning::New,
        ("all", _) => Beginning::All,
        (_, Ok(at)) => {
            errors.check(at <= now, "from", "out_of_range", "not in the future; or new, or all");
            Beginning::At(at)
        }
        (_, Err(_)) => {
            errors.add("from", "unknown", "new, all, or an instant as RFC 3339 writes it");
            Beginning::New
        }
    }
}

fn reads(written: Option<&[Readable]>, errors: &mut Errors) -> Vec<Stream> {
    let written = written.unwrap_or(&[Readable::Events, Readable::Analytics]);
    errors.check(!written.is_empty(), "reads", "too_short", "name one or both, or leave it out");
    for (index, one) in written.iter().enumerate() {
        let is_new = !written[..index].contains(one);
        errors.check(is_new, &format!("reads[{index}]"), "duplicate", "each once");
    }

    let stream = |one: &Readable| match one {
        Readable::Events => Stream::Events,
        Readable::Analytics => Stream::Analytics,
    };
    written.iter().map(stream).collect()
}
