//! A tenant whose people text it, and a model that answers.

use anyhow::Context;
use carriers::anthropic::Client;
use domain::{
    ids::{ContactId, ConversationId, MessageId, SenderId, TenantId},
    message::class::Channel,
    phone::PhoneNumber,
};
use jiff::{SignedDuration, Timestamp};
use reply::ReplyStage;
use sandbox::Sandbox;
use secrecy::SecretString;
use serde_json::Value;
use sqlx::{PgConnection, Row};
use stage::Fault;
use store::Role;
use testkit::{Database, hand_over};
use uuid::Uuid;
use wire::{InboundText, frame::Outgoing};

pub struct World {
    pub database: Database,
    pub tenant: TenantId,
    sandbox: Sandbox,
    http: reqwest::Client,
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

/// Business time of the tests.
pub fn now() -> Timestamp {
    "2026-03-02T17:00:00Z".parse().expect("an instant")
}

/// So many minutes after [`now`].
pub fn after(minutes: i64) -> Timestamp {
    now() + SignedDuration::from_mins(minutes)
}

impl World {
    pub async fn begin() -> anyhow::Result<Self> {
        let database = Database::start().await?;
        let tenant = database.tenant("acme").await?;
        let listen = "127.0.0.1:0".parse()?;
        let sandbox =
            sandbox::start(sandbox::SandboxConfig { listen, ..Default::default() }).await?;
        Ok(Self { database, tenant, sandbox, http: carriers::http::client()? })
    }

    /// The stage as one more process would run it.
    pub async fn stage(&self) -> anyhow::Result<ReplyStage> {
        self.stage_with(&format!("http://{}", self.sandbox.addr), KEY, MODEL).await
    }

    /// The stage with a model at this address, under this key and name.
    pub async fn stage_with(
        &self,
        url: &str,
        key: &str,
        model: &str,
    ) -> anyhow::Result<ReplyStage> {
        let client = Client::new(self.http.clone(), url, &SecretString::from(key))?;
        let store = self.database.store(Role::Pipeline).await?;
        Ok(ReplyStage::new(store, Some(client), model.into()))
    }

    /// Where the sandbox is.
    pub fn url(&self) -> String {
        format!("http://{}", self.sandbox.addr)
    }

    /// What goes wrong at the model.
    pub async fn faults(&self, faults: Value) -> anyhow::Result<()> {
        let url = format!("{}/sandbox/faults", self.url());
        self.http.put(url).json(&faults).send().await?.error_for_status()?;
        Ok(())
    }

    /// How often the model was called, failed calls included.
    pub async fn calls(&self) -> anyhow::Result<u64> {
        Ok(self.calls_and_failures().await?.0)
    }

    /// How often the model was called, and how often it failed.
    pub async fn calls_and_failures(&self) -> anyhow::Result<(u64, u64)> {
        let url = format!("{}/sandbox/stats", self.url());
        let stats: Value = serde_json::from_str(&self.http.get(url).send().await?.text().await?)?;
        let failures = stats["ai_errors"].as_object().context("ai_errors")?;
        let failed = failures.values().filter_map(Value::as_u64).sum();
        Ok((stats["ai_calls"].as_u64().context("ai_calls")?, failed))
    }

    /// A text from person `n`, in the thread that inbound made for it.
    pub async fn text(&self, n: u32, body: &str) -> anyhow::Result<InboundText> {
        let text = self.text_of_nobody(n, body);
        let mut connection = self.database.superuser().await?;
        sqlx::query(
            "with thread as (
                 insert into millrace.conversations (tenant_id, conversation_id, contact_id,
                                                     sender_id)
                 values ('acme', $1, $2, $3) on conflict do nothing
             )
             insert into millrace.standings (tenant_id, number, channel)
             values ('acme', $4, 'sms') on conflict do nothing",
        )
        .bind(text.conversation.0)
        .bind(text.contact.0)
        .bind(text.sender.0)
        .bind(text.number.as_str())
        .execute(&mut connection)
        .await?;
        Ok(text)
    }

    /// The same, but nothing is known of the person. Equal texts are one text.
    pub fn text_of_nobody(&self, n: u32, body: &str) -> InboundText {
        let number = PhoneNumber::from_e164(&format!("+1212555{n:04}")).expect("a number");
        let contact = ContactId::of(&self.tenant, number.as_str());
        let sender = SenderId::of(&self.tenant, "+12125559999");
        InboundText {
            id: MessageId::from_key(&self.tenant, &format!("{n} {body}")).0,
            tenant: self.tenant.clone(),
            conversation: ConversationId::of(contact, sender),
            epoch: 1,
            contact,
            number,
            sender,
            channel: Channel::Sms,
            body: body.to_owned(),
            language: "en".to_owned(),
            received_at: now(),
            trace: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
        }
    }

    /// Runs one statement on the rows of a text's thread (`$1`) and number (`$2`).
    pub async fn change(&self, text: &InboundText, sql: &'static str) -> anyhow::Result<()> {
        let mut connection: PgConnection = self.database.superuser().await?;
        let sql = format!("with t as (select $1::uuid as thread, $2::text as number) {sql}");
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(text.conversation.0)
            .bind(text.number.as_str())
            .execute(&mut connection)
            .await?;
        Ok(())
    }

    /// Every recorded decision, in the order of the texts' ids.
    pub async fn decided(&self) -> anyhow::Result<Vec<Decided>> {
        let mut connection = self.database.superuser().await?;
        let rows = sqlx::query(
            "select inbound_id, message_id, reason, body, input_tokens, output_tokens
             from millrace.ai_replies order by inbound_id",
        )
        .fetch_all(&mut connection)
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

/// Hands texts over at an instant; gives what is said.
pub async fn answer(
    stage: &ReplyStage,
    at: Timestamp,
    texts: &[InboundText],
) -> Result<Vec<Outgoing>, Fault> {
    Ok(testkit::said(hand_over(stage, at, texts.to_vec()).await?))
}

/// The payloads of what is said.
pub fn json(said: &[Outgoing]) -> Vec<&[u8]> {
    said.iter().map(|outgoing| outgoing.json.as_slice()).collect()
}
