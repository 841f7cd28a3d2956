//! A merge is undone: the contact that was taken in is one of its own again, with its addresses,
//! and what the merge had stopped goes on. What somebody has said since stands.

use domain::{
    address::{Address, AddressKind},
    ids::{ContactId, TenantId, consent_at},
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde_json::json;
use sqlx::types::{Json, Uuid};
use stage::Fault;
use wire::{Event, EventKind};

use super::{Merge, MergeAct, UNDO, event, fields, note, spread_act};
use crate::{
    Scoped,
    contacts::{Contact, addresses, load, save, set},
    core::words::word,
    fault, outbox,
    recipients::consent::{SpreadAct, StopsBefore, give_back, spread},
};

/// What became of a merge that was to be undone.
pub enum UndoOutcome {
    /// The two are apart again, and the outbox holds this event.
    Undone(Merge, Box<Event>),
    /// There is no such merge, or no more.
    Unknown,
    /// It was undone before.
    Before,
    /// It is older than [`UNDO`].
    TooLate,
    /// The contact that was taken in is not part of the other any more: its addresses were taken
    /// from it, or the person was erased.
    Apart,
}

/// A merge, as it is stored for its undo.
struct Stored {
    into: ContactId,
    from: ContactId,
    rows: Vec<Uuid>,
    addresses: Vec<(AddressKind, String)>,
    before: Contact,
    after: Contact,
    statuses: Vec<StopsBefore>,
    merged_at: Timestamp,
    merged_by: String,
    is_undone: bool,
}

/// Undoes a merge.
pub async fn undo(
    tx: &mut Scoped,
    tenant: &TenantId,
    merge: Uuid,
    now: Timestamp,
    by: &str,
) -> Result<UndoOutcome, Fault> {
    // load
    let Some(stored) = stored(tx, tenant, merge).await? else { return Ok(UndoOutcome::Unknown) };
    if stored.is_undone {
        return Ok(UndoOutcome::Before);
    }
    if now > stored.merged_at + UNDO {
        return Ok(UndoOutcome::TooLate);
    }
    // The one that took it in may be part of a third by now.
    let holder = set::contact_of(tx, tenant, stored.into).await?;
    let contacts = load(tx, tenant, &[holder.0, stored.into.0, stored.from.0], true).await?;
    let keys: Vec<_> = stored.rows.iter().map(|row| (tenant, *row)).collect();
    let owners = set::owners(tx, &keys).await?;
    let is_held = |row: &&Uuid| owners.get(*row) == Some(&holder.0);
    match is_undone(tx, tenant, merge).await? {
        None => return Ok(UndoOutcome::Unknown),
        Some(true) => return Ok(UndoOutcome::Before),
        Some(false) => {}
    }
    if !is_held(&&stored.from.0) {
        return Ok(UndoOutcome::Apart);
    }

    // decide
    let of = |id: ContactId| contacts.iter().find(|contact| contact.contact_id == id.0);
    let apart = of(stored.into).map(|is| fields::unmerged(is, &stored.before, &stored.after, now));
    let others: Vec<Uuid> = stored.rows.iter().filter(is_held).copied().collect();
    let others: Vec<Uuid> = others.into_iter().filter(|row| *row != stored.from.0).collect();

    // record
    set::point(tx, tenant, &[stored.from.0], None).await?;
    set::point(tx, tenant, &others, Some(stored.from)).await?;
    let held = held(tx, tenant, holder, &stored.addresses).await?;
    addresses::give(tx, tenant, stored.from, &held).await?;
    if let Some(apart) = apart {
        save(tx, tenant, &[apart]).await?;
    }
    let (into, from) = (stored.into, stored.from);
    let act = MergeAct { tenant, id: merge, into, from, at: now, by, cause: "api" };
    let moved = reachable(held.iter().map(|(kind, text)| (*kind, text.as_str())));
    give_back(tx, &spread_act(&act), stored.merged_at, &stored.statuses, &moved).await?;
    if !stored.statuses.is_empty() {
        even_out(tx, &act, [holder, from]).await?;
    }
    end(tx, &act).await?;

    // say
    let event = event(EventKind::ContactUnmerged, &act);
    outbox::insert(tx, std::slice::from_ref(&event)).await?;
    note(tx, &act, "contact.unmerged", json!({ "merge": merge, "merged": from })).await?;
    let merge = Merge {
        id: merge,
        contact: into.0,
        merged: from.0,
        merged_at: stored.merged_at,
        merged_by: stored.merged_by,
        undone_at: Some(now),
        undone_by: Some(by.to_owned()),
    };
    Ok(UndoOutcome::Undone(merge, Box::new(event)))
}

/// Has all addresses of each contact be stopped as its strictest is: what came to one of them since
/// the merge may have been stopped as well.
async fn even_out(
    tx: &mut Scoped,
    act: &MergeAct<'_>,
    contacts: [ContactId; 2],
) -> Result<(), Fault> {
    let lists = addresses::list(tx, act.tenant, &contacts.map(|contact| contact.0)).await?;
    // Lines of its own, beside those of the merge.
    let apart = SpreadAct { id: consent_at(act.id, "apart"), ..spread_act(act) };
    for contact in contacts {
        let of_contact = lists.get(&contact.0).into_iter().flatten();
        let all = reachable(of_contact.map(|one| (one.kind, one.address.as_str())));
        spread::over(tx, &apart, &all).await?;
    }
    Ok(())
}

/// Those that texts can go to.
fn reachable<'a>(named: impl Iterator<Item = (AddressKind, &'a str)>) -> Vec<Address> {
    named.filter_map(|(kind, text)| addresses::reachable(kind, text)).collect()
}

