//! Asking carriers what they have on record between two numbers.

use std::time::Duration;

use carriers::{
    check_base_url,
    twilio::{self, MessageRecord, ReadError},
};
use secrecy::SecretString;
use store::{doubts::Access, seal::Sealer};
use tokio::time::timeout;

use super::{Pair, SweepConfig};

/// How long a list may take, all of its pages together.
const LONGEST: Duration = Duration::from_secs(15);

/// Makes clients of accounts and asks them.
pub(crate) struct Lists {
    sealer: Sealer,
    http: reqwest::Client,
    allow_hosts: Vec<String>,
    timeout: Duration,
}

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

impl Lists {
    pub(crate) fn new(sealer: Sealer, http: reqwest::Client, config: &SweepConfig) -> Self {
        let (allow_hosts, timeout) = (config.allow_hosts.clone(), config.request_timeout);
        Self { sealer, http, allow_hosts, timeout }
    }

    /// Every text that the account has from the sender to the person.
    pub(crate) async fn of(
        &self,
        pair: &Pair,
        access: Option<&Access>,
    ) -> Result<Vec<MessageRecord>, NoList> {
        let access = access.ok_or(NoList::Account("account_gone"))?;
        let client = self.client(access).map_err(NoList::Account)?;
        let list = client.list(&pair.to, &pair.from, None);
        Ok(timeout(LONGEST, list).await.map_err(|_| NoList::TimeUp)??)
    }

    fn client(&self, access: &Access) -> Result<twilio::Client, &'static str> {
        check_base_url(twilio::HOST, &access.base_url, &self.allow_hosts)
            .map_err(|_| "account_host_not_allowed")?;
        let token = self.sealer.open(&access.sealed_token).map_err(|_| "account_token_unread")?;
        let token = String::from_utf8(token).map_err(|_| "account_token_unread")?;
        let token = SecretString::from(token);
        twilio::Client::new(self.http.clone(), &access.base_url, &access.carrier_sid, &token)
            .map(|client| client.with_timeout(self.timeout))
            .map_err(|_| "account_settings")
    }
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
