//! Lists of conversations, a page at a time, the one with the newest text first. A page looks at
//! [`MOST`] conversations at most: whatever is asked for, it costs the same.

use std::collections::HashMap;

use domain::{
    conversation::{ConversationOwner, ConversationStatus},
    ids::{BrandId, InboxId, TenantId},
    message::class::Channel,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use super::row::{self, Conversation};
use crate::{Scoped, fault};

/// How many conversations one page looks at.
pub const MOST: i64 = 2_000;

/// Which conversations are asked for. What is none lets all through.
#[derive(Debug, Clone, Default)]
pub struct ConversationFilter {
    /// Those of this status; a snooze that has ended counts as open.
    pub status: Option<ConversationStatus>,
    /// Those that this one answers.
    pub owner: Option<ConversationOwner>,
    /// Those that this person looks after.
    pub assignee: Option<Uuid>,
    /// True: those that nobody looks after.
    pub unassigned: bool,
    /// Those in this inbox.
    pub inbox: Option<InboxId>,
    /// Those that were written to under this name.
    pub brand: Option<BrandId>,
    /// Those with this label.
    pub label: Option<String>,
    /// True: those with something that nobody has read.
    pub unread: bool,
    /// True: those that a person is to look at for a special reason.
    pub attention: bool,
    /// Those on this channel.
    pub channel: Option<Channel>,
    /// Those of this contact.
    pub contact: Option<Uuid>,
    /// Those whose contact's name, address or last text holds this, whatever the case.
    pub q: Option<String>,
}

impl ConversationFilter {
    /// Whether it may leave something out.
    fn is_open(&self) -> bool {
        self.status.is_none()
            && self.owner.is_none()
            && self.assignee.is_none()
            && !self.unassigned
            && self.inbox.is_none()
            && self.brand.is_none()
            && self.label.is_none()
            && !self.unread
            && !self.attention
            && self.channel.is_none()
            && self.contact.is_none()
            && self.q.is_none()
    }
}

/// A place in the list: when the last text was, and the conversation's id.
pub type ListPosition = (Timestamp, Uuid);

/// A conversation, and what a list shows of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedConversation {
    /// The conversation as it is stored.
    pub conversation: Conversation,
    /// The contact's name, as far as it is known.
    pub name: String,
    /// What the last text says; none where it is not stored yet, or not any more.
    pub last_body: Option<String>,
    /// Whether the last text came from the contact.
    pub is_last_in: bool,
}

/// A page of conversations.
pub struct ConversationPage {
    /// The conversations that fit, in their order.
    pub conversations: Vec<ListedConversation>,
    /// Where the next page goes on; none where there is nothing more.
    pub next: Option<ListPosition>,
}

/// A tenant's conversations before a position.
pub async fn before(
    tx: &mut Scoped,
    tenant: &TenantId,
    filter: &ConversationFilter,
    before: ListPosition,
    now: Timestamp,
    limit: i64,
) -> Result<ConversationPage, Fault> {
    let looked_at = if filter.is_open() { limit } else { MOST };
    let walked = walk(tx, tenant, filter, before, now, looked_at).await?;
    let is_at_end = i64::try_from(walked.len()).is_ok_and(|found| found < looked_at);

    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let (mut ids, mut next) = (Vec::new(), None);
    let mut left = walked.iter();
    for (position, fits) in left.by_ref() {
        next = Some(*position);
        if *fits {
            ids.push(position.1);
        }
        if ids.len() >= most {
            break;
        }
    }
    let is_over = is_at_end && left.next().is_none();
    let conversations = shown(tx, tenant, &ids).await?;
    Ok(ConversationPage { conversations, next: next.filter(|_| !is_over) })
}

