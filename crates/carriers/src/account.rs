//! Carrier accounts: the one home of what makes a client of a stored account, and of what a client
//! can be asked.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use domain::{account::Access, carrier_template::KeptTemplate};
use jiff::Timestamp;
use secrecy::SecretString;

#[cfg(feature = "loopback")]
use crate::loopback;
use crate::{
    answer::CarrierReply,
    bandwidth,
    carrier::Carrier,
    hosts::check_base_url,
    media_reply::MediaReply,
    numbers::{AccountNumber, NumberQuery, NumberReply, OfferedNumber, OwnedNumber},
    outbound::Outbound,
    record::{MessageRecord, ReadError},
    setup::SetupError,
    templates::{CarrierTemplateError, NewCarrierTemplate},
    twilio, whatsapp,
};

/// Clients kept; far more than a process has accounts in flight.
const MAX_CLIENTS: usize = 1024;

/// Opens an account's sealed secret; none where it does not open.
pub type OpenSecret = Arc<dyn Fn(&str) -> Option<SecretString> + Send + Sync>;

/// Makes clients of stored accounts. What is kept is named by all that it was made from, so a
/// changed account gets a new client.
pub struct Clients {
    http: reqwest::Client,
    allow_hosts: Vec<String>,
    timeout: Duration,
    open: OpenSecret,
    made: Mutex<HashMap<Access, Client>>,
}

/// The client of one account at its carrier. Cheap to clone.
#[derive(Debug, Clone)]
pub enum Client {
    /// An account at Twilio.
    Twilio(twilio::Client),
    /// An account at Bandwidth, with one of its applications.
    Bandwidth(bandwidth::Client),
    /// A WhatsApp Business Account.
    WhatsappCloud(whatsapp::Client),
    /// An account of tests.
    #[cfg(feature = "loopback")]
    Loopback(loopback::Client),
}

/// Why an account cannot be called as it is set up: a person has to see to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccountFault {
    /// A newer version of the platform has set it up.
    #[error("this version does not know the account's carrier")]
    UnknownCarrier,
    /// Its base URL is neither the carrier's own nor listed by the operator.
    #[error("the account's base URL is not allowed")]
    HostNotAllowed,
    /// Its secret does not open under the master keys that this process has.
    #[error("the account's secret cannot be opened")]
    SecretUnread,
    /// A setting has a form that the carrier does not accept.
    #[error("the account's settings are not usable: {0}")]
    Settings(SetupError),
}

impl AccountFault {
    /// The reason code of a message that is held for it.
    pub fn code(self) -> &'static str {
        match self {
            Self::UnknownCarrier => "account_carrier_unknown",
            Self::HostNotAllowed => "account_host_not_allowed",
            Self::SecretUnread => "account_token_unread",
            Self::Settings(_) => "account_settings",
        }
    }
}

// === impl Clients ===

impl Clients {
    /// A maker of clients over [`crate::http::client`]. `allow_hosts` are hosts that accounts may
    /// name beside the carriers' own, `timeout` is how long one call may take.
    pub fn new(
        http: reqwest::Client,
        allow_hosts: Vec<String>,
        timeout: Duration,
        open: OpenSecret,
    ) -> Self {
        Self { http, allow_hosts, timeout, open, made: Mutex::default() }
    }

    /// The client of an account.
    ///
    /// # Errors
    /// What is wrong with the account as it is set up.
    pub fn of(&self, account: &Access) -> Result<Client, AccountFault> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = made.get(account) {
            return Ok(client.clone());
        }

        let client = self.make(account)?;
        if made.len() >= MAX_CLIENTS {
            made.clear();
        }
        made.insert(account.clone(), client.clone());
        Ok(client)
    }

    fn make(&self, account: &Access) -> Result<Client, AccountFault> {
        let carrier = Carrier::from_name(&account.carrier).ok_or(AccountFault::UnknownCarrier)?;
        check_base_url(|host| carrier.owns_host(host), &account.base_url, &self.allow_hosts)
            .map_err(|_| AccountFault::HostNotAllowed)?;
        let secret = (self.open)(&account.sealed_token).ok_or(AccountFault::SecretUnread)?;

        let (http, url, sid) = (self.http.clone(), &account.base_url, &account.carrier_sid);
        match carrier {
            Carrier::Twilio => twilio::Client::new(http, url, sid, &secret)
                .map(|client| Client::Twilio(client.with_timeout(self.timeout))),
            Carrier::Bandwidth => bandwidth::Client::new(http, url, sid, &secret)
                .map(|client| Client::Bandwidth(client.with_timeout(self.timeout))),
            Carrier::WhatsappCloud => whatsapp::Client::new(http, url, sid, &secret)
                .map(|client| Client::WhatsappCloud(client.with_timeout(self.timeout))),
            #[cfg(feature = "loopback")]
            Carrier::Loopback => loopback::Client::new(http, url, sid, &secret)
                .map(|client| Client::Loopback(client.with_timeout(self.timeout))),
        }
        .map_err(AccountFault::Settings)
    }
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients").field("allow_hosts", &self.allow_hosts).finish_non_exhaustive()
    }
}

