//! Erasing a person: their names, fields, tags and texts go, and what is on its way to them is
//! withdrawn. The number stays where it says that it must not be texted, in the ledger of consent,
//! and in the records of messages until their retention ends.

use domain::{
    ids::{ContactId, MessageId, TenantId},
    message::state::MessageState,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use super::set;
use crate::{Scoped, core::state_codes::codes, fault};

/// How many texts one step removes.
const STEP: i64 = 1_000;

/// A message of a person that no carrier has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenMessage {
    /// The message's id, stored or not yet.
    pub id: MessageId,
    /// Whether `enrich` has stored it: else a campaign has yet to feed it.
    pub is_stored: bool,
}

/// What is on its way to a person, at most 1,000 of it: messages before their carrier call, and
/// those that campaigns have yet to feed.
pub async fn open_messages(tx: &mut Scoped, contact: ContactId) -> Result<Vec<OpenMessage>, Fault> {
    let rows = sqlx::query!(
        r#"(select message_id as "id!", true as "is_stored!" from messages
            where contact_id = $1 and state = any ($2) limit $3)
           union all
           (select r.message_id, false
            from campaign_recipients r
            cross join lateral (
                select c.state from campaigns c
                where c.tenant_id = r.tenant_id and c.campaign_id = r.campaign_id limit 1
            ) c
            left join lateral (
                select m.state from messages m
                where m.tenant_id = r.tenant_id and m.message_id = r.message_id limit 1
            ) m on true
            where r.contact_id = $1 and m.state is null
              and c.state in ('starting', 'running', 'paused') limit $3)"#,
        contact.0,
        &codes(|state| state.awaits_gates() || state == MessageState::Queued),
        STEP,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let open = |id, is_stored| OpenMessage { id: MessageId(id), is_stored };
    Ok(rows.into_iter().map(|row| open(row.id, row.is_stored)).collect())
}

/// Removes the texts of a person's messages that a carrier has or that have ended, with what their
/// caller noted on them, at most 1,000. Says how many: none is left where it is fewer.
pub async fn texts_of_messages(
    tx: &mut Scoped,
    contact: ContactId,
    now: Timestamp,
) -> Result<u64, Fault> {
    let done = sqlx::query!(
        "with due as (
             select r.tenant_id, r.message_id from messages r
             where r.contact_id = $1 and r.state = any ($2)
               and (r.body <> '' or r.metadata is not null or r.media is not null)
             order by r.message_id limit $3 for update
         )
         update messages m set body = '', media = null, metadata = null, text_expired_at = $4
         from due d where m.tenant_id = d.tenant_id and m.message_id = d.message_id",
        contact.0,
        &codes(|state| state.is_final() || state == MessageState::Sent),
        STEP,
        now.to_sqlx() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(done.rows_affected())
}

/// Removes what a person wrote, what was answered to them, and what was noted and labelled about
/// them, in the conversation with each group of senders.
pub async fn texts_of_conversations(tx: &mut Scoped, contact: ContactId) -> Result<u64, Fault> {
    let threads = threads(tx, contact).await?;
    let written = sqlx::query!(
        "update inbound_texts i set body = ''
         from unnest($1::uuid[]) as k (conversation_id)
         where i.conversation_id = k.conversation_id and i.body <> ''",
        &threads,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    let answered = sqlx::query!(
        "update ai_replies r set body = '', qualification = null
         from unnest($1::uuid[]) as k (conversation_id)
         where r.conversation_id = k.conversation_id and r.body <> ''",
        &threads,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    let noted = sqlx::query!(
        "update conversation_entries e set body = ''
         from unnest($1::uuid[]) as k (conversation_id)
         where e.conversation_id = k.conversation_id and e.body <> ''",
        &threads,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(written.rows_affected() + answered.rows_affected() + noted.rows_affected())
}

/// The conversations of a person, without their labels from now on.
async fn threads(tx: &mut Scoped, contact: ContactId) -> Result<Vec<Uuid>, Fault> {
    sqlx::query_scalar!(
        "update conversations set labels = '{}' where contact_id = $1 returning conversation_id",
        contact.0,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)
}

/// Has the pictures and papers go that a person has sent: the next step of retention removes them.
pub async fn media(tx: &mut Scoped, tenant: &TenantId, contact: ContactId) -> Result<u64, Fault> {
    let done = sqlx::query!(
        "update media set kept_from = 'epoch', due = null, url = ''
         where tenant_id = $1 and contact_id = $2 and kept_from > 'epoch'",
        tenant.as_str(),
        contact.0,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(done.rows_affected())
}

/// Empties a contact and its cards, each of which keeps its number alone and points to none, and
/// takes all other addresses away, with what an undo of a merge would give back. False where there
/// is no such contact, or it was erased before.
pub async fn contact(
    tx: &mut Scoped,
    tenant: &TenantId,
    contact: ContactId,
    now: Timestamp,
) -> Result<bool, Fault> {
    let rows = set::rows_of(tx, tenant, contact).await?;
    let tenants = vec![tenant.as_str(); rows.len()];
    sqlx::query!(
        "delete from contact_merges m
         using unnest($1::uuid[]) as k (contact_id)
         where m.contact_id = k.contact_id or m.merged_id = k.contact_id",
        &rows,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    set::point(tx, tenant, &rows, None).await?;
    let done = sqlx::query!(
        "update contacts c
         set first_name = '', last_name = '', language = null, time_zone = null,
             postal_code = null, region = null, tags = '{}', attributes = '{}',
             updated_at = $3, erased_at = $3
         from unnest($1::text[], $2::uuid[]) as k (tenant_id, contact_id)
         where c.tenant_id = k.tenant_id and c.contact_id = k.contact_id and c.erased_at is null",
        &tenants as _,
        &rows,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    // Each row keeps the address that it was made of.
    sqlx::query!(
        "delete from contact_addresses a where a.tenant_id = $1 and a.contact_id = $2",
        tenant.as_str(),
        contact.0,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    sqlx::query!(
        "insert into contact_addresses (tenant_id, kind, address, contact_id, added_at)
         select c.tenant_id, case when c.number like '+%' then 'phone' else 'carrier_id' end,
                c.number, c.contact_id, c.created_at
         from unnest($1::text[], $2::uuid[]) as k (tenant_id, contact_id)
         join contacts c on c.tenant_id = k.tenant_id and c.contact_id = k.contact_id
         order by 1, 2, 3
         on conflict do nothing",
        &tenants as _,
        &rows,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(done.rows_affected() > 0)
}
