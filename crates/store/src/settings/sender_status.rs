//! Several senders taken out of use, or put back, at once.

use domain::{
    health::{HealthState, SenderHealth},
    ids::TenantId,
};
use sqlx::types::Uuid;
use stage::Fault;

use crate::{
    Scoped,
    core::{keyed, words::word},
    fault,
};

/// What is in force of a sender that is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderInUse {
    /// Whether it carries anything.
    pub usable: bool,
    /// Where its health is.
    pub health: SenderHealth,
    /// How often it was quarantined since it was healthy last.
    pub quarantines: u32,
}

/// Locks senders, in key order. Answers what is in force of each, in the order of the ids; none of
/// one that the tenant does not have.
pub async fn lock(
    tx: &mut Scoped,
    tenant: &TenantId,
    ids: &[Uuid],
) -> Result<Vec<Option<SenderInUse>>, Fault> {
    let rows = sqlx::query!(
        r#"select k.at as "at!", s.usable, s.health, s.rests_until, s.quarantines
           from unnest($2::uuid[]) with ordinality as k (sender_id, at)
           join senders s on s.tenant_id = $1 and s.sender_id = k.sender_id
           where s.removed_at is null
           order by s.sender_id
           for no key update of s"#,
        tenant.as_str(),
        ids,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut found = vec![None; ids.len()];
    for row in rows {
        let state: HealthState = word(&row.health)?;
        let rests_until = row.rests_until.map(|until| until.to_jiff());
        found[keyed::index(row.at)] = Some(SenderInUse {
            usable: row.usable,
            health: SenderHealth { state, rests_until },
            quarantines: row.quarantines.unsigned_abs(),
        });
    }
    Ok(found)
}

/// Says of senders that are locked whether they carry anything.
pub async fn set_usable(
    tx: &mut Scoped,
    tenant: &TenantId,
    ids: &[Uuid],
    usable: bool,
) -> Result<(), Fault> {
    sqlx::query!(
        "update senders set usable = $3
         where tenant_id = $1 and sender_id = any ($2) and usable <> $3",
        tenant.as_str(),
        ids,
        usable,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}
