//! A tenant whose people text it.

use std::ops::Deref;

use inbound::InboundStage;
use jiff::Timestamp;
use serde_json::json;
use testkit::{hand_over, outgoing, world::TestWorld};
use uuid::Uuid;
use wire::{WebhookRequest, frame::Outgoing};

/// The number that people text.
pub const OURS: &str = "+12025550171";

pub struct World {
    base: TestWorld,
    pub stage: InboundStage,
}

impl World {
    pub async fn begin() -> anyhow::Result<Self> {
        let base = TestWorld::start().await?;
        let stage = InboundStage::new(base.pipeline().await?);
        Ok(Self { base, stage })
    }

    /// An account whose carrier answers its own keywords, or not.
    pub async fn account(&self, confirms_opt_out: bool) -> anyhow::Result<()> {
        self.account_without_senders(confirms_opt_out).await?;
        self.sender(OURS, json!({})).await.map(drop)
    }

    /// The same, whose number is no sender of ours.
    pub async fn account_without_senders(&self, confirms_opt_out: bool) -> anyhow::Result<()> {
        self.base.account(json!({ "confirms_opt_out": confirms_opt_out })).await
    }

    pub fn text(&self, sid: &str, body: &str) -> WebhookRequest {
        let form = format!("MessageSid={sid}&From=%2B12125550123&To=%2B12025550171&Body={body}");
        WebhookRequest {
            id: Uuid::from_u128(sid.bytes().map(u128::from).sum()),
            tenant: Some(self.tenant.clone()),
            carrier: "twilio".into(),
            account: "main".into(),
            received_at: Timestamp::from_second(1_000).expect("in range"),
            query: String::new(),
            body: form.into_bytes(),
            trace: None,
        }
    }

    pub async fn receive(&self, texts: Vec<WebhookRequest>) -> anyhow::Result<Vec<Outgoing>> {
        Ok(outgoing(hand_over(&self.stage, Timestamp::UNIX_EPOCH, texts).await?))
    }

    pub async fn opted_out(&self) -> anyhow::Result<bool> {
        let out = "select count(*) from millrace.standings
                   where number = '+12125550123' and opted_out_at is not null";
        Ok(self.number(out).await? == 1)
    }
}

impl Deref for World {
    type Target = TestWorld;

    fn deref(&self) -> &TestWorld {
        &self.base
    }
}

pub fn subjects(said: &[Outgoing]) -> Vec<String> {
    said.iter().map(|outgoing| outgoing.subject.to_string()).collect()
}

/// The payloads of what is said.
pub fn json(said: &[Outgoing]) -> Vec<&[u8]> {
    said.iter().map(|outgoing| outgoing.json.as_slice()).collect()
}
