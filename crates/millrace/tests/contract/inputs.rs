//! What is submitted before the trials: some of everything that ends differently.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, ensure};
use pipeline::StageName;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{PATIENCE, without_receipts};

/// People; every seventh has opted out, every fifth never consented.
const PEOPLE: usize = 36;

/// A caller of the api and of the sandbox.
pub struct Caller {
    http: reqwest::Client,
    api: String,
    sandbox: String,
    key: String,
}

/// The stages whose work comes before this one's.
pub fn before(stage: StageName) -> &'static [StageName] {
    use StageName::{Enrich, Gate, Inbound, Reply, Send, Throttle};
    match stage {
        Enrich | StageName::Audience | StageName::Schedule => &[],
        Gate => &[Enrich],
        Throttle => &[Enrich, Gate],
        Send => &[Enrich, Gate, Throttle],
        StageName::Reconcile | Inbound => &[Enrich, Gate, Throttle, Send],
        Reply => &[Enrich, Gate, Throttle, Send, Inbound],
        StageName::Rollup => &[Enrich, Gate, Throttle, Send],
    }
}

impl Caller {
    pub fn new(api: u16, sandbox: SocketAddr, key: &str) -> anyhow::Result<Self> {
        Ok(Self {
            http: carriers::http::client()?,
            api: format!("http://127.0.0.1:{api}"),
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

    /// Empties the carrier's ledger; from now on it sends no receipts.
    pub async fn reset_carrier(&self) -> anyhow::Result<()> {
        self.sandbox(Method::POST, "/sandbox/reset", &json!({})).await?;
        self.sandbox(Method::PUT, "/sandbox/faults", &without_receipts()).await.map(drop)
    }
}

/// Sets a tenant up and submits its messages.
pub async fn submit(caller: &Caller) -> anyhow::Result<()> {
    let account = json!({
        "account": "main", "carrier": "twilio", "auth_token": TOKEN,
        "carrier_sid": SID, "base_url": caller.sandbox,
    });
    caller.api(Method::POST, "/v1/carrier-accounts", &account).await?;
    caller.register_number().await?;
    let sender = json!({
        "account": "main", "number": SENDER, "country": "US", "pace": 1000,
        "active_since": "2026-01-01T00:00:00Z", "daily_cap": 100_000,
        "time_zone": "America/New_York",
    });
    caller.api(Method::POST, "/v1/senders", &sender).await?;
    let contacts: Vec<Value> = (0..PEOPLE).map(contact).collect();
    let contacts = json!({ "contacts": contacts });
    caller.api(Method::POST, "/v1/contacts/bulk", &contacts).await?;
    // In small requests, so that there are several frames.
    for first in (0..PEOPLE).step_by(6) {
        let messages: Vec<Value> = (first..PEOPLE.min(first + 6)).map(message).collect();
        caller.api(Method::POST, "/v1/messages/batch", &json!({ "messages": messages })).await?;
    }
    Ok(())
}

/// People answer.
pub async fn answer(caller: &Caller) -> anyhow::Result<()> {
    for (at, text) in ["STOP", "How late are you open?", "HELP", "gracias"].iter().enumerate() {
        let body = json!({ "from": number(3 * at + 1), "to": SENDER, "body": text });
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

const SENDER: &str = "+12125550001";
const SID: &str = "AC00000000000000000000000000000001";
const TOKEN: &str = "sandbox-token";

fn number(at: usize) -> String {
    format!("+1212{:07}", 2_000_000 + at)
}

fn contact(at: usize) -> Value {
    let consent = !at.is_multiple_of(5);
    json!({
        "phone": number(at), "first_name": "Pat", "region": "US-NY",
        "consent": consent.then(|| json!({ "source": "test" })),
        "do_not_contact": at.is_multiple_of(7).then(|| json!({ "reason": "asked" })),
    })
}

fn message(at: usize) -> Value {
    let class = if at.is_multiple_of(3) { "transactional" } else { "promo" };
    json!({
        "to": number(at), "class": class, "from": SENDER, "body": format!("Text number {at}"),
        "idempotency_key": format!("message-{at}"),
    })
}
