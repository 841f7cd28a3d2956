//! Whether senders and pools can be called as this process is set up. An account's address is
//! checked when it is made; the settings may have changed since, and then each of its messages
//! would be held until a person sees to it.

use carriers::{Carrier, check_base_url};
use store::drafts::CarryingAccount;

/// What becomes of a message that names a sender or a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Callable {
    /// Something of it can be called.
    Yes,
    /// Nothing of it is usable.
    Unusable,
    /// What is usable of it is at a host that the settings do not allow: which account,
    /// and which setting.
    HostNotAllowed(String),
}

impl Callable {
    /// Of a sender or a pool whose usable senders have these accounts.
    pub(crate) fn of(accounts: &[CarryingAccount], allow_hosts: &[String]) -> Self {
        let mut why = None;
        for account in accounts {
            // A carrier of a newer version is for newer processes to judge.
            let Some(carrier) = Carrier::from_name(&account.carrier) else { return Self::Yes };
            let is_own = |host: &str| carrier.owns_host(host);
            match check_base_url(is_own, &account.base_url, allow_hosts) {
                Ok(_) => return Self::Yes,
                Err(wrong) => {
                    let detail =
                        format!("its account {:?} cannot be called: {wrong}", account.name);
                    why.get_or_insert(detail);
                }
            }
        }
        why.map_or(Self::Unusable, Self::HostNotAllowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(name: &str, carrier: &str, base_url: &str) -> CarryingAccount {
        let (name, carrier, base_url) = (name.into(), carrier.into(), base_url.into());
        CarryingAccount { name, carrier, base_url }
    }

    #[test]
    fn one_account_that_may_be_called_suffices_and_else_the_setting_is_named() {
        let own = account("live", "twilio", "https://api.twilio.com");
        let elsewhere = account("trial", "twilio", "http://127.0.0.1:8090");
        let listed = ["127.0.0.1:8090".to_owned()];

        assert_eq!(Callable::of(&[], &listed), Callable::Unusable);
        assert_eq!(Callable::of(std::slice::from_ref(&elsewhere), &listed), Callable::Yes);
        assert_eq!(Callable::of(&[elsewhere.clone(), own], &[]), Callable::Yes);
        assert_eq!(Callable::of(&[account("new", "carrier-pigeon", "x")], &[]), Callable::Yes);

        let Callable::HostNotAllowed(why) = Callable::of(&[elsewhere], &[]) else {
            panic!("its host is not listed")
        };
        assert!(why.contains("\"trial\"") && why.contains("MILLRACE_ALLOW_CARRIER_HOSTS"), "{why}");
    }
}
