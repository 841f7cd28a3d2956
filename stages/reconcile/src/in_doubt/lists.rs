//! Asking carriers what they have on record between two numbers.

use std::time::Duration;

use carriers::twilio::{MessageRecord, ReadError};
use store::settings::accounts::Access;
use tokio::time::timeout;

use super::Pair;
use crate::carrier::Carrier;

/// How long a list may take, all of its pages together.
const LONGEST: Duration = Duration::from_secs(15);

/// Why there is no list. Says nothing about any text.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoList {
    /// The account is gone, or cannot be used as it is set up.
    #[error("the account cannot be used: {0}")]
    Account(&'static str),
    /// The carrier gave none.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It took too long.
    #[error("the list took longer than {} s", LONGEST.as_secs())]
    TimeUp,
}

/// Every text that the account has from the sender to the person.
pub(crate) async fn list(
    carrier: &Carrier,
    pair: &Pair,
    access: Option<&Access>,
) -> Result<Vec<MessageRecord>, NoList> {
    let access = access.ok_or(NoList::Account("account_gone"))?;
    let client = carrier.client(access).map_err(NoList::Account)?;
    let list = client.list(&pair.to, &pair.from, None);
    Ok(timeout(LONGEST, list).await.map_err(|_| NoList::TimeUp)??)
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
                | ReadError::TooMany,
            )
            | Self::Account(_)
            | Self::TimeUp => None,
        }
    }
}
