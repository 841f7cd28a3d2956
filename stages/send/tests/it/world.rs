//! A tenant with senders, people who may be texted, and messages past the gates.

use std::ops::Deref;

use anyhow::ensure;
use domain::{
    ids::{MessageId, SenderId},
    message::{class::MessageClass, passport::Stamp, state::MessageState},
};
use jiff::Timestamp;
use send::{SendConfig, SendStage};
use serde_json::{Value, json};
use sqlx::{PgConnection, Row};
use testkit::world::{Stored, TestCarrier, TestWorld, enriched, message_row, sealer, with};
use wire::{Admitted, message::Route};

pub struct World {
    base: TestWorld,
    pub carrier: TestCarrier,
}

/// Business time of the tests: the morning of a Wednesday.
pub fn now() -> Timestamp {
    "2026-03-04T15:00:00Z".parse().expect("an instant")
}

impl World {
    pub async fn begin() -> anyhow::Result<Self> {
        let (base, carrier) = (TestWorld::start().await?, TestCarrier::start().await?);
        base.account_at(&carrier, "token").await?;
        Ok(Self { base, carrier })
    }

    /// The stage as one more process would run it.
    pub async fn stage(&self) -> anyhow::Result<SendStage> {
        let config = SendConfig {
            allow_hosts: vec!["127.0.0.1".into()],
            ..SendConfig::new("http://127.0.0.1:9")
        };
        self.stage_with(config).await
    }

    pub async fn stage_with(&self, config: SendConfig) -> anyhow::Result<SendStage> {
        let (store, http) = (self.pipeline().await?, self.carrier.http.clone());
        Ok(SendStage::new(store, sealer(), http, config))
    }

    /// What goes wrong at the carrier.
    pub async fn faults(&self, faults: Value) -> anyhow::Result<()> {
        self.carrier.faults(faults).await
    }

    /// What the carrier has accepted.
    pub async fn ledger(&self) -> anyhow::Result<Vec<Value>> {
        self.carrier.ledger().await
    }

    /// How often each message is in the ledger, all of them once: their number.
    pub async fn accepted_once(&self) -> anyhow::Result<usize> {
        let mut references: Vec<String> =
            self.ledger().await?.iter().map(|line| line["reference"].to_string()).collect();
        let all = references.len();
        references.sort_unstable();
        references.dedup();
        ensure!(references.len() == all, "a text is in the ledger twice");
        Ok(all)
    }

    /// Gives the account another token.
    pub async fn change_token(&self, token: &str) -> anyhow::Result<()> {
        let sealed = sealer().seal(token.as_bytes());
        let change = format!("update millrace.carrier_accounts set sealed_token = '{sealed}'");
        self.run(&change).await
    }

    pub async fn sender(&self, number: &str, pace: i32) -> anyhow::Result<SenderId> {
        self.base.sender(number, json!({ "pace": pace })).await
    }

    /// So many promotions to as many people, admitted and reserved, from one sender.
    pub async fn admit(&self, sender: SenderId, count: usize) -> anyhow::Result<Vec<Admitted>> {
        self.admit_from(sender, 0, count).await
    }

    /// The same, from a number of the phone book on.
    pub async fn admit_from(
        &self,
        sender: SenderId,
        first: usize,
        count: usize,
    ) -> anyhow::Result<Vec<Admitted>> {
        let messages: Vec<Admitted> =
            (first..first + count).map(|n| self.message(sender, n)).collect::<Result<_, _>>()?;
        let stored = messages.iter().map(|one| &one.message);
        self.messages(stored, admission(sender)).await?;

        let numbers = messages.iter().map(|one| one.message.head.to.as_str());
        let marketed = json!({
            "marketing_consent_at": now(), "last_promo_at": now(), "marketing_at": [now()],
        });
        self.recipients(numbers, marketed).await?;
        self.reserve(MessageClass::Promo, sender, now(), count).await?;
        Ok(messages)
    }

    /// A confirmation to the person of a promotion, admitted; it reserves nothing.
    pub async fn compliance_to(&self, promo: &Admitted) -> anyhow::Result<Admitted> {
        let mut other = promo.clone();
        other.message.head.id = MessageId::from_key(&self.tenant, "confirmation");
        other.message.head.class = MessageClass::Compliance;

        let row = with(message_row(&other.message), &admission(other.route.sender));
        self.insert("messages", &[with(row, &json!({ "reserved_at": null }))]).await?;
        Ok(other)
    }

    /// A promotion to person `n` of those who have none of our senders' numbers.
    fn message(&self, sender: SenderId, n: usize) -> anyhow::Result<Admitted> {
        let mut message = enriched(&self.tenant, u32::try_from(1_000 + n)?);
        message.head.submitted_at = now();
        message.senders = vec![sender];
        message.passport.stamp(Stamp::plain("gate", now(), "admit"));
        let route = Route {
            sender,
            number: "+12125550001".into(),
            account: "main".into(),
            weight: 1,
            pace: 10,
            sendable_until: "2026-03-05T02:00:00Z".parse()?,
            policy_version: 0,
        };
        Ok(Admitted { message, route })
    }

    /// How many promotions of this sender the counters hold a reservation for.
    pub async fn reserved(&self, sender: SenderId) -> anyhow::Result<i64> {
        self.base.reserved(MessageClass::Promo, sender, now()).await
    }

    pub async fn stored(&self, message: &Admitted) -> anyhow::Result<Stored> {
        self.base.stored(message.message.head.id).await
    }

    /// How many messages there are of each state.
    pub async fn states(&self) -> anyhow::Result<Vec<(MessageState, i64)>> {
        let count = "select state, count(*) from millrace.messages group by 1 order by 1";
        let rows = sqlx::query(count).fetch_all(&mut self.database.superuser().await?).await?;
        let state = |code| MessageState::from_code(code).expect("a state");
        Ok(rows.iter().map(|row| (state(row.get(0)), row.get(1))).collect())
    }

    /// Locks the pace of every sender, until the connection's transaction ends.
    pub async fn hold_pace(&self) -> anyhow::Result<PgConnection> {
        let mut connection = self.database.superuser().await?;
        let lock = "insert into millrace.pace (tenant_id, key, next_free)
            select tenant_id, 'sender:' || sender_id, now() from millrace.senders";
        sqlx::query(lock).execute(&mut connection).await?;
        sqlx::raw_sql("begin; select from millrace.pace for update")
            .execute(&mut connection)
            .await?;
        Ok(connection)
    }
}

impl Deref for World {
    type Target = TestWorld;

    fn deref(&self) -> &TestWorld {
        &self.base
    }
}

/// The columns of a message that the gates have admitted for this sender.
fn admission(sender: SenderId) -> Value {
    json!({
        "state": MessageState::Queued.code(), "version": 2, "changed_at": now(),
        "sender_id": sender, "reserved_at": now(),
    })
}
