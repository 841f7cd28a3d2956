//! Two contacts become one, and come apart again. The one that is taken in keeps its row, its
//! messages and its line of the ledger, and points to the other; so an undo has nothing to rebuild.
//! What stops texts to an address of either stops them to all, the strictest first.

mod fields;
mod undo;

use domain::{
    address::{Address, AddressKind, MAX_ADDRESSES},
    ids::{ContactId, TenantId},
};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use serde_json::json;
use sqlx::types::{Json, Uuid};
use stage::Fault;
use wire::{Event, EventKind, event::ContactData};

pub use undo::{UndoOutcome, undo};

use super::{
    Contact,
    addresses::{self, ContactAddress},
    load, save, set,
};
use crate::{
    Scoped,
    audit::{self, AuditEntry},
    fault, outbox,
    recipients::consent::{SpreadAct, StopsBefore, spread},
};

/// How long a merge can be undone, in business time: then its row goes.
pub const UNDO: SignedDuration = SignedDuration::from_hours(30 * 24);

/// One contact takes another in.
#[derive(Clone, Copy)]
pub struct MergeAct<'a> {
    /// Whose contacts they are.
    pub tenant: &'a TenantId,
    /// The merge's own id.
    pub id: Uuid,
    /// The contact that stays.
    pub into: ContactId,
    /// Who is taken in.
    pub from: ContactId,
    /// Business time of the merge.
    pub at: Timestamp,
    /// Who merges them: API key, user, stage.
    pub by: &'a str,
    /// How it came: `api` or `carrier`.
    pub cause: &'a str,
}

/// What became of two contacts that were to be one.
pub enum MergeOutcome {
    /// They are one, and the outbox holds this event.
    Merged(Box<Event>),
    /// They were one before.
    Same,
    /// One of them is not there, or is part of another contact.
    Unknown,
    /// Only the one that is to be taken in has a phone number: it must be the one that stays.
    WithoutPhone,
    /// Together they have more addresses than one contact may have.
    TooMany,
}

/// Merges two contacts.
pub async fn merge(tx: &mut Scoped, act: &MergeAct<'_>) -> Result<MergeOutcome, Fault> {
    if act.into == act.from {
        return Ok(MergeOutcome::Same);
    }

    // load
    let ids = [act.into.0, act.from.0];
    let found = load(tx, act.tenant, &ids, true).await?;
    let cards = set::owners(tx, &ids.map(|id| (act.tenant, id))).await?;
    let of = |id: ContactId| found.iter().find(|contact| contact.contact_id == id.0);
    let (Some(into), Some(from), true) = (of(act.into), of(act.from), cards.is_empty()) else {
        return Ok(MergeOutcome::Unknown);
    };
    let mut lists = addresses::list(tx, act.tenant, &ids).await?;
    let kept = lists.remove(&act.into.0).unwrap_or_default();
    let moved = lists.remove(&act.from.0).unwrap_or_default();

    // decide
    if kept.len() + moved.len() > MAX_ADDRESSES {
        return Ok(MergeOutcome::TooMany);
    }
    let is_number = |address: &ContactAddress| address.kind == AddressKind::Phone;
    if !into.number.starts_with('+') && moved.iter().any(is_number) {
        return Ok(MergeOutcome::WithoutPhone);
    }
    let after = fields::merged(into, from, act.at);

    // record
    let rows = set::rows_of(tx, act.tenant, act.from).await?;
    set::point(tx, act.tenant, &rows, Some(act.into)).await?;
    let named = named(&moved);
    addresses::give(tx, act.tenant, act.into, &named).await?;
    save(tx, act.tenant, std::slice::from_ref(&after)).await?;
    let all: Vec<Address> =
        kept.iter().chain(&moved).filter_map(ContactAddress::reachable).collect();
    let statuses = spread::over(tx, &spread_act(act), &all).await?;
    let went = Went { rows, addresses: named, before: into.clone(), after, statuses };
    insert(tx, act, &went).await?;

    // say
    let event = event(EventKind::ContactMerged, act);
    outbox::insert(tx, std::slice::from_ref(&event)).await?;
    let detail = json!({ "merge": act.id, "merged": act.from, "cause": act.cause });
    note(tx, act, "contact.merged", detail).await?;
    Ok(MergeOutcome::Merged(Box::new(event)))
}

