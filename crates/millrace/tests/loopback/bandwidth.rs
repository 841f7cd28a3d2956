//! Whole messages by Bandwidth, as the sandbox plays it: to their receipts, from people, and out of
//! doubt.

use anyhow::ensure;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    platform::{Caller, Platform},
    readme,
};

const NUMBER: &str = "+12125550001";
const ANA: &str = "+12125550123";
const BEN: &str = "+12125550124";
const CARL: &str = "+12125550125";

/// Settings with which doubts are looked up soon.
const SOON: &[(&str, &str)] = &[
    ("MILLRACE_REQUEST_TIMEOUT", "3"),
    ("MILLRACE_LIST_LAG", "1"),
    ("MILLRACE_RECEIPT_FETCH", "2"),
];

/// A platform that looks doubts up soon, with an account at Bandwidth and a sender on it.
async fn world() -> anyhow::Result<(Platform, Caller)> {
    let platform = Platform::start_with(SOON).await?;
    let tenant = platform.tenant("demo").await?;

    let application = json!({
        "account": "9900000", "user": "api-user", "password": "api-word", "numbers": [NUMBER],
        "callback_url": format!("{}/webhooks/bandwidth/main", platform.endpoint("api")?),
    });
    platform.sandbox(Method::PUT, "applications/app-1", &application).await?;

    let account = json!({
        "account": "main", "carrier": "bandwidth", "carrier_sid": "9900000/app-1",
        "auth_token": "api-user:api-word", "base_url": platform.endpoint("sandbox")?,
        "confirms_opt_out": false,
    });
    for (field, value) in [("carrier_sid", "9900000"), ("auth_token", "word")] {
        let mut wrong = account.clone();
        wrong[field] = value.into();
        let refused = tenant.call(Method::POST, "/v1/carrier-accounts", Some(&wrong)).await;
        let why = refused.expect_err("its form is wrong").to_string();
        ensure!(why.contains("422") && why.contains(field), "{why}");
    }
    tenant.call(Method::POST, "/v1/carrier-accounts", Some(&account)).await?;
    tenant.sender("main", NUMBER).await?;
    faults(&platform, json!({})).await?;
    Ok((platform, tenant))
}

/// No faults but these, and receipts at once.
async fn faults(platform: &Platform, mut faults: Value) -> anyhow::Result<()> {
    if faults["receipts"].is_null() {
        faults["receipts"] = json!({ "delay_ms": [20, 60] });
    }
    platform.sandbox(Method::PUT, "faults", &faults).await.map(drop)
}

/// How many texts of a message the carrier has.
async fn taken(platform: &Platform, message: &str) -> anyhow::Result<usize> {
    let ledger = platform.ledger().await?;
    Ok(ledger.iter().filter(|text| text["reference"] == message).count())
}

#[tokio::test(flavor = "multi_thread")]
async fn whole_messages_pass_bandwidth_to_their_receipts_and_out_of_doubt() -> anyhow::Result<()> {
    let (mut platform, tenant) = world().await?;

    // to its receipt, and to one that comes before the answer
    let first = tenant.text(NUMBER, ANA).await?;
    tenant.until_status(&first, "delivered").await?;
    let early = json!({ "before_response": 1.0, "delay_ms": [20, 60] });
    faults(&platform, json!({ "receipts": early, "latency_ms": 300 })).await?;
    let second = tenant.text(NUMBER, ANA).await?;
    tenant.until_status(&second, "delivered").await?;

    // to a failure, which is told in words
    faults(&platform, json!({ "undelivered": { "4720": 1.0 } })).await?;
    let lost = tenant.text(NUMBER, CARL).await?;
    let failed = tenant.until_status(&lost, "failed").await?;
    ensure!(failed["error"]["cause"] == "the recipient's number is not valid", "{failed}");

    // Two unequal texts between the same numbers lose their answers and their receipts: the list,
    // which holds no text, has one for each of them.
    let silent = json!({ "drop": 1.0, "delay_ms": [20, 60] });
    faults(&platform, json!({ "lost_response": 1.0, "receipts": silent })).await?;
    let both = [tenant.say(NUMBER, BEN, "One").await?, tenant.say(NUMBER, BEN, "Two").await?];
    for message in &both {
        tenant.until_status(message, "delivered").await?;
        ensure!(taken(&platform, message).await? == 1, "{message} is there once");
    }

    // A call that breaks before the text is taken: the list does not have it, so it is sent again.
    faults(&platform, json!({ "reset_before": 1.0 })).await?;
    let broken = tenant.text(NUMBER, BEN).await?;
    tenant.until_status(&broken, "in_doubt").await?;
    ensure!(taken(&platform, &broken).await? == 0, "it was not taken");
    faults(&platform, json!({})).await?;
    tenant.until_status(&broken, "delivered").await?;
    ensure!(taken(&platform, &broken).await? == 1, "it is there once");

    // A person says STOP, which Bandwidth passes on as it is.
    let stop = json!({ "from": ANA, "to": NUMBER, "body": "STOP" });
    platform.sandbox(Method::POST, "inbound", &stop).await?;
    tenant.until_opted_out(ANA).await?;
    let blocked = tenant.text(NUMBER, ANA).await?;
    tenant.until_status(&blocked, "blocked").await?;
    ensure!(taken(&platform, &blocked).await? == 0, "nobody is texted who must not be");

    // Callbacks without the account's credentials are nobody's.
    let hook = format!("{}/webhooks/bandwidth/main", platform.endpoint("api")?);
    for (user, password, status) in [("api-user", "api-word", 200), ("api-user", "x", 403)] {
        let request = carriers::http::client()?.post(&hook).basic_auth(user, Some(password));
        let request = request.header("content-type", "application/json").body("[]");
        ensure!(request.send().await?.status() == status, "{user}:{password}");
    }
    let request = carriers::http::client()?.post(&hook).json(&json!([]));
    ensure!(request.send().await?.status() == 403, "without credentials");

    // The README's lines find what `up` has left, once there is a pool as the demo makes one.
    tenant.pool().await?;
    let shown = readme::follow(platform.home(), &platform.endpoint("api")?).await?;
    ensure!(shown["status"] == "delivered" && shown["to"] == "+12025550123", "{shown}");

    // Started again with the port of its sandbox taken, the account of before is called where the
    // sandbox is now, and receipts come to where the api is.
    let taken = platform.restart_without_its_port(SOON).await?;
    let tenant = tenant.at(&platform)?;
    faults(&platform, json!({})).await?;
    let later = tenant.text(NUMBER, CARL).await?;
    tenant.until_status(&later, "delivered").await?;
    ensure!(taken.accept().is_err(), "nobody calls where the sandbox was");
    platform.stop().await
}