/// The next conversations in the order of their last text, each with whether it fits.
async fn walk(
    tx: &mut Scoped,
    tenant: &TenantId,
    filter: &ConversationFilter,
    before: ListPosition,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<(ListPosition, bool)>, Fault> {
    let rows = sqlx::query!(
        r#"select v.conversation_id, v.last_text_at as "last_text_at!",
                  coalesce(($5::text is null
                      or case when v.status = 'snoozed' and v.snoozed_until <= $6 then 'open'
                              else v.status end = $5)
                  and ($7::text is null or v.owner = $7)
                  and ($8::uuid is null or v.assignee = $8)
                  and (not $9 or v.assignee is null) and ($10::uuid is null or v.inbox_id = $10)
                  and ($11::uuid is null or v.brand_id = $11)
                  and ($12::text is null or $12 = any (v.labels))
                  and (not $13 or v.unread > 0) and (not $14 or v.attention is not null)
                  and ($15::text is null or v.channel = $15)
                  and ($16::uuid is null or v.contact_id = $16)
                  and ($17::text is null or position(lower($17) in lower(concat_ws(' ',
                      v.address, c.first_name, c.last_name, t.body))) > 0), false)
                      as "fits!"
           from (select * from conversations o
               where o.tenant_id collate "C" = $1 and o.opened_at is not null
                 and (o.last_text_at, o.conversation_id) < ($2, $3)
               order by o.last_text_at desc, o.conversation_id desc limit $4
           ) v
           left join lateral (
               select n.first_name, n.last_name from contacts n
               where $17::text is not null and n.tenant_id = v.tenant_id
                 and n.contact_id = v.contact_id limit 1
           ) c on true
           left join lateral (
               select coalesce(
                   (select i.body from inbound_texts i
                    where i.tenant_id = v.tenant_id and i.inbound_id = v.last_text_id limit 1),
                   (select m.body from messages m
                    where m.tenant_id = v.tenant_id and m.message_id = v.last_text_id limit 1),
                   (select e.body from conversation_entries e where e.kind = 'phone'
                      and e.tenant_id = v.tenant_id and e.entry_id = v.last_text_id limit 1)
               ) as body
               where $17::text is not null
           ) t on true
           order by v.last_text_at desc, v.conversation_id desc"#,
        tenant.as_str(),
        before.0.to_sqlx() as _,
        before.1,
        limit,
        filter.status.map(ConversationStatus::as_str),
        now.to_sqlx() as _,
        filter.owner.map(ConversationOwner::as_str),
        filter.assignee,
        filter.unassigned,
        filter.inbox.map(|inbox| inbox.0),
        filter.brand.map(|brand| brand.0),
        filter.label,
        filter.unread,
        filter.attention,
        filter.channel.map(Channel::as_str),
        filter.contact,
        filter.q,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let rows = rows.into_iter();
    Ok(rows.map(|row| ((row.last_text_at.to_jiff(), row.conversation_id), row.fits)).collect())
}

/// Conversations with what a list shows of them, in the order of their ids. Those that are not
/// there are left out.
pub async fn shown(
    tx: &mut Scoped,
    tenant: &TenantId,
    ids: &[Uuid],
) -> Result<Vec<ListedConversation>, Fault> {
    let found = row::load(tx, tenant, ids).await?;
    let contacts: Vec<Uuid> = found.iter().map(|one| one.contact.0).collect();
    let texts: Vec<Option<Uuid>> = found.iter().map(|one| one.last_text).collect();
    let rows = sqlx::query!(
        r#"select k.conversation_id as "conversation_id!", c.name as "name?",
                  i.body as "body_in?", coalesce(m.body, e.body) as "body_out?"
           from unnest($2::uuid[], $3::uuid[], $4::uuid[])
                as k (conversation_id, contact_id, text_id)
           left join lateral (
               select trim(concat(n.first_name, ' ', n.last_name)) as name from contacts n
               where n.tenant_id = $1 and n.contact_id = k.contact_id limit 1
           ) c on true
           left join lateral (
               select t.body from inbound_texts t
               where t.tenant_id = $1 and t.inbound_id = k.text_id limit 1
           ) i on true
           left join lateral (
               select t.body from messages t
               where t.tenant_id = $1 and t.message_id = k.text_id limit 1
           ) m on true
           left join lateral (
               select t.body from conversation_entries t
               where t.tenant_id = $1 and t.entry_id = k.text_id and t.kind = 'phone' limit 1
           ) e on true"#,
        tenant.as_str(),
        &found.iter().map(|one| one.id.0).collect::<Vec<_>>(),
        &contacts,
        &texts as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut shown: HashMap<Uuid, _> =
        rows.into_iter().map(|row| (row.conversation_id, row)).collect();
    let mut found: HashMap<Uuid, Conversation> =
        found.into_iter().map(|one| (one.id.0, one)).collect();
    let listed = ids.iter().filter_map(|id| {
        let (conversation, row) = (found.remove(id)?, shown.remove(id)?);
        Some(ListedConversation {
            conversation,
            name: row.name.unwrap_or_default(),
            is_last_in: row.body_in.is_some(),
            last_body: row.body_in.or(row.body_out).filter(|body| !body.is_empty()),
        })
    });
    Ok(listed.collect())
}
