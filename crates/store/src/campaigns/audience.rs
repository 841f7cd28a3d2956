//! Campaigns as `audience` works them: freeze the recipients, feed a window of them, see the end.

use domain::{
    ids::{CampaignId, ContactId, MessageId, PoolId, TenantId},
    message::class::{Channel, MessageClass},
};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;
use wire::{Event, EventKind, event::CampaignData};

use crate::{
    Scoped, Store,
    campaigns::{counts, state::CampaignState},
    core::{
        keyed::{self, in_lock_order},
        words::{self, word},
    },
    fault, outbox,
};

/// How long one audience process has a campaign to itself.
const LEASE: SignedDuration = SignedDuration::from_secs(15);

/// How many contacts are frozen in one step.
pub const FREEZE_STEP: i64 = 5_000;

/// A campaign under lease.
#[derive(Debug, Clone)]
pub struct RunningCampaign {
    /// The tenant that owns it.
    pub tenant: TenantId,
    /// The campaign's id.
    pub id: CampaignId,
    /// `starting` or `running`.
    pub state: CampaignState,
    /// The class of its messages.
    pub class: MessageClass,
    /// How its messages travel.
    pub channel: Channel,
    /// The pool that carries it.
    pub pool: PoolId,
    /// Contacts with all of these tags; empty is everyone.
    pub tags: Vec<String>,
    /// How long each message is of use, in seconds from its submission.
    pub validity_seconds: Option<i32>,
    /// Recipients frozen so far.
    pub audience_size: i64,
    /// The last contact looked at while freezing.
    pub frozen_through: Option<Uuid>,
    /// Recipients below it have been published.
    pub cursor: i64,
}

/// A recipient to feed.
#[derive(Debug, Clone)]
pub struct FedRecipient {
    /// Their index in the audience, from 0.
    pub seq: i64,
    /// The person's contact.
    pub contact: ContactId,
    /// The message's id.
    pub message: MessageId,
    /// The person's address, as the row has it.
    pub address: String,
}

/// Leases every active campaign that nobody else has. Those that this version cannot read are left
/// out.
pub async fn lease(store: &Store, machine: Timestamp) -> Result<Vec<RunningCampaign>, Fault> {
    let active = sqlx::query!(
        r#"select tenant_id as "tenant_id!", campaign_id as "campaign_id!" from active_campaigns()"#
    )
    .fetch_all(store.pool())
    .await
    .map_err(fault)?;

    if active.is_empty() {
        return Ok(Vec::new());
    }
    let active = in_lock_order(&active, |row| (&row.tenant_id, row.campaign_id));
    let tenants: Vec<String> = active.iter().map(|row| row.tenant_id.clone()).collect();
    let scope = tenants.iter().filter_map(|key| words::readable(words::tenant(key)));
    let mut tx = store.scoped(scope).await?;

    let rows = sqlx::query!(
        r#"update campaigns c set leased_until = $3
         from unnest($1::text[], $2::uuid[]) as k (tenant_id, campaign_id)
         where c.tenant_id = k.tenant_id and c.campaign_id = k.campaign_id
           and c.state in ('starting', 'running')
           and (c.leased_until is null or c.leased_until < $4)
         returning c.tenant_id, c.campaign_id, c.state, c.class, c.pool_id, c.audience,
                   c.validity_seconds, c.audience_size, c.frozen_through, c.cursor, c.channel"#,
        &tenants,
        &active.iter().map(|row| row.campaign_id).collect::<Vec<_>>(),
        (machine + LEASE).to_sqlx(),
        machine.to_sqlx(),
    )
    .fetch_all(&mut *tx)
    .await
    .map_err(fault)?;

    tx.commit().await.map_err(fault)?;
    let campaign = rows.into_iter().map(|row| {
        Ok(RunningCampaign {
            tenant: keyed::tenant(&row.tenant_id),
            id: CampaignId(row.campaign_id),
            state: word(&row.state)?,
            class: word(&row.class)?,
            channel: word(&row.channel)?,
            pool: PoolId(row.pool_id),
            tags: tags_of(&row.audience),
            validity_seconds: row.validity_seconds,
            audience_size: row.audience_size,
            frozen_through: row.frozen_through,
            cursor: row.cursor,
        })
    });
    Ok(campaign.filter_map(words::readable).collect())
}

