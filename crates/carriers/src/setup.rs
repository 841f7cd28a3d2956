//! Why a provider's client could not be made from its settings.

/// Which setting is unusable; safe to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// Not an absolute http or https URL.
    #[error("base_url is not an absolute http(s) URL")]
    BaseUrl,
    /// Not `AC` and hex digits, or at least letters and digits.
    #[error("account_sid must be letters and digits")]
    AccountSid,
    /// Not an account and an application of it.
    #[error("carrier_sid must be the account's id and the application's, as account/application")]
    AccountAndApplication,
    /// Not a user and a password.
    #[error("the secret must be the API user and its password, as user:password")]
    UserAndPassword,
    /// Not the id of a WhatsApp Business Account.
    #[error("carrier_sid must be the id of the WhatsApp Business Account: 5 to 20 digits")]
    BusinessAccount,
    /// Not the three parts that the Cloud API needs.
    #[error("the secret must be access token, app secret and verify token, as token:secret:verify")]
    TokenSecretVerify,
    /// Empty, or with characters that a header cannot carry.
    #[error("the auth token or key is empty or holds characters that a header cannot carry")]
    Secret,
}

/// The full URL of an endpoint; only http and https.
pub(crate) fn endpoint(base_url: &str, path: &str) -> Result<reqwest::Url, SetupError> {
    reqwest::Url::parse(&format!("{}{path}", base_url.trim_end_matches('/')))
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or(SetupError::BaseUrl)
}
