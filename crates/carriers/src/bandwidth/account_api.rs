//! Where the account API is: numbers are bought there, on another host than messages are sent by.

use reqwest::Url;

use super::HOST;
use crate::setup::{SetupError, endpoint};

/// Where the account API is, for accounts at Bandwidth's own host.
const DASHBOARD_URL: &str = "https://dashboard.bandwidth.com";

/// Where the account API of an account is, by where its messages go.
pub(super) fn account_url(base_url: &str, account: &str) -> Result<Url, SetupError> {
    let messages = endpoint(base_url, "")?;
    let own = messages.host_str() == Some(HOST);
    endpoint(if own { DASHBOARD_URL } else { base_url }, &format!("/api/accounts/{account}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_api_is_on_a_host_of_its_own_and_anywhere_else_where_messages_go() {
        let url = |base: &str| account_url(base, "99").map(|url| url.to_string());
        let own = "https://dashboard.bandwidth.com/api/accounts/99";
        assert_eq!(url("https://messaging.bandwidth.com").as_deref(), Ok(own));
        let other = "http://127.0.0.1:8090/api/accounts/99";
        assert_eq!(url("http://127.0.0.1:8090/").as_deref(), Ok(other));
    }
}
