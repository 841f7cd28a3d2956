//! A tenant with messages on their way, and the letters of those that died.

use std::ops::Deref;

use domain::{
    ids::{MessageId, SenderId},
    message::state::MessageState,
};
use reconcile::DeadLetterStage;
use serde_json::json;
use sqlx::{Connection, PgConnection};
use stage::{Outcome, StageName};
use store::core::seal::Sealer;
use testkit::{
    hand_over,
    world::{Stored, TestWorld, sealer, submitted},
};
use uuid::Uuid;
use wire::{DeadLetter, Submitted};

use crate::world::message;

pub use testkit::world::now;

pub struct Letters(TestWorld);

/// The sender that every message here goes out by.
const SENDER: SenderId = SenderId(Uuid::from_u128(9));

/// A transaction of somebody else, with one statement in it.
pub struct Underway(PgConnection);

impl Letters {
    pub async fn begin() -> anyhow::Result<Self> {
        let world = Self(TestWorld::start().await?);
        world.account(json!({})).await?;
        let columns = json!({ "sender_id": SENDER, "time_zone": "UTC" });
        world.sender("+12125550100", columns).await?;
        Ok(world)
    }

    /// One more process that reads letters.
    pub async fn stage(&self) -> anyhow::Result<DeadLetterStage> {
        Ok(DeadLetterStage::new(self.pipeline().await?, sealer()))
    }

    /// Hands letters over in one batch.
    pub async fn read(&self, letters: Vec<DeadLetter>) -> anyhow::Result<Vec<Outcome>> {
        Ok(hand_over(&self.stage().await?, now(), letters).await?)
    }

    /// A message in this state, at version 3 of turn 1.
    pub async fn stored(&self, n: u32, state: MessageState) -> anyhow::Result<MessageId> {
        let message = message(&self.0, n.into());
        let columns = json!({ "state": state.code(), "version": 3, "sender_id": SENDER });
        self.messages([&message], columns).await?;
        Ok(message.head.id)
    }

    /// The row that enrich makes of a message, as far as letters look at it.
    pub async fn stored_as(&self, submitted: &Submitted) -> anyhow::Result<MessageId> {
        let mut message = message(&self.0, 1);
        message.head.id = submitted.head.id;
        let hash = format!("\\x{}", submitted.body_hash);
        self.messages([&message], json!({ "body_hash": hash, "sender_id": SENDER })).await?;
        Ok(message.head.id)
    }

    /// Has every queued message hold a reservation that no counter knows of.
    pub async fn hold_reservations(&self) -> anyhow::Result<()> {
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
        submitted(&self.tenant, n, text)
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
            sealed: sealer().seal(content.as_bytes()),
        }
    }

    pub fn letter_that_no_key_opens(&self, message: MessageId) -> DeadLetter {
        let sealed = Sealer::new(&[[8; 32]]).seal(b"{}");
        DeadLetter { sealed, ..self.letter(StageName::Enrich, message, 1) }
    }

    pub async fn row(&self, message: MessageId) -> anyhow::Result<Stored> {
        self.0.stored(message).await
    }

    /// Runs one statement in a transaction that stays open.
    pub async fn begin_statement(&self, sql: &'static str) -> anyhow::Result<Underway> {
        let mut connection = self.database.superuser().await?;
        sqlx::query("begin").execute(&mut connection).await?;
        sqlx::query(sql).execute(&mut connection).await?;
        Ok(Underway(connection))
    }
}

impl Deref for Letters {
    type Target = TestWorld;

    fn deref(&self) -> &TestWorld {
        &self.0
    }
}

impl Underway {
    pub async fn commit(mut self) -> anyhow::Result<()> {
        sqlx::query("commit").execute(&mut self.0).await?;
        Ok(self.0.close().await?)
    }
}
