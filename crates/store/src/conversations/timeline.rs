//! What stands in a conversation, in one order: texts that came in, messages that went out, notes,
//! and what was done with it. The newest first, a page at a time.

use domain::{
    conversation::Act,
    ids::{CampaignId, MediaId, SenderId, TenantId},
    message::{class::MessageClass, state::MessageState},
    money::Micros,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use super::{row::Conversation, senders};
use crate::{
    Scoped,
    contacts::set,
    core::words::{self, word, words},
    fault,
};

words! {
    Act = "act on a conversation",
}

/// Of how many of a contact's messages to one address those of one conversation are picked, at
/// most.
const MOST_MESSAGES: i64 = 10_000;

/// A place in a conversation: a business time, and the id of what stands there.
pub type EntryPosition = (Timestamp, Uuid);

/// One thing in a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its id: of a message that of `GET /v1/messages/{id}`.
    pub id: Uuid,
    /// Business time of the entry.
    pub at: Timestamp,
    /// What it is.
    pub detail: EntryDetail,
}

/// What stands in a conversation.
#[derive(Debug, Clone, PartialEq)]
pub enum EntryDetail {
    /// A text of the contact.
    In(TextIn),
    /// A message to the contact.
    Out(MessageOut),
    /// What somebody of the company has written on the phone itself.
    Phone(PhoneOut),
    /// A note that people alone see.
    Note {
        /// Who has written it.
        author: String,
        /// What it says.
        body: String,
    },
    /// Something that was done with the conversation.
    Act {
        /// Who has done it.
        author: String,
        /// What was done.
        act: Act,
    },
}

/// A text of the contact.
#[derive(Debug, Clone, PartialEq)]
pub struct TextIn {
    /// What they wrote; empty once its retention has ended.
    pub body: String,
    /// What it asks for.
    pub meaning: String,
    /// The sender that was texted.
    pub sender: SenderId,
    /// What came with it.
    pub media: Vec<MediaId>,
}

/// What somebody of the company has written on the phone that has the number itself.
#[derive(Debug, Clone, PartialEq)]
pub struct PhoneOut {
    /// Who has written it: see [`super::echoes::AUTHOR`].
    pub author: String,
    /// What it says; empty for a file without words, and once its retention has ended.
    pub body: String,
    /// The sender whose number it is.
    pub sender: Option<SenderId>,
}

/// A message to the contact.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageOut {
    /// What it says; empty once its retention has ended.
    pub body: String,
    /// The state that it is in.
    pub state: MessageState,
    /// The reason code, or the carrier's error code.
    pub code: Option<String>,
    /// What it is for.
    pub class: MessageClass,
    /// The sender that carries it, once one is chosen.
    pub sender: Option<SenderId>,
    /// The campaign that it belongs to.
    pub campaign: Option<CampaignId>,
    /// How many segments it takes.
    pub segments: i16,
    /// What it costs.
    pub cost: Micros,
    /// Who has written it, where it is a person's reply.
    pub author: Option<String>,
    /// Whether the assistant has written it.
    pub is_of_assistant: bool,
}

/// What stands in a conversation before a position, the newest first.
pub async fn before(
    tx: &mut Scoped,
    tenant: &TenantId,
    conversation: &Conversation,
    before: EntryPosition,
    limit: i64,
) -> Result<Vec<Entry>, Fault> {
    let mut entries = texts_in(tx, tenant, conversation, before, limit).await?;
    entries.extend(messages_out(tx, tenant, conversation, before, limit).await?);
    entries.extend(beside(tx, conversation, before, limit).await?);

    entries.sort_unstable_by_key(|entry| std::cmp::Reverse((entry.at, entry.id)));
    entries.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(entries)
}

