//! A tenant with carrier calls whose end nobody said: claimed, some of them taken by the carrier,
//! none of them recorded.

use std::{ops::Deref, time::Duration};

use anyhow::bail;
use carriers::{CarrierReply, twilio};
use domain::{
    draft::{self, Person},
    ids::{ContactId, MessageId, SenderId},
    message::{
        class::{Lane, MessageClass},
        passport::{Passport, Stamp},
        state::MessageState,
    },
};
use jiff::Timestamp;
use reconcile::{InDoubtSweep, InDoubtSweepConfig, ReceiptPoller, ReceiptPollerConfig};
use secrecy::SecretString;
use serde_json::{Value, json};
use store::{
    capacity::pace::PaceLocks,
    messages::{
        claim::{self, Claimant, ToClaim},
        conclude::{self, Conclusion, NewDoubt},
        sent::{self, Taken},
    },
};
use testkit::world::{Stored, TestCarrier, TestWorld, enriched, sealer};
use uuid::Uuid;
use wire::{Enriched, WebhookRequest};

/// The process that claims.
pub const OWNER: Uuid = Uuid::from_u128(0xa11ce);

const FROM: &str = "+12125550001";

pub struct Calls {
    base: TestWorld,
    carrier: TestCarrier,
    sender: SenderId,
    client: twilio::Client,
}

/// One message: to whom and what.
#[derive(Debug, Clone)]
pub struct Text {
    pub id: MessageId,
    to: String,
    body: String,
}

/// Business time of the tests: the morning of a Wednesday.
pub fn now() -> Timestamp {
    "2026-03-04T15:00:00Z".parse().expect("an instant")
}

/// A message with its own text to its own person.
pub fn text(n: u128) -> Text {
    equal(n, n)
}

/// A message that says the same to the same person as others of this number.
pub fn equal(n: u128, person: u128) -> Text {
    let (to, body) = (format!("+1312555{person:04}"), format!("hello {person}"));
    Text { id: MessageId(Uuid::from_u128(n)), to, body }
}

impl Calls {
    pub async fn begin() -> anyhow::Result<Self> {
        let (base, carrier) = (TestWorld::start().await?, TestCarrier::start().await?);
        base.account_at(&carrier, "token").await?;
        let sender = base.sender(FROM, json!({ "pace": 100 })).await?;

        let (account, token) = ("AC00000000000000000000000000000001", SecretString::from("token"));
        let client = twilio::Client::new(carrier.http.clone(), &carrier.url(), account, &token)?;
        Ok(Self { base, carrier, sender, client })
    }

    /// A sweep as one more process would run it.
    pub async fn sweep(&self) -> anyhow::Result<InDoubtSweep> {
        self.sweep_with(InDoubtSweepConfig::default().request_timeout).await
    }

    /// A sweep whose calls may take so long.
    pub async fn sweep_with(&self, request_timeout: Duration) -> anyhow::Result<InDoubtSweep> {
        let allow_hosts = vec!["127.0.0.1".into()];
        let config =
            InDoubtSweepConfig { allow_hosts, request_timeout, ..InDoubtSweepConfig::default() };
        let (store, http) = (self.pipeline().await?, self.carrier.http.clone());
        Ok(InDoubtSweep::new(store, sealer(), http, config))
    }

    /// A watch over receipts as one more process would run it.
    pub async fn watch(&self) -> anyhow::Result<ReceiptPoller> {
        let allow_hosts = vec!["127.0.0.1".into()];
        let config = ReceiptPollerConfig { allow_hosts, ..ReceiptPollerConfig::default() };
        let (store, http) = (self.pipeline().await?, self.carrier.http.clone());
        Ok(ReceiptPoller::new(store, sealer(), http, config))
    }

    /// What goes wrong at the carrier.
    pub async fn faults(&self, faults: Value) -> anyhow::Result<()> {
        self.carrier.faults(faults).await
    }

    /// What the carrier has: the message that each text was sent for, and its id.
    pub async fn ledger(&self) -> anyhow::Result<Vec<(MessageId, String)>> {
        let field = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
        let text =
            |line: &Value| Ok((MessageId(field(line, "reference").parse()?), field(line, "sid")));
        self.lines().await?.iter().map(text).collect()
    }

    /// What the carrier has, line by line.
    pub async fn lines(&self) -> anyhow::Result<Vec<Value>> {
        self.carrier.ledger().await
    }

    /// Admits messages, with what the gates reserve for them.
    pub async fn admit(&self, texts: &[Text]) -> anyhow::Result<()> {
        let messages: Vec<Enriched> = texts.iter().map(|text| self.enriched(text)).collect();
        let admission = json!({
            "state": MessageState::Queued.code(), "version": 2, "sender_id": self.sender,
            "reserved_at": now(),
        });
        self.messages(&messages, admission).await?;
        self.recipients(texts.iter().map(|text| &text.to), json!({})).await?;
        self.reserve(MessageClass::Transactional, self.sender, now(), texts.len()).await
    }

    /// Claims admitted messages in one chunk, as a process that is about to call.
    pub async fn claim(&self, owner: Uuid, chunk: i64, texts: &[Text]) -> anyhow::Result<()> {
        let wanted: Vec<ToClaim<'_>> = texts
            .iter()
            .map(|text| ToClaim {
                tenant: &self.tenant,
                message: text.id,
                turn: 1,
                meter: (self.sender, Lane::Urgent),
                segments: 1,
            })
            .collect();
        let claimant = Claimant { owner, chunk, call_by: Duration::from_millis(300) };

        let mut tx = self.scoped().await?;
        let attempts = claim::take(&mut tx, claimant, &wanted, &PaceLocks::default()).await?;
        assert!(attempts.iter().all(Option::is_some), "{attempts:?}");
        Ok(tx.commit().await?)
    }

