//! The carrier call: the clients of the accounts, and one call per claimed message.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use carriers::{CarrierReply, check_base_url, twilio};
use domain::ids::{SenderId, TenantId};
use jiff::Timestamp;
use secrecy::SecretString;
use store::{core::seal::Sealer, messages::claim::ClaimSender, settings::accounts::Access};
use wire::Admitted;

use crate::{SendConfig, permits::Permit};

/// Clients kept; far more than a process has accounts in flight.
const MAX_CLIENTS: usize = 1024;

/// Makes clients from stored accounts. What is kept is named by all that it was made from, so a
/// changed account gets a new client.
pub(crate) struct Clients {
    sealer: Sealer,
    http: reqwest::Client,
    allow_hosts: Vec<String>,
    timeout: Duration,
    made: Mutex<HashMap<Access, twilio::Client>>,
}

/// The clients of a chunk's senders, or why there is none.
pub(crate) type ClientsBySender =
    HashMap<(TenantId, SenderId), Result<twilio::Client, &'static str>>;

/// A claimed message whose call may begin.
pub(crate) struct Claimed {
    /// Its place in the batch.
    pub(crate) index: usize,
    /// The number of the call.
    pub(crate) attempt: i16,
    /// Our own clock before the claim was sent.
    pub(crate) began: Instant,
    /// The sender's number.
    pub(crate) from: String,
    /// The account's key here.
    pub(crate) account: String,
    /// The account's client.
    pub(crate) client: twilio::Client,
    /// Free again once the call is over.
    pub(crate) permit: Permit,
}

/// What came of a claimed message.
#[derive(Debug, Clone)]
pub(crate) struct CallResult {
    /// Its place in the batch.
    pub(crate) index: usize,
    /// The number of the call.
    pub(crate) attempt: i16,
    /// The carrier's answer; none where the call was not begun in time.
    pub(crate) answer: Option<CarrierReply>,
}

// === impl Clients ===

impl Clients {
    pub(crate) fn new(sealer: Sealer, http: reqwest::Client, config: &SendConfig) -> Self {
        let (allow_hosts, timeout) = (config.allow_hosts.clone(), config.request_timeout);
        Self { sealer, http, allow_hosts, timeout, made: Mutex::default() }
    }

    /// The clients of these senders' accounts.
    pub(crate) fn of_senders(
        &self,
        senders: &HashMap<(TenantId, SenderId), ClaimSender>,
    ) -> ClientsBySender {
        senders.iter().map(|(key, sender)| (key.clone(), self.of(&sender.access))).collect()
    }

    /// The client of an account, or why there is none.
    fn of(&self, account: &Access) -> Result<twilio::Client, &'static str> {
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

    fn make(&self, account: &Access) -> Result<twilio::Client, &'static str> {
        check_base_url(twilio::HOST, &account.base_url, &self.allow_hosts)
            .map_err(|_| "account_host_not_allowed")?;
        let token = self.sealer.open(&account.sealed_token).map_err(|_| "account_token_unread")?;
        let token = String::from_utf8(token).map_err(|_| "account_token_unread")?;
        let token = SecretString::from(token);
        twilio::Client::new(self.http.clone(), &account.base_url, &account.carrier_sid, &token)
            .map(|client| client.with_timeout(self.timeout))
            .map_err(|_| "account_settings")
    }
}

/// Calls the carrier once, unless the time to begin has passed.
pub(crate) async fn call(
    config: &SendConfig,
    now: Timestamp,
    message: &Admitted,
    claimed: Claimed,
) -> CallResult {
    let Claimed { index, attempt, began, from, account, client, permit } = claimed;
    if began.elapsed() >= config.call_by {
        return CallResult { index, attempt, answer: None };
    }
    let head = &message.message.head;
    let callback =
        twilio::callback_url(&config.public_url, &account, head.tenant.as_str(), head.id.0);
    let to = head.to.to_string();
    let outbound = twilio::Outbound {
        to: &to,
        from: &from,
        body: &message.message.text,
        status_callback: &callback,
        validity_seconds: validity(message, now),
        traceparent: head.trace.as_deref(),
    };
    let answer = client.send(&outbound).await;
    metrics::counter!("millrace_carrier_answers_total", "answer" => answer.label()).increment(1);
    drop(permit);
    CallResult { index, attempt, answer: Some(answer) }
}

/// How long the carrier may keep the text: marketing not past its window, so that it cannot slip
/// into the night; everything else not past its own validity.
fn validity(message: &Admitted, now: Timestamp) -> Option<u32> {
    let head = &message.message.head;
    let until = match (head.class.is_marketing(), head.expires_at) {
        (true, Some(expires)) => Some(expires.min(message.route.sendable_until)),
        (true, None) => Some(message.route.sendable_until),
        (false, expires) => expires,
    };
    let left = Duration::try_from(until?.duration_since(now)).unwrap_or_default();
    Some(u32::try_from(left.as_secs()).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use domain::message::class::MessageClass;

    use super::*;
    use crate::decide::tests::admitted;

    fn valid_for(class: MessageClass, expires_in: Option<i64>) -> Option<u32> {
        let mut message = admitted(class);
        let now = message.message.head.submitted_at;
        let later = |seconds| now.checked_add(jiff::SignedDuration::from_secs(seconds));
        message.route.sendable_until = later(600).expect("in range");
        message.message.head.expires_at = expires_in.map(|at| later(at).expect("in range"));
        validity(&message, now)
    }

    #[test]
    fn marketing_is_not_kept_past_its_window_and_other_texts_not_past_their_validity() {
        for class in [MessageClass::Promo, MessageClass::Journey] {
            assert_eq!(valid_for(class, None), Some(600));
            assert_eq!(valid_for(class, Some(60)), Some(60));
            assert_eq!(valid_for(class, Some(6_000)), Some(600));
        }
        for class in [MessageClass::Transactional, MessageClass::Compliance] {
            assert_eq!(valid_for(class, None), None);
            assert_eq!(valid_for(class, Some(6_000)), Some(6_000));
        }
    }
}
