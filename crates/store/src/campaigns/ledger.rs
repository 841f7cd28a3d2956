//! A campaign's ledger: where each recipient of its frozen audience stands, all from one snapshot.

use std::{borrow::Cow, collections::BTreeMap, iter};

use domain::{
    gates::Gate,
    ids::{CampaignId, TenantId},
    message::state::MessageState,
};
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use sqlx::types::Uuid;
use stage::Fault;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, schema::Schema},
};

use crate::{
    Scoped, Store,
    campaigns::{
        counts::{self, CampaignCounts},
        state::CampaignState,
    },
    core::{
        scope::Sight,
        words::{self, optional, word},
    },
    fault,
};

/// The sums behind a ledger, whether rows of recipients and messages are still kept or not.
#[derive(Debug, Clone, PartialEq)]
pub struct LedgerSums {
    /// The campaign's state.
    pub state: CampaignState,
    /// Recipients frozen so far, as the campaign says.
    pub audience: i64,
    /// Recipients without a message that are still to be fed or on their way.
    pub waiting: i64,
    /// Recipients that a stopped campaign will never feed.
    pub never_fed: i64,
    /// What its messages are counted as.
    pub counts: CampaignCounts,
    /// What those of them are counted as that were made from each variant of a template, by its
    /// key.
    pub variants: BTreeMap<String, CampaignCounts>,
    /// Texts that came in, in threads whose last message was of this campaign.
    pub replies: i64,
    /// How many of these texts were opt-outs.
    pub opt_outs: i64,
    /// How many answers the AI wrote in these threads.
    pub ai_replies: i64,
    /// When the next of those that are put aside is due.
    pub next_due: Option<Timestamp>,
}

/// Reads a campaign's sums. None when there is no such campaign, or somebody does not see it.
pub async fn read(
    store: &Store,
    (tenant, sight): (&TenantId, Option<&Sight>),
    id: CampaignId,
) -> Result<Option<LedgerSums>, Fault> {
    let mut tx = store.limited(tenant, sight).await?;
    sqlx::query!("set transaction isolation level repeatable read, read only")
        .execute(&mut *tx)
        .await
        .map_err(fault)?;

    let campaign = sqlx::query!(
        "select state, audience_size, cursor from campaigns
         where tenant_id = $1 and campaign_id = $2",
        tenant.as_str(),
        id.0,
    )
    .fetch_optional(&mut *tx)
    .await
    .map_err(fault)?;

    let Some(campaign) = campaign else { return Ok(None) };

    let state: CampaignState = word(&campaign.state)?;
    let counts = counts::read(&mut tx, tenant, id).await?;
    let stored = counts.where_state(|_| true);
    let audience = campaign.audience_size;
    // What was published of a stopped campaign beyond its cursor is fed as well.
    let is_stopped = state == CampaignState::Stopped;
    let fed = if is_stopped { campaign.cursor.max(stored) } else { audience };

    let mut sums = LedgerSums {
        state,
        audience,
        waiting: fed - stored,
        never_fed: audience - fed,
        counts,
        variants: counts::by_variant(&mut tx, tenant, id).await?,
        replies: 0,
        opt_outs: 0,
        ai_replies: 0,
        next_due: next_due(&mut tx, tenant, id).await?,
    };
    count_texts(&mut tx, tenant, id, &mut sums).await?;
    Ok(Some(sums))
}

