//! A private NATS and Postgres with a tenant, the built binary, and letters as stages write them.

use std::{
    ops::Deref,
    process::{Output, Stdio},
    time::Duration,
};

use anyhow::{Context, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{ids::MessageId, message::state::MessageState};
use jiff::Timestamp;
use pipeline::Publisher;
use serde_json::json;
use store::core::seal::Sealer;
use testkit::{
    TestBroker,
    world::{self, Stored, TestWorld},
};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use wire::{DeadLetter, Enriched, Payload, Stream, Subject, Submitted, frame::Outgoing};

/// How long anything may take, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// The key that letters are sealed with.
const MASTER_KEY: [u8; 32] = [7; 32];

pub struct World {
    base: TestWorld,
    broker: TestBroker,
    pub nats: pipeline::Broker,
}

/// A stage in a process of its own.
pub struct Stage(Child);

impl World {
    pub async fn begin() -> anyhow::Result<Self> {
        let (broker, base) = tokio::try_join!(TestBroker::start(), TestWorld::start_as("demo"))?;
        let nats = broker.connect().await?;
        Ok(Self { base, broker, nats })
    }

    /// Runs the binary to its end.
    pub async fn millrace(&self, words: &[&str]) -> anyhow::Result<Output> {
        let output = self.command(words).output();
        Ok(tokio::time::timeout(PATIENCE, output).await.context("it does not end")??)
    }

    /// Runs the binary to its end, which must be a good one; gives what it prints.
    pub async fn prints(&self, words: &[&str]) -> anyhow::Result<String> {
        let output = self.millrace(words).await?;
        ensure!(output.status.success(), "{words:?}: {}", text(&output.stderr));
        Ok(text(&output.stdout))
    }

    /// Runs the binary to its end; gives its exit code and what it says about errors.
    pub async fn ends(&self, words: &[&str]) -> anyhow::Result<(Option<i32>, String)> {
        let output = self.millrace(words).await?;
        Ok((output.status.code(), text(&output.stderr)))
    }

    pub fn stage(&self, name: &str) -> anyhow::Result<Stage> {
        Ok(Stage(self.command(&["stage", name]).spawn()?))
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_millrace"));
        command
            .args(words)
            .env("NATS_URL", self.broker.url())
            .env("NATS_CREDS", self.broker.access().credentials_for(words))
            .env("DATABASE_URL", self.database.url())
            .env("MILLRACE_MASTER_KEY", STANDARD.encode(MASTER_KEY))
            .env("MILLRACE_HEALTH_LISTEN", "127.0.0.1:0")
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// A message as the api accepted it.
    pub fn submitted(&self, n: u32, text: &str) -> Submitted {
        world::submitted(&self.tenant, n, text)
    }

    /// Publishes messages to enrich, in one frame.
    pub async fn submit(&self, messages: &[Submitted]) -> anyhow::Result<()> {
        let subject = |message: &Submitted| Subject::Submitted(message.head.class.lane());
        self.publish(messages.iter().map(|one| Outgoing::new(subject(one), one)).collect()).await
    }

    pub async fn publish(&self, say: Vec<Outgoing>) -> anyhow::Result<()> {
        let publisher = Publisher::new(&self.nats, "test");
        Ok(publisher.publish(say, &CancellationToken::new()).await?)
    }

    /// A message that enrich stored, in turn 1: its row is in this state, of a campaign.
    pub async fn enriched(&self, n: u32, state: MessageState) -> anyhow::Result<Enriched> {
        let golden = include_str!("../../../wire/tests/golden/enriched.json");
        let mut message: Enriched = serde_json::from_str(golden)?;
        message.head.id = MessageId(Uuid::from_u128(n.into()));
        message.head.turn = 1;

        let code = (state == MessageState::Failed).then_some("internal");
        let columns = json!({ "state": state.code(), "code": code, "version": 2 });
        self.messages([&message], columns).await?;
        Ok(message)
    }

    /// Writes a frame of letters of one stage, as the runtime of that stage does.
    pub async fn die(&self, stage: &'static str, letters: &[DeadLetter]) -> anyhow::Result<()> {
        let subject = Subject::Dead(stage, Some(self.tenant.clone()));
        self.publish(letters.iter().map(|one| Outgoing::new(subject.clone(), one)).collect()).await
    }

    /// A letter about what was read from a subject.
    pub fn letter<P: Payload>(
        &self,
        stage: &str,
        subject: &str,
        payload: &P,
        message: Option<Uuid>,
    ) -> DeadLetter {
        let json = serde_json::to_vec(payload).expect("plain data");
        DeadLetter {
            id: Uuid::new_v5(&Uuid::NAMESPACE_OID, &json),
            tenant: self.tenant.clone(),
            stage: stage.into(),
            subject: subject.into(),
            message,
            turn: message.map(|_| payload.key().turn),
            cause: "panicked".into(),
            detail: "an internal error; it has been reported".into(),
            attempts: 1,
            at: now(),
            sealed: Sealer::new(&[MASTER_KEY]).seal(&json),
        }
    }

    /// Everything that a stream holds: what each member of each frame says.
    pub async fn stored<T: serde::de::DeserializeOwned>(
        &self,
        stream: Stream,
    ) -> anyhow::Result<Vec<T>> {
        let mut handle = self.nats.api.get_stream(stream.name()).await?;
        let state = handle.info().await?.state.clone();

        let mut found = Vec::new();
        for sequence in state.first_sequence..=state.last_sequence {
            if let Ok(frame) = handle.get_raw_message(sequence).await {
                found.extend(serde_json::from_slice::<Vec<T>>(&frame.payload)?);
            }
        }

        Ok(found)
    }

    /// Waits until a stream holds this many members.
    pub async fn holds<T: serde::de::DeserializeOwned>(
        &self,
        stream: Stream,
        members: usize,
    ) -> anyhow::Result<Vec<T>> {
        let mut found = Vec::new();
        for _ in 0..PATIENCE.as_millis() / 20 {
            found = self.stored(stream).await?;
            if found.len() == members {
                return Ok(found);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        anyhow::bail!("{} holds {} members, not {members}", stream.name(), found.len())
    }

    /// The row of a message; none where it has none.
    pub async fn row(&self, message: MessageId) -> anyhow::Result<Option<Stored>> {
        world::stored(&self.database, message).await
    }

    /// Waits until a message is in this state of this turn.
    pub async fn comes_to(
        &self,
        message: MessageId,
        state: MessageState,
        turn: i32,
    ) -> anyhow::Result<Stored> {
        let mut row = None;
        for _ in 0..PATIENCE.as_millis() / 20 {
            row = self.row(message).await?;
            match row {
                Some(row) if row.state == state && row.turn == turn => return Ok(row),
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
        anyhow::bail!("the message never came to {state:?} in turn {turn}: {row:?}")
    }

    /// How many messages a stream takes; none for as many as it always did.
    pub async fn limit(&self, stream: Stream, messages: Option<i64>) -> anyhow::Result<()> {
        let mut handle = self.nats.api.get_stream(stream.name()).await?;
        let mut config = handle.info().await?.config.clone();
        config.max_messages = messages.unwrap_or(-1);
        self.nats.api.update_stream(config).await?;
        Ok(())
    }
}

impl Deref for World {
    type Target = TestWorld;

    fn deref(&self) -> &TestWorld {
        &self.base
    }
}

impl Stage {
    /// Ends the process with SIGTERM: it must drain and end well by itself.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        use nix::sys::signal::{Signal, kill};
        let pid = self.0.id().context("a stage ended by itself")?;
        kill(nix::unistd::Pid::from_raw(pid.try_into()?), Signal::SIGTERM)?;

        let ended = tokio::time::timeout(PATIENCE, self.0.wait()).await;
        let status = ended.context("a stage did not drain")??;
        ensure!(status.success(), "a stage ended with {status}");
        Ok(())
    }
}

/// Each letter is written at a time of its own, as stages do.
fn now() -> Timestamp {
    boot::clock::machine_now()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
