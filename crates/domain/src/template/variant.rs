//! Which variant a contact gets: the same one every time, without anything being stored.

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The index of the variant for this contact in this campaign, each variant as often as its weight
/// says. `None` if all weights are 0 or there are none.
///
/// The choice is a rule that must never change, or a repeated message would render another text:
/// SHA-256 over the 16 bytes of the campaign's id and the 16 bytes of the contact's id; the first
/// eight bytes of the digest as a big-endian number `h`; the ticket `h * total / 2^64`, rounded
/// down; the variant is the first whose running sum of weights is above the ticket. It depends on
/// the weights and their order: they are fixed when a campaign starts.
pub fn pick_variant(campaign: Uuid, contact: Uuid, weights: &[u32]) -> Option<usize> {
    let total: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
    let digest =
        Sha256::new().chain_update(campaign.as_bytes()).chain_update(contact.as_bytes()).finalize();
    let head = digest.iter().take(8).fold(0u64, |number, byte| (number << 8) | u64::from(*byte));
    let ticket = (u128::from(head) * u128::from(total)) >> 64;

    let mut sum = 0;
    weights.iter().position(|weight| {
        sum += u128::from(*weight);
        sum > ticket
    })
}
