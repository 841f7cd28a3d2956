//! The thread of a contact with a group of senders, made where it is missing.

use std::collections::HashMap;

use domain::{
    ids::{ContactId, ConversationId, SenderId, TenantId},
    message::class::Channel,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use super::senders::Texted;
use crate::{
    Scoped,
    core::{keyed, words},
    fault,
};

/// A thread as a text, or what stands for one, wants it.
pub(super) struct NewThread<'a> {
    /// Whose thread it is.
    pub(super) tenant: &'a TenantId,
    /// The id that it gets where it is made.
    pub(super) conversation: ConversationId,
    /// The contact in it.
    pub(super) contact: ContactId,
    /// The sender that the contact has to do with.
    pub(super) sender: SenderId,
    /// What is known of that sender.
    pub(super) texted: Texted,
    /// The channel that it is on.
    pub(super) channel: Channel,
    /// The senders that the contact writes to as one.
    pub(super) group: Uuid,
    /// The contact's address; of a machine its code.
    pub(super) address: &'a str,
    /// Whether the contact is a person, who can be answered.
    pub(super) is_person: bool,
    /// Business time of the text.
    pub(super) at: Timestamp,
    /// Whether the contact has said something by it: it opens their conversation for a day.
    pub(super) is_said: bool,
}

/// What a contact writes to as one, on a channel.
pub(super) type ThreadKey = (TenantId, ContactId, Channel, Uuid);

/// Makes the threads that are missing, and gives the id of each: however many first texts come at
/// once, one of them makes it. The brand and the inbox of one that has not opened yet are those of
/// now: it may open with this text, long after a stop has made it. The rows are locked until the
/// transaction ends.
pub(super) async fn make(
    tx: &mut Scoped,
    wanted: &[NewThread<'_>],
) -> Result<HashMap<ThreadKey, ConversationId>, Fault> {
    let rows = sqlx::query!(
        r#"insert into conversations as v
             (tenant_id, conversation_id, contact_id, sender_id, channel, sender_group, address,
              is_person, brand_id, inbox_id, last_inbound_at, last_text_at, last_campaign_id)
         select k.tenant_id, k.conversation_id, k.contact_id, k.sender_id, k.channel,
                k.sender_group, k.address, k.is_person, k.brand_id, k.inbox_id,
                case when k.is_said then k.at end, k.at, last.campaign_id
         from (
             select distinct on (u.tenant_id, u.conversation_id) u.*
             from unnest($1::text[], $2::uuid[], $3::uuid[], $4::uuid[], $5::timestamptz[],
                         $6::boolean[], $7::text[], $8::uuid[], $9::text[], $10::boolean[],
                         $11::uuid[], $12::uuid[])
               as u (tenant_id, conversation_id, contact_id, sender_id, at, is_said, channel,
                     sender_group, address, is_person, brand_id, inbox_id)
             order by u.tenant_id, u.conversation_id, u.is_said desc, u.at desc, u.sender_id desc
         ) k
         left join lateral (
             select r.campaign_id from campaign_recipients r
             join campaigns c on c.tenant_id = r.tenant_id and c.campaign_id = r.campaign_id
             where r.tenant_id = k.tenant_id and r.contact_id = k.contact_id
             order by c.started_at desc nulls last limit 1
         ) last on true
         order by k.tenant_id, k.conversation_id
         on conflict (tenant_id, contact_id, channel, sender_group) do update
         set last_inbound_at = greatest(v.last_inbound_at, excluded.last_inbound_at),
             sender_id = case
                 when (coalesce(excluded.last_inbound_at, 'epoch'), excluded.sender_id)
                      > (coalesce(v.last_inbound_at, 'epoch'), v.sender_id)
                 then excluded.sender_id else v.sender_id end,
             address = case
                 when coalesce(excluded.last_inbound_at, 'epoch')
                      > coalesce(v.last_inbound_at, 'epoch') or v.address is null
                 then excluded.address else v.address end,
             last_campaign_id = coalesce(excluded.last_campaign_id, v.last_campaign_id),
             brand_id = case when v.opened_at is null
                 then coalesce(excluded.brand_id, v.brand_id) else v.brand_id end,
             inbox_id = case when v.opened_at is null then excluded.inbox_id else v.inbox_id end
         returning v.tenant_id, v.contact_id, v.channel, v.sender_group as "sender_group!",
                   v.conversation_id"#,
        &wanted.iter().map(|one| one.tenant.as_str()).collect::<Vec<_>>() as _,
        &wanted.iter().map(|one| one.conversation.0).collect::<Vec<_>>(),
        &wanted.iter().map(|one| one.contact.0).collect::<Vec<_>>(),
        &wanted.iter().map(|one| one.sender.0).collect::<Vec<_>>(),
        &wanted.iter().map(|one| one.at.to_sqlx()).collect::<Vec<_>>() as _,
        &wanted.iter().map(|one| one.is_said).collect::<Vec<_>>(),
        &wanted.iter().map(|one| one.channel.as_str()).collect::<Vec<_>>() as _,
        &wanted.iter().map(|one| one.group).collect::<Vec<_>>(),
        &wanted.iter().map(|one| one.address).collect::<Vec<_>>() as _,
        &wanted.iter().map(|one| one.is_person).collect::<Vec<_>>(),
        &wanted.iter().map(|one| one.texted.brand).collect::<Vec<_>>() as _,
        &wanted.iter().map(|one| one.texted.inbox).collect::<Vec<_>>() as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let made = rows.into_iter().map(|row| {
        let key = (
            keyed::tenant(&row.tenant_id),
            ContactId(row.contact_id),
            words::word(&row.channel)?,
            row.sender_group,
        );
        Ok((key, ConversationId(row.conversation_id)))
    });
    made.collect()
}
