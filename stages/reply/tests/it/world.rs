//! A tenant whose people text it, and a model that answers.

use std::ops::Deref;

use anyhow::Context;
use carriers::anthropic::Client;
use domain::{
    ids::{ContactId, ConversationId, MessageId, SenderId},
    message::class::Channel,
};
use jiff::{SignedDuration, Timestamp};
use reply::ReplyStage;
use secrecy::SecretString;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Row};
use stage::Fault;
use testkit::{
    hand_over, outgoing,
    world::{TestCarrier, TestWorld, person},
};
use uuid::Uuid;
use wire::{InboundText, frame::Outgoing};

pub use testkit::world::now;

pub struct World {
    base: TestWorld,
    /// The model is at the sandbox, as carriers are.
    model: TestCarrier,
}

/// What a test asks of a recorded decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    pub text: Uuid,
    pub message: MessageId,
    pub reason: String,
    pub body: Option<String>,
    /// Tokens read and written.
    pub tokens: (i64, i64),
}

/// A question that the model knows an answer to.
pub const QUESTION: &str = "What are your opening hours?";

const KEY: &str = "sk-test";
const MODEL: &str = "claude-test";

/// So many minutes after [`now`].
pub fn after(minutes: i64) -> Timestamp {
    now() + SignedDuration::from_mins(minutes)
}

impl World {
    pub async fn begin() -> anyhow::Result<Self> {
        Ok(Self { base: TestWorld::start().await?, model: TestCarrier::start().await? })
    }

    /// The stage as one more process would run it.
    pub async fn stage(&self) -> anyhow::Result<ReplyStage> {
        self.stage_with(&self.url(), KEY, MODEL).await
    }

    /// The stage with a model at this address, under this key and name.
    pub async fn stage_with(
        &self,
        url: &str,
        key: &str,
        model: &str,
    ) -> anyhow::Result<ReplyStage> {
        let client = Client::new(self.model.http.clone(), url, &SecretString::from(key))?;
        Ok(ReplyStage::new(self.pipeline().await?, Some(client), model.into()))
    }

    /// Where the model is.
    pub fn url(&self) -> String {
        self.model.url()
    }

    /// What goes wrong at the model.
    pub async fn faults(&self, faults: Value) -> anyhow::Result<()> {
        self.model.faults(faults).await
    }

    /// How often the model was called, failed calls included.
    pub async fn calls(&self) -> anyhow::Result<u64> {
        Ok(self.calls_and_failures().await?.0)
    }

    /// How often the model was called, and how often it failed.
    pub async fn calls_and_failures(&self) -> anyhow::Result<(u64, u64)> {
        let stats = self.model.stats().await?;
        let failures = stats["ai_errors"].as_object().context("ai_errors")?;
        let failed = failures.values().filter_map(Value::as_u64).sum();
        Ok((stats["ai_calls"].as_u64().context("ai_calls")?, failed))
    }

    /// A text from person `n`, in the thread that inbound made for it.
    pub async fn text(&self, n: u32, body: &str) -> anyhow::Result<InboundText> {
        let text = self.text_of_nobody(n, body);
        let (thread, contact, sender) = (text.conversation, text.contact, text.sender);
        let make = format!(
            "insert into millrace.conversations (tenant_id, conversation_id, contact_id, sender_id)
             values ('acme', '{thread}', '{contact}', '{sender}') on conflict do nothing"
        );
        self.run(&make).await?;
        self.recipients([text.address.as_str()], json!({})).await?;
        self.store_text(&text).await?;
        Ok(text)
    }

    /// The text once more, as one of its own.
    pub async fn same_words(&self, text: &InboundText, n: u128) -> anyhow::Result<InboundText> {
        let again = InboundText { id: Uuid::from_u128(n), ..text.clone() };
        self.store_text(&again).await?;
        Ok(again)
    }

    async fn store_text(&self, text: &InboundText) -> anyhow::Result<()> {
        sqlx::query(
            "insert into millrace.inbound_texts (tenant_id, inbound_id, conversation_id, contact_id,
                 sender_id, body, meaning, epoch, received_at)
             values ('acme', $1, $2, $3, $4, $5, 'text', 1, $6::timestamptz)
             on conflict do nothing",
        )
        .bind(text.id)
        .bind(text.conversation.0)
        .bind(text.contact.0)
        .bind(text.sender.0)
        .bind(&text.body)
        .bind(text.received_at.to_string())
        .execute(&mut self.database.superuser().await?)
        .await?;
        Ok(())
    }

    /// The same, but nothing is known of the person. Equal texts are one text.
    pub fn text_of_nobody(&self, n: u32, body: &str) -> InboundText {
        let address = person(n);
        let contact = ContactId::of(&self.tenant, address.as_str());
        let sender = SenderId::of(&self.tenant, "+12125559999");
        InboundText {
            id: MessageId::from_key(&self.tenant, &format!("{n} {body}")).0,
            tenant: self.tenant.clone(),
            conversation: ConversationId::of(contact, sender),
            epoch: 1,
            contact,
            address,
            sender,
            channel: Channel::Sms,
            body: body.to_owned(),
            payload: None,
            language: "en".to_owned(),
            received_at: now(),
            trace: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
        }
    }

    /// Runs one statement on the rows of a text's thread (`$1`) and number (`$2`).
    pub async fn change(&self, text: &InboundText, sql: &str) -> anyhow::Result<()> {
        let sql = format!("with t as (select $1::uuid as thread, $2::text as number) {sql}");
        sqlx::query(AssertSqlSafe(sql))
            .bind(text.conversation.0)
            .bind(text.address.as_str())
            .execute(&mut self.database.superuser().await?)
            .await?;
        Ok(())
    }

    /// Every recorded decision, in the order of the texts' ids.
    pub async fn decided(&self) -> anyhow::Result<Vec<Decided>> {
        let rows = sqlx::query(
            "select inbound_id, message_id, reason, body, input_tokens, output_tokens
             from millrace.ai_replies order by inbound_id",
        )
        .fetch_all(&mut self.database.superuser().await?)
        .await?;

        let decided = |row: &sqlx::postgres::PgRow| Decided {
            text: row.get(0),
            message: MessageId(row.get(1)),
            reason: row.get(2),
            body: row.get(3),
            tokens: (row.get(4), row.get(5)),
        };
        Ok(rows.iter().map(decided).collect())
    }

    /// The reasons of every recorded decision, sorted.
    pub async fn reasons(&self) -> anyhow::Result<Vec<String>> {
        let mut reasons: Vec<_> = self.decided().await?.into_iter().map(|one| one.reason).collect();
        reasons.sort_unstable();
        Ok(reasons)
    }
}

impl Deref for World {
    type Target = TestWorld;

    fn deref(&self) -> &TestWorld {
        &self.base
    }
}

/// Hands texts over at an instant; gives what is said.
pub async fn answer(
    stage: &ReplyStage,
    at: Timestamp,
    texts: &[InboundText],
) -> Result<Vec<Outgoing>, Fault> {
    Ok(outgoing(hand_over(stage, at, texts.to_vec()).await?))
}

/// The payloads of what is said.
pub fn json(said: &[Outgoing]) -> Vec<&[u8]> {
    said.iter().map(|outgoing| outgoing.json.as_slice()).collect()
}