async fn next_due(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: CampaignId,
) -> Result<Option<Timestamp>, Fault> {
    let due = sqlx::query_scalar!(
        "select min(p.due) from parked p
         cross join lateral (
             select n.campaign_id from messages n
             where n.tenant_id = p.tenant_id and n.message_id = p.message_id limit 1
         ) m
         where p.tenant_id = $1 and m.campaign_id = $2",
        tenant.as_str(),
        id.0,
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(due.map(|due| due.to_jiff()))
}

async fn count_texts(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: CampaignId,
    sums: &mut LedgerSums,
) -> Result<(), Fault> {
    let row = sqlx::query!(
        r#"with threads as materialized (
               select conversation_id from conversations
               where tenant_id = $1 and last_campaign_id = $2
           ), texts as (
               select count(*) as replies, count(*) filter (where i.meaning = 'opt_out') as opt_outs
               from threads t
               join inbound_texts i on i.tenant_id = $1 and i.conversation_id = t.conversation_id
           ), answers as (
               select count(*) as ai_replies from threads t
               join ai_replies a on a.tenant_id = $1 and a.conversation_id = t.conversation_id
               where a.body is not null
           )
           select replies as "replies!", opt_outs as "opt_outs!", ai_replies as "ai_replies!"
           from texts, answers"#,
        tenant.as_str(),
        id.0,
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(fault)?;

    sums.replies = row.replies;
    sums.opt_outs = row.opt_outs;
    sums.ai_replies = row.ai_replies;
    Ok(())
}

/// Where a recipient of a campaign stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecipientState {
    /// There is no message yet.
    Waiting,
    /// There is a message, in this state.
    Message(MessageState),
}

impl RecipientState {
    /// `waiting`, or the name of the message's state.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Message(state) => state.as_str(),
        }
    }
}

impl PartialSchema for RecipientState {
    fn schema() -> RefOr<Schema> {
        let names = MessageState::ALL.map(MessageState::as_str);
        let about = "Where a recipient of a campaign stands: the state of their message, or \
            `waiting` while there is none.";
        domain::schema::words(about, iter::once(Self::Waiting.as_str()).chain(names))
    }
}

impl ToSchema for RecipientState {
    fn name() -> Cow<'static, str> {
        "RecipientState".into()
    }
}

impl Serialize for RecipientState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// One recipient of a campaign. Holds a number: `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct LedgerRecipient {
    /// Their index in the audience, from 0.
    pub seq: i64,
    /// The person's contact.
    pub contact_id: Uuid,
    /// The person's address, as the row has it.
    pub number: String,
    /// The id of their message, stored or not yet.
    pub message_id: Uuid,
    /// Where the message stands, or that there is none yet.
    pub state: RecipientState,
    /// The gate that deferred, held or blocked it.
    pub gate: Option<Gate>,
    /// Its reason, or the carrier's error.
    pub code: Option<String>,
    /// Segments, once there is a text.
    pub segments: Option<i16>,
    /// Until when it waits.
    pub due: Option<Timestamp>,
    /// Business time of the last change.
    pub changed_at: Option<Timestamp>,
}

impl std::fmt::Debug for LedgerRecipient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recipient({}, {})", self.seq, self.state.as_str())
    }
}

/// A campaign's recipients after an index, in their order.
pub async fn recipients(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: CampaignId,
    after: i64,
    limit: i64,
) -> Result<Vec<LedgerRecipient>, Fault> {
    let rows = sqlx::query!(
        r#"select r.seq, r.contact_id, r.message_id, c.number, m.state as "state?", m.gate, m.code,
                  m.segments as "segments?", m.due, m.changed_at as "changed_at?"
           from campaign_recipients r
           cross join lateral (
               select * from contacts n
               where n.tenant_id = r.tenant_id and n.contact_id = r.contact_id limit 1
           ) c
           left join lateral (
               select * from messages n
               where n.tenant_id = r.tenant_id and n.message_id = r.message_id limit 1
           ) m on true
           where r.tenant_id = $1 and r.campaign_id = $2 and r.seq > $3
           order by r.seq limit $4"#,
        tenant.as_str(),
        id.0,
        after,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let recipient = rows.into_iter().map(|row| {
        Ok(LedgerRecipient {
            seq: row.seq,
            contact_id: row.contact_id,
            number: row.number,
            message_id: row.message_id,
            state: match row.state {
                Some(code) => RecipientState::Message(words::state(code)?),
                None => RecipientState::Waiting,
            },
            gate: optional(row.gate.as_deref())?,
            code: row.code,
            segments: row.segments,
            due: row.due.map(|at| at.to_jiff()),
            changed_at: row.changed_at.map(|at| at.to_jiff()),
        })
    });
    recipient.collect()
}
