//! Tenants with messages that were put aside.

use std::ops::Deref;

use domain::{
    ids::{CampaignId, MessageId, TenantId},
    message::{class::MessageClass, passport::Stamp, state::MessageState},
};
use jiff::{SignedDuration, Timestamp};
use schedule::ScheduleSource;
use serde_json::{Value, json};
use sqlx::Row;
use stage::{Cx, Source, Tick};
use store::{
    Role,
    parked::{
        park::{self, Parking},
        wake::{self, Way, What},
    },
};
use testkit::world::{TestWorld, enriched, message_row, with};
use wire::{Enriched, frame::Outgoing};

pub use testkit::publish;

pub struct World(TestWorld);

/// What holds the rows that are held.
pub const CAUSE: &str = "switch:tenant";

/// Business time of the tests: morning in New York, on a Monday.
pub fn now() -> Timestamp {
    "2026-03-02T14:00:00Z".parse().expect("an instant")
}

/// So many seconds after [`now`], or before it.
pub fn after(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

impl World {
    pub async fn begin() -> anyhow::Result<Self> {
        let world = Self(TestWorld::start().await?);
        world.account(json!({})).await?;
        world.sender("+12125550100", json!({ "pace": 10_000 })).await?;
        Ok(world)
    }

    /// Sets what the tenant's sender carries, in segments a second.
    pub async fn pace(&self, pace: i32) -> anyhow::Result<()> {
        self.run(&format!("update millrace.senders set pace = {pace}")).await
    }

    /// The source as one more process would run it.
    pub async fn source(&self) -> anyhow::Result<ScheduleSource> {
        Ok(ScheduleSource::new(self.pipeline().await?))
    }

    /// Parks a message in its turn, due at an instant or held.
    pub async fn park(&self, message: &Enriched, due: Option<Timestamp>) -> anyhow::Result<()> {
        self.park_all(&[(message.clone(), due)]).await
    }

    /// Parks messages as the gates do: a row of `parked`, and the decision in the message's row,
    /// which here holds something in every column that a decision may fill.
    pub async fn park_all(&self, rows: &[(Enriched, Option<Timestamp>)]) -> anyhow::Result<()> {
        self.decide(rows).await?;

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
        let mut tx = self.pipeline().await?.scoped([&rows[0].0.head.tenant]).await?;
        park::insert(&mut tx, now(), &parkings).await?;
        Ok(tx.commit().await?)
    }

    /// Writes the decisions into the messages' rows: of one that is parked again, in its turn.
    async fn decide(&self, rows: &[(Enriched, Option<Timestamp>)]) -> anyhow::Result<()> {
        let decided = |(message, due): &(Enriched, Option<Timestamp>)| {
            let state = due.map_or(MessageState::Held, |_| MessageState::Deferred);
            let id = message.head.id;
            let decision = json!({
                "state": state.code(), "version": 3, "passport": [], "gate": "quiet_hours",
                "code": "quiet", "due": due, "sender_id": id, "policy_version": 1,
                "sendable_until": now(), "reserved_at": now(), "claim_owner": id, "attempt": 1,
                "call_by": now(),
            });
            with(message_row(message), &decision)
        };

        let rows: Vec<Value> = rows.iter().map(decided).collect();
        let ids: Vec<String> = rows.iter().map(|row| row["message_id"].to_string()).collect();
        let parked_before = format!(
            "delete from millrace.messages where message_id = any('{{{}}}')",
            ids.join(",")
        );

        self.run(&parked_before).await?;
        self.insert("messages", &rows).await
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
        self.number("select count(*) from millrace.wakes").await
    }

    /// Makes these messages the ones of a campaign.
    pub async fn campaign(&self, of: CampaignId, messages: &[Enriched]) -> anyhow::Result<()> {
        let campaign = json!({
            "tenant_id": self.tenant, "campaign_id": of, "name": "", "class": "promo",
            "template_id": of, "pool_id": of, "audience": {}, "audience_size": messages.len(),
            "cursor": messages.len(), "state": "stopped", "created_at": now(),
        });
        self.insert("campaigns", &[campaign]).await?;

        let recipient = |(seq, message): (usize, &Enriched)| {
            json!({
                "tenant_id": self.tenant, "campaign_id": of, "seq": seq,
                "contact_id": message.contact, "message_id": message.head.id,
            })
        };
        let recipients: Vec<Value> = messages.iter().enumerate().map(recipient).collect();
        self.insert("campaign_recipients", &recipients).await
    }

    /// Parks many rows whose messages do not matter: half of them are due later, half are held.
    pub async fn backlog(&self, rows: i32, due: Timestamp) -> anyhow::Result<()> {
        let park = format!(
            "insert into millrace.parked (tenant_id, message_id, turn, due, cause, cause_key, rank,
                 lane, payload, parked_at)
             select 'acme', gen_random_uuid(), 1,
                 case when n % 2 = 0 then timestamptz '{due}' end, 'backlog',
                 case when n % 2 = 1 then '{CAUSE}' end, 2 - n % 2, 'bulk', '{{}}', now()
             from generate_series(1, {rows}) n"
        );
        self.run(&park).await?;
        self.run("analyze millrace.parked").await
    }

    /// Puts a message into a state, as another stage would meanwhile.
    pub async fn put(&self, message: &Enriched, state: MessageState) -> anyhow::Result<()> {
        let (id, state) = (message.head.id, state.code());
        let put = format!("update millrace.messages set state = {state} where message_id = '{id}'");
        self.run(&put).await
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

impl Deref for World {
    type Target = TestWorld;

    fn deref(&self) -> &TestWorld {
        &self.0
    }
}

/// A message of a tenant to person `n`, an hour old.
pub fn message(tenant: &TenantId, class: MessageClass, n: u32) -> Enriched {
    let mut message = enriched(tenant, n);
    message.head.class = class;
    message.head.submitted_at = after(-3_600);
    message.head.trace = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into());
    message.text = format!("Hello {n}");
    message.passport.stamp(Stamp::plain("gate", now(), "defer"));
    message
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

/// Ticks until no more is due now; gives the ids of what is said, in order.
pub async fn tick_to_the_end(source: &ScheduleSource) -> anyhow::Result<Vec<MessageId>> {
    let mut said = Vec::new();
    loop {
        let next = tick(source, now()).await?;
        let more = next.more;
        said.extend(publish(next).await?.iter().map(|out| MessageId(out.key.id)));
        if !more {
            return Ok(said);
        }
    }
}

/// Subject, id, turn and payload of what is said.
pub fn told(say: &[Outgoing]) -> Vec<(String, MessageId, u32, Enriched)> {
    let one = |out: &Outgoing| {
        let payload = serde_json::from_slice(&out.json).expect("an enriched message");
        (out.subject.to_string(), MessageId(out.key.id), out.key.turn, payload)
    };
    say.iter().map(one).collect()
}
