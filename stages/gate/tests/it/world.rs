//! A tenant with a sender, and messages that enrich has stored.

use domain::{
    ids::{ContactId, MessageId, SenderId, TenantId},
    message::{
        class::{Channel, MessageClass},
        passport::{Passport, Stamp},
    },
    money::Micros,
    phone::PhoneNumber,
    zones::{OnFile, resolve},
};
use gate::GateStage;
use jiff::Timestamp;
use sqlx::{PgConnection, Row};
use stage::Outcome;
use store::Role;
use testkit::Database;
use uuid::Uuid;
use wire::{Enriched, message::Head};

pub struct World {
    pub database: Database,
    pub tenant: TenantId,
}

pub const COST: i64 = 7_900;

/// Noon in New York, on a Monday.
pub fn now() -> Timestamp {
    "2026-03-02T17:00:00Z".parse().expect("an instant")
}

impl World {
    pub async fn begin() -> anyhow::Result<Self> {
        let database = Database::start().await?;
        let tenant = database.tenant("acme").await?;
        let world = Self { database, tenant };
        world
            .run(
                "insert into millrace.carrier_accounts (tenant_id, account, carrier, carrier_sid, \
                     base_url, sealed_token, created_at)
                 values ('acme', 'main', 'twilio', 'AC1', 'http://localhost', '', now());
                 insert into millrace.policies (tenant_id, version, body, created_at, created_by)
                 values ('acme', 1, '{\"quiet_hours\": {\"spread_seconds\": 0}}', now(), 'test')",
            )
            .await?;
        Ok(world)
    }

    /// The stage as one more process would run it.
    pub async fn stage(&self) -> anyhow::Result<GateStage> {
        Ok(GateStage::new(self.database.store(Role::Pipeline).await?))
    }

    /// Puts a policy in force after the first one, whatever it says.
    pub async fn policy(&self, rules: &'static str) -> anyhow::Result<()> {
        let insert =
            "insert into millrace.policies (tenant_id, version, body, created_at, created_by)
                      values ('acme', 2, $1::jsonb, now(), 'test')";
        let mut connection: PgConnection = self.database.superuser().await?;
        sqlx::query(insert).bind(rules).execute(&mut connection).await?;
        Ok(())
    }

    /// Caps what the tenant may spend in a day.
    pub async fn daily_budget(&self, micros: i64) -> anyhow::Result<()> {
        let insert = "insert into millrace.budgets (tenant_id, scope, target, daily_micros)
                      values ('acme', 'tenant', '', $1)";
        let mut connection: PgConnection = self.database.superuser().await?;
        sqlx::query(insert).bind(micros).execute(&mut connection).await?;
        Ok(())
    }

    /// Runs statements as the superuser.
    pub async fn run(&self, sql: &'static str) -> anyhow::Result<()> {
        let mut connection: PgConnection = self.database.superuser().await?;
        sqlx::raw_sql(sql).execute(&mut connection).await?;
        Ok(())
    }

    /// The one number that a query gives.
    pub async fn number(&self, sql: &'static str) -> anyhow::Result<i64> {
        let mut connection: PgConnection = self.database.superuser().await?;
        Ok(sqlx::query(sql).fetch_one(&mut connection).await?.get(0))
    }

    /// What a counter holds, all its windows and targets together.
    pub async fn counted(&self, kind: &'static str) -> anyhow::Result<i64> {
        let mut connection: PgConnection = self.database.superuser().await?;
        let sum = "select coalesce(sum(used), 0)::bigint from millrace.counters where kind = $1";
        Ok(sqlx::query(sum).bind(kind).fetch_one(&mut connection).await?.get(0))
    }