/// The contacts of an audience that a channel reaches, after one, by id, each with its address: who
/// is frozen, and who is simulated before that.
pub(crate) async fn select(
    tx: &mut Scoped,
    tenant: &TenantId,
    (tags, channel): (&[String], Channel),
    after: Uuid,
    limit: i64,
) -> Result<Vec<(Uuid, String)>, Fault> {
    let rows = sqlx::query!(
        "select contact_id, number from contacts
         where tenant_id = $1 and contact_id > $2 and tags @> $3 and erased_at is null
           and ($5 or number like '+%')
           and merged_into is null
         order by contact_id limit $4",
        tenant.as_str(),
        after,
        tags,
        limit,
        reaches_ids(channel),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(rows.into_iter().map(|row| (row.contact_id, row.number)).collect())
}

/// Whether a channel reaches people whose carrier alone knows their number.
pub(super) fn reaches_ids(channel: Channel) -> bool {
    match channel {
        Channel::Sms => false,
        Channel::Whatsapp => true,
    }
}

/// The tags of `{tags: [..]}`.
pub(crate) fn tags_of(audience: &serde_json::Value) -> Vec<String> {
    let tags = audience.get("tags").and_then(|tags| tags.as_array());
    tags.into_iter().flatten().filter_map(|tag| tag.as_str().map(str::to_owned)).collect()
}

/// Freezes the next step of the audience, and starts the campaign's run at its end:
/// `campaign.audience_fixed` goes into the outbox with that. Says whether that was the end.
/// Repeating a step that was recorded changes nothing: `frozen_through` has moved.
pub async fn freeze(
    store: &Store,
    campaign: &RunningCampaign,
    now: Timestamp,
) -> Result<bool, Fault> {
    let mut tx = store.scoped([&campaign.tenant]).await?;
    let after = campaign.frozen_through.unwrap_or(Uuid::nil());
    let audience = (campaign.tags.as_slice(), campaign.channel);
    let selected = select(&mut tx, &campaign.tenant, audience, after, FREEZE_STEP).await?;
    let contacts: Vec<Uuid> = selected.into_iter().map(|one| one.0).collect();

    let first = campaign.audience_size;
    let message = |contact: &Uuid| MessageId::from_campaign(campaign.id, ContactId(*contact), 0).0;

    sqlx::query!(
        "insert into campaign_recipients (tenant_id, campaign_id, seq, contact_id, message_id)
         select $1, $2, * from unnest($3::bigint[], $4::uuid[], $5::uuid[])",
        campaign.tenant.as_str(),
        campaign.id.0,
        &(first..first + contacts.len() as i64).collect::<Vec<_>>(),
        &contacts,
        &contacts.iter().map(message).collect::<Vec<_>>(),
    )
    .execute(&mut *tx)
    .await
    .map_err(fault)?;

    let last = (contacts.len() as i64) < FREEZE_STEP;
    let frozen = sqlx::query!(
        r#"with c as (
               select tenant_id, campaign_id, $5 and state = 'starting' as is_fixed from campaigns
               where tenant_id = $1 and campaign_id = $2 and audience_size = $6 for update
           )
           update campaigns n
           set audience_size = n.audience_size + $3, frozen_through = $4,
               state = case when c.is_fixed then 'running' else n.state end,
               version = n.version + case when c.is_fixed then 1 else 0 end
           from c where n.tenant_id = c.tenant_id and n.campaign_id = c.campaign_id
           returning n.version, n.audience_size, c.is_fixed as "is_fixed!""#,
        campaign.tenant.as_str(),
        campaign.id.0,
        contacts.len() as i64,
        contacts.last().copied().unwrap_or(after),
        last,
        first,
    )
    .fetch_optional(&mut *tx)
    .await
    .map_err(fault)?;

    if let Some(fixed) = frozen.filter(|row| row.is_fixed) {
        let data = CampaignData { campaign: campaign.id, audience: fixed.audience_size };
        let (kind, id) = (EventKind::CampaignAudienceFixed, campaign.id.0);
        let event = Event::new(kind, &campaign.tenant, id, fixed.version, now, &data);
        outbox::insert(&mut tx, &[event]).await?;
    }
    tx.commit().await.map_err(fault)?;
    Ok(last)
}

