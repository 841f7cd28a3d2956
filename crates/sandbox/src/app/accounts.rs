//! Carrier accounts and their numbers. An account comes into being with the first credentials
//! that are seen for it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use jiff::Timestamp;

/// The most accounts there can be.
const MAX_ACCOUNTS: usize = u16::MAX as usize;

/// All accounts and all numbers.
#[derive(Default)]
pub(crate) struct Accounts {
    list: Vec<Account>,
    by_sid: HashMap<Box<str>, u16>,
    /// Registered numbers by their E.164 text.
    pub(crate) numbers: BTreeMap<Arc<str>, Number>,
}

/// An account. No `Debug`: it holds a secret.
pub(crate) struct Account {
    pub(crate) sid: Arc<str>,
    /// The password of Basic auth, which also signs callbacks; empty where the account has none.
    pub(crate) token: Box<str>,
    user: Box<str>,
    /// The `Authorization` header that carried the first credentials.
    authorization: Box<[u8]>,
}

/// A number that an account has registered.
pub(crate) struct Number {
    pub(crate) sid: u128,
    pub(crate) account: u16,
    pub(crate) friendly_name: Box<str>,
    pub(crate) sms_url: Option<Arc<str>>,
    pub(crate) status_callback: Box<str>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

impl Accounts {
    /// The index of the account that a request may act for: one known with these credentials, or a
    /// new one. `None` when the header is missing, malformed or not the one that stands.
    pub(crate) fn enter(&mut self, sid: &str, authorization: &[u8]) -> Option<u16> {
        if let Some(index) = self.by_sid.get(sid) {
            let account = &self.list[usize::from(*index)];
            // The same header as ever needs no decoding.
            let same = *account.authorization == *authorization
                || credentials(authorization)
                    == Some((account.user.clone(), account.token.clone()));
            return same.then_some(*index);
        }

        // Twilio's begin so, Bandwidth's are numbers.
        let named = sid.starts_with("AC") || sid.bytes().all(|b| b.is_ascii_digit());
        let well_formed = named
            && (3..=64).contains(&sid.len())
            && sid.bytes().all(|b| b.is_ascii_alphanumeric());
        if !well_formed || self.list.len() >= MAX_ACCOUNTS {
            return None;
        }

        let (user, token) = credentials(authorization)?;
        let authorization = authorization.into();
        Some(self.add(Account { sid: sid.into(), token, user, authorization }))
    }

    /// The index of a WhatsApp Business Account, whose `Authorization` header the
    /// caller has checked.
    pub(crate) fn of_business(&mut self, id: &str, authorization: &str) -> Option<u16> {
        if let Some(index) = self.by_sid.get(id) {
            return Some(*index);
        }
        if self.list.len() >= MAX_ACCOUNTS {
            return None;
        }

        let (token, user) = (Box::default(), Box::default());
        let authorization = authorization.as_bytes().into();
        Some(self.add(Account { sid: id.into(), token, user, authorization }))
    }

    /// Adds an account, for which there must be room.
    fn add(&mut self, account: Account) -> u16 {
        let index = self.list.len() as u16;
        self.by_sid.insert(Box::from(&*account.sid), index);
        self.list.push(account);
        index
    }

    /// An account by its index, which `enter` or `of_business` gave.
    pub(crate) fn get(&self, index: u16) -> Option<&Account> {
        self.list.get(usize::from(index))
    }

    /// The SID of an account.
    pub(crate) fn sid(&self, index: u16) -> &str {
        self.get(index).map_or("", |account| &account.sid)
    }

    /// The numbers of an account, in the order of their digits.
    pub(crate) fn numbers_of(&self, account: u16) -> impl Iterator<Item = (&Arc<str>, &Number)> {
        self.numbers.iter().filter(move |(_, number)| number.account == account)
    }
}

/// User and password of a Basic header that has both.
fn credentials(authorization: &[u8]) -> Option<(Box<str>, Box<str>)> {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    let text = std::str::from_utf8(authorization).ok()?;
    let (scheme, encoded) = text.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }

    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    (!user.is_empty() && !password.is_empty()).then(|| (user.into(), password.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_credentials_stand() {
        let mut accounts = Accounts::default();
        // AC1:token and AC1:other
        let (first, other) = (b"Basic QUMxOnRva2Vu", b"Basic QUMxOm90aGVy");

        assert_eq!(accounts.enter("AC1", first), Some(0));
        assert_eq!(accounts.enter("AC1", b"basic  QUMxOnRva2Vu"), Some(0));
        assert_eq!(accounts.enter("AC1", other), None);
        assert_eq!(accounts.enter("AC2", other), Some(1));
        assert_eq!(accounts.get(0).map(|a| &*a.token), Some("token"));
    }

    #[test]
    fn malformed_credentials_make_no_account() {
        let mut accounts = Accounts::default();
        for header in ["", "Bearer x", "Basic", "Basic !!!", "Basic QUMx"] {
            assert_eq!(accounts.enter("AC1", header.as_bytes()), None, "{header}");
        }
        assert_eq!(accounts.enter("SM1", b"Basic QUMxOnRva2Vu"), None);
    }
}
