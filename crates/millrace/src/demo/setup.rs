//! What a tenant needs before it can send: a carrier account, senders, a pool, contacts.

use std::time::Duration;

use anyhow::{Context, bail};
use carriers::Carrier;
use domain::account::Access;
use secrecy::SecretString;
use serde_json::{Value, json};
use store::core::seal::Sealer;

use super::client::HttpCaller;
use crate::platform::Platform;

/// A sender to register.
pub struct DemoSender<'a> {
    /// Its number, in E.164.
    pub number: &'a str,
    /// Segments per second.
    pub pace: u32,
    /// Country of its recipients, by ISO 3166.
    pub country: &'a str,
}

/// The carrier's secret of an account in the sandbox, which takes the first that it sees.
pub const TOKEN: &str = "sandbox-token";

/// The id of the account at WhatsApp in the sandbox.
const BUSINESS_ACCOUNT: &str = "102290129340398";

/// The id of every account at Bandwidth in the sandbox.
const BANDWIDTH_ACCOUNT: &str = "9900000";

/// The account's id at the carrier: `AC` and 32 hexadecimal digits, from its name here.
pub fn sid(account: &str) -> String {
    let digits: String = account.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("AC{digits:0>32}")
}

/// How an account of the platform's in the sandbox is called.
pub fn access(account: &str, sandbox: &str, sealer: &Sealer) -> Access {
    Access {
        carrier: "twilio".to_owned(),
        carrier_sid: sid(account),
        base_url: sandbox.to_owned(),
        sealed_token: sealer.seal(TOKEN.as_bytes()),
    }
}

/// Registers a carrier account that points at the sandbox.
///
/// # Errors
/// The api refuses it.
pub async fn account(api: &HttpCaller, sandbox: &str, account: &str) -> anyhow::Result<()> {
    let body = json!({
        "account": account,
        "carrier": "twilio",
        "carrier_sid": sid(account),
        "auth_token": TOKEN,
        "base_url": sandbox,
    });
    api.post("/v1/carrier-accounts", &body).await.map(drop)
}

/// Registers an account of this carrier in the sandbox, and makes its numbers known there.
///
/// # Errors
/// The api or the sandbox refuses it.
pub async fn at_carrier(
    platform: &Platform,
    api: &HttpCaller,
    carrier: Carrier,
    account: &str,
    numbers: &[String],
) -> anyhow::Result<()> {
    if carrier == Carrier::Twilio {
        self::account(api, &platform.sandbox_url, account).await
    } else if carrier == Carrier::Bandwidth {
        at_bandwidth(platform, api, account, numbers).await
    } else if carrier == Carrier::WhatsappCloud {
        at_whatsapp(platform, api, account, numbers).await
    } else {
        bail!("the sandbox does not play {}", carrier.as_str())
    }
}

async fn at_bandwidth(
    platform: &Platform,
    api: &HttpCaller,
    account: &str,
    numbers: &[String],
) -> anyhow::Result<()> {
    let (user, password) = ("sandbox-user", TOKEN);
    let application = json!({
        "account": BANDWIDTH_ACCOUNT,
        "callback_url": format!("{}/webhooks/bandwidth/{account}", platform.api_url),
        "user": user,
        "password": password,
        "numbers": numbers,
    });
    platform.sandbox.put(&format!("/sandbox/applications/{account}"), &application).await?;

    let body = json!({
        "account": account,
        "carrier": "bandwidth",
        "carrier_sid": format!("{BANDWIDTH_ACCOUNT}/{account}"),
        "auth_token": format!("{user}:{password}"),
        "base_url": platform.sandbox_url,
        "confirms_opt_out": false,
    });
    api.post("/v1/carrier-accounts", &body).await.map(drop)
}

/// The template that every WhatsApp account in the sandbox has: one variable, in English.
pub const CARRIER_TEMPLATE: &str = "code";

