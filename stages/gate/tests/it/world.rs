//! A tenant with a sender, and messages that enrich has stored.

use std::{collections::BTreeMap, ops::Deref};

use domain::{
    ids::{MessageId, SenderId},
    message::{class::MessageClass, passport::Stamp},
};
use gate::GateStage;
use serde_json::json;
use sqlx::Row;
use stage::Outcome;
use testkit::{
    said,
    world::{self, TestWorld},
};
use uuid::Uuid;
use wire::Enriched;

pub use testkit::world::now;

pub struct World(TestWorld);

/// What a message costs.
pub const COST: i64 = world::COST.0;

impl World {
    pub async fn begin() -> anyhow::Result<Self> {
        let world = Self(TestWorld::start().await?);
        world.account(json!({})).await?;
        world.0.policy(1, json!({ "quiet_hours": { "spread_seconds": 0 } })).await?;
        Ok(world)
    }

    /// The stage as one more process would run it.
    pub async fn stage(&self) -> anyhow::Result<GateStage> {
        Ok(GateStage::new(self.pipeline().await?))
    }

    /// Puts a policy in force after the first one, whatever it says.
    pub async fn policy(&self, rules: &str) -> anyhow::Result<()> {
        self.0.policy(2, serde_json::from_str(rules)?).await
    }

    /// Caps what the tenant may spend in a day.
    pub async fn daily_budget(&self, micros: i64) -> anyhow::Result<()> {
        let budget = json!({
            "tenant_id": "acme", "scope": "tenant", "target": "", "daily_micros": micros,
        });
        self.insert("budgets", &[budget]).await
    }

    /// What a counter holds, all its windows and targets together.
    pub async fn counted(&self, kind: &str) -> anyhow::Result<i64> {
        let sum = "select coalesce(sum(used), 0)::bigint from millrace.counters where kind = $1";
        let mut connection = self.database.superuser().await?;
        Ok(sqlx::query(sum).bind(kind).fetch_one(&mut connection).await?.get(0))
    }

    /// Adds a sender that is warmed up, and fast enough for any batch.
    pub async fn sender(&self, number: &str, daily_cap: i32) -> anyhow::Result<SenderId> {
        self.0.sender(number, json!({ "daily_cap": daily_cap, "pace": 10_000 })).await
    }

    /// Adds a sender of so many segments a second.
    pub async fn paced_sender(&self, number: &str, pace: i32) -> anyhow::Result<SenderId> {
        self.0.sender(number, json!({ "daily_cap": 100_000, "pace": pace })).await
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
        let mut message = world::enriched(&self.tenant, n);
        message.head.id = MessageId(Uuid::from_u128(id + 1));
        message.head.class = class;
        message.senders = senders.to_vec();
        message.passport.stamp(Stamp::plain("enrich", now(), "accept"));
        message
    }

    /// Makes the rows that enrich makes, of people with consent.
    pub async fn store(&self, messages: &[Enriched]) -> anyhow::Result<()> {
        self.0.messages(messages, json!({})).await?;
        let numbers = messages.iter().map(|message| message.head.to.as_str());
        let consent = json!({ "marketing_consent_at": "2026-01-01T00:00:00Z" });
        self.recipients(numbers, consent).await
    }
}

impl Deref for World {
    type Target = TestWorld;

    fn deref(&self) -> &TestWorld {
        &self.0
    }
}

/// The last words of the subjects that outcomes publish to, and how often.
pub fn kinds(outcomes: Vec<Outcome>) -> Vec<(String, usize)> {
    let mut kinds = BTreeMap::new();
    for (subject, _) in said(outcomes) {
        let kind = subject.split('.').nth(if subject.starts_with("msg") { 1 } else { 3 });
        *kinds.entry(kind.unwrap_or_default().to_owned()).or_default() += 1;
    }
    kinds.into_iter().collect()
}
