//! Tenants with messages that were put aside.

use domain::{
    ids::{CampaignId, ContactId, MessageId, TenantId},
    message::{
        class::{Channel, MessageClass},
        passport::{Passport, Stamp},
        state::MessageState,
    },
    money::Micros,
    phone::PhoneNumber,
    zones::{OnFile, resolve},
};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use schedule::ScheduleSource;
use serde_json::Value;
use sqlx::{PgConnection, Row};
use stage::{Cx, Source, Tick};
use store::{
    Role,
    parked::{
        park::{self, Parking},
        wake::{self, Way, What},
    },
};
use testkit::Database;
use wire::{Enriched, frame::Outgoing, message::Head};

pub struct World {
    pub database: Database,
    pub tenant: TenantId,
}

/// What holds the rows that are held.
pub const CAUSE: &str = "switch:tenant";

/// Business time of the tests.
pub fn now() -> Timestamp {
    "2026-03-02T14:00:00Z".parse().expect("an instant")
}

/// So many seconds after [`now`], or before it.
pub fn after(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

impl World {
    pub async fn begin() -> anyhow::Result<Self> {
        let database = Database::start().await?;
        let tenant = database.tenant("acme").await?;
        let world = Self { database, tenant };
        world.sender(10_000).await?;
        Ok(world)
    }

    /// Sets what the tenant's senders carry, in segments a second.
    pub async fn sender(&self, pace: i32) -> anyhow::Result<()> {
        let sql = "with a as (
                insert into millrace.carrier_accounts (tenant_id, account, carrier, carrier_sid,
                    base_url, sealed_token, created_at)
                values ($1, 'main', 'twilio', 'AC1', 'http://127.0.0.1', '', now())
                on conflict do nothing)
            insert into millrace.senders (tenant_id, sender_id, account, number, country, time_zone,
                pace, active_since, daily_cap, created_at)
            values ($1, '00000000-0000-0000-0000-000000000001', 'main', '+12125550100', 'US', 'UTC',
                $2, now(), 100000, now())
            on conflict (tenant_id, sender_id) do update set pace = excluded.pace";
        let mut connection = self.database.superuser().await?;
        let set = sqlx::query(sql).bind(self.tenant.as_str()).bind(pace);
        set.execute(&mut connection).await?;
        Ok(())
    }

    /// The source as one more process would run it.
    pub async fn source(&self) -> anyhow::Result<ScheduleSource> {
        Ok(ScheduleSource::new(self.database.store(Role::Pipeline).await?))
    }

    /// Parks a message in its turn, due at an instant or held.
    pub async fn park(&self, message: &Enriched, due: Option<Timestamp>) -> anyhow::Result<()> {
        self.park_all(&[(message.clone(), due)]).await
    }

    /// Parks messages as the gates do: a row of `parked`, and the decision in the message's row,
    /// which here holds something in every column that a decision may fill.
    pub async fn park_all(&self, rows: &[(Enriched, Option<Timestamp>)]) -> anyhow::Result<()> {
        let mut connection = self.database.superuser().await?;
        for (message, due) in rows {
            let state = due.map_or(MessageState::Held, |_| MessageState::Deferred);
            write(&mut connection, message, state, *due).await?;
        }
        let parking = |(message, due): &(Enriched, Option<Timestamp>)| {
            let payload = serde_json::to_string(message)?;
            Ok(Parking {
                tenant: &rows[0].0.head.tenant,
                message: message.head.id,
                turn: message.head.turn,
                due: due.or(message.head.expires_at),
                cause: "quiet_hours quiet".into(),
                cause_key: due.is_none().then(|| CAUSE.to_owned()),
                held: due.is_none(),
                lane: message.head.class.lane(),
                payload,
            })
        };
        let parkings = rows.iter().map(parking).collect::<anyhow::Result<Vec<_>>>()?;
        let store = self.database.store(Role::Pipeline).await?;
        let mut tx = store.scoped([&rows[0].0.head.tenant]).await?;
        park::insert(&mut tx, now(), &parkings).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Wakes parked messages, as the api does.
    pub async fn wake(&self, what: What<'_>, way: Way) -> anyhow::Result<()> {
        let mut tx = self.database.store(Role::Api).await?.scoped([&self.tenant]).await?;
        wake::wake(&mut tx, &self.tenant, &what, way).await?;
        Ok(tx.commit().await?)
    }

    /// Takes a wake back, as the api does.
    pub async fn cancel_wake(&self, what: What<'_>) -> anyhow::Result<()> {
        let mut tx = self.database.store(Role::Api).await?.scoped([&self.tenant]).await?;
        wake::cancel(&mut tx, &self.tenant, &what).await?;
        Ok(tx.commit().await?)
    }

    /// How many wakes are open.
    pub async fn wakes(&self) -> anyhow::Result<i64> {
        let mut connection = self.database.superuser().await?;
        let count = sqlx::query_scalar("select count(*) from millrace.wakes");
        Ok(count.fetch_one(&mut connection).await?)
    }

    /// Makes these messages the ones of a campaign.
    pub async fn recipients(&self, of: CampaignId, messages: &[Enriched]) -> anyhow::Result<()> {
        let mut connection = self.database.superuser().await?;
        let campaign = "insert into millrace.campaigns (tenant_id, campaign_id, name, class,
                template_id, pool_id, audience, audience_size, cursor, state, created_at)
            values ($1, $2, '', 'promo', $2, $2, '{}', $3, $3, 'stopped', now())";
        let size = i64::try_from(messages.len())?;
        let campaign = sqlx::query(campaign).bind(self.tenant.as_str()).bind(of.0).bind(size);
        campaign.execute(&mut connection).await?;
        let recipients = "insert into millrace.campaign_recipients
            select $1, $2, k.at - 1, k.contact, k.message
            from unnest($3::uuid[], $4::uuid[]) with ordinality as k (contact, message, at)";
        sqlx::query(recipients)
            .bind(self.tenant.as_str())
            .bind(of.0)
            .bind(messages.iter().map(|one| one.contact.0).collect::<Vec<_>>())
            .bind(messages.iter().map(|one| one.head.id.0).collect::<Vec<_>>())
            .execute(&mut connection)
            .await?;
        Ok(())
    }

    /// Parks many rows whose messages do not matter: half of them are due later, half are held.
    pub async fn backlog(&self, rows: i32, due: Timestamp) -> anyhow::Result<()> {
        let mut connection = self.database.superuser().await?;
        let sql = "insert into millrace.parked (tenant_id, message_id, turn, due, cause, cause_key,
                rank, lane, payload, parked_at)
            select $1, gen_random_uuid(), 1, case when n % 2 = 0 then $2 end, 'backlog',
                case when n % 2 = 1 then $4 end, 2 - n % 2, 'bulk', '{}', now()
            from generate_series(1, $3) n";
        sqlx::query(sql)
            .bind(self.tenant.as_str())
            .bind(due.to_sqlx())
            .bind(rows)
            .bind(CAUSE)
            .execute(&mut connection)
            .await?;
        sqlx::query("analyze millrace.parked").execute(&mut connection).await?;
        Ok(())
    }

    /// Puts a message into a state, as another stage would meanwhile.
    pub async fn put(&self, message: &Enriched, state: MessageState) -> anyhow::Result<()> {
        let mut connection = self.database.superuser().await?;
        sqlx::query("update millrace.messages set state = $1 where message_id = $2")
            .bind(state.code())
            .bind(message.head.id.0)
            .execute(&mut connection)
            .await?;
        Ok(())
    }

    /// The whole row of a message.
    pub async fn row(&self, message: &Enriched) -> anyhow::Result<Value> {
        let mut connection = self.database.superuser().await?;
        let sql = "select to_jsonb(m)::text from millrace.messages m where message_id = $1";
        let row = sqlx::query(sql).bind(message.head.id.0).fetch_one(&mut connection).await?;
        Ok(serde_json::from_str(row.get(0))?)
    }

    /// Sets the lane of a parked row, to one that this version knows or not.
    pub async fn lane(&self, message: &Enriched, lane: &str) -> anyhow::Result<()> {
        let mut connection = self.database.superuser().await?;
        let sql = "update millrace.parked set lane = $2 where message_id = $1";
        sqlx::query(sql).bind(message.head.id.0).bind(lane).execute(&mut connection).await?;
        Ok(())
    }

    /// The messages and turns that are parked, in order.
    pub async fn parked(&self) -> anyhow::Result<Vec<(MessageId, u32)>> {
        let mut connection = self.database.superuser().await?;
        let sql = "select message_id, turn from millrace.parked order by 1, 2";
        let rows = sqlx::query(sql).fetch_all(&mut connection).await?;
        let one = |row: &sqlx::postgres::PgRow| {
            Ok((MessageId(row.get(0)), u32::try_from(row.get::<i32, _>(1))?))
        };
        rows.iter().map(one).collect()
    }
}