// === impl Client ===

impl Client {
    /// The carrier that it speaks to.
    pub fn carrier(&self) -> Carrier {
        match self {
            Self::Twilio(_) => Carrier::Twilio,
            Self::Bandwidth(_) => Carrier::Bandwidth,
            Self::WhatsappCloud(_) => Carrier::WhatsappCloud,
            #[cfg(feature = "loopback")]
            Self::Loopback(_) => Carrier::Loopback,
        }
    }

    /// Asks the carrier to send one text, once.
    pub async fn send(&self, outbound: &Outbound<'_>) -> CarrierReply {
        match self {
            Self::Twilio(client) => client.send_text(outbound).await,
            Self::Bandwidth(client) => client.send_text(outbound).await,
            Self::WhatsappCloud(client) => client.send_text(outbound).await,
            #[cfg(feature = "loopback")]
            Self::Loopback(client) => client.send(outbound).await,
        }
    }

    /// The call that tells where media are that came with a text; none where the carrier has named
    /// them by their address.
    pub(crate) fn media_lookup(&self, named: &str) -> Option<reqwest::Request> {
        match self {
            Self::WhatsappCloud(client) => client.media_lookup(named),
            Self::Twilio(_) | Self::Bandwidth(_) => None,
            #[cfg(feature = "loopback")]
            Self::Loopback(_) => None,
        }
    }

    /// Where media are, by the answer to that call.
    ///
    /// # Errors
    /// Why they cannot be fetched, now or ever.
    pub(crate) fn media_address(&self, status: u16, body: &[u8]) -> Result<String, MediaReply> {
        match self {
            Self::WhatsappCloud(_) => whatsapp::media_address(status, body),
            Self::Twilio(_) | Self::Bandwidth(_) => Err(MediaReply::NotAllowed),
            #[cfg(feature = "loopback")]
            Self::Loopback(_) => Err(MediaReply::NotAllowed),
        }
    }

    /// The request for media that came with a text, credentials included; none where the address is
    /// not one of this account's at its carrier.
    pub(crate) fn media_request(&self, url: &str) -> Option<reqwest::Request> {
        match self {
            Self::Twilio(client) => client.media_request(url),
            Self::Bandwidth(client) => client.media_request(url),
            Self::WhatsappCloud(client) => client.media_request(url),
            #[cfg(feature = "loopback")]
            Self::Loopback(_) => None,
        }
    }

    /// One text by its id; none if the carrier does not have it.
    ///
    /// # Errors
    /// When the carrier gave no usable answer; says nothing about the text.
    pub async fn fetch(&self, sid: &str) -> Result<Option<MessageRecord>, ReadError> {
        match self {
            Self::Twilio(client) => client.fetch(sid).await,
            Self::Bandwidth(client) => client.fetch(sid).await,
            Self::WhatsappCloud(_) => Err(ReadError::NotOffered),
            #[cfg(feature = "loopback")]
            Self::Loopback(client) => client.fetch(sid).await,
        }
    }

    /// Numbers on offer.
    ///
    /// # Errors
    /// When the carrier gave no usable answer, or refused the search; then its code is
    /// in the doubt.
    pub async fn search_numbers(
        &self,
        query: &NumberQuery<'_>,
    ) -> Result<Vec<OfferedNumber>, ReadError> {
        match self {
            Self::Twilio(client) => client.search_numbers(query).await,
            Self::Bandwidth(client) => client.search_numbers(query).await,
            Self::WhatsappCloud(_) => Err(ReadError::NotOffered),
            #[cfg(feature = "loopback")]
            Self::Loopback(_) => Err(ReadError::NotOffered),
        }
    }

    /// Every number of the account.
    ///
    /// # Errors
    /// When the whole list could not be read: a partial one is no proof of absence.
    pub async fn owned_numbers(&self) -> Result<Vec<OwnedNumber>, ReadError> {
        match self {
            Self::Twilio(client) => client.owned_numbers().await,
            Self::Bandwidth(client) => client.owned_numbers().await,
            Self::WhatsappCloud(_) => Err(ReadError::NotOffered),
            #[cfg(feature = "loopback")]
            Self::Loopback(_) => Err(ReadError::NotOffered),
        }
    }