/// An account at WhatsApp with its template. Its numbers are ids of the carrier's.
async fn at_whatsapp(
    platform: &Platform,
    api: &HttpCaller,
    account: &str,
    numbers: &[String],
) -> anyhow::Result<()> {
    let (app_secret, verify_token) = ("sandbox-secret", "sandbox-word");
    let business = json!({
        "access_token": TOKEN,
        "app_secret": app_secret,
        "callback_url": format!("{}/webhooks/whatsapp/{account}", platform.api_url),
        "numbers": numbers,
    });
    platform.sandbox.put(&format!("/sandbox/businesses/{BUSINESS_ACCOUNT}"), &business).await?;

    let template = json!({
        "name": CARRIER_TEMPLATE,
        "language": "en",
        "category": "UTILITY",
        "components": [{ "type": "BODY", "text": "Your code is {{1}}." }],
    });
    let graph = HttpCaller::new(&platform.sandbox_url, Some(SecretString::from(TOKEN)))?;
    graph.post(&format!("/v21.0/{BUSINESS_ACCOUNT}/message_templates"), &template).await?;

    let body = json!({
        "account": account,
        "carrier": "whatsapp",
        "carrier_sid": BUSINESS_ACCOUNT,
        "auth_token": format!("{TOKEN}:{app_secret}:{verify_token}"),
        "base_url": platform.sandbox_url,
        "confirms_opt_out": false,
    });
    api.post("/v1/carrier-accounts", &body).await.map(drop)
}

/// Where the carrier keeps the numbers of an account.
pub fn numbers_path(account: &str) -> String {
    format!("/2010-04-01/Accounts/{}/IncomingPhoneNumbers.json", sid(account))
}

/// Makes a number known to the carrier, which then calls the api for what people write to it.
///
/// # Errors
/// The carrier refuses it.
pub async fn number(
    sandbox: &HttpCaller,
    api_url: &str,
    account: &str,
    number: &str,
) -> anyhow::Result<()> {
    let url = format!("{api_url}/webhooks/twilio/{account}/inbound");
    let form = [("PhoneNumber", number), ("SmsUrl", &url), ("SmsMethod", "POST")];
    sandbox.post_form(&numbers_path(account), &sid(account), TOKEN, &form).await
}

/// Registers senders that are past their warm-up, and a pool of them; gives the pool's id.
///
/// # Errors
/// The api refuses something.
pub async fn pool(
    api: &HttpCaller,
    account: &str,
    senders: &[DemoSender<'_>],
) -> anyhow::Result<String> {
    pool_of(api, &self::senders(api, account, senders).await?).await
}

/// Registers senders that are past their warm-up; gives their ids.
///
/// # Errors
/// The api refuses one.
pub async fn senders(
    api: &HttpCaller,
    account: &str,
    senders: &[DemoSender<'_>],
) -> anyhow::Result<Vec<Value>> {
    let mut ids = Vec::new();
    for sender in senders {
        let is_australian = sender.country == "AU";
        let time_zone = if is_australian { "Australia/Sydney" } else { "America/New_York" };
        let body = json!({
            "account": account,
            "number": sender.number,
            "country": sender.country,
            "pace": sender.pace,
            "active_since": "2026-01-01T00:00:00Z",
            "daily_cap": 10_000_000,
            "time_zone": time_zone,
        });
        ids.push(api.post("/v1/senders", &body).await?["id"].clone());
    }
    Ok(ids)
}

/// Makes a pool of senders; gives its id.
///
/// # Errors
/// The api refuses it.
pub async fn pool_of(api: &HttpCaller, senders: &[Value]) -> anyhow::Result<String> {
    let pool = api.post("/v1/pools", &json!({ "name": "demo", "senders": senders })).await?;
    Ok(pool["id"].as_str().context("the pool's id")?.to_owned())
}

/// Makes a template with this text and a campaign of it to all contacts, which is not started;
/// gives the campaign's id.
///
/// # Errors
/// The api refuses one of them.
pub async fn campaign(
    api: &HttpCaller,
    name: &str,
    pool: &str,
    text: &str,
) -> anyhow::Result<String> {
    let variants = json!([{ "key": "only", "weight": 1, "bodies": { "en": text } }]);
    let template = json!({ "name": name, "variants": variants });
    let template = api.post("/v1/templates", &template).await?;

    let campaign = json!({
        "name": name,
        "class": "promo",
        "template_id": template["id"],
        "pool_id": pool,
        "audience": { "all": true },
    });
    let campaign = api.post("/v1/campaigns", &campaign).await?;
    Ok(campaign["id"].as_str().context("the campaign's id")?.to_owned())
}

/// Imports contacts and waits until that is done; gives the import with its counts.
///
/// # Errors
/// The file cannot be read as contacts.
pub async fn import(api: &HttpCaller, csv: String) -> anyhow::Result<Value> {
    let started = api.post_text("/v1/contacts/import", "text/csv", csv).await?;
    let id = started["id"].as_str().context("the import's id")?.to_owned();
    loop {
        let import = api.get(&format!("/v1/imports/{id}")).await?;
        match import["state"].as_str() {
            Some("completed") => return Ok(import),
            Some("failed") => bail!("the import failed: {}", import["error"]),
            Some(_) | None => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}
