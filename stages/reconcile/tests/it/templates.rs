//! Templates that an account keeps at its carrier: read there, and changed by what the carrier
//! tells.

use std::{ops::Deref, time::Duration};

use domain::ids::{CarrierTemplateId, TenantId};
use jiff::{SignedDuration, Timestamp};
use reconcile::{ReceiptStage, TemplateReader};
use serde_json::{Value, json};
use stage::{Cx, Source};
use testkit::{
    hand_over_at,
    world::{TestCarrier, TestWorld, sealer},
};
use tokio::{
    net::TcpListener,
    time::{sleep, timeout},
};
use uuid::Uuid;
use wire::WebhookRequest;

const BUSINESS: &str = "102290129340398";

/// Every template, as one line each.
const ALL: &str =
    "select coalesce(string_agg(name || ' ' || language || ' ' || state || ' ' || quality
                       || ' ' || category, ', ' order by name, language), '')
                   from millrace.carrier_templates";

/// A tenant with an account of which the carrier keeps templates.
struct Templates {
    base: TestWorld,
    carrier: TestCarrier,
}

fn now() -> Timestamp {
    "2026-11-20T10:00:00Z".parse().expect("an instant")
}

impl Templates {
    async fn begin() -> anyhow::Result<Self> {
        let (base, carrier) = (TestWorld::start().await?, TestCarrier::start().await?);
        let business = json!({
            "access_token": "token", "app_secret": "secret", "numbers": ["106540352242922"],
            "callback_url": carrier.url(), "review": "by_hand",
        });
        let put = format!("{}/sandbox/businesses/{BUSINESS}", carrier.url());
        carrier.http.put(put).json(&business).send().await?.error_for_status()?;

        let sealed_token = sealer().seal(b"token:secret:my-word");
        base.account(json!({
            "carrier": "whatsapp", "carrier_sid": BUSINESS, "base_url": carrier.url(),
            "sealed_token": sealed_token,
        }))
        .await?;
        let due = json!({ "tenant_id": base.tenant, "account": "main", "due": "1970-01-01Z" });
        base.insert("template_syncs", &[due]).await?;
        Ok(Self { base, carrier })
    }

    /// Has the carrier keep a template, which it reviews.
    async fn create(&self, name: &str) -> anyhow::Result<()> {
        let new = json!({
            "name": name, "language": "en", "category": "UTILITY",
            "components": [{ "type": "BODY", "text": "Hello {{1}}." }],
        });
        let url = format!("{}/v21.0/{BUSINESS}/message_templates", self.carrier.url());
        let create = self.carrier.http.post(url).bearer_auth("token").json(&new);
        create.send().await?.error_for_status()?;
        Ok(())
    }

    /// Says at the carrier what came of a review; nobody is told.
    async fn review(&self, name: &str, mut change: Value) -> anyhow::Result<()> {
        change["told"] = false.into();
        let path = format!("/sandbox/businesses/{BUSINESS}/templates/{name}/en");
        let put = self.carrier.http.put(format!("{}{path}", self.carrier.url())).json(&change);
        put.send().await?.error_for_status()?;
        Ok(())
    }

    /// What reads the lists of accounts.
    async fn reader(&self) -> anyhow::Result<TemplateReader> {
        let (store, http) = (self.pipeline().await?, self.carrier.http.clone());
        let (hosts, timeout) = (vec!["127.0.0.1".to_owned()], Duration::from_secs(10));
        Ok(TemplateReader::new(store, sealer(), http, hosts, timeout))
    }

    /// One tick of the source, so many minutes after the first.
    async fn tick(&self, minutes: i64) -> anyhow::Result<()> {
        let machine = now() + SignedDuration::from_mins(minutes);
        self.reader().await?.tick(&Cx::at(machine, machine)).await?;
        Ok(())
    }

    /// Makes an account, due now, at a carrier that takes connections and never answers.
    async fn silent_account(&self) -> anyhow::Result<TcpListener> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let sealed_token = sealer().seal(b"token:secret:my-word");
        self.account(json!({
            "account": "silent", "carrier": "whatsapp", "carrier_sid": "102290129340399",
            "base_url": base_url, "sealed_token": sealed_token,
        }))
        .await?;
        let due = json!({ "tenant_id": self.tenant, "account": "silent", "due": "1960-01-01Z" });
        self.insert("template_syncs", &[due]).await?;
        Ok(listener)
    }

    /// What the carrier posts about a template, so many seconds after the first tick.
    fn news(&self, field: &str, name: &str, told: Value, second: i64) -> WebhookRequest {
        let mut value = told;
        value["message_template_name"] = name.into();
        value["message_template_language"] = "en".into();
        let changes = json!([{ "field": field, "value": value }]);
        let time = now().as_second() + second;
        let body = json!({ "entry": [{ "id": BUSINESS, "time": time, "changes": changes }] });
        WebhookRequest {
            id: Uuid::from_u128(u128::from(second.unsigned_abs())),
            tenant: Some(self.tenant.clone()),
            carrier: "whatsapp".into(),
            account: "main".into(),
            received_at: now(),
            query: String::new(),
            body: body.to_string().into_bytes(),
            trace: None,
        }
    }

    async fn hear(&self, news: Vec<WebhookRequest>) -> anyhow::Result<()> {
        let stage = ReceiptStage::new(self.pipeline().await?);
        hand_over_at(&stage, &Cx::at(now(), now()), news).await?;
        Ok(())
    }
}