/// A message of a tenant to person `n`.
pub fn message(tenant: &TenantId, class: MessageClass, n: u32) -> Enriched {
    let to = PhoneNumber::from_e164(&format!("+1212555{n:04}")).expect("a number");
    let mut passport = Passport::default();
    passport.stamp(Stamp::plain("gate", now(), "defer"));
    Enriched {
        contact: ContactId::of(tenant, to.as_str()),
        text: format!("Hello {n}"),
        segments: 1,
        cost: Micros(7_900),
        place: resolve(&to, &OnFile::default()),
        senders: Vec::new(),
        passport,
        head: Head {
            id: MessageId::from_key(tenant, to.as_str()),
            tenant: tenant.clone(),
            turn: 1,
            class,
            channel: Channel::Sms,
            to,
            campaign: None,
            submitted_at: after(-3_600),
            expires_at: None,
            on_late: None,
            trace: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
        },
    }
}

/// The message in its next turn.
pub fn in_next_turn(message: &Enriched) -> Enriched {
    let mut next = message.clone();
    next.head.turn += 1;
    next
}

/// One tick of a source at an instant.
pub async fn tick(source: &ScheduleSource, now: Timestamp) -> anyhow::Result<Tick> {
    Ok(source.tick(&Cx::at(now, stage::machine::now())).await?)
}

