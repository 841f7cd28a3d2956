//! Tenants with the same people, an api to ask, and the stages that really decide.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::Context;
use api::{ApiSettings, App, Parts};
use audience::AudienceSource;
use domain::{
    gates::Gate,
    ids::{CampaignId, ContactId, PoolId, SenderId, TemplateId, TenantId},
    message::passport::Passport,
};
use enrich::EnrichStage;
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde_json::Value;
use sqlx::{PgConnection, types::Json};
use stage::{Cx, Source};
use store::{
    Role,
    core::seal::Sealer,
    settings::api_keys::{self, KeyRole},
};
use testkit::{Database, TestBroker, hand_over};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use wire::{Enriched, Submitted};

/// Noon in New York, a Monday; 07:00 in Hawaii.
const NOW: &str = "2026-03-02T17:00:00Z";

/// What one text costs.
pub const COST: i64 = 7_900;

/// People by number, with what is particular about them: in their recipient status, and in their
/// contact.
const PEOPLE: [(&str, &str, &str); 17] = [
    ("+12125550120", "opted_out_at = '2026-02-01'", ""),
    ("+12125550121", "do_not_contact_at = '2026-02-01'", ""),
    ("+12125550122", "marketing_consent_at = null", ""),
    ("+12125550123", "last_promo_at = '2026-02-20'", ""),
    ("+18085550124", "", ""),
    ("+12125550125", OFTEN, ""),
    ("+4915112345678", "", ""),
    ("+12125550126", "opted_out_at = '2026-02-01', last_promo_at = '2026-02-20'", ""),
    ("+18085550127", "last_promo_at = '2026-02-20'", ""),
    ("+18085550128", "marketing_consent_at = null, last_promo_at = '2026-02-20'", ""),
    ("+18085550129", OFTEN, ""),
    ("+12125550130", "last_promo_at = '2025-12-02T17:00:01Z'", ""),
    ("+12125550131", "last_promo_at = '2025-12-02T17:00:00Z'", ""),
    ("+12125550132", "", "first_name = ''"),
    ("+12125550133", "", "time_zone = 'Pacific/Honolulu'"),
    ("+12125550134", "", "postal_code = '96813'"),
    ("+18005550135", "", ""),
];

/// Somebody who was texted often enough today.
const OFTEN: &str = "marketing_at = array['2026-03-02T09:00:00Z', '2026-03-02T10:00:00Z',
                                          '2026-03-02T11:00:00Z']::timestamptz[]";

/// People of whom nothing is particular.
const OTHERS: usize = 12;

pub struct World {
    pub database: Database,
    base: String,
    http: reqwest::Client,
    _broker: TestBroker,
}

/// What was said about one person: verdict, gate, code, reason, until.
pub type Said = (String, Option<Gate>, Option<String>, Option<String>, Option<Timestamp>);

/// A simulation's answer: what is said about each, the code of the first that stops among gates 3
/// to 5, and the sum.
pub struct Simulated {
    pub people: BTreeMap<Uuid, Said>,
    pub about_the_person: BTreeMap<Uuid, Option<String>>,
    pub sum: Value,
}

pub struct Tenant {
    pub id: TenantId,
    key: String,
}

/// Everybody's number, the particular people last.
pub fn numbers() -> Vec<String> {
    let others = (0..OTHERS).map(other);
    others.chain(PEOPLE.iter().map(|person| person.0.to_owned())).collect()
}

fn other(n: usize) -> String {
    format!("+1212555{:04}", 200 + n)
}

pub fn now() -> Timestamp {
    NOW.parse().expect("an instant")
}

