//! Links to media: they name whose and which, until when they are good, and prove it by a MAC under
//! the master key. Whoever has a link may read the media until then, and nothing else.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::ids::{MediaId, TenantId};
use jiff::Timestamp;
use uuid::Uuid;

use crate::core::seal::Sealer;

/// For how long a link is good that the api shows; machine time.
pub const SHOWN: Duration = Duration::from_secs(15 * 60);

/// For how long a link is good that a carrier gets: it may keep a message in its queue for ten
/// hours, and fetches the media when it sends.
pub const FOR_CARRIER: Duration = Duration::from_secs(12 * 60 * 60);

/// The longest token: the parts of fixed length, and the longest key of a tenant.
const LONGEST: usize = 140;

const MAC: usize = 32;
const TIME: usize = 8;
const ID: usize = 16;

/// What a link is to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaLink {
    /// Whose media they are.
    pub tenant: TenantId,
    /// Which of theirs.
    pub id: MediaId,
    /// Until when the link is good; machine time, to the second.
    pub expires_at: Timestamp,
}

impl MediaLink {
    /// A link that is good for so long.
    pub fn new(tenant: TenantId, id: MediaId, machine: Timestamp, good_for: Duration) -> Self {
        let until = machine.as_second().saturating_add_unsigned(good_for.as_secs());
        let expires_at = Timestamp::from_second(until).unwrap_or(Timestamp::MAX);
        Self { tenant, id, expires_at }
    }

    /// The address, below that of the platform.
    pub fn url(&self, public_url: &str, sealer: &Sealer) -> String {
        format!("{public_url}/media/{}", self.token(sealer))
    }

    /// The token: letters, digits, `-` and `_`.
    pub fn token(&self, sealer: &Sealer) -> String {
        let named = self.named();
        URL_SAFE_NO_PAD.encode([&sealer.mac(&named)[..], &named].concat())
    }

    /// What a token names; none where it is not ours, was changed, or is good no more.
    pub fn read(token: &str, sealer: &Sealer, machine: Timestamp) -> Option<Self> {
        if token.len() > LONGEST {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (mac, named) = bytes.split_at_checked(MAC)?;
        if !sealer.is_mac(named, mac) {
            return None;
        }

        let (time, rest) = named.split_at_checked(TIME)?;
        let (id, tenant) = rest.split_at_checked(ID)?;
        let until = i64::from_be_bytes(time.try_into().ok()?);
        let link = Self {
            tenant: std::str::from_utf8(tenant).ok()?.parse().ok()?,
            id: MediaId(Uuid::from_slice(id).ok()?),
            expires_at: Timestamp::from_second(until).ok()?,
        };
        (machine < link.expires_at).then_some(link)
    }

    fn named(&self) -> Vec<u8> {
        let until = self.expires_at.as_second().to_be_bytes();
        [&until[..], self.id.0.as_bytes(), self.tenant.as_str().as_bytes()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(seconds: u64) -> MediaLink {
        let (tenant, id) = ("acme".parse().expect("a tenant"), MediaId(Uuid::from_u128(7)));
        MediaLink::new(tenant, id, Timestamp::UNIX_EPOCH, Duration::from_secs(seconds))
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn a_link_is_good_until_its_end_and_no_longer() {
        let sealer = Sealer::new(&[[1; 32]]);
        let token = link(60).token(&sealer);
        assert_eq!(MediaLink::read(&token, &sealer, at(59)), Some(link(60)));
        assert_eq!(MediaLink::read(&token, &sealer, at(60)), None);
    }

    #[test]
    fn a_changed_link_names_nothing_whatever_was_changed() {
        let sealer = Sealer::new(&[[1; 32]]);
        let token = link(60).token(&sealer);
        assert!(token.len() < LONGEST, "{}", token.len());
        for i in 0..token.len() {
            let other = if &token[i..=i] == "A" { "B" } else { "A" };
            let changed = format!("{}{other}{}", &token[..i], &token[i + 1..]);
            assert_eq!(MediaLink::read(&changed, &sealer, at(0)), None, "at {i}");
        }
        for nothing in ["", "A", &"A".repeat(100), &"A".repeat(10_000), "../etc"] {
            assert_eq!(MediaLink::read(nothing, &sealer, at(0)), None);
        }
    }

    #[test]
    fn links_of_an_older_key_are_good_until_it_is_taken_away() {
        let token = link(60).token(&Sealer::new(&[[1; 32]]));
        let reads = |keys: &[[u8; 32]]| MediaLink::read(&token, &Sealer::new(keys), at(0));
        assert!(reads(&[[2; 32], [1; 32]]).is_some());
        assert!(reads(&[[2; 32]]).is_none());
    }
}
