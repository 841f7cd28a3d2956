//! Lists of messages, a page at a time. A page looks at [`MOST`] messages at most, in the order of
//! an index that no update touches, and says where it stopped: whatever is asked for, it costs the
//! same.

use std::collections::HashMap;

use domain::{
    address::Address,
    ids::{CampaignId, ContactId, MessageId, TenantId},
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use super::read::{self, MessageDetail, MessageFilter};
use crate::{Scoped, fault};

/// How many messages one page looks at.
pub const MOST: usize = 10_000;

/// How many are looked at in one step.
const STEP: usize = 1_000;

/// A place among a tenant's messages by age: when a message was submitted, and its id.
pub type AgePosition = (Timestamp, Uuid);

/// The messages of one page.
pub struct ListedMessages<P> {
    /// Those that fit the filter, in their order.
    pub messages: Vec<MessageDetail>,
    /// Where the next page goes on; none where there is nothing more.
    pub next: Option<P>,
}

/// A tenant's messages before a position, the newest first.
pub async fn by_age(
    tx: &mut Scoped,
    tenant: &TenantId,
    filter: &MessageFilter,
    before: AgePosition,
    limit: usize,
) -> Result<ListedMessages<AgePosition>, Fault> {
    let since = filter.since.unwrap_or(Timestamp::UNIX_EPOCH);
    let mut page = Walk::new(limit, before);
    while let Some(step) = page.next_step() {
        let rows = sqlx::query!(
            r#"select submitted_at, message_id from messages
               where tenant_id collate "C" = $1 and (submitted_at, message_id) < ($2, $3)
                 and submitted_at >= $4
               order by submitted_at desc, message_id desc limit $5"#,
            tenant.as_str(),
            page.reached.0.to_sqlx() as _,
            page.reached.1,
            since.to_sqlx() as _,
            step,
        )
        .fetch_all(&mut **tx)
        .await
        .map_err(fault)?;

        let keys = rows.into_iter().map(|row| (row.submitted_at.to_jiff(), row.message_id));
        page.look(tx, tenant, filter, keys.map(|key| (key, key.1)).collect()).await?;
    }
    Ok(page.done())
}

/// A campaign's messages after an index, in the order of its audience. Recipients that have no
/// message yet are passed over.
pub async fn by_campaign(
    tx: &mut Scoped,
    tenant: &TenantId,
    campaign: CampaignId,
    filter: &MessageFilter,
    after: i64,
    limit: usize,
) -> Result<ListedMessages<i64>, Fault> {
    let mut page = Walk::new(limit, after);
    while let Some(step) = page.next_step() {
        let rows = sqlx::query!(
            "select seq, message_id from campaign_recipients
             where tenant_id = $1 and campaign_id = $2 and seq > $3 order by seq limit $4",
            tenant.as_str(),
            campaign.0,
            page.reached,
            step,
        )
        .fetch_all(&mut **tx)
        .await
        .map_err(fault)?;

        let keys = rows.into_iter().map(|row| (row.seq, row.message_id));
        page.look(tx, tenant, filter, keys.collect()).await?;
    }
    Ok(page.done())
}

/// The messages to an address before a position, the newest first. An address that has more than
/// [`MOST`] is most of its tenant's traffic, and is looked for in the order of age.
pub async fn by_address(
    tx: &mut Scoped,
    tenant: &TenantId,
    address: &Address,
    filter: &MessageFilter,
    before: AgePosition,
    limit: usize,
) -> Result<ListedMessages<AgePosition>, Fault> {
    let filter = MessageFilter { address: Some(address.clone()), ..filter.clone() };
    let keys = of_address(tx, tenant, address).await?;
    among(tx, tenant, keys, &filter, before, limit).await
}

/// The messages to these contacts before a position, the newest first. Where they have more than
/// [`MOST`], these are looked for in the order of age.
pub async fn by_contacts(
    tx: &mut Scoped,
    tenant: &TenantId,
    contacts: &[ContactId],
    before: AgePosition,
    limit: usize,
) -> Result<ListedMessages<AgePosition>, Fault> {
    let filter = MessageFilter { contacts: contacts.to_vec(), ..MessageFilter::default() };
    let keys = of_contacts(tx, contacts).await?;
    among(tx, tenant, keys, &filter, before, limit).await
}

/// Those of these messages before a position that fit a filter, the newest first; without keys they
/// are looked for in the order of age.
async fn among(
    tx: &mut Scoped,
    tenant: &TenantId,
    keys: Option<Vec<AgePosition>>,
    filter: &MessageFilter,
    before: AgePosition,
    limit: usize,
) -> Result<ListedMessages<AgePosition>, Fault> {
    let Some(mut keys) = keys else { return by_age(tx, tenant, filter, before, limit).await };
    keys.retain(|key| *key < before);
    keys.sort_unstable_by(|one, other| other.cmp(one));

    let mut page = Walk::new(limit, before);
    let mut keys = keys.into_iter().map(|key| (key, key.1));
    while let Some(step) = page.next_step() {
        let step = usize::try_from(step).unwrap_or(STEP);
        page.look(tx, tenant, filter, keys.by_ref().take(step).collect()).await?;
    }
    Ok(page.done())
}

/// Every message of whoever has this address; none where there are more than [`MOST`].
async fn of_address(
    tx: &mut Scoped,
    tenant: &TenantId,
    address: &Address,
) -> Result<Option<Vec<AgePosition>>, Fault> {
    let first = ContactId::of(tenant, address.as_str()).0;
    let rows = sqlx::query!(
        "select m.submitted_at, m.message_id
         from (
             select $3::uuid as contact_id
             union
             select a.contact_id from contact_addresses a
             where a.tenant_id = $1 and a.kind = $4 and a.address = $2
         ) k
         cross join lateral (
             select * from messages r where r.contact_id = k.contact_id limit $5
         ) m",
        tenant.as_str(),
        address.as_str(),
        first,
        address.kind().as_str(),
        MOST as i64 + 1,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let keys = rows.into_iter().map(|row| (row.submitted_at.to_jiff(), row.message_id));
    Ok(Some(keys.collect()).filter(|keys: &Vec<_>| keys.len() <= MOST))
}

/// Every message of these contacts; none where there are more than [`MOST`].
async fn of_contacts(
    tx: &mut Scoped,
    contacts: &[ContactId],
) -> Result<Option<Vec<AgePosition>>, Fault> {
    let rows = sqlx::query!(
        "select m.submitted_at, m.message_id
         from unnest($1::uuid[]) as k (contact_id)
         cross join lateral (
             select * from messages r where r.contact_id = k.contact_id limit $2
         ) m",
        &contacts.iter().map(|id| id.0).collect::<Vec<_>>(),
        MOST as i64 + 1,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let keys = rows.into_iter().map(|row| (row.submitted_at.to_jiff(), row.message_id));
    Ok(Some(keys.collect()).filter(|keys: &Vec<_>| keys.len() <= MOST))
}

/// A page while it is being filled.
struct Walk<P> {
    limit: usize,
    messages: Vec<MessageDetail>,
    looked_at: usize,
    /// How many the step under way asks for.
    asked: usize,
    /// The last message looked at.
    reached: P,
    is_at_end: bool,
}

impl<P: Copy> Walk<P> {
    fn new(limit: usize, reached: P) -> Self {
        Self { limit, messages: Vec::new(), looked_at: 0, asked: 0, reached, is_at_end: false }
    }

    /// How many to look at next; none where the page is full, has looked at enough, or there is
    /// nothing more.
    fn next_step(&mut self) -> Option<i64> {
        let is_full = self.messages.len() >= self.limit;
        if self.is_at_end || is_full || self.looked_at >= MOST {
            return None;
        }

        // The first step is of what a list without a filter needs.
        let step = if self.looked_at == 0 { self.limit } else { STEP };
        self.asked = step.min(MOST - self.looked_at);
        Some(self.asked as i64)
    }

    /// Looks at the messages of these keys, which are in their order.
    async fn look(
        &mut self,
        tx: &mut Scoped,
        tenant: &TenantId,
        filter: &MessageFilter,
        keys: Vec<(P, Uuid)>,
    ) -> Result<(), Fault> {
        self.is_at_end = keys.len() < self.asked;
        let Some(last) = keys.last() else { return Ok(()) };
        let ids: Vec<MessageId> = keys.iter().map(|(_, id)| MessageId(*id)).collect();
        let mut found = read::load(tx, tenant, &ids, filter).await?;
        self.looked_at += keys.len();
        self.reached = last.0;

        let wanted = self.limit - self.messages.len();
        if found.len() > wanted {
            found.truncate(wanted);
            let places: HashMap<Uuid, P> = keys.iter().map(|(key, id)| (*id, *key)).collect();
            if let Some(place) = found.last().and_then(|last| places.get(&last.id.0)) {
                (self.reached, self.is_at_end) = (*place, false);
            }
        }
        self.messages.extend(found);
        Ok(())
    }

    fn done(self) -> ListedMessages<P> {
        let next = (!self.is_at_end).then_some(self.reached);
        ListedMessages { messages: self.messages, next }
    }
}