    /// Adds a sender that is warmed up.
    pub async fn sender(&self, number: &'static str, daily_cap: i32) -> anyhow::Result<SenderId> {
        let id = SenderId::of(&self.tenant, number);
        let mut connection: PgConnection = self.database.superuser().await?;
        sqlx::query(
            "insert into millrace.senders (tenant_id, sender_id, account, number, country, \
                 time_zone, pace, active_since, daily_cap, created_at) \
             values ('acme', $1, 'main', $2, 'US', 'America/New_York', 10, '2025-01-01', $3, \
                     now())",
        )
        .bind(id.0)
        .bind(number)
        .bind(daily_cap)
        .execute(&mut connection)
        .await?;
        Ok(id)
    }

    /// So many messages to as many people with consent, stored as enrich does.
    pub async fn messages(
        &self,
        class: MessageClass,
        senders: &[SenderId],
        numbers: std::ops::Range<u32>,
    ) -> anyhow::Result<Vec<Enriched>> {
        let messages: Vec<Enriched> =
            numbers.map(|n| self.message(class, senders, n, u128::from(n))).collect();
        self.store(&messages).await?;
        Ok(messages)
    }

    /// A message to person `n`.
    pub fn message(&self, class: MessageClass, senders: &[SenderId], n: u32, id: u128) -> Enriched {
        let to = PhoneNumber::from_e164(&format!("+1212555{n:04}")).expect("a number");
        let mut passport = Passport::default();
        passport.stamp(Stamp::plain("enrich", now(), "accept"));
        Enriched {
            contact: ContactId::of(&self.tenant, to.as_str()),
            text: "Hello".into(),
            segments: 1,
            cost: Micros(COST),
            place: resolve(&to, &OnFile::default()),
            senders: senders.to_vec(),
            passport,
            head: Head {
                id: MessageId(Uuid::from_u128(id + 1)),
                tenant: self.tenant.clone(),
                turn: 1,
                class,
                channel: Channel::Sms,
                to,
                campaign: None,
                submitted_at: now(),
                expires_at: None,
                on_late: None,
                trace: None,
            },
        }
    }

    /// Makes the rows that enrich makes.
    pub async fn store(&self, messages: &[Enriched]) -> anyhow::Result<()> {
        let mut connection: PgConnection = self.database.superuser().await?;
        let ids: Vec<_> = messages.iter().map(|one| one.head.id.0).collect();
        let numbers: Vec<_> = messages.iter().map(|one| one.head.to.to_string()).collect();
        let class = messages.first().map_or("promo", |one| one.head.class.as_str());
        sqlx::query(
            "with made as (
                 insert into millrace.messages (tenant_id, message_id, state, class, channel, \
                     contact_id, number, body, segments, cost_micros, body_hash, submitted_at, \
                     changed_at, passport)
                 select 'acme', id, 0, $3, 'sms', id, number, 'Hello', 1, 7900, '', now(), now(),
                        '[]'
                 from unnest($1::uuid[], $2::text[]) as k (id, number)
             )
             insert into millrace.standings (tenant_id, number, channel, marketing_consent_at)
             select distinct 'acme', number, 'sms', timestamptz '2026-01-01'
             from unnest($2::text[]) as k (number) on conflict do nothing",
        )
        .bind(ids)
        .bind(numbers)
        .bind(class)
        .execute(&mut connection)
        .await?;
        Ok(())
    }
}

/// What outcomes publish: subject and bytes.
pub fn said(outcomes: Vec<Outcome>) -> Vec<(String, String)> {
    let text = |out: wire::frame::Outgoing| {
        (out.subject.to_string(), String::from_utf8(out.json).expect("json is text"))
    };
    testkit::said(outcomes).into_iter().map(text).collect()
}

/// The last words of the subjects that outcomes publish to, and how often.
pub fn kinds(outcomes: Vec<Outcome>) -> Vec<(String, usize)> {
    let mut kinds = std::collections::BTreeMap::new();
    for (subject, _) in said(outcomes) {
        let kind = subject.split('.').nth(if subject.starts_with("msg") { 1 } else { 3 });
        *kinds.entry(kind.unwrap_or_default().to_owned()).or_default() += 1;
    }
    kinds.into_iter().collect()
}
