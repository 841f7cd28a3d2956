//! Reads letters, and the rows that they name.

use std::collections::{BTreeSet, HashMap};

use domain::ids::TenantId;
use stage::{Batch, Fault, Outcome, StageName};
use store::{
    Scoped,
    core::seal::Sealer,
    messages::dead_letter::{self, DeadKey, DeadRow},
};
use wire::DeadLetter;

use super::letter::{Letter, Letters, count, stage_of};

/// What is stored about the messages that letters name.
pub(super) struct Loaded {
    pub(super) rows: HashMap<DeadKey, DeadRow>,
    /// Those of the letters' tenants that exist.
    pub(super) tenants: BTreeSet<TenantId>,
}

/// Reads the letters of a batch. One that names no message is counted, and answered here.
pub(super) fn read<'a>(batch: &'a Batch<DeadLetter>, sealer: &Sealer) -> Letters<'a> {
    let mut letters = Letters::new();
    for (index, one) in batch.items().iter().enumerate() {
        match Letter::read(one, sealer) {
            Some(letter) => {
                let key = (one.tenant.clone(), letter.message);
                letters.entry(key).or_default().push((index, letter));
            }
            None => {
                count(stage_of(one).map_or("other", StageName::as_str), "no_message");
                batch.answer(index, Outcome::DONE);
            }
        }
    }
    letters
}

/// Reads the rows without a lock: what is written afterwards is written only where the row has not
/// moved on.
pub(super) async fn load(tx: &mut Scoped, letters: &Letters<'_>) -> Result<Loaded, Fault> {
    let keys: BTreeSet<DeadKey> = letters.keys().cloned().collect();
    let rows = dead_letter::find(tx, &keys).await?;
    let tenants = dead_letter::tenants(tx, &keys.iter().map(|key| &key.0).collect()).await?;
    Ok(Loaded { rows, tenants })
}
