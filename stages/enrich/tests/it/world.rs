//! A tenant with a pool, a template and a campaign.

use std::collections::BTreeMap;

use domain::{
    ids::{CampaignId, MessageId, PoolId, SenderId, TemplateId, TenantId},
    message::class::{Channel, MessageClass},
    phone::PhoneNumber,
};
use enrich::EnrichStage;
use jiff::Timestamp;
use sqlx::{PgConnection, Row};
use stage::Outcome;
use store::Role;
use testkit::Database;
use uuid::Uuid;
use wire::{
    Submitted,
    message::{Content, From, Head},
};

pub struct World {
    pub database: Database,
    pub tenant: TenantId,
}

pub const POOL: PoolId = PoolId(Uuid::from_u128(1));
pub const TEMPLATE: TemplateId = TemplateId(Uuid::from_u128(2));
pub const CAMPAIGN: CampaignId = CampaignId(Uuid::from_u128(3));

pub fn now() -> Timestamp {
    "2026-03-02T17:00:00Z".parse().expect("an instant")
}

pub fn sender(n: u128) -> SenderId {
    SenderId(Uuid::from_u128(n))
}

impl World {
    pub async fn begin() -> anyhow::Result<Self> {
        let database = Database::start().await?;
        let tenant = database.tenant("acme").await?;
        let world = Self { database, tenant };
        world
            .run(
                "set search_path = millrace;
                 insert into carrier_accounts (tenant_id, account, carrier, carrier_sid, base_url, \
                     sealed_token, created_at)
                 values ('acme', 'main', 'twilio', 'AC1', 'http://localhost', '', now());
                 insert into senders (tenant_id, sender_id, account, number, country, time_zone, \
                     pace, active_since, daily_cap, created_at)
                 select 'acme', ('00000000-0000-0000-0000-' || lpad(to_hex(n), 12, '0'))::uuid,
                        'main',
                        '+1212555010' || n, case when n = 12 then 'AU' else 'US' end, 'UTC', 10,
                        now(), 100, now()
                 from generate_series(10, 12) n;
                 insert into pools (tenant_id, pool_id, name, senders, created_at)
                 values ('acme', '00000000-0000-0000-0000-000000000001', 'all',
                     array(select sender_id from senders order by sender_id), now());
                 insert into templates (tenant_id, template_id, name, created_at) values
                     ('acme', '00000000-0000-0000-0000-000000000002', 'spring', now());
                 insert into template_versions (tenant_id, template_id, version, variants, \
                     created_at) values
                     ('acme', '00000000-0000-0000-0000-000000000002', 1,
                      '[{\"key\": \"a\", \"weight\": 1, \"bodies\": \
                         {\"en\": \"Hi {first_name}\", \
                          \"es\": \"Hola {first_name|amigo}\"}}]', now()),
                     ('acme', '00000000-0000-0000-0000-000000000002', 2,
                      '[{\"key\": \"a\", \"weight\": 1, \
                         \"bodies\": {\"en\": \"Code {code}\"}}]', now());
                 insert into campaigns (tenant_id, campaign_id, name, class, template_id, \
                     template_version, pool_id, audience, created_at)
                 values ('acme', '00000000-0000-0000-0000-000000000003', 'c', 'promo',
                         '00000000-0000-0000-0000-000000000002', 1,
                         '00000000-0000-0000-0000-000000000001', '{}', now())",
            )
            .await?;
        Ok(world)
    }

    /// The stage as one more process would run it.
    pub async fn stage(&self) -> anyhow::Result<EnrichStage> {
        Ok(EnrichStage::new(self.database.store(Role::Pipeline).await?))
    }

    /// Runs statements as the superuser.
    pub async fn run(&self, sql: &'static str) -> anyhow::Result<()> {
        let mut connection: PgConnection = self.database.superuser().await?;
        sqlx::raw_sql(sql).execute(&mut connection).await?;
        Ok(())
    }

    /// The one number that a query gives.
    pub async fn number(&self, sql: &'static str) -> anyhow::Result<i64> {
        let mut connection: PgConnection = self.database.superuser().await?;
        Ok(sqlx::query(sql).fetch_one(&mut connection).await?.get(0))
    }

    /// A transactional message with a text of its own, to person `n`.
    pub fn message(&self, n: u32, text: &str) -> Submitted {
        let to = PhoneNumber::from_e164(&format!("+1212555{n:04}")).expect("a number");
        let message = Submitted {
            head: Head {
                id: MessageId::from_key(&self.tenant, &n.to_string()),
                tenant: self.tenant.clone(),
                turn: 1,
                class: MessageClass::Transactional,
                channel: Channel::Sms,
                to,
                campaign: None,
                submitted_at: now(),
                expires_at: None,
                on_late: None,
                trace: None,
            },
            content: Content::Body(text.into()),
            from: From::Pool(POOL),
            body_hash: String::new(),
            metadata: BTreeMap::new(),
        };
        message.with_body_hash()
    }

    /// The campaign's message to person `n`.
    pub fn campaign(&self, n: u32) -> Submitted {
        let mut message = self.message(n, "");
        message.head.class = MessageClass::Promo;
        message.head.campaign = Some(CAMPAIGN);
        message.content = Content::Campaign;
        message.with_body_hash()
    }
}

/// What outcomes publish: subject and bytes.
pub fn said(outcomes: Vec<Outcome>) -> Vec<(String, String)> {
    let text = |out: wire::frame::Outgoing| {
        (out.subject.to_string(), String::from_utf8(out.json).expect("json is text"))
    };
    testkit::said(outcomes).into_iter().map(text).collect()
}

/// The subjects that outcomes publish to.
pub fn subjects(outcomes: Vec<Outcome>) -> Vec<String> {
    said(outcomes).into_iter().map(|(subject, _)| subject).collect()
}
