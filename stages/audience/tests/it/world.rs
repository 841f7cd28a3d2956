//! A tenant with contacts, a pool of senders, and campaigns.

use std::ops::Range;

use audience::AudienceSource;
use domain::{
    ids::{CampaignId, ContactId, MessageId, PoolId, SenderId, TenantId},
    message::state::MessageState,
};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use serde_json::json;
use sqlx::Row;
use stage::{Cx, Source, Tick};
use store::Role;
use testkit::Database;
use uuid::Uuid;
use wire::frame::Outgoing;

pub struct World {
    pub database: Database,
    pub tenant: TenantId,
    pub source: AudienceSource,
}

/// What a test asks of a campaign's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub state: String,
    pub audience: i64,
    pub cursor: i64,
    pub settled_below: i64,
    pub version: i64,
    pub completed_at: Option<Timestamp>,
}

/// One row of a frozen audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipient {
    pub seq: i64,
    pub contact: ContactId,
    pub message: MessageId,
}

/// The pool that carries every campaign.
pub const POOL: PoolId = PoolId(Uuid::from_u128(3));

/// The ids of nothing said.
pub const NOTHING: [Uuid; 0] = [];

/// Longer than a lease, in seconds.
pub const LEASE_OVER: i64 = 16;

/// Business time of the tests.
pub fn now() -> Timestamp {
    "2026-03-02T17:00:00Z".parse().expect("an instant")
}

