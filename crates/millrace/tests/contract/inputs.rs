//! What people and tenants do before the trials: some of everything that ends differently.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, ensure};
use pipeline::Publisher;
use reqwest::Method;
use rollup::CountsTeller;
use serde_json::{Value, json};
use stage::{Cx, Source, StageName};
use testkit::contract::World;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How many people there are. Of four in a row one has opted out and one never consented, so that
/// the parts into which the contract deals its input are of one make.
const PEOPLE: usize = 256;

/// How many of them one request names.
const AT_ONCE: usize = 16;

/// How many campaigns there are, each to two people.
pub const CAMPAIGNS: usize = 128;

/// How long the carrier may take to call everything back.
const PATIENCE: Duration = Duration::from_secs(60);

/// A caller of the api and of the sandbox.
pub struct Caller {
    http: reqwest::Client,
    api: String,
    sandbox: String,
    key: String,
}

impl Caller {
    pub fn new(api: SocketAddr, sandbox: SocketAddr, key: &str) -> anyhow::Result<Self> {
        Ok(Self {
            http: carriers::http::client()?,
            api: format!("http://{api}"),
            sandbox: format!("http://{sandbox}"),
            key: key.to_owned(),
        })
    }

    async fn api(&self, method: Method, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self.http.request(method, format!("{}{path}", self.api)).json(body);
        let answer = request.bearer_auth(&self.key).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status.is_success(), "{path}: {status} {text}");
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    async fn sandbox(&self, method: Method, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self.http.request(method, format!("{}{path}", self.sandbox)).json(body);
        let answer = request.send().await?.error_for_status()?;
        Ok(serde_json::from_slice(&answer.bytes().await?).unwrap_or_default())
    }

    /// Tells the carrier where texts to our number go.
    async fn register_number(&self) -> anyhow::Result<()> {
        let path = format!("/2010-04-01/Accounts/{SID}/IncomingPhoneNumbers.json");
        let texts = format!("{}/webhooks/twilio/main/inbound", self.api);
        let form = [("PhoneNumber", SENDER), ("SmsUrl", &texts), ("SmsMethod", "POST")];
        let request = self.http.post(format!("{}{path}", self.sandbox));
        let request = request.basic_auth(SID, Some(TOKEN)).form(&form);
        request.send().await?.error_for_status()?;
        Ok(())
    }

    /// Sets the application of the other carrier up, which has our other number.
    async fn register_application(&self) -> anyhow::Result<()> {
        let application = json!({
            "account": "9900000", "user": "user", "password": "word", "numbers": [OTHER_SENDER],
            "callback_url": format!("{}/webhooks/bandwidth/other", self.api),
        });
        self.sandbox(Method::PUT, "/sandbox/applications/app-1", &application).await.map(drop)
    }
}

/// Sets a tenant up: an account and a sender at each of two carriers, and contacts.
pub async fn set_up(caller: &Caller) -> anyhow::Result<()> {
    let account = json!({
        "account": "main", "carrier": "twilio", "auth_token": TOKEN,
        "carrier_sid": SID, "base_url": caller.sandbox,
    });
    caller.api(Method::POST, "/v1/carrier-accounts", &account).await?;
    caller.register_number().await?;
    let account = json!({
        "account": "other", "carrier": "bandwidth", "auth_token": "user:word",
        "carrier_sid": "9900000/app-1", "base_url": caller.sandbox,
    });
    caller.api(Method::POST, "/v1/carrier-accounts", &account).await?;
    caller.register_application().await?;

    for (account, number) in [("main", SENDER), ("other", OTHER_SENDER)] {
        let sender = json!({
            "account": account, "number": number, "country": "US", "pace": 1000,
            "active_since": "2026-01-01T00:00:00Z", "daily_cap": 100_000,
            "time_zone": "America/New_York",
        });
        caller.api(Method::POST, "/v1/senders", &sender).await?;
    }

    let contacts: Vec<Value> = (0..PEOPLE).map(contact).collect();
    caller.api(Method::POST, "/v1/contacts/bulk", &json!({ "contacts": contacts })).await?;
    Ok(())
}

/// Submits a message to everybody, in small requests, so that there are several frames.
pub async fn submit(caller: &Caller) -> anyhow::Result<()> {
    for first in (0..PEOPLE).step_by(AT_ONCE) {
        let messages: Vec<Value> = (first..first + AT_ONCE).map(message).collect();
        caller.api(Method::POST, "/v1/messages/batch", &json!({ "messages": messages })).await?;
    }
    Ok(())
}

/// Makes and starts the campaigns.
pub async fn start_campaigns(caller: &Caller) -> anyhow::Result<()> {
    let sender = caller.api(Method::GET, "/v1/senders", &json!({})).await?;
    let senders = json!({ "name": "all", "senders": [sender["data"][0]["id"]] });
    let pool = caller.api(Method::POST, "/v1/pools", &senders).await?;

    let variant = json!({ "key": "plain", "weight": 1, "bodies": { "en": "Reply STOP to end" } });
    let template = json!({ "name": "plain", "variants": [variant] });
    let template = caller.api(Method::POST, "/v1/templates", &template).await?;

    for index in 0..CAMPAIGNS {
        let campaign = json!({
            "name": format!("number {index}"), "class": "promo", "template_id": template["id"],
            "pool_id": pool["id"], "audience": { "tags": [group(index)] },
        });
        let campaign = caller.api(Method::POST, "/v1/campaigns", &campaign).await?;
        let id = campaign["id"].as_str().context("the campaign's id")?;
        let start = format!("/v1/campaigns/{id}/start");
        caller.api(Method::POST, &start, &json!({})).await?;
    }
    Ok(())
}

