//! How often somebody may try a password through this process: with one address of mail from one
//! place, with one address of mail, and from one place. What is right counts like what is wrong, so
//! that an answer says nothing. Codes and tokens cannot be guessed, so they are not counted.

use std::{hash::Hash, net::IpAddr, num::NonZeroU32, time::Duration};

use governor::{
    Quota, RateLimiter,
    clock::{Clock, QuantaClock},
    state::keyed::HashMapStateStore,
};
use sha2::{Digest, Sha256};

use crate::http::{Problem, network::network};

/// Tries at once, and how long until there is one more.
type Rate = (NonZeroU32, Duration);

/// With one address of mail from one place: so a stranger elsewhere does not lock its person out.
const OF_EMAIL_FROM_PEER: Rate = (NonZeroU32::new(10).unwrap(), Duration::from_secs(60));

/// With one address of mail, from anywhere.
const OF_EMAIL: Rate = (NonZeroU32::new(100).unwrap(), Duration::from_secs(10));

/// From one place. A proxy that is not trusted is one place for everybody.
const OF_PEER: Rate = (NonZeroU32::new(200).unwrap(), Duration::from_millis(200));

/// How many are remembered before those that matter no more are forgotten.
const MANY: usize = 10_000;

type Limiter<K> = RateLimiter<K, HashMapStateStore<K>, QuantaClock>;

/// What is tried, by its SHA-256: so nobody fills the memory with long ones.
type Tried = [u8; 32];

/// The tries of everybody.
pub(crate) struct Attempts {
    emails_from_peers: Limiter<Tried>,
    emails: Limiter<Tried>,
    peers: Limiter<IpAddr>,
    clock: QuantaClock,
}

impl Attempts {
    pub(super) fn new() -> Self {
        let clock = QuantaClock::default();
        Self {
            emails_from_peers: limiter(OF_EMAIL_FROM_PEER, &clock),
            emails: limiter(OF_EMAIL, &clock),
            peers: limiter(OF_PEER, &clock),
            clock,
        }
    }

    /// Counts a try of somebody's password, who is named by their address of mail.
    ///
    /// # Errors
    /// There were too many.
    pub(crate) fn count(&self, email: &str, peer: Option<IpAddr>) -> Result<(), Problem> {
        if let Some(peer) = peer {
            self.take(&self.peers, &network(peer))?;
        }
        let from = peer.map(|peer| network(peer).to_string()).unwrap_or_default();
        let tried = Sha256::digest(format!("{from} {email}")).into();
        self.take(&self.emails_from_peers, &tried)?;
        self.take(&self.emails, &Sha256::digest(email).into())
    }

    fn take<K: Hash + Eq + Clone>(&self, limiter: &Limiter<K>, key: &K) -> Result<(), Problem> {
        if limiter.len() > MANY {
            limiter.retain_recent();
        }
        limiter.check_key(key).map_err(|until| {
            let wait = until.wait_time_from(self.clock.now()).as_secs_f64().ceil().max(1.0);
            Problem::too_many("too many tries to sign in", wait as u64)
        })
    }
}

fn limiter<K: Hash + Eq + Clone>((burst, one_more): Rate, clock: &QuantaClock) -> Limiter<K> {
    let quota = Quota::with_period(one_more).unwrap_or(Quota::per_minute(burst));
    Limiter::new(quota.allow_burst(burst), HashMapStateStore::default(), clock.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eleventh_try_from_one_place_waits_and_another_place_or_address_does_not() {
        let attempts = Attempts::new();
        let peer = |last| Some(IpAddr::from([192, 0, 2, last]));
        for _ in 0..10 {
            assert!(attempts.count("ana@acme.example", peer(1)).is_ok());
        }
        assert!(attempts.count("ana@acme.example", peer(1)).is_err());
        assert!(attempts.count("ana@acme.example", peer(2)).is_ok(), "she herself, elsewhere");
        assert!(attempts.count("ben@acme.example", peer(1)).is_ok());
    }

    #[test]
    fn of_ipv6_a_site_is_one_place() {
        let attempts = Attempts::new();
        let host = |n: u16| Some(IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, n]));
        let refused = (0..20).filter(|n| attempts.count("ana@acme.example", host(*n)).is_err());
        assert_eq!(refused.count(), 10);
    }

    #[test]
    fn one_address_of_the_network_cannot_try_everybody() {
        let attempts = Attempts::new();
        let peer = Some(IpAddr::from([192, 0, 2, 1]));
        let refused = (0..300).filter(|n| attempts.count(&n.to_string(), peer).is_err()).count();
        assert!((90..=100).contains(&refused), "{refused}");
        assert!(attempts.count("ana@acme.example", Some(IpAddr::from([192, 0, 2, 2]))).is_ok());
    }
}