impl World {
    pub async fn begin() -> anyhow::Result<Self> {
        let (database, broker) = tokio::try_join!(Database::start(), TestBroker::start())?;
        let app = App::new(Parts {
            store: database.store(Role::Api).await?,
            broker: broker.connect().await?,
            sealer: Sealer::new(&[[1; 32]]),
            settings: ApiSettings::default(),
            now: Arc::new(now),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let base = format!("http://{}", listener.local_addr()?);
        tokio::spawn(api::serve(listener, app, CancellationToken::new()));
        Ok(Self { database, base, http: carriers::http::client()?, _broker: broker })
    }

    /// A tenant with two senders, a template, and everybody. `policy` is its own.
    pub async fn tenant(&self, name: &str, policy: &str) -> anyhow::Result<Tenant> {
        let id = self.database.tenant(name).await?;
        let store = self.database.store(Role::Api).await?;
        let key = api_keys::create(&store, &id, "test", KeyRole::Admin, now()).await?;

        let senders = ["+12125550000", "+12125550001"].map(|number| SenderId::of(&id, number).0);
        let [first, second] = senders;

        self.run(&format!(
            "insert into millrace.carrier_accounts values
                 ('{name}', '{name}', 'twilio', 'AC1', 'https://api.twilio.com', '', true, now());
             insert into millrace.senders values
                 ('{name}', '{first}', '{name}', '+12125550000', 'US', 'America/New_York', 1000,
                  '2025-01-01', 8, true, now()),
                 ('{name}', '{second}', '{name}', '+12125550001', 'US', 'America/New_York', 1000,
                  '2025-01-01', 1000, true, now());
             insert into millrace.pools values
                 ('{name}', '{pool}', 'all', array['{first}', '{second}']::uuid[], now());
             insert into millrace.templates values ('{name}', '{template}', 'Hi', now());
             insert into millrace.template_versions values ('{name}', '{template}', 1,
                 '[{{\"key\": \"a\", \"weight\": 1,
                    \"bodies\": {{\"en\": \"Hi {{first_name}}\"}}}}]',
                 '{{}}', now());
             insert into millrace.policies values ('{name}', 3, '{policy}', now(), 'test');",
            pool = POOL,
            template = TEMPLATE,
        ))
        .await?;

        for n in 0..OTHERS {
            self.person(&id, &other(n), "", "").await?;
        }
        for (number, recipient, contact) in PEOPLE {
            self.person(&id, number, recipient, contact).await?;
        }
        Ok(Tenant { id, key: key.expose_secret().to_owned() })
    }

    /// Makes a person who consented; `recipient` and `contact` are what is set otherwise.
    async fn person(
        &self,
        tenant: &TenantId,
        number: &str,
        recipient: &str,
        contact: &str,
    ) -> anyhow::Result<()> {
        let id = ContactId::of(tenant, number);

        let set = |table: &str, what: &str| match what {
            "" => String::new(),
            what => format!(
                "update millrace.{table} set {what}
                 where tenant_id = '{tenant}' and number = '{number}';"
            ),
        };
        let (recipient, contact) = (set("standings", recipient), set("contacts", contact));

        self.run(&format!(
            "insert into millrace.contacts (tenant_id, contact_id, number, country, first_name,
                 created_at, updated_at)
             values ('{tenant}', '{id}', '{number}', 'US', 'Ana', now(), now());
             insert into millrace.standings (tenant_id, number, channel, marketing_consent_at)
             values ('{tenant}', '{number}', 'sms', '2026-01-01');
             {recipient} {contact}"
        ))
        .await
    }

    /// A draft campaign to everybody.
    pub async fn campaign(
        &self,
        tenant: &Tenant,
        class: &str,
        validity: Option<i32>,
    ) -> anyhow::Result<CampaignId> {
        let id = CampaignId(Uuid::new_v5(&POOL.0, format!("{}{class}", tenant.id).as_bytes()));
        let validity = validity.map_or("null".into(), |seconds| seconds.to_string());
        self.run(&format!(
            "insert into millrace.campaigns (tenant_id, campaign_id, name, class, template_id,
                 pool_id, audience, validity_seconds, created_at)
             values ('{}', '{id}', 'Spring', '{class}', '{TEMPLATE}', '{POOL}', '{{}}', {validity},
                 now())",
            tenant.id
        ))
        .await?;
        Ok(id)
    }

    /// Simulates a campaign, with a line for everybody.
    pub async fn simulate(&self, by: &Tenant, campaign: CampaignId) -> anyhow::Result<Simulated> {
        let text = self.post(by, &format!("/v1/campaigns/{campaign}/simulate")).await?;
        let mut lines: Vec<Value> =
            text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
        let sum = lines.pop().context("a sum")?;

        let (mut people, mut about_the_person) = (BTreeMap::new(), BTreeMap::new());
        for line in lines {
            let contact = serde_json::from_value(line["contact_id"].clone())?;
            let [verdict, gate, code, reason, until] =
                ["verdict", "gate", "code", "reason", "until"].map(|name| line[name].clone());
            let said = (
                serde_json::from_value(verdict)?,
                serde_json::from_value(gate)?,
                serde_json::from_value(code)?,
                serde_json::from_value(reason)?,
                serde_json::from_value(until)?,
            );

            people.insert(contact, said);
            about_the_person.insert(contact, first_stop(&line["gates"]));
        }
        Ok(Simulated { people, about_the_person, sum })
    }