impl Deref for Templates {
    type Target = TestWorld;

    fn deref(&self) -> &TestWorld {
        &self.base
    }
}

#[tokio::test]
async fn an_accounts_templates_are_read_every_hour_and_follow_what_the_carrier_has()
-> anyhow::Result<()> {
    let world = Templates::begin().await?;
    for name in ["order", "sale"] {
        world.create(name).await?;
    }
    world.tick(0).await?;
    let first = "order en pending unknown utility, sale en pending unknown utility";
    assert_eq!(world.one(ALL).await?, first);
    let text = "select components -> 'body' ->> 'text' from millrace.carrier_templates
                where name = 'order'";
    assert_eq!(world.one(text).await?, "Hello {{1}}.");

    // Within the hour nobody asks.
    world.review("order", json!({ "status": "APPROVED", "quality": "YELLOW" })).await?;
    let rejected = json!({ "status": "REJECTED", "reason": "SCAM", "category": "MARKETING" });
    world.review("sale", rejected).await?;
    world.tick(59).await?;
    assert_eq!(world.one(ALL).await?, first);
    world.tick(61).await?;
    let second = "order en approved yellow utility, sale en rejected unknown marketing";
    assert_eq!(world.one(ALL).await?, second);
    let reason = "select reason from millrace.carrier_templates where name = 'sale'";
    assert_eq!(world.one(reason).await?, "SCAM");

    // What is deleted at the carrier is gone here.
    let url = format!("{}/v21.0/{BUSINESS}/message_templates?name=sale", world.carrier.url());
    let delete = world.carrier.http.delete(url).bearer_auth("token");
    delete.send().await?.error_for_status()?;
    world.tick(122).await?;
    assert_eq!(world.one(ALL).await?, "order en approved yellow utility");
    Ok(())
}

#[tokio::test]
async fn a_list_that_cannot_be_read_changes_nothing_and_is_tried_again_later() -> anyhow::Result<()>
{
    let world = Templates::begin().await?;
    world.create("order").await?;
    world.tick(0).await?;
    let before = world.one(ALL).await?;

    let outage = json!({ "account_outage": [{
        "account": BUSINESS, "from": "2000-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z",
    }] });
    world.carrier.faults(outage).await?;
    world.tick(61).await?;
    assert_eq!(world.one(ALL).await?, before);
    let state = "select tries || ' ' || (listed_at = '2026-11-20T10:00:00Z') || ' '
                     || (due <= '2026-11-20T11:02:00Z') from millrace.template_syncs";
    assert_eq!(world.one(state).await?, "1 true true", "half a minute later");

    world.carrier.faults(json!({})).await?;
    world.tick(63).await?;
    assert_eq!(world.number("select tries::bigint from millrace.template_syncs").await?, 0);
    Ok(())
}

#[tokio::test]
async fn an_account_that_never_answers_holds_up_no_other_and_is_asked_again() -> anyhow::Result<()>
{
    let world = Templates::begin().await?;
    world.create("order").await?;
    let _listener = world.silent_account().await?;

    // What the other account lists is recorded while the silent one is still waited for.
    let (reader, cx) = (world.reader().await?, Cx::at(now(), now()));
    let recorded = async {
        while world.one(ALL).await?.is_empty() {
            sleep(Duration::from_millis(20)).await;
        }
        anyhow::Ok(())
    };
    tokio::select! {
        ended = reader.tick(&cx) => anyhow::bail!("it did not wait: {}", ended.is_ok()),
        recorded = timeout(Duration::from_secs(9), recorded) => recorded??,
    }
    assert_eq!(world.one(ALL).await?, "order en pending unknown utility");

    // A list that takes too long is one that cannot be read.
    world.run("update millrace.template_syncs set due = '1970-01-01Z'").await?;
    let reader = world.reader().await?.with_longest_list(Duration::from_secs(3));
    timeout(Duration::from_secs(20), reader.tick(&cx)).await??;
    let waits =
        "select string_agg(account || ' ' || tries || ' ' || (due > '2026-11-20T10:00:00Z'),
                                   ', ' order by account) from millrace.template_syncs";
    assert_eq!(world.one(waits).await?, "main 0 true, silent 1 true");
    Ok(())
}

