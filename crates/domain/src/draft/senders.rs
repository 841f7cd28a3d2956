//! Which senders may carry a message, preferred first.

use crate::{
    country::Country,
    ids::{ContactId, SenderId},
    message::class::Channel,
};

/// A sender as it is picked: the gates look closer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderCandidate {
    /// The sender's id.
    pub id: SenderId,
    /// The channel that it carries: no message of another one leaves by it.
    pub channel: Channel,
    /// The country whose numbers it is for; none when its row names none that is known.
    pub country: Option<Country>,
    /// False for one that is quarantined or not registered, or whose account cannot be used.
    pub usable: bool,
    /// False for one whose warm-up has not begun.
    pub active: bool,
    /// False for one whose account surely does not send the template of the message.
    pub has_template: bool,
}

/// How many candidates travel with a message: as many as a pool may have senders, so that a message
/// waits only when no sender of its pool has room. They take 39 bytes each.
pub const MAX_CANDIDATES: usize = 50;

/// The candidates of a pool: its order turned by the contact, so that load spreads and a contact
/// keeps its sender; of these, active ones for the recipient's country first, and those that are
/// not active yet behind all that are. One that is not usable is passed over while the pool has a
/// usable one for the country: waiting for that one's pace ends, waiting for this one may not. One
/// whose account does not send the message's template is no candidate, unless none does: then the
/// carrier says why.
pub fn of_pool(
    pool: impl IntoIterator<Item = SenderCandidate>,
    contact: ContactId,
    to: Option<Country>,
) -> Vec<SenderId> {
    let mut turned = turned(pool.into_iter().collect(), contact);
    if turned.iter().any(|sender| sender.has_template) {
        turned.retain(|sender| sender.has_template);
    }
    if turned.iter().any(|sender| sender.usable && fits(sender, to)) {
        turned.retain(|sender| sender.usable);
    }
    turned.sort_by_key(|sender| (!sender.usable, !sender.active, !fits(sender, to)));
    turned.iter().take(MAX_CANDIDATES).map(|sender| sender.id).collect()
}

/// The candidates among all senders of a tenant: those for the recipient's country alone.
pub fn of_tenant(
    all: impl IntoIterator<Item = SenderCandidate>,
    contact: ContactId,
    to: Option<Country>,
) -> Vec<SenderId> {
    of_pool(all.into_iter().filter(|sender| fits(sender, to)), contact, to)
}

/// The pool, begun at the contact's own sender.
fn turned(mut pool: Vec<SenderCandidate>, contact: ContactId) -> Vec<SenderCandidate> {
    if let Some(len) = u64::try_from(pool.len()).ok().filter(|len| *len > 0) {
        let by = contact.0.as_u64_pair().1 % len;
        pool.rotate_left(usize::try_from(by).unwrap_or_default());
    }
    pool
}