/// Whether a merge was undone; none where it is not there any more. It is locked until the
/// transaction ends, after the contacts, as in an erasure.
async fn is_undone(tx: &mut Scoped, tenant: &TenantId, merge: Uuid) -> Result<Option<bool>, Fault> {
    sqlx::query_scalar!(
        r#"select undone_at is not null as "is_undone!" from contact_merges
           where tenant_id = $1 and merge_id = $2 for update"#,
        tenant.as_str(),
        merge,
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)
}

/// A merge as it is stored.
async fn stored(tx: &mut Scoped, tenant: &TenantId, merge: Uuid) -> Result<Option<Stored>, Fault> {
    let row = sqlx::query!(
        r#"select contact_id, merged_id, cards, merged_at, merged_by,
                  undone_at is not null as "is_undone!",
                  addresses as "addresses: Json<Vec<(String, String)>>",
                  before as "before: Json<Contact>", after as "after: Json<Contact>",
                  statuses as "statuses: Json<Vec<StopsBefore>>"
           from contact_merges where tenant_id = $1 and merge_id = $2"#,
        tenant.as_str(),
        merge,
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;

    let Some(row) = row else { return Ok(None) };
    let addresses = row.addresses.0.into_iter().map(|(kind, text)| Ok((word(&kind)?, text)));
    Ok(Some(Stored {
        into: ContactId(row.contact_id),
        from: ContactId(row.merged_id),
        rows: row.cards,
        addresses: addresses.collect::<Result<_, Fault>>()?,
        before: row.before.0,
        after: row.after.0,
        statuses: row.statuses.0,
        merged_at: row.merged_at.to_jiff(),
        merged_by: row.merged_by,
        is_undone: row.is_undone,
    }))
}

/// Those of these addresses that a contact has still.
async fn held(
    tx: &mut Scoped,
    tenant: &TenantId,
    holder: ContactId,
    addresses: &[(AddressKind, String)],
) -> Result<Vec<(AddressKind, String)>, Fault> {
    let has = addresses::list(tx, tenant, &[holder.0]).await?.remove(&holder.0).unwrap_or_default();
    let is_held = |(kind, text): &&(AddressKind, String)| {
        has.iter().any(|one| one.kind == *kind && one.address == *text)
    };
    Ok(addresses.iter().filter(is_held).cloned().collect())
}

async fn end(tx: &mut Scoped, act: &MergeAct<'_>) -> Result<(), Fault> {
    sqlx::query!(
        "update contact_merges set undone_at = $3, undone_by = $4
         where tenant_id = $1 and merge_id = $2",
        act.tenant.as_str(),
        act.id,
        act.at.to_sqlx(),
        act.by,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}
