//! `application/x-www-form-urlencoded`, as Twilio sends it.

/// All parameters, decoded, in the order in which they came. Bytes that are no UTF-8 become
/// U+FFFD, as in every form parser.
pub(super) fn pairs(form: &[u8]) -> Vec<(String, String)> {
    serde_urlencoded::from_bytes(form).unwrap_or_default()
}

/// The first value of a name; an empty value counts as absent.
pub(super) fn take(pairs: &mut [(String, String)], name: &str) -> Option<String> {
    let (_, value) = pairs.iter_mut().find(|(key, _)| key == name)?;
    let value = std::mem::take(value);
    (!value.is_empty()).then_some(value)
}
