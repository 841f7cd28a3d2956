//! Media that came with texts: a row of each, in the transaction that records its text.

use domain::{
    ids::{ContactId, MediaId, SenderId, TenantId},
    media::{LONGEST_URL, MediaDirection, MediaRefusal, MediaState},
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use super::MOST_WAITING;
use crate::{Scoped, core::keyed::in_lock_order, fault};

/// One that came with a text.
#[derive(Debug, Clone)]
pub struct ReceivedMedia {
    /// Whose number was texted.
    pub tenant: TenantId,
    /// The text that it came with.
    pub inbound: Uuid,
    /// Its index among the media of the text.
    pub position: u16,
    /// Who has sent it.
    pub contact: ContactId,
    /// The sender that was texted.
    pub sender: SenderId,
    /// The handle of the account that it came through.
    pub account: String,
    /// Where the carrier gives it.
    pub url: String,
    /// When it came, in business time.
    pub received_at: Timestamp,
}

impl ReceivedMedia {
    /// Its id: a repeat of the text brings the same.
    pub fn id(&self) -> MediaId {
        MediaId::from_inbound(self.inbound, self.position)
    }
}

/// Adds what came, to be fetched from now on; what is there already stays as it is. One whose
/// address is too long, and those of a tenant of whose media too many wait, are refused at once.
pub async fn record(
    tx: &mut Scoped,
    received: &[ReceivedMedia],
    machine: Timestamp,
) -> Result<(), Fault> {
    if received.is_empty() {
        return Ok(());
    }
    let sorted = in_lock_order(received, |one| (&one.tenant, one.id()));
    let urls = sorted.iter().map(|one| if one.url.len() <= LONGEST_URL { &*one.url } else { "" });

    sqlx::query!(
        "with crowded as materialized (
             select t.tenant_id
             from (select distinct u.tenant_id from unnest($5::text[]) as u (tenant_id)) t
             where (select count(*) from (select from media w
                                          where w.tenant_id = t.tenant_id and w.due is not null
                                          limit $15) w) >= $15
         )
         insert into media (tenant_id, media_id, direction, inbound_id, position, contact_id,
                            sender_id, account, url, state, reason, due, created_at, kept_from)
         select k.tenant_id, k.media_id, $1, k.inbound_id, k.position, k.contact_id, k.sender_id,
                k.account, case when r.reason is null then k.url else '' end,
                case when r.reason is null then $2 else $3 end, r.reason,
                case when r.reason is null then $4::timestamptz end, k.at, k.at
         from unnest($5::text[], $6::uuid[], $7::uuid[], $8::smallint[], $9::uuid[], $10::uuid[],
                     $11::text[], $12::text[], $13::timestamptz[])
              as k (tenant_id, media_id, inbound_id, position, contact_id, sender_id, account, url,
                    at)
         cross join lateral (
             select case
                 when k.url = '' then $14
                 when exists (select from crowded c where c.tenant_id = k.tenant_id) then $16
             end as reason
         ) r
         on conflict do nothing",
        MediaDirection::In.as_str(),
        MediaState::Pending.as_str(),
        MediaState::Refused.as_str(),
        machine.to_sqlx() as _,
        &sorted.iter().map(|one| one.tenant.as_str()).collect::<Vec<_>>() as _,
        &sorted.iter().map(|one| one.id().0).collect::<Vec<_>>(),
        &sorted.iter().map(|one| one.inbound).collect::<Vec<_>>(),
        &sorted.iter().map(|one| one.position as i16).collect::<Vec<_>>(),
        &sorted.iter().map(|one| one.contact.0).collect::<Vec<_>>(),
        &sorted.iter().map(|one| one.sender.0).collect::<Vec<_>>(),
        &sorted.iter().map(|one| one.account.as_str()).collect::<Vec<_>>() as _,
        &urls.collect::<Vec<_>>() as _,
        &sorted.iter().map(|one| one.received_at.to_sqlx()).collect::<Vec<_>>() as _,
        MediaRefusal::Address.as_str(),
        MOST_WAITING,
        MediaRefusal::TooMany.as_str(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}
