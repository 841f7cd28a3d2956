//! How the stage behaves.

use std::time::Duration;

use carriers::http::REQUEST_TIMEOUT;

/// How `send` behaves.
#[derive(Debug, Clone)]
pub struct SendConfig {
    /// `MILLRACE_PUBLIC_URL`: where carriers call back.
    pub public_url: String,
    /// `MILLRACE_ALLOW_CARRIER_HOSTS`: hosts besides the carrier's own that accounts may name.
    pub allow_hosts: Vec<String>,
    /// `MILLRACE_CARRIER_CALLS`: carrier calls under way at once in this process, at least 4.
    pub permits: usize,
    /// `MILLRACE_CALL_BY`: how long after its claim a call may begin.
    pub call_by: Duration,
    /// `MILLRACE_REQUEST_TIMEOUT`: how long a call may take.
    pub request_timeout: Duration,
    /// `MILLRACE_LIST_LAG`: how long a carrier's list may miss a text that it took; none is each
    /// carrier's own number.
    pub list_lag: Option<Duration>,
}

impl SendConfig {
    /// 256 calls at once, each begun within 200 ms of its claim, to carriers' own hosts alone.
    pub fn new(public_url: impl Into<String>) -> Self {
        Self {
            public_url: public_url.into(),
            allow_hosts: Vec::new(),
            permits: 256,
            call_by: Duration::from_millis(200),
            request_timeout: REQUEST_TIMEOUT,
            list_lag: None,
        }
    }

    /// From a claim's `call_by` to the first look at the carrier's list.
    pub(crate) fn first_look(&self) -> Duration {
        carriers::first_look(self.request_timeout, self.list_lag)
    }
}