#[tokio::test]
async fn a_template_that_was_asked_for_and_is_never_listed_has_failed() -> anyhow::Result<()> {
    let world = Templates::begin().await?;
    let asked = |name: &str, asked_at: &str| {
        json!({
            "tenant_id": world.tenant, "account": "main", "name": name, "language": "en",
            "template_id": CarrierTemplateId::of(&world.tenant, "main", name, "en"),
            "category": "utility", "components": { "body": { "text": "Hi" } },
            "state": "submitted", "created_at": now(), "asked_at": asked_at, "told_at": asked_at,
        })
    };
    let rows = [asked("old", "2026-11-20T09:00:00Z"), asked("young", "2026-11-20T09:59:00Z")];
    world.insert("carrier_templates", &rows).await?;

    world.tick(0).await?;
    let states = "select string_agg(name || ' ' || state, ', ' order by name)
                  from millrace.carrier_templates";
    assert_eq!(world.one(states).await?, "old failed, young submitted");

    // While one is open the list is read again soon, and settles it.
    world.create("young").await?;
    world.tick(2).await?;
    assert_eq!(world.one(states).await?, "old failed, young pending");
    Ok(())
}

#[tokio::test]
async fn what_the_carrier_tells_counts_once_in_any_order_and_never_over_what_is_newer()
-> anyhow::Result<()> {
    let world = Templates::begin().await?;
    world.create("order").await?;
    world.tick(0).await?;

    let status = "message_template_status_update";
    let paused = world.news(status, "order", json!({ "event": "PAUSED" }), 30);
    let approved = world.news(status, "order", json!({ "event": "APPROVED" }), 20);
    let red = json!({ "previous_quality_score": "GREEN", "new_quality_score": "RED" });
    let quality = world.news("message_template_quality_update", "order", red, 40);
    let marketing = json!({ "new_category": "MARKETING" });
    let category = world.news("template_category_update", "order", marketing, 50);
    let all = vec![paused.clone(), approved.clone(), quality, category];
    for _repeat in 0..2 {
        world.hear(all.clone()).await?;
        assert_eq!(world.one(ALL).await?, "order en paused red marketing");
    }
    world.hear(vec![approved]).await?;
    assert_eq!(world.one(ALL).await?, "order en paused red marketing", "it is older");

    let unknown = world.news(status, "order", json!({ "event": "SOMETHING_NEW" }), 60);
    world.hear(vec![unknown]).await?;
    assert_eq!(world.one(ALL).await?, "order en other red marketing");

    // News of a template that is not known have the account read at once.
    world.create("sale").await?;
    let unread = "select count(*) from millrace.template_syncs where due <= '2026-11-20T10:30:00Z'";
    world.run("update millrace.template_syncs set due = '2100-01-01Z'").await?;
    world.hear(vec![world.news(status, "sale", json!({ "event": "APPROVED" }), 70)]).await?;
    let asked = "select count(*) from millrace.template_syncs where due < '2100-01-01Z'";
    assert_eq!((world.number(asked).await?, world.number(unread).await?), (1, 1));
    Ok(())
}

#[tokio::test]
async fn a_list_does_not_go_back_behind_what_was_told_since_it_was_begun() -> anyhow::Result<()> {
    let world = Templates::begin().await?;
    world.create("order").await?;
    world.tick(0).await?;

    // The list is begun at 11:01, and half a minute later it is told that the template is paused.
    let paused = "update millrace.carrier_templates
                  set state = 'paused', status = 'PAUSED', told_at = '2026-11-20T11:01:30Z'";
    world.run(paused).await?;
    world.tick(61).await?;
    assert_eq!(world.one(ALL).await?, "order en paused unknown utility");
    let told_at = "select (told_at = '2026-11-20T11:01:30Z')::text from millrace.carrier_templates";
    assert_eq!(world.one(told_at).await?, "true");
    world.tick(122).await?;
    assert_eq!(world.one(ALL).await?, "order en pending unknown utility", "a later list knows it");

    // Nor does what is told of the year 2036 stand until then.
    let status = "message_template_status_update";
    let far = world.news(status, "order", json!({ "event": "DISABLED" }), 300_000_000);
    world.run("update millrace.carrier_templates set told_at = '2026-11-20T09:59:00Z'").await?;
    world.hear(vec![far]).await?;
    assert_eq!(world.one(ALL).await?, "order en disabled unknown utility");
    world.tick(183).await?;
    assert_eq!(world.one(ALL).await?, "order en pending unknown utility");
    Ok(())
}

#[tokio::test]
async fn what_is_told_of_another_tenants_account_touches_nobody_else() -> anyhow::Result<()> {
    let world = Templates::begin().await?;
    world.create("order").await?;
    world.tick(0).await?;
    let neighbour: TenantId = world.database.tenant("globex").await?;

    let status = "message_template_status_update";
    let mut theirs = world.news(status, "order", json!({ "event": "DISABLED" }), 30);
    theirs.tenant = Some(neighbour);
    let mut nobodys = world.news(status, "order", json!({ "event": "DISABLED" }), 40);
    nobodys.tenant = None;
    world.hear(vec![theirs, nobodys]).await?;
    assert_eq!(world.one(ALL).await?, "order en pending unknown utility");
    Ok(())
}