    /// Has the carrier take a text.
    pub async fn call(&self, text: &Text) -> CarrierReply {
        let callback = twilio::callback_url("http://127.0.0.1:9", "main", "acme", text.id.0);
        let outbound = twilio::CreateMessage {
            to: &text.to,
            from: FROM,
            body: &text.body,
            media: &[],
            status_callback: &callback,
            validity_seconds: None,
            traceparent: None,
        };
        self.client.send(&outbound).await
    }

    /// Records that a call's answer was lost, as the process that made it does.
    pub async fn heard_nothing(&self, texts: &[Text]) -> anyhow::Result<()> {
        let passport = Passport::default();
        let conclusions: Vec<Conclusion<'_>> = texts
            .iter()
            .map(|text| Conclusion {
                tenant: &self.tenant,
                message: text.id,
                turn: 1,
                claim: (Some(OWNER), 1),
                state: MessageState::InDoubt,
                gate: None,
                code: Some("connection_broken".into()),
                due: None,
                passport: &passport,
                stamp: Stamp::plain("send", now(), "in_doubt"),
                waiting: None,
                doubt: Some(NewDoubt {
                    account: "main".into(),
                    first_look: Duration::from_secs(40),
                    payload: serde_json::to_string(&self.enriched(text)).expect("plain data"),
                }),
            })
            .collect();

        let mut tx = self.scoped().await?;
        let done = conclude::conclude(&mut tx, now(), &conclusions).await?;
        assert!(done.iter().all(Option::is_some), "{done:?}");
        Ok(tx.commit().await?)
    }

    /// Messages that the carrier took, recorded as such and claimed a minute ago.
    pub async fn sent(&self, texts: &[Text]) -> anyhow::Result<()> {
        self.admit(texts).await?;
        let chunk = i64::try_from(texts[0].id.0.as_u128())?;
        self.claim(OWNER, chunk, texts).await?;
        for text in texts {
            let CarrierReply::Accepted { sid, .. } = self.call(text).await else {
                bail!("not taken");
            };
            self.heard(text, &sid).await?;
        }
        self.age().await
    }

    /// Records what the carrier answered.
    pub async fn heard(&self, text: &Text, sid: &str) -> anyhow::Result<()> {
        let taken = Taken {
            tenant: &self.tenant,
            message: text.id,
            attempt: 1,
            sid,
            billed: None,
            passport: &Passport::default(),
            stamp: &Stamp::plain("send", now(), "sent"),
        };
        let mut tx = self.scoped().await?;
        let done = sent::sent(&mut tx, OWNER, now(), &[taken]).await?;
        assert!(done.iter().all(Option::is_some), "{done:?}");
        Ok(tx.commit().await?)
    }

    /// Messages in doubt for a minute: of the first `taken` the carrier has the text.
    pub async fn doubts(&self, texts: &[Text], taken: usize) -> anyhow::Result<()> {
        self.admit(texts).await?;
        self.claim(OWNER, 0, texts).await?;
        self.faults(json!({ "lost_response": 1.0 })).await?;
        for text in &texts[..taken] {
            assert!(matches!(self.call(text).await, CarrierReply::Unknown { .. }));
        }
        self.faults(json!({})).await?;
        self.heard_nothing(texts).await?;
        self.age().await
    }

    /// Lets a minute pass for every claim and doubt.
    pub async fn age(&self) -> anyhow::Result<()> {
        for (table, column) in
            [("messages", "call_by"), ("open_claims", "call_by"), ("doubts", "next_look")]
        {
            let update =
                format!("update millrace.{table} set {column} = {column} - interval '1 minute'");
            self.run(&update).await?;
        }
        Ok(())
    }

    /// What the carrier posts about one of its texts.
    pub fn receipt(&self, named: MessageId, sid: &str, status: &str) -> WebhookRequest {
        WebhookRequest {
            id: Uuid::from_u128(77),
            tenant: Some(self.tenant.clone()),
            carrier: "twilio".into(),
            account: "main".into(),
            received_at: now(),
            query: format!("tenant=acme&message={named}"),
            body: format!("MessageSid={sid}&MessageStatus={status}").into_bytes(),
            trace: None,
        }
    }

    pub async fn stored(&self, text: &Text) -> anyhow::Result<Stored> {
        self.base.stored(text.id).await
    }

    /// The states of messages, in their order.
    pub async fn states(&self, texts: &[Text]) -> anyhow::Result<Vec<MessageState>> {
        let mut states = Vec::new();
        for text in texts {
            states.push(self.stored(text).await?.state);
        }
        Ok(states)
    }

    /// How many messages the counters hold a reservation for.
    pub async fn reserved(&self) -> anyhow::Result<i64> {
        self.base.reserved(MessageClass::Transactional, self.sender, now()).await
    }

    /// What `send` had in hand: with more senders to choose from, and a trace.
    fn enriched(&self, text: &Text) -> Enriched {
        let mut message = enriched(&self.tenant, 0);
        message.head.id = text.id;
        message.head.class = MessageClass::Transactional;
        message.head.to = text.to.parse().expect("an address");
        message.head.submitted_at = now();
        message.head.trace = Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into());
        message.contact = ContactId::of(&self.tenant, &text.to);
        message.text.clone_from(&text.body);
        message.place = draft::place(&message.head.to, &Person::default(), None);
        message.senders = vec![self.sender, SenderId(Uuid::from_u128(2))];
        message
    }
}

impl Deref for Calls {
    type Target = TestWorld;

    fn deref(&self) -> &TestWorld {
        &self.base
    }
}
