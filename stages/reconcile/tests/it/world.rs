//! A tenant with messages at the carrier, and the receipts that come back.

use std::ops::Deref;

use domain::{
    ids::{ContactId, MessageId},
    message::state::MessageState,
};
use jiff::Timestamp;
use reconcile::ReceiptStage;
use serde_json::json;
use stage::Outcome;
use testkit::{
    hand_over,
    world::{TestWorld, enriched, now},
};
use uuid::Uuid;
use wire::{Enriched, WebhookRequest};

pub struct World {
    base: TestWorld,
    stage: ReceiptStage,
}

impl World {
    pub async fn begin() -> anyhow::Result<Self> {
        let base = TestWorld::start().await?;
        let stage = ReceiptStage::new(base.pipeline().await?);
        Ok(Self { base, stage })
    }

    /// A message in this state, at version 3.
    pub async fn message(&self, n: u128, state: MessageState) -> anyhow::Result<MessageId> {
        let message = message(&self.base, n);
        let sid = state.is_at_carrier().then(|| format!("SM{n}"));
        let columns = json!({
            "state": state.code(), "version": 3, "carrier_sid": sid, "reserved_at": now(),
        });
        self.messages([&message], columns).await?;
        self.recipients([message.head.to.as_str()], json!({})).await?;
        Ok(message.head.id)
    }

    /// What the carrier posts about a message. `status` may carry `&ErrorCode=...`.
    pub fn receipt(&self, message: MessageId, status: &str, second: i64) -> WebhookRequest {
        let sid = message.0.as_u128();
        WebhookRequest {
            id: Uuid::from_u128(sid * 1_000 + u128::from(second.unsigned_abs())),
            tenant: Some(self.tenant.clone()),
            carrier: "twilio".into(),
            account: "main".into(),
            received_at: Timestamp::from_second(1_000_000 + second).expect("in range"),
            query: format!("tenant=acme&message={message}"),
            body: format!("MessageSid=SM{sid}&MessageStatus={status}").into_bytes(),
            trace: None,
        }
    }

    /// Hands receipts over in one batch.
    pub async fn receive(&self, receipts: Vec<WebhookRequest>) -> anyhow::Result<Vec<Outcome>> {
        Ok(hand_over(&self.stage, Timestamp::UNIX_EPOCH, receipts).await?)
    }
}

impl Deref for World {
    type Target = TestWorld;

    fn deref(&self) -> &TestWorld {
        &self.base
    }
}

/// Message `n`, to a person in Chicago.
pub fn message(world: &TestWorld, n: u128) -> Enriched {
    let number = format!("+1312555{n:04}");
    let mut message = enriched(&world.tenant, 0);
    message.head.id = MessageId(Uuid::from_u128(n));
    message.head.to = number.parse().expect("an address");
    message.contact = ContactId::of(&world.tenant, &number);
    message
}

/// What outcomes say, in words.
pub fn said(outcomes: &[Outcome]) -> Vec<String> {
    outcomes.iter().flat_map(testkit::in_words).collect()
}
