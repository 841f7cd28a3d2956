//! A tenant whose people text it, and a model that answers. Machine time is the tests' own: it goes
//! on by what they say, and leases and pauses with it.

use std::{ops::Deref, time::Duration};

use anyhow::Context;
use carriers::{ToolCaller, anthropic::Client};
use domain::{
    ids::{ContactId, ConversationId, MessageId, SenderId},
    message::class::Channel,
};
use jiff::{SignedDuration, Timestamp};
use reply::{AnswerSource, Model, ReplyStage};
use secrecy::SecretString;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Row};
use stage::{Cx, Source, machine};
use testkit::{
    hand_over_at, outgoing, publish,
    world::{TestCarrier, TestWorld, person, sealer},
};
use uuid::Uuid;
use wire::{InboundText, Submitted, frame::Outgoing, message::Content};

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

    /// The stage and the source as one more process would run them.
    pub async fn process(&self) -> anyhow::Result<Process> {
        self.process_with(&self.url(), KEY, MODEL).await
    }

    /// The same, with a model at this address, under this key and name.
    pub async fn process_with(&self, url: &str, key: &str, model: &str) -> anyhow::Result<Process> {
        let client = Client::new(self.model.http.clone(), url, &SecretString::from(key))?;
        Process::new(self, Some(Model::new(client, model.into()))).await
    }

    /// The same, with a model that has so long for an answer.
    pub async fn impatient(&self, timeout: Duration) -> anyhow::Result<Process> {
        let client = Client::new(self.model.http.clone(), &self.url(), &SecretString::from(KEY))?;
        let model = Model::new(client, MODEL.into()).with_timeout(timeout);
        Process::new(self, Some(model)).await
    }

    /// The same, with a model that may use tools at these hosts.
    pub async fn with_tools(&self, hosts: &[&str]) -> anyhow::Result<Process> {
        let client = Client::new(self.model.http.clone(), &self.url(), &SecretString::from(KEY))?;
        let hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
        let public = carriers::public::client()?;
        let caller = ToolCaller::new(self.model.http.clone(), public, hosts);
        let model = Model::new(client, MODEL.into()).with_tools(caller, sealer());
        Process::new(self, Some(model)).await
    }

    /// Where the shop of the sandbox tells of orders.
    pub fn shop(&self) -> String {
        format!("{}/tools/order_status", self.url())
    }

    /// Where the sandbox is, as an operator lists it.
    pub fn host(&self) -> String {
        self.model.address().to_string()
    }

    /// Gives the company a tool that takes the number of an order, or another secret to it.
    pub async fn tool(&self, name: &str, url: &str, secret: &str) -> anyhow::Result<()> {
        let schema = json!({ "type": "object", "properties": { "order": { "type": "string" } },
                             "required": ["order"] });
        sqlx::query(
            "insert into millrace.assistant_tools (tenant_id, tool_id, name, description,
                 input_schema, url, header, sealed_secret, timeout_seconds, created_at, changed_at)
             values ('acme', $1, $2, 'Where an order is.', $3, $4, 'authorization', $5, 3, now(),
                     now())
             on conflict (tenant_id, name) do update set sealed_secret = excluded.sealed_secret",
        )
        .bind(MessageId::from_key(&self.tenant, name).0)
        .bind(name)
        .bind(schema)
        .bind(url)
        .bind(sealer().seal(secret.as_bytes()))
        .execute(&mut self.database.superuser().await?)
        .await?;
        Ok(())
    }

    /// The same, without a model.
    pub async fn without_model(&self) -> anyhow::Result<Process> {
        Process::new(self, None).await
    }

    /// Sets what the assistant of the company, a brand or an inbox goes by.
    pub async fn settings(&self, scope: &str, target: Uuid, body: Value) -> anyhow::Result<()> {
        sqlx::query(
            "insert into millrace.assistant_settings (tenant_id, scope, target, version, body,
                                                      changed_at, changed_by)
             values ('acme', $1, $2, 1, $3, now(), 'key:test')
             on conflict (tenant_id, scope, target) do update set body = excluded.body",
        )
        .bind(scope)
        .bind(target)
        .bind(body)
        .execute(&mut self.database.superuser().await?)
        .await?;
        Ok(())
    }

    /// How many conversations have gone to people, and how many events say so.
    pub async fn handed_off(&self) -> anyhow::Result<(i64, i64)> {
        let conversations = "select count(*) from millrace.conversations
                             where owner = 'nobody' and attention = 'handoff' and epoch > 1";
        let events = "select count(*) from millrace.unsaid_events
                      where event like '%conversation.handed_off%'";
        Ok((self.number(conversations).await?, self.number(events).await?))
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

    /// Stores of which epoch a text is.
    pub async fn of_epoch(&self, text: &InboundText) -> anyhow::Result<()> {
        sqlx::query("update millrace.inbound_texts set epoch = $2 where inbound_id = $1")
            .bind(text.id)
            .bind(i32::try_from(text.epoch)?)
            .execute(&mut self.database.superuser().await?)
            .await?;
        Ok(())
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

/// A process that answers.
pub struct Process {
    pub texts: ReplyStage,
    pub source: AnswerSource,
}

impl Process {
    async fn new(world: &World, model: Option<Model>) -> anyhow::Result<Self> {
        let texts = ReplyStage::new(world.pipeline().await?, model.is_some());
        Ok(Self { texts, source: AnswerSource::new(world.pipeline().await?, model) })
    }

    /// Hands texts over; gives what is said at once.
    pub async fn take(&self, cx: &Cx, texts: &[InboundText]) -> anyhow::Result<Vec<Outgoing>> {
        Ok(outgoing(hand_over_at(&self.texts, cx, texts.to_vec()).await?))
    }

    /// Answers what is due, to the end; gives what is said.
    pub async fn answer_due(&self, cx: &Cx) -> anyhow::Result<Vec<Outgoing>> {
        let mut said = Vec::new();
        loop {
            let tick = self.source.tick(cx).await?;
            let more = tick.more;
            said.extend(publish(tick).await?);
            if !more {
                return Ok(said);
            }
        }
    }

    /// Hands texts over, and answers once their bursts have ended; gives all that is said.
    pub async fn answer(
        &self,
        at: Timestamp,
        texts: &[InboundText],
    ) -> anyhow::Result<Vec<Outgoing>> {
        let begun = machine::now();
        let mut said = self.take(&Cx::at(at, begun), texts).await?;
        said.extend(self.answer_due(&Cx::at(at, begun + SignedDuration::from_secs(9))).await?);
        Ok(said)
    }
}

/// Business time `at`, so many seconds of machine time after `begun_at`.
pub fn seconds_after(at: Timestamp, begun_at: Timestamp, seconds: f64) -> Cx {
    let passed = SignedDuration::try_from_secs_f64(seconds).expect("a span");
    Cx::at(at, begun_at + passed)
}

/// The text of what is said.
pub fn body(said: &Outgoing) -> anyhow::Result<String> {
    let message: Submitted = serde_json::from_slice(&said.json)?;
    match message.content {
        Content::Body(body) => Ok(body),
        other => anyhow::bail!("an answer is a text of its own, not {other:?}"),
    }
}

/// The payloads of what is said.
pub fn json(said: &[Outgoing]) -> Vec<&[u8]> {
    said.iter().map(|outgoing| outgoing.json.as_slice()).collect()
}