/// The event of a merge or of its undo.
fn event(kind: EventKind, act: &MergeAct<'_>) -> Event {
    let data = ContactData {
        contact: act.into,
        cause: act.cause.to_owned(),
        campaign: None,
        merged: Some(act.from),
    };
    Event::new(kind, act.tenant, act.id, 1, act.at, &data)
}

async fn note(
    tx: &mut Scoped,
    act: &MergeAct<'_>,
    action: &str,
    detail: serde_json::Value,
) -> Result<(), Fault> {
    let entry = AuditEntry {
        tenant: act.tenant.clone(),
        at: act.at,
        actor: act.by.to_owned(),
        action: action.to_owned(),
        subject: format!("contact:{}", act.into),
        detail,
    };
    audit::append(tx, &[entry]).await
}

fn spread_act<'a>(act: &MergeAct<'a>) -> SpreadAct<'a> {
    SpreadAct { tenant: act.tenant, id: act.id, at: act.at, by: act.by }
}

fn named(addresses: &[ContactAddress]) -> Vec<(AddressKind, String)> {
    addresses.iter().map(|one| (one.kind, one.address.clone())).collect()
}

/// What an undo gives back.
struct Went {
    /// Rows of contacts that went over.
    rows: Vec<Uuid>,
    /// What went over with them.
    addresses: Vec<(AddressKind, String)>,
    /// The contact that stays, before.
    before: Contact,
    /// The same, after.
    after: Contact,
    /// What stopped texts to addresses that are stopped more since.
    statuses: Vec<StopsBefore>,
}

async fn insert(tx: &mut Scoped, act: &MergeAct<'_>, went: &Went) -> Result<(), Fault> {
    let addresses: Vec<_> =
        went.addresses.iter().map(|(kind, text)| (kind.as_str(), text)).collect();
    sqlx::query!(
        "insert into contact_merges (tenant_id, merge_id, contact_id, merged_id, cards, addresses,
                                     before, after, statuses, merged_at, merged_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        act.tenant.as_str(),
        act.id,
        act.into.0,
        act.from.0,
        &went.rows,
        Json(addresses) as _,
        Json(&went.before) as _,
        Json(&went.after) as _,
        Json(&went.statuses) as _,
        act.at.to_sqlx(),
        act.by,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Whether there is a merge of this id, undone or not.
pub(super) async fn is_stored(tx: &mut Scoped, tenant: &TenantId, id: Uuid) -> Result<bool, Fault> {
    sqlx::query_scalar!(
        r#"select exists (
               select from contact_merges where tenant_id = $1 and merge_id = $2) as "is_stored!""#,
        tenant.as_str(),
        id,
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(fault)
}

/// A merge as callers read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merge {
    /// The id of the merge.
    pub id: Uuid,
    /// Who has taken the other in.
    pub contact: Uuid,
    /// Who was taken in.
    pub merged: Uuid,
    /// Business time of the merge.
    pub merged_at: Timestamp,
    /// Who merged them.
    pub merged_by: String,
    /// When it was undone; none while it stands.
    pub undone_at: Option<Timestamp>,
    /// Who has undone it.
    pub undone_by: Option<String>,
}

/// The merges of a contact that can be undone or were, before a time and id, the latest first.
pub async fn list(
    tx: &mut Scoped,
    tenant: &TenantId,
    contact: ContactId,
    before: Option<(Timestamp, Uuid)>,
    limit: i64,
) -> Result<Vec<Merge>, Fault> {
    let rows = sqlx::query!(
        "select merge_id, contact_id, merged_id, merged_at, merged_by, undone_at, undone_by
         from contact_merges
         where tenant_id = $1 and contact_id = $2
           and ($3::timestamptz is null or (merged_at, merge_id) < ($3, $4::uuid))
         order by merged_at desc, merge_id desc limit $5",
        tenant.as_str(),
        contact.0,
        before.map(|(at, _)| at.to_sqlx()) as _,
        before.map(|(_, id)| id),
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let merges = rows.into_iter().map(|row| Merge {
        id: row.merge_id,
        contact: row.contact_id,
        merged: row.merged_id,
        merged_at: row.merged_at.to_jiff(),
        merged_by: row.merged_by,
        undone_at: row.undone_at.map(|at| at.to_jiff()),
        undone_by: row.undone_by,
    });
    Ok(merges.collect())
}
