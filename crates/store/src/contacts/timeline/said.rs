//! What was written: texts of a person, what was written to them on the phone itself, and notes
//! about them.

use domain::ids::{ConversationId, MediaId, SenderId, TenantId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use super::{
    entry::{NoteEntry, PhoneEntry, TextEntry, TimelineEntry, TimelineFact},
    person::Person,
};
use crate::{Scoped, core::words::word, fault};

/// In how many conversations of an address notes are looked for: one for each channel and group of
/// senders.
const MOST_CONVERSATIONS: i64 = 1_000;

/// Texts of a person before a position, the newest first.
pub(super) async fn texts(
    tx: &mut Scoped,
    tenant: &TenantId,
    person: &Person,
    before: (Timestamp, Uuid),
    limit: i64,
) -> Result<Vec<TimelineEntry>, Fault> {
    let rows = sqlx::query!(
        r#"select i.inbound_id, i.conversation_id, i.sender_id, i.body, i.meaning, i.received_at,
                  v.channel,
                  array(select m.media_id from media m
                        where m.tenant_id = i.tenant_id and m.inbound_id = i.inbound_id
                        order by m.position) as "media!"
           from unnest($2::uuid[]) as k (contact_id)
           cross join lateral (
               select * from inbound_texts t
               where t.contact_id = k.contact_id and (t.received_at, t.inbound_id) < ($3, $4)
               order by t.received_at desc, t.inbound_id desc limit $5
           ) i
           cross join lateral (
               select * from conversations t
               where t.tenant_id = $1 and t.conversation_id = i.conversation_id limit 1
           ) v
           where i.tenant_id = $1
           order by i.received_at desc, i.inbound_id desc limit $5"#,
        tenant.as_str(),
        &person.ids(),
        before.0.to_sqlx() as _,
        before.1,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let entries = rows.into_iter().map(|row| {
        let text = TextEntry {
            conversation: ConversationId(row.conversation_id),
            channel: word(&row.channel)?,
            sender: SenderId(row.sender_id),
            body: row.body,
            meaning: row.meaning,
            media: row.media.into_iter().map(MediaId).collect(),
        };
        Ok(TimelineEntry {
            id: row.inbound_id,
            at: row.received_at.to_jiff(),
            what: TimelineFact::Text(text),
        })
    });
    entries.collect()
}

/// Notes in a person's conversations before a position, the newest first.
pub(super) async fn notes(
    tx: &mut Scoped,
    tenant: &TenantId,
    person: &Person,
    before: (Timestamp, Uuid),
    limit: i64,
) -> Result<Vec<TimelineEntry>, Fault> {
    let rows = sqlx::query!(
        r#"select e.entry_id, e.conversation_id, e.author, e.body, e.at
           from unnest($2::uuid[]) as k (contact_id)
           cross join lateral (
               select * from conversations t
               where t.tenant_id = $1 and t.contact_id = k.contact_id
               order by t.channel, t.sender_group limit $6
           ) v
           cross join lateral (
               select * from conversation_entries n
               where n.conversation_id = v.conversation_id and n.kind = 'note'
                 and (n.at, n.entry_id) < ($3, $4)
               order by n.at desc, n.entry_id desc limit $5
           ) e
           where e.tenant_id = $1
           order by e.at desc, e.entry_id desc limit $5"#,
        tenant.as_str(),
        &person.ids(),
        before.0.to_sqlx() as _,
        before.1,
        limit,
        MOST_CONVERSATIONS,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let entries = rows.into_iter().map(|row| TimelineEntry {
        id: row.entry_id,
        at: row.at.to_jiff(),
        what: TimelineFact::Note(NoteEntry {
            conversation: ConversationId(row.conversation_id),
            author: row.author,
            body: row.body,
        }),
    });
    Ok(entries.collect())
}

/// What was written to a person on the phone itself before a position, the newest first.
pub(super) async fn by_phone(
    tx: &mut Scoped,
    tenant: &TenantId,
    person: &Person,
    before: (Timestamp, Uuid),
    limit: i64,
) -> Result<Vec<TimelineEntry>, Fault> {
    let rows = sqlx::query!(
        r#"select e.entry_id, e.conversation_id, e.sender_id, e.body, e.at, v.channel
           from unnest($2::uuid[]) as k (contact_id)
           cross join lateral (
               select * from conversations t
               where t.tenant_id = $1 and t.contact_id = k.contact_id
               order by t.channel, t.sender_group limit $6
           ) v
           cross join lateral (
               select * from conversation_entries n
               where n.conversation_id = v.conversation_id and n.kind = 'phone'
                 and (n.at, n.entry_id) < ($3, $4)
               order by n.at desc, n.entry_id desc limit $5
           ) e
           where e.tenant_id = $1
           order by e.at desc, e.entry_id desc limit $5"#,
        tenant.as_str(),
        &person.ids(),
        before.0.to_sqlx() as _,
        before.1,
        limit,
        MOST_CONVERSATIONS,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let entries = rows.into_iter().map(|row| {
        let text = PhoneEntry {
            conversation: ConversationId(row.conversation_id),
            channel: word(&row.channel)?,
            sender: row.sender_id.map(SenderId),
            body: row.body,
        };
        let (id, at) = (row.entry_id, row.at.to_jiff());
        Ok(TimelineEntry { id, at, what: TimelineFact::Phone(text) })
    });
    entries.collect()
}
