//! A tenant with contacts, a pool of senders, and campaigns.

use std::ops::{Deref, Range};

use audience::AudienceSource;
use domain::{
    ids::{CampaignId, ContactId, MessageId, SenderId, TenantId},
    message::state::MessageState,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sqlx::Row;
use stage::{Cx, Source, Tick};
use testkit::world::TestWorld;
use uuid::Uuid;
use wire::frame::Outgoing;

pub use testkit::world::{POOL, now};

pub struct World {
    base: TestWorld,
    source: AudienceSource,
}

/// What a test asks of a campaign's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub state: String,
    pub audience: i64,
    pub cursor: i64,
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

/// The ids of nothing said.
pub const NOTHING: [Uuid; 0] = [];

/// Longer than a lease, in seconds.
pub const LEASE_OVER: i64 = 16;

impl World {
    /// A tenant whose pool has one sender of this pace.
    pub async fn begin(pace: i32) -> anyhow::Result<Self> {
        let base = TestWorld::start().await?;
        base.account(json!({})).await?;
        let sender = base.sender("+12125550000", json!({ "pace": pace })).await?;
        base.pool(&[sender]).await?;

        let source = AudienceSource::new(base.pipeline().await?);
        Ok(Self { base, source })
    }

    /// One more sender in the pool.
    pub async fn add_sender(&self, id: SenderId, pace: i32, usable: bool) -> anyhow::Result<()> {
        let columns = json!({ "sender_id": id, "pace": pace, "usable": usable });
        self.sender(&id.to_string(), columns).await?;
        let join = format!("update millrace.pools set senders = array_append(senders, '{id}')");
        self.run(&join).await
    }

    /// People with these tags, by their numbers in the phone book.
    pub async fn contacts(
        &self,
        tenant: &TenantId,
        people: Range<u32>,
        tags: &[&str],
    ) -> anyhow::Result<Vec<ContactId>> {
        let numbers: Vec<String> = people.map(|n| format!("+1312555{n:04}")).collect();
        let ids: Vec<ContactId> = numbers.iter().map(|one| ContactId::of(tenant, one)).collect();

        let contact = |(id, number): (&ContactId, String)| {
            json!({
                "tenant_id": tenant, "contact_id": id, "number": number, "country": "US",
                "tags": tags, "created_at": now(), "updated_at": now(),
            })
        };
        let rows: Vec<Value> = ids.iter().zip(numbers).map(contact).collect();
        self.insert("contacts", &rows).await?;
        Ok(ids)
    }

    /// A campaign that has just been started, to the contacts with all of these tags.
    pub async fn start(&self, tags: &[&str]) -> anyhow::Result<CampaignId> {
        let id = CampaignId(Uuid::from_u128(7));
        let campaign = json!({
            "tenant_id": "acme", "campaign_id": id, "name": "spring", "state": "starting",
            "class": "promo", "template_id": POOL, "pool_id": POOL, "audience": { "tags": tags },
            "validity_seconds": 3_600, "version": 2, "created_at": now(), "started_at": now(),
        });
        self.insert("campaigns", &[campaign]).await?;
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
        let put = format!(
            "update millrace.campaigns set state = '{state}', version = version + 1
             where campaign_id = '{campaign}'"
        );
        self.run(&put).await
    }

    /// Puts messages of a campaign into a state, by the sequence numbers of their recipients.
    pub async fn messages(
        &self,
        campaign: CampaignId,
        seq: Range<i64>,
        state: MessageState,
    ) -> anyhow::Result<()> {
        let (first, end, state) = (seq.start, seq.end, state.code());
        let put = format!(
            "insert into millrace.messages (tenant_id, message_id, state, class, channel,
                 contact_id, number, campaign_id, body, segments, cost_micros, body_hash,
                 submitted_at, changed_at, passport)
             select tenant_id, message_id, {state}, 'promo', 'sms', contact_id, '', campaign_id,
                    'hello', 1, 7900, '', now(), now(), '[]'
             from millrace.campaign_recipients
             where campaign_id = '{campaign}' and seq >= {first} and seq < {end}
             on conflict (tenant_id, message_id) do update set state = excluded.state"
        );
        self.run(&put).await
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
        let row = sqlx::query(
            "select state, audience_size, cursor, version, completed_at
             from millrace.campaigns where campaign_id = $1",
        )
        .bind(campaign.0)
        .fetch_one(&mut self.database.superuser().await?)
        .await?;

        let completed_at: Option<jiff_sqlx::Timestamp> = row.get("completed_at");
        Ok(Stored {
            state: row.get("state"),
            audience: row.get("audience_size"),
            cursor: row.get("cursor"),
            version: row.get("version"),
            completed_at: completed_at.map(|at| at.to_jiff()),
        })
    }

    /// The frozen audience, in its order.
    pub async fn recipients(&self, campaign: CampaignId) -> anyhow::Result<Vec<Recipient>> {
        let rows = sqlx::query(
            "select seq, contact_id, message_id from millrace.campaign_recipients
             where campaign_id = $1 order by seq",
        )
        .bind(campaign.0)
        .fetch_all(&mut self.database.superuser().await?)
        .await?;

        let recipient = |row: &sqlx::postgres::PgRow| Recipient {
            seq: row.get(0),
            contact: ContactId(row.get(1)),
            message: MessageId(row.get(2)),
        };
        Ok(rows.iter().map(recipient).collect())
    }

    /// The message ids of these recipients, by their sequence numbers.
    pub async fn ids(&self, campaign: CampaignId, seq: Range<usize>) -> anyhow::Result<Vec<Uuid>> {
        Ok(self.recipients(campaign).await?[seq].iter().map(|one| one.message.0).collect())
    }
}

impl Deref for World {
    type Target = TestWorld;

    fn deref(&self) -> &TestWorld {
        &self.base
    }
}

/// Marks a tick, as after every PubAck; gives the ids of what was published.
pub async fn publish(tick: Tick) -> anyhow::Result<Vec<Uuid>> {
    Ok(ids(&testkit::publish(tick).await?))
}

/// The ids of what is said, in order.
pub fn ids(say: &[Outgoing]) -> Vec<Uuid> {
    say.iter().map(|out| out.key.id).collect()
}