    async fn post(&self, by: &Tenant, path: &str) -> anyhow::Result<String> {
        let request = self.http.post(format!("{}{path}", self.base)).bearer_auth(&by.key);
        let request = request.header("Accept", "application/x-ndjson");
        Ok(request.send().await?.error_for_status()?.text().await?)
    }

    /// Starts a campaign and hands everybody's message through the stages up to the gates, all at
    /// the same instant. Gives what the passports say.
    pub async fn really(
        &self,
        by: &Tenant,
        campaign: CampaignId,
    ) -> anyhow::Result<BTreeMap<Uuid, Said>> {
        self.post(by, &format!("/v1/campaigns/{campaign}/start")).await?;
        let store = self.database.store(Role::Pipeline).await?;

        let submitted = feed(&AudienceSource::new(store.clone())).await?;
        let outcomes = hand_over(&EnrichStage::new(store.clone()), now(), submitted).await?;
        let enriched = testkit::outgoing(outcomes).into_iter();
        let enriched = enriched.filter(|out| out.subject.to_string().starts_with("msg."));
        let enriched: Vec<Enriched> =
            enriched.map(|out| serde_json::from_slice(&out.json)).collect::<Result<_, _>>()?;
        // In batches, as the runtime would hand them over.
        let gate = gate::GateStage::new(store);
        for batch in enriched.chunks(10) {
            hand_over(&gate, now(), batch.to_vec()).await?;
        }

        self.decided(by, campaign).await
    }

    /// What the gates wrote into the passports of a campaign's messages, by contact.
    async fn decided(
        &self,
        by: &Tenant,
        campaign: CampaignId,
    ) -> anyhow::Result<BTreeMap<Uuid, Said>> {
        let rows: Vec<(Uuid, Json<Passport>)> = sqlx::query_as(
            "select contact_id, passport from millrace.messages
             where tenant_id = $1 and campaign_id = $2",
        )
        .bind(by.id.as_str())
        .bind(campaign.0)
        .fetch_all(&mut self.database.superuser().await?)
        .await?;

        let said = rows.into_iter().map(|(contact, passport)| {
            let last = passport.0.stamps().last().cloned().context("a stamp")?;
            let gates = last.stage == "gate";
            anyhow::ensure!(last.policy_version == gates.then_some(3), "{last:?}");
            Ok((contact, (last.verdict, last.gate, last.code, last.reason, last.until)))
        });
        said.collect()
    }

    /// What a tenant's counter holds, all windows and targets together.
    pub async fn counted(&self, tenant: &Tenant, kind: &str) -> anyhow::Result<i64> {
        let mut db = self.database.superuser().await?;
        let sum = "select coalesce(sum(used), 0)::bigint from millrace.counters
                   where tenant_id = $1 and kind = $2";
        let sum = sqlx::query_scalar(sum).bind(tenant.id.as_str()).bind(kind);
        Ok(sum.fetch_one(&mut db).await?)
    }

    /// Runs statements as the superuser.
    pub async fn run(&self, sql: &str) -> anyhow::Result<()> {
        let mut db: PgConnection = self.database.superuser().await?;
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut db).await?;
        Ok(())
    }
}

const POOL: PoolId = PoolId(Uuid::from_u128(3));
const TEMPLATE: TemplateId = TemplateId(Uuid::from_u128(4));

/// Ticks until everybody is fed; gives the messages.
async fn feed(source: &AudienceSource) -> anyhow::Result<Vec<Submitted>> {
    let mut submitted = Vec::new();
    loop {
        let tick = source.tick(&Cx::at(now(), boot::clock::machine_now())).await?;
        for out in &tick.say {
            submitted.push(serde_json::from_slice(&out.json)?);
        }
        if let Some(mark) = tick.published {
            mark.await?;
        }
        if !tick.more {
            return Ok(submitted);
        }
    }
}

/// The code of the first gate that stops, among those about the person: do-not-contact,
/// suppression, quiet hours.
fn first_stop(gates: &Value) -> Option<String> {
    let mut about = gates.as_array()?.iter().filter(|gate| {
        matches!(gate["gate"].as_str(), Some("dnc" | "suppression" | "quiet_hours"))
    });
    let stop = about.find(|gate| matches!(gate["verdict"].as_str(), Some("block" | "defer")))?;
    stop["code"].as_str().map(str::to_owned)
}
