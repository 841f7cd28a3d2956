//! Clients of carrier accounts, for asking about texts.

use std::time::Duration;

use carriers::{check_base_url, twilio};
use secrecy::SecretString;
use store::{core::seal::Sealer, settings::accounts::Access};

/// Makes clients of accounts.
pub(crate) struct Carrier {
    /// Opens the accounts' tokens.
    pub(crate) sealer: Sealer,
    /// `carriers::http::client()`.
    pub(crate) http: reqwest::Client,
    /// Hosts besides the carrier's own that accounts may name.
    pub(crate) allow_hosts: Vec<String>,
    /// How long a call may take.
    pub(crate) timeout: Duration,
}

impl Carrier {
    /// A client of this account.
    ///
    /// # Errors
    /// One word: what is wrong with the account as it is set up.
    pub(crate) fn client(&self, access: &Access) -> Result<twilio::Client, &'static str> {
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
