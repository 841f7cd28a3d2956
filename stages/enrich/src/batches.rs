//! Batches under a key of their caller. The first batch of a key has it: of any other nothing is
//! stored, be it that it only adds to the first. Where the database was away when it was accepted,
//! nobody has told its caller.

use jiff::Timestamp;
use stage::Fault;
use store::{Scoped, messages::enrich};

use crate::item::Storable;

/// Parts what may be stored from what came in a batch whose key is another's.
pub(crate) async fn part<'i>(
    tx: &mut Scoped,
    now: Timestamp,
    storable: Vec<Storable<'i>>,
) -> Result<(Vec<Storable<'i>>, Vec<Storable<'i>>), Fault> {
    let mut batches: Vec<_> = storable.iter().filter_map(Storable::batch).collect();
    if batches.is_empty() {
        return Ok((storable, Vec::new()));
    }

    batches.dedup();
    let owns = enrich::take_batch_keys(tx, now, &batches).await?;
    let of_other = |one: &Storable<'_>| {
        let Some(batch) = one.batch() else { return false };
        let found = batches.iter().position(|known| *known == batch);
        found.and_then(|index| owns.get(index)) == Some(&false)
    };

    let (others, own) = storable.into_iter().partition(of_other);
    Ok((own, others))
}