/// Has everybody answer what they were texted; one of four sends a picture with it.
pub async fn answer(caller: &Caller) -> anyhow::Result<()> {
    let texts = ["STOP", "How late are you open?", "HELP", "gracias"];
    for index in 0..PEOPLE {
        let text = texts[index % texts.len()];
        let pictures = usize::from(index % texts.len() == 3);
        let (from, to) = (number(index), sender(index));
        let body = json!({ "from": from, "to": to, "body": text, "pictures": pictures });
        caller.sandbox(Method::POST, "/sandbox/inbound", &body).await?;
    }
    quiet(caller).await
}

/// Waits until the carrier has called everything back.
pub async fn quiet(caller: &Caller) -> anyhow::Result<()> {
    let quiet = async {
        loop {
            let stats = caller.sandbox(Method::GET, "/sandbox/stats", &json!({})).await?;
            if stats["callbacks"]["pending"] == 0 {
                return anyhow::Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, quiet).await.context("the carrier goes on calling back")?
}

/// Fails where one of the two carriers has no text: what was done went by both at once.
pub async fn both_carriers_have_texts(caller: &Caller) -> anyhow::Result<()> {
    for carrier in ["twilio", "bandwidth"] {
        let ledger = format!("{}/sandbox/ledger?carrier={carrier}", caller.sandbox);
        let texts = caller.http.get(ledger).send().await?.error_for_status()?.text().await?;
        ensure!(!texts.is_empty(), "{carrier} has no text");
    }
    Ok(())
}

const SENDER: &str = "+12125550001";
const OTHER_SENDER: &str = "+12125550002";
const SID: &str = "AC00000000000000000000000000000001";
const TOKEN: &str = "sandbox-token";

/// Whoever texts a person: of eight in a row four by each carrier.
fn sender(index: usize) -> &'static str {
    if (index / 4).is_multiple_of(2) { SENDER } else { OTHER_SENDER }
}

fn number(index: usize) -> String {
    format!("+1212{:07}", 2_000_000 + index)
}

fn group(index: usize) -> String {
    format!("group-{}", index % CAMPAIGNS)
}

fn contact(index: usize) -> Value {
    json!({
        "phone": number(index), "first_name": "Pat", "region": "US-NY", "tags": [group(index)],
        "consent": (index % 4 != 1).then(|| json!({ "source": "test" })),
        "do_not_contact": (index % 4 == 2).then(|| json!({ "reason": "asked" })),
    })
}

/// A message with something in every field that a stage could lose.
fn message(index: usize) -> Value {
    let class = if index % 4 > 1 { "transactional" } else { "promo" };
    let mut message = json!({
        "to": number(index), "class": class, "from": sender(index),
        "body": format!("Text number {index}"), "idempotency_key": format!("message-{index}"),
        "validity_seconds": 72_000 + index, "metadata": { "order": index.to_string() },
    });
    if let Some(on_late) = [None, Some("send"), Some("drop")][index % 3] {
        message["on_late"] = json!(on_late);
    }
    message
}

/// Makes a submitted message one whose metadata hold what Postgres has no character for.
pub fn refused_metadata(message: &mut Value, id: Uuid) -> bool {
    message["head"]["id"] = json!(id);
    message["metadata"] = json!({ "order": "47\u{0}11" });
    true
}

/// Makes a message one with such a text, to somebody for whom it is night: the gates are to put it
/// aside.
pub fn refused_parking(message: &mut Value, id: Uuid) -> bool {
    message["head"]["id"] = json!(id);
    message["text"] = json!("a text\u{0}");
    message["place"]["zones"] = json!(["Asia/Tokyo"]);

    // One of the promotions to somebody who consented. Promotions come once in a while, journeys
    // may follow each other.
    let number = message["head"]["to"].as_str().unwrap_or_default();
    let index = number.get(5..).and_then(|digits| digits.parse::<usize>().ok());
    let consented = index.unwrap_or_default().is_multiple_of(4);
    let fits = message["head"]["class"] == "promo" && consented;
    message["head"]["class"] = json!("journey");
    fits
}

/// Tells what has moved, as rollup does, so that it is there in frames. The machine's clock is said
/// to be far ahead: nothing is told again meanwhile.
pub async fn tell_counts(world: &World<'_>, now: &str) -> anyhow::Result<()> {
    let cx = Cx::at(now.parse()?, "2100-01-01T00:00:00Z".parse()?);
    let broker = world.broker().await?;
    let publisher = Publisher::new(&broker, StageName::Rollup.as_str());
    let teller = CountsTeller::new(world.store().await?);
    loop {
        let tick = teller.tick(&cx).await?;
        publisher.publish(tick.say, &CancellationToken::new()).await?;
        if !tick.more {
            return Ok(());
        }
    }
}