/// The next recipients from the cursor on.
pub async fn next(
    tx: &mut Scoped,
    campaign: &RunningCampaign,
    at_most: i64,
) -> Result<Vec<FedRecipient>, Fault> {
    let rows = sqlx::query!(
        "select r.seq, r.contact_id, r.message_id, c.number
         from campaign_recipients r
         cross join lateral (
             select * from contacts n
             where n.tenant_id = r.tenant_id and n.contact_id = r.contact_id limit 1
         ) c
         where r.tenant_id = $1 and r.campaign_id = $2 and r.seq >= $3 and r.seq < $3 + $4
         order by r.seq",
        campaign.tenant.as_str(),
        campaign.id.0,
        campaign.cursor,
        at_most,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let recipient = rows.into_iter().map(|row| FedRecipient {
        seq: row.seq,
        contact: ContactId(row.contact_id),
        message: MessageId(row.message_id),
        address: row.number,
    });
    Ok(recipient.collect())
}

/// Moves the cursor after the broker has stored what lies below it, and gives the lease back, or
/// leaves the campaign alone until `rests_until`. After an outage the same recipients are published
/// again, under the same ids.
pub async fn advance(
    store: &Store,
    campaign: &RunningCampaign,
    cursor: i64,
    rests_until: Option<Timestamp>,
) -> Result<(), Fault> {
    let mut tx = store.scoped([&campaign.tenant]).await?;
    sqlx::query!(
        "update campaigns set cursor = greatest(cursor, $3), leased_until = $4
         where tenant_id = $1 and campaign_id = $2",
        campaign.tenant.as_str(),
        campaign.id.0,
        cursor,
        rests_until.map(|at| at.to_sqlx()) as _,
    )
    .execute(&mut *tx)
    .await
    .map_err(fault)?;

    tx.commit().await.map_err(fault)
}

/// Completes a campaign that runs and is fed, if every message of it has ended. Whoever reopens one
/// of its messages locks the campaign too: what has been reopened is counted here, or completed
/// before. `campaign.completed` goes into the outbox with it. Otherwise
/// it is left as it is until its lease ends.
pub async fn complete(
    store: &Store,
    campaign: &RunningCampaign,
    now: Timestamp,
) -> Result<(), Fault> {
    let mut tx = store.scoped([&campaign.tenant]).await?;
    let fed = sqlx::query!(
        "select audience_size from campaigns
         where tenant_id = $1 and campaign_id = $2 and state = 'running'
           and cursor = audience_size for update",
        campaign.tenant.as_str(),
        campaign.id.0,
    )
    .fetch_optional(&mut *tx)
    .await
    .map_err(fault)?;
    let Some(fed) = fed else { return Ok(()) };

    let counts = counts::read(&mut tx, &campaign.tenant, campaign.id).await?;
    if counts.ended() < fed.audience_size {
        return Ok(());
    }

    let version = sqlx::query_scalar!(
        "update campaigns
         set state = 'completed', completed_at = $3, version = version + 1, leased_until = null
         where tenant_id = $1 and campaign_id = $2 returning version",
        campaign.tenant.as_str(),
        campaign.id.0,
        now.to_sqlx(),
    )
    .fetch_one(&mut *tx)
    .await
    .map_err(fault)?;

    let data = CampaignData { campaign: campaign.id, audience: fed.audience_size };
    let (kind, id) = (EventKind::CampaignCompleted, campaign.id.0);
    let event = Event::new(kind, &campaign.tenant, id, version, now, &data);
    outbox::insert(&mut tx, &[event]).await?;
    tx.commit().await.map_err(fault)
}
