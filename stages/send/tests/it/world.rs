//! A tenant with senders, people who may be texted, and messages past the gates.

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
    zones::{Candidates, Evidence, Place, Zone},
};
use jiff::Timestamp;
use sandbox::Sandbox;
use send::{SendConfig, SendStage};
use serde_json::{Value, json};
use sqlx::{PgConnection, Row};
use store::{
    Role, Store,
    capacity::counters,
    core::seal::Sealer,
    settings::accounts::{Access, Account},
};
use testkit::Database;
use wire::{
    Admitted, Enriched,
    message::{Head, Route},
};

pub struct World {
    pub database: Database,
    pub tenant: TenantId,
    pub sandbox: Sandbox,
    http: reqwest::Client,
}

/// What a test asks of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    pub state: MessageState,
    pub version: i64,
    pub attempt: i16,
    pub code: Option<String>,
    pub sid: Option<String>,
    pub claimed: bool,
    pub reserved: bool,
    pub verdicts: Vec<String>,
}

pub const COST: Micros = Micros(7_900);

/// Business time of the tests.
pub fn now() -> Timestamp {
    "2026-03-04T15:00:00Z".parse().expect("an instant")
}

impl World {
    pub async fn begin() -> anyhow::Result<Self> {
        let database = Database::start().await?;
        let tenant = database.tenant("acme").await?;
        let listen = "127.0.0.1:0".parse()?;
        let sandbox =
            sandbox::start(sandbox::SandboxConfig { listen, ..Default::default() }).await?;
        let world = Self { database, tenant, sandbox, http: carriers::http::client()? };
        world.faults(json!({})).await?;
        world.account("token").await?;
        Ok(world)
    }

    /// The stage as one more process would run it.
    pub async fn stage(&self) -> anyhow::Result<SendStage> {
        let config = SendConfig {
            allow_hosts: vec!["127.0.0.1".into()],
            ..SendConfig::new("http://127.0.0.1:9")
        };
        self.stage_with(config).await
    }

    pub async fn stage_with(&self, config: SendConfig) -> anyhow::Result<SendStage> {
        let store = self.database.store(Role::Pipeline).await?;
        Ok(SendStage::new(store, sealer(), self.http.clone(), config))
    }

    /// What goes wrong at the carrier. Receipts do not come: they are another stage's.
    pub async fn faults(&self, mut faults: Value) -> anyhow::Result<()> {
        faults["receipts"] = json!({ "drop": 1.0 });
        let url = format!("http://{}/sandbox/faults", self.sandbox.addr);
        self.http.put(url).json(&faults).send().await?.error_for_status()?;
        Ok(())
    }

    /// What the carrier has accepted.
    pub async fn ledger(&self) -> anyhow::Result<Vec<Value>> {
        let url = format!("http://{}/sandbox/ledger", self.sandbox.addr);
        let text = self.http.get(url).send().await?.text().await?;
        text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
    }

    /// How often each message is in the ledger, all of them once: their number.
    pub async fn accepted_once(&self) -> anyhow::Result<usize> {
        let mut references: Vec<String> =
            self.ledger().await?.iter().map(|line| line["reference"].to_string()).collect();
        let all = references.len();
        references.sort_unstable();
        references.dedup();
        anyhow::ensure!(references.len() == all, "a text is in the ledger twice");
        Ok(all)
    }

    /// Sets the account, with this token.
    pub async fn account(&self, token: &str) -> anyhow::Result<()> {
        let store: Store = self.database.store(Role::Api).await?;
        let mut tx = store.scoped([&self.tenant]).await?;
        let account = Account {
            handle: "main".into(),
            name: "main".into(),
            access: Access {
                carrier: "twilio".into(),
                carrier_sid: "AC00000000000000000000000000000001".into(),
                base_url: format!("http://{}", self.sandbox.addr),
                sealed_token: sealer().seal(token.as_bytes()),
            },
            confirms_opt_out: true,
            created_at: now(),
        };
        if !store::settings::accounts::create(&mut tx, &self.tenant, &account).await? {
            sqlx::query("update millrace.carrier_accounts set sealed_token = $1")
                .bind(&account.access.sealed_token)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(())
    }

    pub async fn sender(&self, number: &str, pace: i32) -> anyhow::Result<SenderId> {
        let id = SenderId::of(&self.tenant, number);
        self.run(
            "insert into millrace.senders (tenant_id, sender_id, account, number, country, \
             time_zone, pace, active_since, daily_cap, created_at) \
             values ('acme', $1, 'main', $2, 'US', 'America/New_York', $3, now(), 100000, now())",
            |query| query.bind(id.0).bind(number).bind(pace),
        )
        .await?;
        Ok(id)
    }

    /// Runs one statement as the superuser.
    pub async fn run<'q>(
        &self,
        sql: &'static str,
        bind: impl FnOnce(
            sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments>,
        )
            -> sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments>,
    ) -> anyhow::Result<()> {
        let mut connection: PgConnection = self.database.superuser().await?;
        bind(sqlx::query(sql)).execute(&mut connection).await?;
        Ok(())
    }

