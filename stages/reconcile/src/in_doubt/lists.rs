//! Asking carriers what they have on record between two numbers.

use std::time::Duration;

use carriers::{AccountFault, Clients, MessageRecord, ReadError};
use futures::{StreamExt, stream};
use jiff::Timestamp;
use tokio::time::{Instant, timeout_at};

use super::{match_up::SKEW, pairs::DuePair};

/// Lists that one account is asked for at once.
const AT_ONCE: usize = 8;

/// How long the lists of an account may take in one look, all of their pages together: what they
/// are about is leased for longer.
const LONGEST: Duration = Duration::from_secs(15);

/// What a carrier's list is worth.
#[derive(Debug)]
pub(crate) enum Listed {
    /// Every text that the account has from the sender to the person, of calls that began at
    /// `since` or later; of all calls where there is none. What is missing is absent.
    Whole { records: Vec<MessageRecord>, since: Option<Timestamp> },
    /// The carrier has no list, so absence cannot be proven.
    NotOffered,
}

/// Why there is no list. It says nothing about any text.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoList {
    /// The account is gone.
    #[error("the account is gone")]
    AccountGone,
    /// The sender is gone, and with it the number that the text came from.
    #[error("the sender is gone")]
    SenderGone,
    /// The account cannot be used as it is set up.
    #[error("the account cannot be used: {0}")]
    Account(#[from] AccountFault),
    /// The carrier gave none.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It took too long.
    #[error("the lists of the account took longer than {} s", LONGEST.as_secs())]
    TimeUp,
}

/// The list of a pair, or why there is none.
pub(crate) type Answer = (DuePair, Result<Listed, NoList>);

/// Asks an account about its pairs.
pub(crate) async fn lists(clients: &Clients, pairs: Vec<DuePair>) -> Vec<Answer> {
    let until = Instant::now() + LONGEST;
    let asking = pairs.into_iter().map(|of_pair| async move {
        let listed = timeout_at(until, list(clients, &of_pair)).await;
        (of_pair, listed.unwrap_or(Err(NoList::TimeUp)))
    });
    stream::iter(asking).buffer_unordered(AT_ONCE).collect().await
}

/// Asks an account about its texts from the sender to the person, since the first of their calls.
async fn list(clients: &Clients, of_pair: &DuePair) -> Result<Listed, NoList> {
    let DuePair { pair, since, .. } = of_pair;
    let client = clients.of(of_pair.access.as_ref().ok_or(NoList::AccountGone)?)?;
    if !client.carrier().abilities().lists {
        return Ok(Listed::NotOffered);
    }

    let from = pair.from.as_ref().ok_or(NoList::SenderGone)?;
    let taken_since = since.and_then(|since| since.checked_sub(SKEW).ok());
    let records = client.list(&pair.to, from, taken_since).await?;
    Ok(Listed::Whole { records, since: *since })
}

impl NoList {
    /// How long the carrier wants not to be asked.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Read(ReadError::Throttled(throttle)) => throttle.retry_after,
            Self::Read(
                ReadError::Stopped { .. }
                | ReadError::Unavailable(_)
                | ReadError::NoConnection
                | ReadError::TooMany(_)
                | ReadError::NotOffered,
            )
            | Self::AccountGone
            | Self::SenderGone
            | Self::Account(_)
            | Self::TimeUp => None,
        }
    }
}
