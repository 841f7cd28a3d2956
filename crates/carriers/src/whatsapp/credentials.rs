//! What an account and a sender are named by, and what the account's secret holds.

/// The three parts of an account's secret.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    /// What calls are made with: a token of a system user.
    pub access_token: &'a str,
    /// What Meta signs callbacks with: the app's secret.
    pub app_secret: &'a str,
    /// What Meta says when it verifies the webhook address: a word of the tenant's.
    pub verify_token: &'a str,
}

impl<'a> Credentials<'a> {
    /// The parts of `access_token:app_secret:verify_token`; none where the text has other parts.
    pub fn read(secret: &'a str) -> Option<Self> {
        let mut parts = secret.split(':');
        let (access_token, app_secret) = (parts.next()?, parts.next()?);
        let verify_token = parts.next()?;

        let all = [access_token, app_secret, verify_token];
        let fine =
            |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_graphic());
        let is_whole = parts.next().is_none() && all.iter().all(fine);
        is_whole.then_some(Self { access_token, app_secret, verify_token })
    }
}

/// An account is a WhatsApp Business Account (WABA), named by its id.
pub(crate) fn account_id_fault(id: &str) -> Option<&'static str> {
    const FORM: &str = "the id of the WhatsApp Business Account: 5 to 20 digits";
    (!super::is_node(id)).then_some(FORM)
}

/// An account of a handle's own.
pub(crate) fn account_id_of(handle: &str) -> String {
    let number =
        handle.bytes().fold(1_u64, |sum, byte| sum.wrapping_mul(257).wrapping_add(byte.into()));
    format!("{number:05}")
}

/// What a sender is named by: the id that Meta gives its number, not the number.
pub(crate) fn check_sender(number: &str) -> Result<(), &'static str> {
    const FORM: &str = "the phone number id, 5 to 20 digits, as Meta shows it beside the number";
    if super::is_node(number) { Ok(()) } else { Err(FORM) }
}

/// The secret holds what calls, callbacks and the verification need.
pub(crate) fn secret_fault(secret: &str) -> Option<&'static str> {
    const FORM: &str = "access token, app secret and verify token, as token:secret:verify";
    Credentials::read(secret).is_none().then_some(FORM)
}
