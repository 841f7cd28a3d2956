//! How the sweep behaves.

use std::time::Duration;

use carriers::{Carrier, http::REQUEST_TIMEOUT, longest_list_lag};
use domain::ids::MessageId;
use jiff::Timestamp;
use stage::machine::backoff;
use store::settings::accounts::Access;

use crate::missing_receipts::RECEIPT_FETCH;

/// How long a doubt may stay open, unless `MILLRACE_DOUBT_LIMIT` says otherwise: three days.
const DOUBT_LIMIT: Duration = Duration::from_secs(72 * 60 * 60);

/// How the sweep behaves. `send` must know the same times.
#[derive(Debug, Clone)]
pub struct InDoubtSweepConfig {
    /// `MILLRACE_ALLOW_CARRIER_HOSTS`: hosts besides the carrier's own that accounts may name.
    pub allow_hosts: Vec<String>,
    /// `MILLRACE_REQUEST_TIMEOUT`: how long a carrier call may take.
    pub request_timeout: Duration,
    /// `MILLRACE_LIST_LAG`: how long a carrier's list may miss a text that it took; none is each
    /// carrier's own number.
    pub list_lag: Option<Duration>,
    /// `MILLRACE_RECEIPT_FETCH`: how long a text is without a receipt before it is fetched.
    pub receipt_fetch: Duration,
    /// `MILLRACE_DOUBT_LIMIT`: how long a doubt may stay open, in business time; then it ends as
    /// `unknown`.
    pub doubt_limit: Duration,
    /// The wait after a look that settled nothing, doubled for each after it.
    pub retry: Duration,
    /// The longest such wait.
    pub retry_cap: Duration,
}

impl Default for InDoubtSweepConfig {
    /// The times of the carrier, and its own hosts alone.
    fn default() -> Self {
        Self {
            allow_hosts: Vec::new(),
            request_timeout: REQUEST_TIMEOUT,
            list_lag: None,
            receipt_fetch: RECEIPT_FETCH,
            doubt_limit: DOUBT_LIMIT,
            retry: Duration::from_secs(5),
            retry_cap: Duration::from_secs(10 * 60),
        }
    }
}

impl InDoubtSweepConfig {
    /// Doubts raised at this time or before are past their last date.
    pub(super) fn over_before(&self, now: Timestamp) -> Timestamp {
        now.checked_sub(self.doubt_limit).unwrap_or(Timestamp::MIN)
    }

    /// From a claim's `call_by` to the first look: only then what is not listed is not there.
    pub(super) fn first_look(&self) -> Duration {
        carriers::first_look(self.request_timeout, self.list_lag)
    }

    /// How long after its `call_by` a text that an account took must be in its carrier's list.
    pub(super) fn listed_after(&self, access: Option<&Access>) -> Duration {
        let carrier = access.and_then(|access| Carrier::from_name(&access.carrier));
        let lag = carrier.map_or_else(longest_list_lag, |carrier| carrier.abilities().list_lag);
        self.request_timeout + self.list_lag.unwrap_or(lag)
    }

    /// The wait for the next look at a message whose list could not be read. Grows with the looks,
    /// and differs between messages whose list failed together.
    pub(super) fn retry_after(&self, message: MessageId, looks: i32) -> Duration {
        let drawn = (message.0.as_u128() & 0xffff) as f64 / 65_536.0;
        backoff(looks.unsigned_abs() + 1, self.retry, self.retry_cap, drawn)
    }
}
