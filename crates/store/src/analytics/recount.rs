//! Counts the rows of messages again, and holds that against the totals: what the rows say, with
//! what is no longer kept and without what has not been folded, is what the totals say. It is so
//! after every transaction, so a difference is an error whenever it is looked for.

mod rows;
mod variants;

use std::collections::{BTreeMap, btree_map::Entry};

use domain::ids::TenantId;
use jiff::Timestamp;
use sqlx::types::Uuid;
use stage::Fault;
use wire::{
    event::CountedState,
    subject::Scope,
    totals::{is_of_messages, names},
};

use self::{
    rows::CountedRows,
    variants::{VariantCounts, VariantTotalKey},
};
use super::rollup::{self, Delta, Moved};
use crate::{Scoped, Store, fault};

/// A total that is not what the rows say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountDifference {
    /// What it is a total of.
    pub scope: Scope,
    /// The variant whose total it is, within the campaign; none for that of the whole scope.
    pub variant: Option<String>,
    /// The total's name.
    pub name: String,
    /// What the totals say.
    pub counted: i64,
    /// What the rows say.
    pub rows: i64,
}

/// What a recount of a tenant has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recount {
    /// How many totals were compared.
    pub compared: usize,
    /// Those that differ, in the order of their scopes and names; those of variants last.
    pub differences: Vec<CountDifference>,
}

/// Counts a tenant's messages again and compares. Reads all of them.
pub async fn compare(store: &Store, tenant: &TenantId) -> Result<Recount, Fault> {
    Ok(compared(store, tenant).await?.0)
}

/// What a recount has found, and what it has counted by variant.
async fn compared(store: &Store, tenant: &TenantId) -> Result<(Recount, VariantCounts), Fault> {
    let mut tx = store.scoped([tenant]).await?;
    sqlx::query!("set transaction isolation level repeatable read, read only")
        .execute(&mut *tx)
        .await
        .map_err(fault)?;

    let rows = rows::count(&mut tx, tenant).await?;
    let of_variants = variants::count(&mut tx, tenant, &rows).await?;
    let mut totals = BTreeMap::new();
    for (key, counted) in from_totals(&mut tx, tenant).await? {
        totals.insert(key, (counted, 0));
    }
    for (key, rows) in by_name(&rows) {
        match totals.entry(key) {
            Entry::Occupied(mut known) => known.get_mut().1 = rows,
            Entry::Vacant(new) => drop(new.insert((0, rows))),
        }
    }

    let by_variant = of_variants.totals();
    let compared = totals.len() + by_variant.len();
    let difference = |((id, name), (counted, rows)): ((Uuid, String), (i64, i64))| {
        let scope = if id.is_nil() { Scope::Dashboard } else { Scope::Campaign(id) };
        let variant = None;
        (counted != rows).then_some(CountDifference { scope, variant, name, counted, rows })
    };
    let mut differences: Vec<_> = totals.into_iter().filter_map(difference).collect();
    let difference = |((id, variant, name), (counted, rows)): (VariantTotalKey, _)| {
        let (scope, variant) = (Scope::Campaign(id), Some(variant));
        (counted != rows).then_some(CountDifference { scope, variant, name, counted, rows })
    };
    differences.extend(by_variant.into_iter().filter_map(difference));
    Ok((Recount { compared, differences }, of_variants))
}

/// Makes the totals of a tenant what the rows say, and has subscribers told. Gives what differed.
/// One at a time, over the whole platform: another one waits.
pub async fn rebuild(store: &Store, tenant: &TenantId, now: Timestamp) -> Result<Recount, Fault> {
    let mut tx = store.scoped([tenant]).await?;
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended('millrace.recount', 0))")
        .execute(&mut *tx)
        .await
        .map_err(fault)?;
    let (recount, of_variants) = compared(store, tenant).await?;

    let mut deltas = Vec::new();
    let mut moved = BTreeMap::new();
    for one in recount.differences.iter().filter(|one| one.variant.is_none()) {
        let scope = one.scope.clone();
        let id = scope.id().unwrap_or_default();
        let head = Moved { tenant: tenant.clone(), scope: scope.clone(), counted: 0, as_of: now };
        moved.insert(id, head);
        let by = one.rows - one.counted;
        deltas.push(Delta { tenant: tenant.clone(), scope, name: one.name.clone(), by });
    }
    let moved: Vec<Moved> = moved.into_values().collect();
    of_variants.correct(&mut tx, tenant).await?;
    rollup::add(&mut tx, &deltas, &moved).await?;
    tx.commit().await.map_err(fault)?;
    Ok(recount)
}

/// Which total: the id of its scope, nil for the dashboard, and its name.
type TotalKey = (Uuid, String);

/// What the rows come to, of the tenant and of each campaign.
fn by_name(rows: &[CountedRows]) -> BTreeMap<TotalKey, i64> {
    let mut totals: BTreeMap<TotalKey, i64> = BTreeMap::new();
    for row in rows {
        let counted = CountedState { state: row.state, detail: row.detail.clone() };
        for scope in [Some(Uuid::nil()), row.campaign].into_iter().flatten() {
            let mut add = |name: String, by| *totals.entry((scope, name)).or_default() += by;
            names(&counted).for_each(|name| add(name, row.sums.messages));
            row.sums.named().into_iter().for_each(|(name, by)| add(name.into(), by));
        }
    }
    totals
}

/// What the totals are that messages count in. No recount changes the others, those that only a
/// newer version knows among them.
async fn from_totals(tx: &mut Scoped, tenant: &TenantId) -> Result<Vec<(TotalKey, i64)>, Fault> {
    let rows = sqlx::query!(
        "select scope_id, name, value from totals where tenant_id = $1",
        tenant.as_str(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let rows = rows.into_iter().filter(|row| is_of_messages(&row.name));
    Ok(rows.map(|row| ((row.scope_id, row.name), row.value)).collect())
}
