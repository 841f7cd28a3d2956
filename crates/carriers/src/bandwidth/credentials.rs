//! What an account is named by, and what its secret looks like.

/// An account is named with the application that sends its texts and is called back about them.
pub(crate) fn account_id_fault(id: &str) -> Option<&'static str> {
    const FORM: &str =
        "the account's id and the application's, as 9900000/93de2206-9669-4e07-948d-329f4b722ee2";
    split_account_id(id).is_none().then_some(FORM)
}

/// An account of a handle's own with one application, which bears the handle.
pub(crate) fn account_id_of(handle: &str) -> String {
    let number =
        handle.bytes().fold(1_u64, |sum, byte| sum.wrapping_mul(257).wrapping_add(byte.into()));
    format!("{number}/{handle}")
}

/// The secret is what Basic auth carries: of our calls, and of the callbacks of the application.
pub(crate) fn secret_fault(secret: &str) -> Option<&'static str> {
    const FORM: &str = "the API user and its password, as user:password; give the application's callbacks the same";
    let pair = secret.split_once(':').filter(|(user, word)| !user.is_empty() && !word.is_empty());
    let fine = pair.is_some() && !secret.chars().any(char::is_control);
    (!fine).then_some(FORM)
}

/// The account's id and its application's.
pub(super) fn split_account_id(id: &str) -> Option<(&str, &str)> {
    let (account, application) = id.split_once('/')?;
    let is_account =
        (1..=20).contains(&account.len()) && account.bytes().all(|byte| byte.is_ascii_digit());
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let is_application = (1..=43).contains(&application.len()) && application.bytes().all(plain);
    (is_account && is_application).then_some((account, application))
}
