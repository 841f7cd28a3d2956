//! A tenant with a pool, a template and a campaign.

use std::ops::Deref;

use domain::{
    ids::{CampaignId, SenderId, TemplateId},
    message::class::MessageClass,
};
use enrich::EnrichStage;
use serde_json::{Value, json};
use stage::Outcome;
use testkit::{
    said,
    world::{TestWorld, submitted},
};
use uuid::Uuid;
use wire::{
    Submitted,
    message::{Content, From},
};

pub use testkit::world::{POOL, now};

pub struct World(TestWorld);

pub const TEMPLATE: TemplateId = TemplateId(Uuid::from_u128(2));
pub const CAMPAIGN: CampaignId = CampaignId(Uuid::from_u128(3));

/// One of the pool's senders: 10 and 11 are American, 12 is Australian.
pub fn sender(n: u128) -> SenderId {
    SenderId(Uuid::from_u128(n))
}

impl World {
    pub async fn begin() -> anyhow::Result<Self> {
        let world = Self(TestWorld::start().await?);
        world.account(json!({})).await?;
        let senders = [sender(10), sender(11), sender(12)];
        for (n, id) in (10..).zip(senders) {
            let country = if id == sender(12) { "AU" } else { "US" };
            let columns = json!({ "sender_id": id, "country": country, "time_zone": "UTC" });
            world.sender(&format!("+1212555010{n}"), columns).await?;
        }
        world.pool(&senders).await?;

        let template = json!({
            "tenant_id": "acme", "template_id": TEMPLATE, "name": "spring", "created_at": now(),
        });
        world.insert("templates", &[template]).await?;
        let greeting = json!({ "en": "Hi {first_name}", "es": "Hola {first_name|amigo}" });
        let code = json!({ "en": "Code {code}" });
        let versions = [template_version(1, greeting), template_version(2, code)];
        world.insert("template_versions", &versions).await?;

        let campaign = json!({
            "tenant_id": "acme", "campaign_id": CAMPAIGN, "name": "c", "class": "promo",
            "template_id": TEMPLATE, "template_version": 1, "pool_id": POOL, "audience": {},
            "created_at": now(),
        });
        world.insert("campaigns", &[campaign]).await?;
        Ok(world)
    }

    /// The stage as one more process would run it.
    pub async fn stage(&self) -> anyhow::Result<EnrichStage> {
        Ok(EnrichStage::new(self.pipeline().await?))
    }

    /// A transactional message with a text of its own, to person `n`.
    pub fn message(&self, n: u32, text: &str) -> Submitted {
        let message = submitted(&self.tenant, n, text);
        Submitted { from: From::Pool(POOL), ..message }.with_body_hash()
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

impl Deref for World {
    type Target = TestWorld;

    fn deref(&self) -> &TestWorld {
        &self.0
    }
}

/// A version of the template with one variant, which has these texts by language.
fn template_version(version: i32, bodies: Value) -> Value {
    let variants = json!([{ "key": "a", "weight": 1, "bodies": bodies }]);
    json!({
        "tenant_id": "acme", "template_id": TEMPLATE, "version": version, "variants": variants,
        "created_at": now(),
    })
}

/// The subjects that outcomes publish to.
pub fn subjects(outcomes: Vec<Outcome>) -> Vec<String> {
    said(outcomes).into_iter().map(|(subject, _)| subject).collect()
}
