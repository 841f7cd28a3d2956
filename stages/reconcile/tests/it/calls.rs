//! A tenant with carrier calls whose end nobody said: claimed, some of them taken by the carrier,
//! none of them recorded.

use carriers::{CarrierReply, twilio};
use domain::{
    gates::{CounterKey, Reserved, Windows, reservation},
    ids::{ContactId, MessageId, SenderId, TenantId},
    message::{
        class::{Channel, MessageClass},
        passport::{Passport, Stamp},
        state::MessageState,
    },
    money::Micros,
    phone::PhoneNumber,
    zones::{OnFile, Zone, resolve},
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use reconcile::{InDoubtSweep, InDoubtSweepConfig, ReceiptPoller, ReceiptPollerConfig};
use sandbox::Sandbox;
use secrecy::SecretString;
use serde_json::{Value, json};
use sqlx::Row;
use store::{
    Role, Scoped,
    capacity::{counters, pace::PaceLocks},
    core::seal::Sealer,
    messages::{
        claim::{self, Claimant, ToClaim},
        conclude::{self, Conclusion, NewDoubt},
        sent::{self, Taken},
    },
    settings::accounts::{Access, Account},
};
use testkit::Database;
use uuid::Uuid;
use wire::{Enriched, WebhookRequest, message::Head};

use crate::world::{Stored, stored};

/// The process that claims.
pub const OWNER: Uuid = Uuid::from_u128(0xa11ce);

const FROM: &str = "+12125550001";
const COST: Micros = Micros(7_900);

pub struct Calls {
    pub database: Database,
    pub tenant: TenantId,
    sandbox: Sandbox,
    sender: SenderId,
    http: reqwest::Client,
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
        let database = Database::start().await?;
        let tenant = database.tenant("acme").await?;
        let listen = "127.0.0.1:0".parse()?;
        let sandbox =
            sandbox::start(sandbox::SandboxConfig { listen, ..Default::default() }).await?;
        let (http, base) = (carriers::http::client()?, format!("http://{}", sandbox.addr));
        let account_sid = "AC00000000000000000000000000000001";
        let token = SecretString::from("token");
        let client = twilio::Client::new(http.clone(), &base, account_sid, &token)?;
        let mut tx = database.store(Role::Api).await?.scoped([&tenant]).await?;
        let account = Account {
            handle: "main".into(),
            name: "main".into(),
            access: Access {
                carrier: "twilio".into(),
                carrier_sid: account_sid.into(),
                base_url: base,
                sealed_token: sealer().seal(b"token"),
            },
            confirms_opt_out: true,
            created_at: now(),
        };
        assert!(store::settings::accounts::create(&mut tx, &tenant, &account).await?);
        tx.commit().await?;
        let sender = SenderId::of(&tenant, FROM);
        let world = Self { database, tenant, sandbox, sender, http, client };
        world.faults(json!({})).await?;
        world
            .run(&format!(
                "insert into millrace.senders (tenant_id, sender_id, account, number, country,
                     time_zone, pace, active_since, daily_cap, created_at)
                 values ('acme', '{sender}', 'main', '{FROM}', 'US', 'America/New_York', 100, now(),
                         100000, now())"
            ))
            .await?;
        Ok(world)
    }

    /// A sweep as one more process would run it.
    pub async fn sweep(&self) -> anyhow::Result<InDoubtSweep> {
        let config = InDoubtSweepConfig {
            allow_hosts: vec!["127.0.0.1".into()],
            ..InDoubtSweepConfig::default()
        };
        let store = self.database.store(Role::Pipeline).await?;
        Ok(InDoubtSweep::new(store, sealer(), self.http.clone(), config))
    }

    /// A watch over receipts as one more process would run it.
    pub async fn watch(&self) -> anyhow::Result<ReceiptPoller> {
        let allow_hosts = vec!["127.0.0.1".into()];
        let config = ReceiptPollerConfig { allow_hosts, ..ReceiptPollerConfig::default() };
        let store = self.database.store(Role::Pipeline).await?;
        Ok(ReceiptPoller::new(store, sealer(), self.http.clone(), config))
    }

    /// What goes wrong at the carrier. Receipts do not come: tests bring them.
    pub async fn faults(&self, mut faults: Value) -> anyhow::Result<()> {
        faults["receipts"]["drop"] = 1.0.into();
        let url = format!("http://{}/sandbox/faults", self.sandbox.addr);
        self.http.put(url).json(&faults).send().await?.error_for_status()?;
        Ok(())
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
        let url = format!("http://{}/sandbox/ledger", self.sandbox.addr);
        let ledger = self.http.get(url).send().await?.text().await?;
        Ok(ledger.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
    }

    /// Admits messages, with what the gates reserve for them.
    pub async fn admit(&self, texts: &[Text]) -> anyhow::Result<()> {
        let mut connection = self.database.superuser().await?;
        for text in texts {
            sqlx::query(
                "with made as (
                     insert into millrace.messages (tenant_id, message_id, state, class, channel,
                         contact_id, number, body, segments, cost_micros, body_hash, submitted_at,
                         version, changed_at, passport, sender_id, reserved_at)
                     values ('acme', $1, 3, 'transactional', 'sms', $2, $3, $4, 1, 7900, '', $5, 2,
                             $5, '[]', $6, $5)
                 )
                 insert into millrace.standings (tenant_id, number, channel)
                 values ('acme', $3, 'sms') on conflict do nothing",
            )
            .bind(text.id.0)
            .bind(ContactId::of(&self.tenant, &text.to).0)
            .bind(&text.to)
            .bind(&text.body)
            .bind(now().to_sqlx())
            .bind(self.sender.0)
            .execute(&mut connection)
            .await?;
        }
        let mut added = self.reservation();
        added.iter_mut().for_each(|(_, amount)| *amount *= texts.len() as i64);
        let keys: Vec<CounterKey> = added.iter().map(|(key, _)| key.clone()).collect();
        let mut tx = self.scoped().await?;
        counters::lock(&mut tx, &keys).await?;
        counters::add(&mut tx, &added).await?;
        Ok(tx.commit().await?)
    }

    /// Claims admitted messages in one chunk, as a process that is about to call.
    pub async fn claim(&self, owner: Uuid, chunk: i64, texts: &[Text]) -> anyhow::Result<()> {
        let wanted: Vec<ToClaim<'_>> = texts
            .iter()
            .map(|text| ToClaim { tenant: &self.tenant, message: text.id, turn: 1 })
            .collect();
        let claimant = Claimant { owner, chunk, call_by: std::time::Duration::from_millis(300) };
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
                    first_look: std::time::Duration::from_secs(40),
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
                anyhow::bail!("not taken");
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
        stored(&self.database, text.id).await
    }

    /// The states of messages, in their order.
    pub async fn states(&self, texts: &[Text]) -> anyhow::Result<Vec<MessageState>> {
        let mut states = Vec::new();
        for text in texts {
            states.push(self.stored(text).await?.state);
        }
        Ok(states)
    }

    /// How many messages the counters hold a reservation for; every counter says the same.
    pub async fn reserved(&self) -> anyhow::Result<i64> {
        let mut tx = self.scoped().await?;
        let mut messages = Vec::new();
        for (key, amount) in self.reservation() {
            messages.push(counters::used(&mut tx, &key).await? / amount);
        }
        messages.dedup();
        anyhow::ensure!(messages.len() == 1, "counters differ: {messages:?}");
        Ok(messages[0])
    }

    /// One number out of the database.
    pub async fn count(&self, sql: &'static str) -> anyhow::Result<i64> {
        let mut connection = self.database.superuser().await?;
        Ok(sqlx::query(sql).fetch_one(&mut connection).await?.get(0))
    }

    /// Runs one statement as the superuser.
    pub async fn run(&self, sql: &str) -> anyhow::Result<()> {
        let mut connection = self.database.superuser().await?;
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut connection).await?;
        Ok(())
    }

    pub async fn scoped(&self) -> anyhow::Result<Scoped> {
        Ok(self.database.store(Role::Pipeline).await?.scoped([&self.tenant]).await?)
    }

    fn reservation(&self) -> Vec<(CounterKey, i64)> {
        let windows = Windows::at(now(), Zone::parse("America/New_York").expect("a zone"));
        let what = Reserved {
            tenant: &self.tenant,
            class: MessageClass::Transactional,
            campaign: None,
            sender: self.sender,
            cost: COST,
        };
        let mut reserved = reservation(&what, &windows, windows.day);
        reserved.sort_unstable();
        reserved
    }

    /// What `send` had in hand: with more senders to choose from, and a trace.
    fn enriched(&self, text: &Text) -> Enriched {
        let to: PhoneNumber = PhoneNumber::from_e164(&text.to).expect("a number");
        let head = Head {
            id: text.id,
            tenant: self.tenant.clone(),
            turn: 1,
            class: MessageClass::Transactional,
            channel: Channel::Sms,
            to,
            campaign: None,
            submitted_at: now(),
            expires_at: None,
            on_late: None,
            trace: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into()),
        };
        Enriched {
            contact: ContactId::of(&self.tenant, &text.to),
            head,
            text: text.body.clone(),
            segments: 1,
            cost: COST,
            place: resolve(&to, &OnFile::default()),
            senders: vec![self.sender, SenderId(Uuid::from_u128(2))],
            passport: Passport::default(),
        }
    }
}

fn sealer() -> Sealer {
    Sealer::new(&[[7; 32]])
}