/// Marks a tick, as after every PubAck; gives what was published.
pub async fn publish(tick: Tick) -> anyhow::Result<Vec<Outgoing>> {
    if let Some(mark) = tick.published {
        mark.await?;
    }
    Ok(tick.say)
}

/// Subject, id, turn and payload of what is said.
pub fn told(say: &[Outgoing]) -> Vec<(String, MessageId, u32, Enriched)> {
    let one = |out: &Outgoing| {
        let payload = serde_json::from_slice(&out.json).expect("an enriched message");
        (out.subject.to_string(), MessageId(out.key.id), out.key.turn, payload)
    };
    say.iter().map(one).collect()
}

async fn write(
    connection: &mut PgConnection,
    message: &Enriched,
    state: MessageState,
    due: Option<Timestamp>,
) -> anyhow::Result<()> {
    sqlx::query(
        "insert into millrace.messages (tenant_id, message_id, turn, state, class, channel,
             contact_id, number, body, segments, cost_micros, body_hash, submitted_at, version,
             changed_at, passport, gate, code, due, sender_id, policy_version, sendable_until,
             reserved_at, claim_owner, attempt, call_by)
         values ($1, $2, $3, $4, $5, 'sms', $6, $7, $8, 1, 7900, '', $9, 3, $10, '[]',
                 'quiet_hours', 'quiet', $11, $2, 1, $10, $10, $2, 1, $10)
         on conflict (tenant_id, message_id) do update
         set turn = excluded.turn, state = excluded.state, due = excluded.due",
    )
    .bind(message.head.tenant.as_str())
    .bind(message.head.id.0)
    .bind(i32::try_from(message.head.turn)?)
    .bind(state.code())
    .bind(message.head.class.as_str())
    .bind(message.contact.0)
    .bind(message.head.to.as_str())
    .bind(&message.text)
    .bind(message.head.submitted_at.to_sqlx())
    .bind(now().to_sqlx())
    .bind(due.map(|due| due.to_sqlx()))
    .execute(connection)
    .await?;
    Ok(())
}
