//! Addresses of mail, which people sign in with.

/// An address as it is kept: in small letters, without blanks around it, 254 bytes at most (RFC
/// 5321, section 4.5.3.1). None for what cannot be one; whether mail arrives there, mail alone can
/// tell.
pub fn canonical(written: &str) -> Option<String> {
    let email = written.trim().to_lowercase();
    let (local, host) = email.rsplit_once('@')?;
    let is_one = (1..=64).contains(&local.len())
        && email.len() <= 254
        && host.split('.').all(|label| !label.is_empty())
        && !email.contains(|c: char| c.is_whitespace() || c.is_control());
    is_one.then_some(email)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_in_small_letters_and_what_cannot_be_one_is_refused() {
        assert_eq!(canonical(" Ana@Example.COM ").as_deref(), Some("ana@example.com"));
        for wrong in ["ana", "@example.com", "ana@", "ana@a..b", "an a@example.com", "ana@b\n.c"] {
            assert_eq!(canonical(wrong), None, "{wrong}");
        }
        assert_eq!(canonical(&format!("ana@{}.com", "x".repeat(250))), None, "too long");
    }
}
