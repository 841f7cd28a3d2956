//! Who a campaign would be sent to from now on, in the order in which it is fed.

use domain::{
    address::Address,
    ids::{CampaignId, ContactId, MessageId, TenantId},
    message::state::MessageState,
};
use jiff::{SignedDuration, Timestamp};
use sqlx::types::Uuid;
use stage::Fault;

use crate::{
    Scoped,
    campaigns::{Campaign, CampaignState, audience},
    core::state_codes::codes,
    fault,
};

/// Somebody who has not been sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudienceMember {
    /// The person's contact.
    pub contact: ContactId,
    /// The message's id.
    pub message: MessageId,
    /// The person's address.
    pub address: Address,
    /// When the message is of no use any more: of its row, or as if it were submitted at `at`.
    pub expires_at: Option<Timestamp>,
}

/// How far an audience has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedPosition {
    /// The last contact that was read: the audience is not frozen yet.
    Contact(Uuid),
    /// The last index of the frozen audience that was read.
    Seq(i64),
}

impl FeedPosition {
    /// Before everybody. An audience is frozen while its campaign starts; until then its contacts
    /// are those that freezing would select.
    pub fn first(campaign: &Campaign) -> Self {
        let from = campaign.paused_from.unwrap_or(campaign.state);
        let freezing = matches!(from, CampaignState::Draft | CampaignState::Starting);
        if freezing { Self::Contact(Uuid::nil()) } else { Self::Seq(-1) }
    }
}

/// At most `limit` of those who come next, without those whose message has been admitted or has
/// ended, and the position that was reached; none at the end.
pub async fn next(
    tx: &mut Scoped,
    tenant: &TenantId,
    campaign: &Campaign,
    position: FeedPosition,
    at: Timestamp,
    limit: i64,
) -> Result<(Vec<AudienceMember>, Option<FeedPosition>), Fault> {
    let validity = campaign.validity_seconds.map(|s| SignedDuration::from_secs(s.into()));
    let expires_at = validity.map(|validity| at.saturating_add(validity).unwrap_or(at));

    match position {
        FeedPosition::Contact(after) => {
            let tags = audience::tags_of(&campaign.audience);
            let of = (tags.as_slice(), campaign.channel);
            let found = audience::select(tx, tenant, of, after, limit).await?;
            let reached = found.last().map(|(contact, _)| FeedPosition::Contact(*contact));
            let recipients = found.into_iter().filter_map(|(contact, address)| {
                let contact = ContactId(contact);
                let address = address.parse().ok()?;
                let message = MessageId::from_campaign(campaign.id, contact, 0);
                Some(AudienceMember { contact, message, address, expires_at })
            });
            Ok((recipients.collect(), reached))
        }
        FeedPosition::Seq(after) => frozen(tx, tenant, campaign.id, after, expires_at, limit).await,
    }
}

async fn frozen(
    tx: &mut Scoped,
    tenant: &TenantId,
    campaign: CampaignId,
    after: i64,
    expires_at: Option<Timestamp>,
    limit: i64,
) -> Result<(Vec<AudienceMember>, Option<FeedPosition>), Fault> {
    let rows = sqlx::query!(
        r#"select r.seq, r.contact_id, r.message_id, c.number, m.expires_at as "expires_at?",
                  m.message_id is not null as "stored!",
                  coalesce(m.state = any ($5), true) as "open!"
           from campaign_recipients r
           cross join lateral (
               select * from contacts n
               where n.tenant_id = r.tenant_id and n.contact_id = r.contact_id limit 1
           ) c
           left join lateral (
               select * from messages n
               where n.tenant_id = r.tenant_id and n.message_id = r.message_id limit 1
           ) m on true
           where r.tenant_id = $1 and r.campaign_id = $2 and r.seq > $3 and r.seq <= $3 + $4
           order by r.seq"#,
        tenant.as_str(),
        campaign.0,
        after,
        limit,
        &codes(MessageState::awaits_gates),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let reached = rows.last().map(|row| FeedPosition::Seq(row.seq));
    let open = rows.into_iter().filter(|row| row.open);
    let recipients = open.filter_map(|row| {
        let of_row = row.expires_at.map(|at| at.to_jiff());
        Some(AudienceMember {
            contact: ContactId(row.contact_id),
            message: MessageId(row.message_id),
            address: row.number.parse().ok()?,
            expires_at: if row.stored { of_row } else { expires_at },
        })
    });
    Ok((recipients.collect(), reached))
}