async fn texts_in(
    tx: &mut Scoped,
    tenant: &TenantId,
    conversation: &Conversation,
    before: EntryPosition,
    limit: i64,
) -> Result<Vec<Entry>, Fault> {
    let rows = sqlx::query!(
        r#"select i.inbound_id, i.body, i.meaning, i.sender_id, i.received_at,
                  array(select m.media_id from media m
                        where m.tenant_id = $1 and m.inbound_id = i.inbound_id
                        order by m.position) as "media!"
           from (
               select * from inbound_texts t
               where t.conversation_id = $2 and t.unknown_to is null
                 and (t.received_at, t.inbound_id) < ($3, $4)
               order by t.received_at desc, t.inbound_id desc limit $5
           ) i"#,
        tenant.as_str(),
        conversation.id.0,
        before.0.to_sqlx() as _,
        before.1,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let entries = rows.into_iter().map(|row| Entry {
        id: row.inbound_id,
        at: row.received_at.to_jiff(),
        detail: EntryDetail::In(TextIn {
            body: row.body,
            meaning: row.meaning,
            sender: SenderId(row.sender_id),
            media: row.media.into_iter().map(MediaId).collect(),
        }),
    });
    Ok(entries.collect())
}

/// Messages to the contact by a sender of the group, and the replies of this conversation that have
/// no sender yet. A message names the contact that its address alone would make: where several are
/// one person, the messages of each are theirs.
async fn messages_out(
    tx: &mut Scoped,
    tenant: &TenantId,
    conversation: &Conversation,
    before: EntryPosition,
    limit: i64,
) -> Result<Vec<Entry>, Fault> {
    let group = conversation.group;
    let senders = senders::of_group(tx, tenant, group, conversation.sender).await?;
    let contacts = set::rows_of(tx, tenant, conversation.contact).await?;
    let rows = sqlx::query!(
        r#"select m.message_id, m.submitted_at, m.body, m.state, m.code, m.class, m.sender_id,
                  m.campaign_id, m.segments, m.cost_micros, e.author as "author?",
                  a.message_id is not null as "is_of_assistant!"
           from unnest($2::uuid[]) as k (contact_id)
           cross join lateral (
               select * from messages r
               where r.contact_id = k.contact_id and r.channel = $9
                 and (r.submitted_at, r.message_id) < ($5, $6)
               order by r.submitted_at desc, r.message_id desc limit $8
           ) m
           left join lateral (
               select n.author, n.conversation_id from conversation_entries n
               where n.tenant_id = $1 and n.entry_id = m.message_id limit 1
           ) e on true
           left join lateral (
               select r.message_id, r.conversation_id from ai_replies r
               where r.tenant_id = $1 and r.message_id = m.message_id limit 1
           ) a on true
           where m.tenant_id = $1
             and (m.sender_id = any ($3) or e.conversation_id = $4 or a.conversation_id = $4)
           order by m.submitted_at desc, m.message_id desc limit $7"#,
        tenant.as_str(),
        &contacts,
        &senders,
        conversation.id.0,
        before.0.to_sqlx() as _,
        before.1,
        limit,
        MOST_MESSAGES,
        conversation.channel.as_str(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let entries = rows.into_iter().map(|row| {
        let message = MessageOut {
            body: row.body,
            state: words::state(row.state)?,
            code: row.code,
            class: word(&row.class)?,
            sender: row.sender_id.map(SenderId),
            campaign: row.campaign_id.map(CampaignId),
            segments: row.segments,
            cost: Micros(row.cost_micros),
            author: row.author,
            is_of_assistant: row.is_of_assistant,
        };
        let (id, at) = (row.message_id, row.submitted_at.to_jiff());
        Ok(Entry { id, at, detail: EntryDetail::Out(message) })
    });
    entries.collect()
}

/// What stands beside texts and messages: notes, acts, and what was written on the phone. A reply
/// stands as its message, and what a newer version has written is left out.
async fn beside(
    tx: &mut Scoped,
    conversation: &Conversation,
    before: EntryPosition,
    limit: i64,
) -> Result<Vec<Entry>, Fault> {
    let rows = sqlx::query!(
        "select entry_id, kind, author, what, body, sender_id, at from conversation_entries
         where conversation_id = $1 and kind in ('note', 'act', 'phone')
           and (at, entry_id) < ($2, $3)
         order by at desc, entry_id desc limit $4",
        conversation.id.0,
        before.0.to_sqlx() as _,
        before.1,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut entries = Vec::with_capacity(rows.len());
    for row in rows {
        let detail = match row.kind.as_str() {
            "note" => EntryDetail::Note { author: row.author, body: row.body },
            "phone" => EntryDetail::Phone(PhoneOut {
                author: row.author,
                body: row.body,
                sender: row.sender_id.map(SenderId),
            }),
            "act" => EntryDetail::Act { author: row.author, act: word(&row.what)? },
            _ => continue,
        };
        entries.push(Entry { id: row.entry_id, at: row.at.to_jiff(), detail });
    }
    Ok(entries)
}