/// Senders of the United States also serve the territories, which have codes of their own.
fn fits(sender: &SenderCandidate, to: Option<Country>) -> bool {
    let home = |c: Country| if c.under_us_law() { Country::US } else { c };
    sender.country.is_some() && sender.country.map(home) == to.map(home)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn sender(n: u128, country: &str, usable: bool) -> SenderCandidate {
        let (id, country) = (SenderId(Uuid::from_u128(n)), country.parse().ok());
        let (channel, active, has_template) = (Channel::Sms, true, true);
        SenderCandidate { id, channel, country, usable, active, has_template }
    }

    fn without_template(n: u128) -> SenderCandidate {
        SenderCandidate { has_template: false, ..sender(n, "US", true) }
    }

    fn contact(n: u128) -> ContactId {
        ContactId(Uuid::from_u128(n))
    }

    fn ids(numbers: &[u128]) -> Vec<SenderId> {
        numbers.iter().map(|n| SenderId(Uuid::from_u128(*n))).collect()
    }

    #[test]
    fn contacts_start_at_different_senders_of_the_pool_and_keep_theirs() {
        let pool = [1, 2, 3].map(|n| sender(n, "US", true));
        assert_eq!(of_pool(pool, contact(0), Some(Country::US)), ids(&[1, 2, 3]));
        assert_eq!(of_pool(pool, contact(1), Some(Country::US)), ids(&[2, 3, 1]));
        assert_eq!(of_pool(pool, contact(5), Some(Country::US)), ids(&[3, 1, 2]));
    }

    #[test]
    fn usable_senders_of_the_country_come_first_and_unusable_ones_are_passed_over() {
        let pool = [sender(1, "AU", true), sender(2, "US", false), sender(3, "US", true)];
        assert_eq!(of_pool(pool, contact(0), Some(Country::US)), ids(&[3, 1]));
        assert_eq!(of_pool(pool, contact(0), None), ids(&[1, 3, 2]));
    }

    #[test]
    fn unusable_senders_are_kept_behind_where_the_country_has_no_other() {
        let pool = [sender(1, "AU", true), sender(2, "US", false)];
        assert_eq!(of_pool(pool, contact(0), Some(Country::US)), ids(&[1, 2]));
        assert_eq!(of_tenant(pool, contact(0), Some(Country::US)), ids(&[2]));
    }

    #[test]
    fn senders_whose_account_does_not_send_the_template_are_passed_over_while_one_does() {
        let to = Some(Country::US);
        let pool = [without_template(1), sender(2, "AU", true), sender(3, "US", false)];
        assert_eq!(of_pool(pool, contact(0), to), ids(&[2, 3]));
        // One that waits for its account sends it later, and the others never do.
        let pool = [without_template(1), sender(2, "US", false)];
        assert_eq!(of_pool(pool, contact(0), to), ids(&[2]));
        // A contact keeps its sender, whoever else is passed over.
        let pool = [without_template(1), sender(2, "US", true), sender(3, "US", true)];
        for (n, first) in [(0, 2), (1, 2), (2, 3)] {
            assert_eq!(of_pool(pool, contact(n), to)[0], ids(&[first])[0]);
        }
        let nobody = [without_template(1), without_template(2)];
        assert_eq!(of_pool(nobody, contact(1), to), ids(&[2, 1]), "the carrier says why");
    }

    #[test]
    fn a_territory_is_served_from_the_mainland() {
        let pool = [sender(1, "AU", true), sender(2, "US", true)];
        let puerto_rico = "PR".parse().ok();
        assert_eq!(of_pool(pool, contact(0), puerto_rico), ids(&[2, 1]));
    }

    #[test]
    fn without_a_pool_only_senders_of_the_country_are_candidates() {
        let all = [sender(1, "AU", true), sender(2, "US", true), sender(3, "??", true)];
        assert_eq!(of_tenant(all, contact(0), Some(Country::AU)), ids(&[1]));
        assert_eq!(of_tenant(all, contact(0), None), ids(&[]));
        assert_eq!(of_pool([], contact(7), None), ids(&[]));
    }

    #[test]
    fn every_sender_of_a_pool_is_a_candidate_and_of_more_as_many_as_may_travel() {
        for (senders, candidates) in [(20, 20), (50, 50), (400, 50)] {
            let pool: Vec<_> = (0..senders).map(|n| sender(n, "US", true)).collect();
            let offered = of_pool(pool.clone(), contact(3), Some(Country::US));
            assert_eq!(offered.len(), candidates, "of {senders}");
            assert_eq!(offered[0], pool[3].id);
        }
    }

    #[test]
    fn senders_that_are_not_active_yet_take_no_place_of_one_that_is() {
        let mut pool: Vec<_> = (0..60).map(|n| sender(n, "US", true)).collect();
        for later in &mut pool[1..58] {
            later.active = false;
        }
        pool[59].country = Some("AU".parse().expect("two letters"));
        let offered = of_pool(pool, contact(1), Some(Country::US));
        assert_eq!(offered[..4], ids(&[58, 0, 59, 1]));
    }
}