impl World {
    /// A tenant whose pool has one sender of this pace.
    pub async fn begin(pace: i32) -> anyhow::Result<Self> {
        let database = Database::start().await?;
        let tenant = database.tenant("acme").await?;
        let source = AudienceSource::new(database.store(Role::Pipeline).await?);
        let world = Self { database, tenant, source };
        let sender = SenderId::of(&world.tenant, "+12125550000");
        let mut connection = world.database.superuser().await?;
        sqlx::raw_sql(
            "insert into millrace.carrier_accounts (tenant_id, account, carrier, carrier_sid,
                 base_url, sealed_token, created_at)
             values ('acme', 'main', 'twilio', 'AC1', 'http://localhost', '', now())",
        )
        .execute(&mut connection)
        .await?;
        sqlx::query(
            "insert into millrace.pools (tenant_id, pool_id, name, senders, created_at)
             values ('acme', $1, 'all', array[$2], now())",
        )
        .bind(POOL.0)
        .bind(sender.0)
        .execute(&mut connection)
        .await?;
        world.add_sender(sender, pace, true).await?;
        Ok(world)
    }

    /// One more sender in the pool.
    pub async fn add_sender(&self, id: SenderId, pace: i32, usable: bool) -> anyhow::Result<()> {
        let mut connection = self.database.superuser().await?;
        sqlx::query(
            "with sender as (
                 insert into millrace.senders (tenant_id, sender_id, account, number, country,
                     time_zone, pace, active_since, daily_cap, usable, created_at)
                 values ('acme', $1, 'main', $1::text, 'US', 'America/New_York', $2, now(), 1000,
                         $3, now())
             )
             update millrace.pools set senders = array_append(senders, $1)
             where not $1 = any (senders)",
        )
        .bind(id.0)
        .bind(pace)
        .bind(usable)
        .execute(&mut connection)
        .await?;
        Ok(())
    }

    /// People with these tags, by their place in the phone book.
    pub async fn contacts(
        &self,
        tenant: &TenantId,
        people: Range<u32>,
        tags: &[&str],
    ) -> anyhow::Result<Vec<ContactId>> {
        let numbers: Vec<String> = people.map(|n| format!("+1312555{n:04}")).collect();
        let ids: Vec<ContactId> = numbers.iter().map(|one| ContactId::of(tenant, one)).collect();
        let mut connection = self.database.superuser().await?;
        sqlx::query(
            "insert into millrace.contacts (tenant_id, contact_id, number, country, tags,
                                            created_at, updated_at)
             select $1, id, number, 'US', $4, now(), now()
             from unnest($2::uuid[], $3::text[]) as k (id, number)",
        )
        .bind(tenant.as_str())
        .bind(ids.iter().map(|id| id.0).collect::<Vec<_>>())
        .bind(numbers)
        .bind(tags)
        .execute(&mut connection)
        .await?;
        Ok(ids)
    }

    /// A campaign that has just been started, to the contacts with all of these tags.
    pub async fn start(&self, tags: &[&str]) -> anyhow::Result<CampaignId> {
        let id = CampaignId(Uuid::from_u128(7));
        let mut connection = self.database.superuser().await?;
        sqlx::query(
            "insert into millrace.campaigns (tenant_id, campaign_id, name, state, class,
                 template_id, pool_id, audience, validity_seconds, version, created_at, started_at)
             values ('acme', $1, 'spring', 'starting', 'promo', $2, $2, $3::jsonb, 3600, 2, $4,
                     $4)",
        )
        .bind(id.0)
        .bind(POOL.0)
        .bind(json!({ "tags": tags }).to_string())
        .bind(now().to_sqlx())
        .execute(&mut connection)
        .await?;
        Ok(id)
    }

    /// A campaign whose audience of so many people is frozen.
    pub async fn run_to(&self, people: u32) -> anyhow::Result<CampaignId> {
        self.contacts(&self.tenant, 0..people, &[]).await?;
        let campaign = self.start(&[]).await?;
        assert_eq!(publish(self.tick(0).await?).await?, NOTHING);
        assert_eq!(self.stored(campaign).await?.state, "running");
        Ok(campaign)
    }

    /// Puts a campaign into a state, as the api does.
    pub async fn put(&self, campaign: CampaignId, state: &str) -> anyhow::Result<()> {
        let mut connection = self.database.superuser().await?;
        sqlx::query(
            "update millrace.campaigns set state = $1, version = version + 1
             where campaign_id = $2",
        )
        .bind(state)
        .bind(campaign.0)
        .execute(&mut connection)
        .await?;
        Ok(())
    }

    /// Puts messages of a campaign into a state, by the places of their recipients.
    pub async fn messages(
        &self,
        campaign: CampaignId,
        seq: Range<i64>,
        state: MessageState,
    ) -> anyhow::Result<()> {
        let mut connection = self.database.superuser().await?;
        sqlx::query(
            "insert into millrace.messages (tenant_id, message_id, state, class, channel,
                 contact_id, number, campaign_id, body, segments, cost_micros, body_hash,
                 submitted_at, changed_at, passport)
             select tenant_id, message_id, $4, 'promo', 'sms', contact_id, '', campaign_id,
                    'hello', 1, 7900, '', now(), now(), '[]'
             from millrace.campaign_recipients
             where campaign_id = $1 and seq >= $2 and seq < $3
             on conflict (tenant_id, message_id) do update set state = excluded.state",
        )
        .bind(campaign.0)
        .bind(seq.start)
        .bind(seq.end)
        .bind(state.code())
        .execute(&mut connection)
        .await?;
        Ok(())
    }

    /// Runs one statement as the superuser.
    pub async fn run(&self, sql: &'static str) -> anyhow::Result<()> {
        let mut connection = self.database.superuser().await?;
        sqlx::query(sql).execute(&mut connection).await?;
        Ok(())
    }

    /// One tick, so many seconds of machine time after the first.
    pub async fn tick(&self, second: i64) -> anyhow::Result<Tick> {
        Ok(self.source.tick(&self.at(second)?).await?)
    }

    /// Business and machine time, so many seconds after the first tick.
    pub fn at(&self, second: i64) -> anyhow::Result<Cx> {
        let begin: Timestamp = "2026-11-20T10:00:00Z".parse()?;
        let later = SignedDuration::from_secs(second);
        Ok(Cx::at(now() + later, begin + later))
    }

    pub async fn stored(&self, campaign: CampaignId) -> anyhow::Result<Stored> {
        let mut connection = self.database.superuser().await?;
        let row = sqlx::query(
            "select state, audience_size, cursor, settled_below, version, completed_at
             from millrace.campaigns where campaign_id = $1",
        )
        .bind(campaign.0)
        .fetch_one(&mut connection)
        .await?;
        let completed_at: Option<jiff_sqlx::Timestamp> = row.get("completed_at");
        Ok(Stored {
            state: row.get("state"),
            audience: row.get("audience_size"),
            cursor: row.get("cursor"),
            settled_below: row.get("settled_below"),
            version: row.get("version"),
            completed_at: completed_at.map(|at| at.to_jiff()),
        })
    }

    /// The frozen audience, in its order.
    pub async fn recipients(&self, campaign: CampaignId) -> anyhow::Result<Vec<Recipient>> {
        let mut connection = self.database.superuser().await?;
        let rows = sqlx::query(
            "select seq, contact_id, message_id from millrace.campaign_recipients
             where campaign_id = $1 order by seq",
        )
        .bind(campaign.0)
        .fetch_all(&mut connection)
        .await?;
        let recipient = |row: &sqlx::postgres::PgRow| Recipient {
            seq: row.get(0),
            contact: ContactId(row.get(1)),
            message: MessageId(row.get(2)),
        };
        Ok(rows.iter().map(recipient).collect())
    }

    /// The message ids of these places of the audience.
    pub async fn ids(&self, campaign: CampaignId, seq: Range<usize>) -> anyhow::Result<Vec<Uuid>> {
        Ok(self.recipients(campaign).await?[seq].iter().map(|one| one.message.0).collect())
    }
}

/// Marks a tick, as after every PubAck; gives the ids of what was published.
pub async fn publish(tick: Tick) -> anyhow::Result<Vec<Uuid>> {
    if let Some(mark) = tick.published {
        mark.await?;
    }
    Ok(ids(&tick.say))
}

/// The ids of what is said, in order.
pub fn ids(say: &[Outgoing]) -> Vec<Uuid> {
    say.iter().map(|out| out.key.id).collect()
}