    /// So many promotions to as many people, admitted and reserved, from one sender.
    pub async fn admit(&self, sender: SenderId, count: usize) -> anyhow::Result<Vec<Admitted>> {
        self.admit_from(sender, 0, count).await
    }

    /// The same, from a place in the phone book on.
    pub async fn admit_from(
        &self,
        sender: SenderId,
        first: usize,
        count: usize,
    ) -> anyhow::Result<Vec<Admitted>> {
        let messages: Vec<Admitted> =
            (first..first + count).map(|n| self.message(sender, n)).collect::<Result<_, _>>()?;
        let ids: Vec<_> = messages.iter().map(|one| one.message.head.id.0).collect();
        let numbers: Vec<_> = messages.iter().map(|one| one.message.head.to.to_string()).collect();
        let contacts: Vec<_> = messages.iter().map(|one| one.message.contact.0).collect();
        let at: jiff_sqlx::Timestamp = now().into();
        self.run(
            "with made as (
                 insert into millrace.messages (tenant_id, message_id, state, class, channel,
                     contact_id, number, body, segments, cost_micros, body_hash, submitted_at,
                     version, changed_at, passport, sender_id, reserved_at)
                 select 'acme', id, 3, 'promo', 'sms', contact, number, 'hello', 1, 7900, '', $1,
                        2, $1, '[]', $2, $1
                 from unnest($3::uuid[], $4::text[], $5::uuid[]) as k (id, number, contact)
             )
             insert into millrace.standings (tenant_id, number, channel, marketing_consent_at,
                                             last_promo_at, marketing_at)
             select 'acme', number, 'sms', $1, $1, array[$1] from unnest($4::text[]) as k (number)",
            |query| query.bind(at).bind(sender.0).bind(ids).bind(numbers).bind(contacts),
        )
        .await?;
        self.reserve(sender, i64::try_from(count)?).await?;
        Ok(messages)
    }

    /// A confirmation to the person of a promotion, admitted; it reserves nothing.
    pub async fn compliance_to(&self, promo: &Admitted) -> anyhow::Result<Admitted> {
        let mut other = promo.clone();
        let head = &mut other.message.head;
        (head.id, head.class) =
            (MessageId::from_key(&self.tenant, "confirmation"), MessageClass::Compliance);
        let (id, of) = (head.id.0, promo.message.head.id.0);
        self.run(
            "insert into millrace.messages (tenant_id, message_id, state, class, channel,
                 contact_id, number, body, segments, cost_micros, body_hash, submitted_at,
                 version, changed_at, passport, sender_id)
             select tenant_id, $1, state, 'compliance', channel, contact_id, number, body, segments,
                    cost_micros, body_hash, submitted_at, version, changed_at, passport, sender_id
             from millrace.messages where message_id = $2",
            |query| query.bind(id).bind(of),
        )
        .await?;
        Ok(other)
    }

    fn message(&self, sender: SenderId, n: usize) -> anyhow::Result<Admitted> {
        let number = format!("+1312555{n:04}");
        let to: PhoneNumber = serde_json::from_value(json!(number))?;
        let mut passport = Passport::default();
        passport.stamp(Stamp::plain("gate", now(), "admit"));
        let head = Head {
            id: MessageId::from_key(&self.tenant, &number),
            tenant: self.tenant.clone(),
            turn: 1,
            class: MessageClass::Promo,
            channel: Channel::Sms,
            to,
            campaign: None,
            submitted_at: now(),
            expires_at: None,
            on_late: None,
            trace: None,
        };
        let message = Enriched {
            contact: ContactId::of(&self.tenant, &number),
            head,
            text: "hello".into(),
            segments: 1,
            cost: COST,
            place: Place {
                zones: Candidates::Zones(vec![Zone::parse("America/New_York")?]),
                evidence: Evidence::Prefix,
                country: None,
                states: Vec::new(),
            },
            senders: vec![sender],
            passport,
        };
        let route = Route {
            sender,
            number: "+12125550001".into(),
            account: "main".into(),
            weight: 1,
            pace: 10,
            sendable_until: "2026-03-05T02:00:00Z".parse()?,
            policy_version: 0,
        };
        Ok(Admitted { message, route })
    }

    /// What the gates would have counted for so many messages.
    async fn reserve(&self, sender: SenderId, count: i64) -> anyhow::Result<()> {
        let mut added = self.reservation(sender);
        added.iter_mut().for_each(|(_, amount)| *amount *= count);
        added.sort_unstable();
        let keys: Vec<CounterKey> = added.iter().map(|(key, _)| key.clone()).collect();
        let mut tx = self.database.store(Role::Pipeline).await?.scoped([&self.tenant]).await?;
        counters::lock(&mut tx, &keys).await?;
        counters::add(&mut tx, &added).await?;
        tx.commit().await?;
        Ok(())
    }

    fn reservation(&self, sender: SenderId) -> Vec<(CounterKey, i64)> {
        let zone = Zone::parse("America/New_York").expect("a zone");
        let windows = Windows::at(now(), zone);
        let what = Reserved {
            tenant: &self.tenant,
            class: MessageClass::Promo,
            campaign: None,
            sender,
            cost: COST,
        };
        reservation(&what, &windows, windows.day)
    }

    /// What the counters of this sender's messages hold, in multiples of one message; every
    /// counter says the same.
    pub async fn reserved(&self, sender: SenderId) -> anyhow::Result<i64> {
        let mut tx = self.database.store(Role::Pipeline).await?.scoped([&self.tenant]).await?;
        let mut messages = Vec::new();
        for (key, amount) in self.reservation(sender) {
            messages.push(counters::used(&mut tx, &key).await? / amount);
        }
        messages.dedup();
        anyhow::ensure!(messages.len() == 1, "counters differ: {messages:?}");
        Ok(messages[0])
    }

    pub async fn stored(&self, message: &Admitted) -> anyhow::Result<Stored> {
        let mut connection = self.database.superuser().await?;
        let row = sqlx::query(
            "select state, version, attempt, code, carrier_sid, claim_owner is not null as claimed,
                    reserved_at is not null as reserved,
                    array(select s ->> 'verdict' from jsonb_array_elements(passport) s) as verdicts
             from millrace.messages where message_id = $1",
        )
        .bind(message.message.head.id.0)
        .fetch_one(&mut connection)
        .await?;
        Ok(Stored {
            state: MessageState::from_code(row.get("state")).expect("a state"),
            version: row.get("version"),
            attempt: row.get("attempt"),
            code: row.get("code"),
            sid: row.get("carrier_sid"),
            claimed: row.get("claimed"),
            reserved: row.get("reserved"),
            verdicts: row.get("verdicts"),
        })
    }

    /// How many messages there are of each state.
    pub async fn states(&self) -> anyhow::Result<Vec<(MessageState, i64)>> {
        let mut connection = self.database.superuser().await?;
        let rows =
            sqlx::query("select state, count(*) from millrace.messages group by 1 order by 1")
                .fetch_all(&mut connection)
                .await?;
        let state = |code| MessageState::from_code(code).expect("a state");
        Ok(rows.iter().map(|row| (state(row.get(0)), row.get(1))).collect())
    }

    /// Locks the pace of every sender, until the connection's transaction ends.
    pub async fn hold_pace(&self) -> anyhow::Result<PgConnection> {
        let mut connection = self.database.superuser().await?;
        let lock = "insert into millrace.pace (tenant_id, key, next_free)
            select tenant_id, 'sender:' || sender_id, now() from millrace.senders";
        sqlx::query(lock).execute(&mut connection).await?;
        sqlx::raw_sql("begin; select from millrace.pace for update")
            .execute(&mut connection)
            .await?;
        Ok(connection)
    }

    /// Waits until so many connections wait for a lock.
    pub async fn waiting(&self, connections: i64) -> anyhow::Result<()> {
        let waiting = "select count(distinct pid) from pg_locks where not granted";
        while self.count(waiting).await? < connections {
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// One number out of the database.
    pub async fn count(&self, sql: &'static str) -> anyhow::Result<i64> {
        let mut connection = self.database.superuser().await?;
        Ok(sqlx::query(sql).fetch_one(&mut connection).await?.get(0))
    }
}

pub fn sealer() -> Sealer {
    Sealer::new(&[[7; 32]])
}
