//! What tenants read at the broker: durable consumers that hold what one tenant may see, and the
//! credentials that ask them, and nobody else, for it.

use std::{fmt, time::Duration};

use async_nats::{
    datetime::parse_rfc3339,
    jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull},
};
use jiff::Timestamp;
use nkeys::{KeyPair, KeyPairType};
use secrecy::{ExposeSecret, SecretString};
use wire::Stream;

use super::claims::{self, ClaimsError};
use crate::{
    broker::Broker,
    change::{ApplyError, broker_said},
    consumers::is_missing,
    credentials,
};

/// How long nobody may ask a consumer before the broker forgets it.
pub const FORGOTTEN_AFTER: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How long what is delivered may stay un-acked before it comes again.
const ACK_WAIT: Duration = Duration::from_secs(30);

/// How many entries may be delivered and un-acked at once.
const UNACKED: i64 = 1_000;

/// How many requests may wait for entries at once, and for how long, and for how many.
const WAITING: i64 = 16;
const EXPIRES: Duration = Duration::from_secs(60);
const BATCH: i64 = 256;

/// Where a subscriber begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beginning {
    /// With the next entry that is stored.
    New,
    /// With the oldest entry that is kept.
    All,
    /// With the first entry that was stored at this time or later, by the broker's clock.
    At(Timestamp),
}

/// What a consumer has before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubscriberBacklog {
    /// Entries that are not delivered.
    pub pending: u64,
    /// Entries that are delivered and not acknowledged.
    pub unacked: u64,
}

/// Makes the consumer of a subscriber, unless it is there.
///
/// # Errors
/// The broker refuses, or does not answer.
pub async fn make(
    broker: &Broker,
    (stream, filter): (Stream, String),
    name: &str,
    from: Beginning,
) -> Result<(), ApplyError> {
    let deliver_policy = match from {
        Beginning::New => DeliverPolicy::New,
        Beginning::All => DeliverPolicy::All,
        Beginning::At(at) => {
            let start_time = parse_rfc3339(&at.to_string());
            let start_time = start_time.map_err(|why| broker_said(name, &why))?;
            DeliverPolicy::ByStartTime { start_time }
        }
    };

    let config = pull::Config {
        durable_name: Some(name.to_owned()),
        filter_subject: filter,
        deliver_policy,
        ack_policy: AckPolicy::Explicit,
        ack_wait: ACK_WAIT,
        max_ack_pending: UNACKED,
        max_waiting: WAITING,
        max_batch: BATCH,
        max_expires: EXPIRES,
        inactive_threshold: FORGOTTEN_AFTER,
        ..pull::Config::default()
    };

    let made = broker.api.create_consumer_on_stream(config, stream.name()).await;
    made.map(drop).map_err(|why| broker_said(name, &why))
}

/// Removes the consumer of a subscriber; one that is not there is no error.
///
/// # Errors
/// The broker refuses, or does not answer.
pub async fn remove(broker: &Broker, stream: Stream, name: &str) -> Result<(), ApplyError> {
    match broker.api.delete_consumer_from_stream(name, stream.name()).await {
        Ok(_) => Ok(()),
        Err(why) if is_missing(&why) => Ok(()),
        Err(why) => Err(broker_said(name, &why)),
    }
}

/// What the consumer of a subscriber has before it; the inner none where the broker has forgotten
/// it, the outer one where the broker does not answer.
pub async fn look(
    broker: &Broker,
    stream: Stream,
    name: &str,
) -> Option<Option<SubscriberBacklog>> {
    let found = broker.api.get_consumer_from_stream(name, stream.name()).await;
    let found: Result<PullConsumer, _> = found;
    match found {
        Ok(consumer) => {
            let info = consumer.cached_info();
            let (pending, unacked) = (info.num_pending, info.num_ack_pending as u64);
            Some(Some(SubscriberBacklog { pending, unacked }))
        }
        Err(why) if is_missing(&why) => Some(None),
        Err(_) => None,
    }
}

/// Makes credentials of subscribers: with the account's key that may make nothing else. Shows
/// nothing of it.
#[derive(Clone)]
pub struct SubscriberSigner {
    account: String,
    key: KeyPair,
}

impl SubscriberSigner {
    /// Reads the account and the seed of its key for subscribers, with a blank between.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(text: &SecretString) -> Result<Self, ClaimsError> {
        let mut words = text.expose_secret().split_whitespace();
        let (Some(account), Some(seed), None) = (words.next(), words.next(), words.next()) else {
            return Err(ClaimsError);
        };
        let of_account = |key: &KeyPair| key.key_pair_type() == KeyPairType::Account;
        let known = KeyPair::from_public_key(account).is_ok_and(|key| of_account(&key));
        let key = KeyPair::from_seed(seed).ok().filter(of_account).filter(|_| known);

        Ok(Self { account: account.to_owned(), key: key.ok_or(ClaimsError)? })
    }

    /// The account whose subscribers they are.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// Credentials, as a file of them, that may ask the consumers of this name until `end`, by the
    /// broker's clock. Nobody keeps them here.
    ///
    /// # Errors
    /// None that [`SubscriberSigner::parse`] has not told.
    pub fn credentials(
        &self,
        name: &str,
        now: Timestamp,
        end: Timestamp,
    ) -> Result<SecretString, ClaimsError> {
        let user = KeyPair::new_user();
        let key = user.public_key();
        let jwt = claims::subscriber(&self.key, &self.account, &key, name, (now, end))?;
        let seed = user.seed().map_err(|_| ClaimsError)?.into();
        Ok(credentials::credentials(&jwt, &seed))
    }
}

impl fmt::Debug for SubscriberSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubscriberSigner").field("account", &self.account).finish_non_exhaustive()
    }
}

/// What answers to a subscriber of this name arrive under.
pub fn inbox(name: &str) -> String {
    format!("_INBOX.{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signer_is_read_and_never_shown() {
        let (account, key) = (KeyPair::new_account(), KeyPair::new_account());
        let seed = key.seed().expect("a seed");
        let text = SecretString::from(format!("{} {seed}\n", account.public_key()));
        let signer = SubscriberSigner::parse(&text).expect("whole");
        assert_eq!(signer.account(), account.public_key());
        assert!(!format!("{signer:?}").contains(&seed));

        let user = KeyPair::new_user().seed().expect("a seed");
        let public = account.public_key();
        for wrong in [seed.clone(), format!("{public} {user}"), format!("{seed} {public}")] {
            assert!(SubscriberSigner::parse(&wrong.into()).is_err());
        }
    }

    #[test]
    fn credentials_name_the_subscriber_and_end() {
        let (account, key) = (KeyPair::new_account(), KeyPair::new_account());
        let text = format!("{} {}", account.public_key(), key.seed().expect("a seed"));
        let signer = SubscriberSigner::parse(&text.into()).expect("whole");
        let end = Timestamp::from_second(1_000).expect("a time");
        let made = signer.credentials("ec_1", Timestamp::UNIX_EPOCH, end).expect("made");

        let jwt = credentials::jwt_of(made.expose_secret()).expect("a JWT");
        let claims = credentials::read(jwt).expect("claims");
        assert_eq!((&claims["name"], &claims["exp"]), (&"ec_1".into(), &1_000.into()));
        assert_eq!(claims["iss"], key.public_key());
        assert_eq!(claims["nats"]["issuer_account"], account.public_key());
        assert!(claims["nats"]["pub"].is_null(), "the template of the key says what it may");
    }
}