    /// Every number of the account, with what the carrier says of each.
    ///
    /// # Errors
    /// When the whole list could not be read.
    pub async fn account_numbers(&self) -> Result<Vec<AccountNumber>, ReadError> {
        match self {
            Self::Twilio(_) | Self::Bandwidth(_) => {
                let owned = self.owned_numbers().await?;
                Ok(owned.into_iter().map(AccountNumber::from).collect())
            }
            Self::WhatsappCloud(client) => client.account_numbers().await,
            #[cfg(feature = "loopback")]
            Self::Loopback(_) => Err(ReadError::NotOffered),
        }
    }

    /// Buys one number, once.
    pub async fn buy_number(&self, number: &str) -> NumberReply {
        match self {
            Self::Twilio(client) => client.buy_number(number).await,
            Self::Bandwidth(client) => client.buy_number(number).await,
            Self::WhatsappCloud(_) => NumberReply::Refused { code: 0 },
            #[cfg(feature = "loopback")]
            Self::Loopback(_) => NumberReply::Refused { code: 0 },
        }
    }

    /// Says where texts to a number are posted, where the carrier has that of each number.
    pub async fn point_number(&self, id: &str, webhook: &str) -> NumberReply {
        match self {
            Self::Twilio(client) => client.point_number(id, webhook).await,
            // The application says it for all of its numbers.
            Self::Bandwidth(_) => NumberReply::Done { id: id.to_owned() },
            Self::WhatsappCloud(_) => NumberReply::Refused { code: 0 },
            #[cfg(feature = "loopback")]
            Self::Loopback(_) => NumberReply::Refused { code: 0 },
        }
    }

    /// Gives a number back.
    pub async fn release_number(&self, id: &str) -> NumberReply {
        match self {
            Self::Twilio(client) => client.release_number(id).await,
            Self::Bandwidth(client) => client.release_number(id).await,
            Self::WhatsappCloud(_) => NumberReply::Refused { code: 0 },
            #[cfg(feature = "loopback")]
            Self::Loopback(_) => NumberReply::Refused { code: 0 },
        }
    }

    /// Every template of the account.
    ///
    /// # Errors
    /// When the whole list could not be read: a partial one is no proof of absence.
    pub async fn templates(&self) -> Result<Vec<KeptTemplate>, CarrierTemplateError> {
        match self {
            Self::WhatsappCloud(client) => client.templates().await,
            Self::Twilio(_) | Self::Bandwidth(_) => Err(CarrierTemplateError::NotOffered),
            #[cfg(feature = "loopback")]
            Self::Loopback(_) => Err(CarrierTemplateError::NotOffered),
        }
    }

    /// Asks for the review of a template, once. Gives it with the state that it begins in.
    ///
    /// # Errors
    /// The carrier refuses it, or gave no usable answer; then it may have been made.
    pub async fn create_template(
        &self,
        new: &NewCarrierTemplate<'_>,
    ) -> Result<KeptTemplate, CarrierTemplateError> {
        match self {
            Self::WhatsappCloud(client) => client.create_template(new).await,
            Self::Twilio(_) | Self::Bandwidth(_) => Err(CarrierTemplateError::NotOffered),
            #[cfg(feature = "loopback")]
            Self::Loopback(_) => Err(CarrierTemplateError::NotOffered),
        }
    }

    /// Deletes a template in one language, by its name and the carrier's id of it. One that is not
    /// there is deleted.
    ///
    /// # Errors
    /// The carrier refuses it, or gave no usable answer; then it may be gone.
    pub async fn delete_template(&self, name: &str, id: &str) -> Result<(), CarrierTemplateError> {
        match self {
            Self::WhatsappCloud(client) => client.delete_template(name, id).await,
            Self::Twilio(_) | Self::Bandwidth(_) => Err(CarrierTemplateError::NotOffered),
            #[cfg(feature = "loopback")]
            Self::Loopback(_) => Err(CarrierTemplateError::NotOffered),
        }
    }

    /// All texts from one sender to one recipient; with `since`, all that the carrier took from
    /// then on, and perhaps older ones.
    ///
    /// # Errors
    /// When the whole list could not be read: a partial one is no proof of absence.
    pub async fn list(
        &self,
        to: &str,
        from: &str,
        since: Option<Timestamp>,
    ) -> Result<Vec<MessageRecord>, ReadError> {
        match self {
            Self::Twilio(client) => client.list(to, from, since).await,
            Self::Bandwidth(client) => client.list(to, from, since).await,
            Self::WhatsappCloud(_) => Err(ReadError::NotOffered),
            #[cfg(feature = "loopback")]
            Self::Loopback(_) => Err(ReadError::NotOffered),
        }
    }
}
