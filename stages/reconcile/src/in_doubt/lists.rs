//! Asking carriers what they have on record between two numbers.

use std::time::Duration;

use carriers::{AccountFault, Clients, MessageRecord, ReadError};
use store::settings::accounts::Access;
use tokio::time::timeout;

use super::pairs::Pair;

/// How long a list may take, all of its pages together.
const LONGEST: Duration = Duration::from_secs(15);

/// What a carrier's list is worth.
#[derive(Debug)]
pub(crate) enum Listed {
    /// Every text that the account has from the sender to the person: what is missing is absent.
    Whole(Vec<MessageRecord>),
    /// The carrier has no list, so absence cannot be proven.
    NotOffered,
}

/// Why there is no list. It says nothing about any text.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoList {
    /// The account is gone.
    #[error("the account is gone")]
    AccountGone,
    /// The account cannot be used as it is set up.
    #[error("the account cannot be used: {0}")]
    Account(#[from] AccountFault),
    /// The carrier gave none.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It took too long.
    #[error("the list took longer than {} s", LONGEST.as_secs())]
    TimeUp,
}

/// Asks an account about its texts from the sender to the person.
pub(crate) async fn list(
    clients: &Clients,
    pair: &Pair,
    access: Option<&Access>,
) -> Result<Listed, NoList> {
    let client = clients.of(access.ok_or(NoList::AccountGone)?)?;
    if !client.carrier().abilities().lists {
        return Ok(Listed::NotOffered);
    }

    let list = client.list(&pair.to, &pair.from, None);
    let whole = timeout(LONGEST, list).await.map_err(|_| NoList::TimeUp)??;
    Ok(Listed::Whole(whole))
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
            | Self::Account(_)
            | Self::TimeUp => None,
        }
    }
}
