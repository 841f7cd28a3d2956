//! What texts that came make of their conversation: it opens, or opens again, and counts what
//! nobody has read. Each text counts once, in whichever batch it is.

use domain::{
    conversation::{Attention, ConversationOwner, ConversationStatus},
    ids::{ContactId, ConversationId, InboxId, TenantId},
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;
use wire::{Event, EventKind, event::ConversationData};

use super::inbound::NewText;
use crate::{
    Scoped,
    core::{
        keyed::{in_lock_order, tenant},
        words::word,
    },
    fault, outbox,
};

/// Records that these texts came, which are new and in no conversation's counts yet; the rows of
/// their conversations are locked. Notes which texts have opened one; that one opens again is told
/// by way of the outbox, as it is seldom.
pub(super) async fn record(tx: &mut Scoped, texts: &[&NewText]) -> Result<(), Fault> {
    let texts: Vec<&NewText> = texts.iter().copied().filter(|text| text.is_shown()).collect();
    if texts.is_empty() {
        return Ok(());
    }

    let (mut events, mut openers) = (Vec::new(), Vec::new());
    for moved in raise(tx, &texts).await? {
        events.extend(moved.reopening());
        openers.extend(moved.opener());
    }
    outbox::insert(tx, &events).await?;
    note_openers(tx, &openers).await
}

/// A conversation as texts have left it.
struct MovedConversation {
    tenant: TenantId,
    data: ConversationData,
    version: i64,
    last_text_at: Timestamp,
    /// The first of the texts that is for people.
    first: Option<Uuid>,
    has_opened: bool,
    has_reopened: bool,
}

impl MovedConversation {
    /// The event that it has opened again, if it has.
    fn reopening(&self) -> Option<Event> {
        let kind = EventKind::ConversationReopened;
        let (id, version, at) = (self.data.conversation.0, self.version, self.last_text_at);
        self.has_reopened.then(|| Event::new(kind, &self.tenant, id, version, at, &self.data))
    }

    /// The text that has opened it, if one has.
    fn opener(&self) -> Option<Opener> {
        let text = self.first.filter(|_| self.has_opened)?;
        let inbox = self.data.inbox.map(|inbox| inbox.0);
        Some(Opener { tenant: self.tenant.clone(), text, inbox })
    }
}

/// Counts texts in their conversations, and opens those that people are to look at.
async fn raise(tx: &mut Scoped, texts: &[&NewText]) -> Result<Vec<MovedConversation>, Fault> {
    let rows = sqlx::query!(
        r#"with came as (
               select k.tenant_id, k.conversation_id, count(*) as texts,
                      count(*) filter (where k.is_for_people) as for_people,
                      min(k.at) filter (where k.is_for_people) as first_at, max(k.at) as last_at,
                      (array_agg(k.inbound_id order by k.at, k.inbound_id)
                          filter (where k.is_for_people))[1] as first_id,
                      (array_agg(k.inbound_id order by k.at desc, k.inbound_id desc))[1] as last_id,
                      bool_or(k.is_doubtful) as is_doubtful
               from unnest($1::text[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::boolean[],
                           $6::boolean[])
                 as k (tenant_id, conversation_id, inbound_id, at, is_for_people, is_doubtful)
               group by k.tenant_id, k.conversation_id
           )
           update conversations v
           set version = v.version + k.texts, unread = v.unread + k.for_people,
               opened_at = least(v.opened_at, k.first_at),
               last_text_id = case
                   when v.last_text_id is not null
                        and (v.last_text_at, v.last_text_id) > (k.last_at, k.last_id)
                   then v.last_text_id else k.last_id end,
               last_text_at = greatest(v.last_text_at, k.last_at),
               attention = case when k.is_doubtful then $7 else v.attention end,
               status = case when k.for_people > 0 then $8 else v.status end,
               snoozed_until = case when k.for_people > 0 then null else v.snoozed_until end,
               owner = case when k.for_people > 0 and v.status = $9 then $10 else v.owner end,
               assignee = case when k.for_people > 0 and v.status = $9 then null else v.assignee end
           from came k join conversations b using (tenant_id, conversation_id)
           where v.tenant_id = k.tenant_id and v.conversation_id = k.conversation_id
           returning v.tenant_id, v.conversation_id, v.contact_id, v.inbox_id, v.status, v.owner,
                     v.assignee, v.version, k.last_at as "last_at!", k.first_id,
                     b.opened_at is null and k.for_people > 0 as "has_opened!",
                     b.opened_at is not null and b.status <> v.status as "has_reopened!""#,
        &texts.iter().map(|text| text.tenant.to_string()).collect::<Vec<_>>(),
        &texts.iter().map(|text| text.conversation.0).collect::<Vec<_>>(),
        &texts.iter().map(|text| text.id).collect::<Vec<_>>(),
        &texts.iter().map(|text| text.received_at.to_sqlx()).collect::<Vec<_>>() as _,
        &texts.iter().map(|text| text.is_for_people()).collect::<Vec<_>>(),
        &texts.iter().map(|text| text.is_doubtful()).collect::<Vec<_>>(),
        Attention::Review.as_str(),
        ConversationStatus::Open.as_str(),
        ConversationStatus::Closed.as_str(),
        ConversationOwner::Assistant.as_str(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let moved = rows.into_iter().map(|row| {
        Ok(MovedConversation {
            tenant: tenant(&row.tenant_id),
            data: ConversationData {
                conversation: ConversationId(row.conversation_id),
                contact: ContactId(row.contact_id),
                inbox: row.inbox_id.map(InboxId),
                status: word(&row.status)?,
                owner: word(&row.owner)?,
                assignee: row.assignee,
                by: None,
            },
            version: row.version,
            last_text_at: row.last_at.to_jiff(),
            first: row.first_id,
            has_opened: row.has_opened,
            has_reopened: row.has_reopened,
        })
    });
    moved.collect()
}

/// A text that has opened its conversation.
struct Opener {
    tenant: TenantId,
    text: Uuid,
    inbox: Option<Uuid>,
}

/// Notes on texts that they have opened their conversations: whoever sees one again says the same.
async fn note_openers(tx: &mut Scoped, openers: &[Opener]) -> Result<(), Fault> {
    if openers.is_empty() {
        return Ok(());
    }

    let openers = in_lock_order(openers, |one| (&one.tenant, one.text));
    sqlx::query!(
        "update inbound_texts i set opens = true, opens_inbox = k.inbox_id
         from unnest($1::text[], $2::uuid[], $3::uuid[]) as k (tenant_id, inbound_id, inbox_id)
         where i.tenant_id = k.tenant_id and i.inbound_id = k.inbound_id",
        &openers.iter().map(|one| one.tenant.as_str()).collect::<Vec<_>>() as _,
        &openers.iter().map(|one| one.text).collect::<Vec<_>>(),
        &openers.iter().map(|one| one.inbox).collect::<Vec<_>>() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}
