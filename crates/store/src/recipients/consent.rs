//! Consent, opt-outs and do-not-contact: each change is a line in the append-only ledger, changes
//! the recipient's status, reaches what is parked for the address, and is in the audit trail. All
//! of it is done here, whoever asks for it: a text, a carrier, an import or the API.

mod act;
mod change;
mod give_back;
mod ledger;
pub(crate) mod spread;
mod stops;
mod write;

use std::collections::HashSet;

use domain::{address::Address, ids::TenantId, message::class::Channel};
use jiff::Timestamp;
use sqlx::types::Uuid;
use stage::Fault;

pub(crate) use act::SpreadAct;
#[cfg(test)]
pub(crate) use change::StatusChange;
pub use change::{Action, ConsentChange, ConsentMethod, Proof};
pub(crate) use give_back::give_back;
pub use ledger::{ConsentLine, PriorStatus, list, overtaken};
pub(crate) use stops::StopsBefore;

use crate::Scoped;

/// Records changes: in the ledger, in the recipients' statuses, in the parked messages of whoever
/// is stopped (they are due at once, so that the gates block them), in the audit trail. A stop that
/// is repeated keeps its first time and cause; an entry of the do-not-contact list that stops more
/// than the one before brings its own reason. A restoration that is written late does not lift a
/// newer revocation. A stop, and what lifts it, is of the contact: it is written to every address
/// that the contact has and the channel reaches, in every form of it that may be stored. Locks the
/// statuses in key order, as the claim of send does.
pub async fn record(
    tx: &mut Scoped,
    now: Timestamp,
    changes: &[ConsentChange],
) -> Result<(), Fault> {
    if changes.is_empty() {
        return Ok(());
    }
    let mut all = changes.to_vec();
    all.extend(spread::to_contacts(tx, changes).await?);
    write::lock(tx, &keys(&all)).await?;

    // Who came to a contact while its status was waited for gets the stop as well.
    let known: HashSet<Uuid> = all.iter().map(|change| change.consent_id).collect();
    let mut came = spread::to_contacts(tx, changes).await?;
    came.retain(|change| !known.contains(&change.consent_id));
    if !came.is_empty() {
        all.extend(came);
        write::lock(tx, &keys(&all)).await?;
    }
    write::write(tx, now, &all).await
}

/// The statuses that changes are about.
fn keys(changes: &[ConsentChange]) -> Vec<(&TenantId, &Address, Channel)> {
    changes.iter().map(|change| (&change.tenant, &change.address, change.channel)).collect()
}
