//! A tenant with messages on their way, and the letters of those that died.

use domain::{
    ids::{MessageId, TenantId},
    message::{
        class::{Channel, MessageClass},
        state::MessageState,
    },
    phone::PhoneNumber,
};
use jiff::Timestamp;
use reconcile::DeadLetterStage;
use sqlx::{Connection, PgConnection, Row};
use stage::{Outcome, StageName};
use store::{Role, core::seal::Sealer};
use testkit::{Database, hand_over};
use uuid::Uuid;
use wire::{
    DeadLetter, Submitted,
    message::{Content, From, Head},
};

use crate::world::Stored;

pub struct Letters {
    pub database: Database,
    pub tenant: TenantId,
    sealer: Sealer,
}

/// A transaction of somebody else, with one statement in it.
pub struct Underway(PgConnection);

pub fn now() -> Timestamp {
    "2026-03-02T17:00:00Z".parse().expect("an instant")
}

impl Letters {
    pub async fn begin() -> anyhow::Result<Self> {
        let database = Database::start().await?;
        let tenant = database.tenant("acme").await?;
        let world = Self { database, tenant, sealer: Sealer::new(&[[7; 32]]) };
        world
            .run(
                "with account as (
                     insert into millrace.carrier_accounts (tenant_id, account, carrier,
                         carrier_sid, base_url, sealed_token, created_at)
                     values ('acme', 'main', 'twilio', 'AC1', 'http://localhost', '', now())
                 )
                 insert into millrace.senders (tenant_id, sender_id, account, number, country,
                     time_zone, pace, active_since, daily_cap, created_at)
                 values ('acme', '00000000-0000-0000-0000-000000000009', 'main', '+12125550100',
                         'US', 'UTC', 10, now(), 100, now())",
            )
            .await?;
        Ok(world)
    }

    /// One more process that reads letters.
    pub async fn stage(&self) -> anyhow::Result<DeadLetterStage> {
        Ok(DeadLetterStage::new(self.database.store(Role::Pipeline).await?, self.sealer.clone()))
    }

    /// Hands letters over in one batch.
    pub async fn read(&self, letters: Vec<DeadLetter>) -> anyhow::Result<Vec<Outcome>> {
        Ok(hand_over(&self.stage().await?, now(), letters).await?)
    }

    /// A message in this state, at version 3 of turn 1.
    pub async fn stored(&self, n: u32, state: MessageState) -> anyhow::Result<MessageId> {
        let id = MessageId(Uuid::from_u128(n.into()));
        self.insert(id, n, state, Vec::new()).await?;
        Ok(id)
    }

    /// The row that enrich makes of a message, as far as letters look at it.
    pub async fn stored_as(&self, submitted: &Submitted) -> anyhow::Result<MessageId> {
        let id = submitted.head.id;
        let hash = (0..64).step_by(2).map(|at| submitted.body_hash.get(at..at + 2));
        let hash = hash.map(|pair| u8::from_str_radix(pair.unwrap_or_default(), 16));
        self.insert(id, 1, MessageState::Accepted, hash.collect::<Result<_, _>>()?).await?;
        Ok(id)
    }

    async fn insert(
        &self,
        id: MessageId,
        n: u32,
        state: MessageState,
        hash: Vec<u8>,
    ) -> anyhow::Result<()> {
        sqlx::query(
            "insert into millrace.messages (tenant_id, message_id, state, class, channel,
                 contact_id, number, body, segments, cost_micros, body_hash, submitted_at, version,
                 changed_at, passport, sender_id)
             values ('acme', $1, $2, 'promo', 'sms', $1, $3, 'hello', 1, 7900, $4, now(), 3,
                     now(), '[]', '00000000-0000-0000-0000-000000000009')",
        )
        .bind(id.0)
        .bind(state.code())
        .bind(format!("+1312555{n:04}"))
        .bind(hash)
        .execute(&mut self.database.superuser().await?)
        .await?;
        Ok(())
    }

    /// Has every queued message hold a reservation.
    pub async fn reserve(&self) -> anyhow::Result<()> {
        self.run(
            "with held as (
                 update millrace.messages set reserved_at = '2026-03-02T16:00:00Z' where state = 3
                 returning number
             )
             insert into millrace.standings (tenant_id, number, channel, last_promo_at,
                                             marketing_at)
             select 'acme', number, 'sms', '2026-03-02T16:00:00Z',
                    array['2026-03-02T16:00:00Z'::timestamptz] from held
             on conflict do nothing",
        )
        .await
    }

    /// A message as the api accepted it.
    pub fn submitted(&self, n: u32, text: &str) -> Submitted {
        let to = PhoneNumber::from_e164(&format!("+1212555{n:04}")).expect("a number");
        let message = Submitted {
            head: Head {
                id: MessageId::from_key(&self.tenant, &n.to_string()),
                tenant: self.tenant.clone(),
                turn: 1,
                class: MessageClass::Transactional,
                channel: Channel::Sms,
                to,
                campaign: None,
                submitted_at: now(),
                expires_at: None,
                on_late: None,
                trace: None,
            },
            content: Content::Body(text.into()),
            from: From::Any,
            body_hash: String::new(),
            metadata: Default::default(),
        };
        message.with_body_hash()
    }

    /// The letter of a message that enrich could not handle.
    pub fn of_submitted(&self, message: &Submitted) -> DeadLetter {
        let json = serde_json::to_string(message).expect("plain data");
        self.sealed(StageName::Enrich, message.head.id, message.head.turn, &json)
    }

    /// A letter of a stage about a message that has a row.
    pub fn letter(&self, stage: StageName, message: MessageId, turn: u32) -> DeadLetter {
        self.sealed(stage, message, turn, "{}")
    }

    pub fn sealed(
        &self,
        stage: StageName,
        message: MessageId,
        turn: u32,
        content: &str,
    ) -> DeadLetter {
        let name = format!("{} {message} {turn} {content}", stage.as_str());
        DeadLetter {
            id: Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()),
            tenant: self.tenant.clone(),
            stage: stage.as_str().into(),
            subject: "msg.submitted.bulk".into(),
            message: Some(message.0),
            turn: Some(turn),
            cause: "panicked".into(),
            detail: "a test".into(),
            attempts: 1,
            at: now(),
            sealed: self.sealer.seal(content.as_bytes()),
        }
    }

    pub fn letter_that_no_key_opens(&self, message: MessageId) -> DeadLetter {
        let sealed = Sealer::new(&[[8; 32]]).seal(b"{}");
        DeadLetter { sealed, ..self.letter(StageName::Enrich, message, 1) }
    }

    pub async fn row(&self, message: MessageId) -> anyhow::Result<Stored> {
        crate::world::stored(&self.database, message).await
    }

    /// One number out of the database.
    pub async fn number(&self, sql: &'static str) -> anyhow::Result<i64> {
        Ok(sqlx::query(sql).fetch_one(&mut self.database.superuser().await?).await?.get(0))
    }

    /// One text out of the database.
    pub async fn text(&self, sql: &'static str) -> anyhow::Result<String> {
        Ok(sqlx::query(sql).fetch_one(&mut self.database.superuser().await?).await?.get(0))
    }

    /// Runs one statement as the superuser.
    pub async fn run(&self, sql: &'static str) -> anyhow::Result<()> {
        sqlx::query(sql).execute(&mut self.database.superuser().await?).await?;
        Ok(())
    }

    /// Runs one statement in a transaction that stays open.
    pub async fn begin_statement(&self, sql: &'static str) -> anyhow::Result<Underway> {
        let mut connection = self.database.superuser().await?;
        sqlx::query("begin").execute(&mut connection).await?;
        sqlx::query(sql).execute(&mut connection).await?;
        Ok(Underway(connection))
    }

    /// Returns once a statement waits for a lock that somebody else holds.
    pub async fn someone_waits_for_a_lock(&self) -> anyhow::Result<()> {
        let waiting = "select count(*) from pg_locks where not granted";
        for _ in 0..3_000 {
            if self.number(waiting).await? > 0 {
                return Ok(());
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        anyhow::bail!("nobody waits for a lock")
    }
}

impl Underway {
    pub async fn commit(mut self) -> anyhow::Result<()> {
        sqlx::query("commit").execute(&mut self.0).await?;
        Ok(self.0.close().await?)
    }
}
