//! Whole messages by WhatsApp, as the sandbox plays it: within the window of a person's message, by
//! template outside it, to their receipts, from people, and in doubt.

use anyhow::{Context, ensure};
use reqwest::Method;
use serde_json::{Value, json};

use crate::platform::{Caller, Platform};

const BUSINESS: &str = "102290129340398";
const NUMBER: &str = "106540352242922";
const ANA: &str = "+12125550123";
const BEN: &str = "+12125550124";

/// A platform with an account at WhatsApp, a sender on it, and a template of one variable.
async fn world() -> anyhow::Result<(Platform, Caller)> {
    let soon = [("MILLRACE_REQUEST_TIMEOUT", "3"), ("MILLRACE_RECEIPT_FETCH", "2")];
    let platform = Platform::start_with(&soon).await?;
    let tenant = platform.tenant("demo").await?;

    let business = json!({
        "access_token": "token", "app_secret": "secret", "numbers": [NUMBER],
        "callback_url": format!("{}/webhooks/whatsapp/main", platform.endpoint("api")?),
    });
    platform.sandbox(Method::PUT, &format!("businesses/{BUSINESS}"), &business).await?;
    let template = json!({
        "name": "code", "language": "en", "category": "UTILITY",
        "components": [{ "type": "BODY", "text": "Your code is {{1}}." }],
    });
    let url = format!("{}/v21.0/{BUSINESS}/message_templates", platform.endpoint("sandbox")?);
    let request = carriers::http::client()?.post(url).bearer_auth("token").json(&template);
    request.send().await?.error_for_status()?;

    let account = json!({
        "account": "main", "carrier": "whatsapp", "carrier_sid": BUSINESS,
        "auth_token": "token:secret:my-word", "base_url": platform.endpoint("sandbox")?,
        "confirms_opt_out": false,
    });
    for (field, value) in [("carrier_sid", "AC1"), ("auth_token", "token:secret")] {
        let mut wrong = account.clone();
        wrong[field] = value.into();
        let refused = tenant.call(Method::POST, "/v1/carrier-accounts", Some(&wrong)).await;
        let why = refused.expect_err("its form is wrong").to_string();
        ensure!(why.contains("422") && why.contains(field), "{why}");
    }
    tenant.call(Method::POST, "/v1/carrier-accounts", Some(&account)).await?;
    let refused = tenant.sender("main", "+12125550001").await.expect_err("a number is no id");
    ensure!(refused.to_string().contains("phone number id"), "{refused}");
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

/// Sends a message on WhatsApp, made of these fields; says its id.
async fn send(tenant: &Caller, to: &str, fields: Value) -> anyhow::Result<String> {
    let mut body = json!({ "to": to, "channel": "whatsapp", "class": "transactional" });
    for (name, value) in fields.as_object().context("fields")? {
        body[name] = value.clone();
    }
    let accepted = tenant.call(Method::POST, "/v1/messages", Some(&body)).await?;
    accepted["id"].as_str().map(str::to_owned).context("id")
}

fn template(value: &str) -> Value {
    json!({ "carrier_template": { "name": "code", "language": "en", "parameters": [value] } })
}

async fn write(platform: &Platform, from: &str, body: &str) -> anyhow::Result<()> {
    let said = json!({ "from": from, "to": NUMBER, "body": body });
    platform.sandbox(Method::POST, "inbound", &said).await.map(drop)
}

/// The texts that the carrier has of a message.
async fn taken(platform: &Platform, message: &str) -> anyhow::Result<Vec<String>> {
    let ledger = platform.ledger().await?;
    let of_message = ledger.iter().filter(|text| text["reference"] == message);
    Ok(of_message.filter_map(|text| text["body"].as_str().map(str::to_owned)).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn whole_messages_pass_whatsapp_by_window_and_by_template() -> anyhow::Result<()> {
    let (platform, tenant) = world().await?;

    // The address is verified by the account's own word.
    let hook = format!("{}/webhooks/whatsapp/main", platform.endpoint("api")?);
    for (word, status) in [("my-word", 200), ("secret", 403)] {
        let query = [
            ("hub.mode", "subscribe"),
            ("hub.challenge", "1158201444"),
            ("hub.verify_token", word),
        ];
        let answer = carriers::http::client()?.get(&hook).query(&query).send().await?;
        ensure!(answer.status() == status, "{word}: {}", answer.status());
        ensure!(status != 200 || answer.text().await? == "1158201444", "the challenge");
    }
    let unsigned = carriers::http::client()?.post(&hook).json(&json!({ "entry": [] }));
    ensure!(unsigned.send().await?.status() == 403, "without a signature");

    // Nobody has written: a free text is refused before any call, and told what goes instead.
    let free = json!({ "body": "Hello" });
    let refused = send(&tenant, ANA, free.clone()).await?;
    let blocked = tenant.until_status(&refused, "blocked").await?;
    let why = blocked["passport"].to_string();
    ensure!(why.contains("whatsapp_window") && why.contains("send a template"), "{blocked}");
    ensure!(taken(&platform, &refused).await?.is_empty(), "no call was made");

    // A template goes, with its parameter on one line; a blank one is refused with the request.
    let by_template = send(&tenant, ANA, template("4\n17")).await?;
    tenant.until_status(&by_template, "delivered").await?;
    ensure!(taken(&platform, &by_template).await? == ["Your code is 4 17."], "{by_template}");
    let blank = send(&tenant, ANA, template(" \n")).await.expect_err("it says nothing");
    ensure!(blank.to_string().contains("carrier_template.parameters[0]"), "{blank}");

    // Ana writes: a free text goes within the window, and she opens it.
    write(&platform, ANA, "When?").await?;
    faults(&platform, json!({ "receipts": { "read": 1.0, "delay_ms": [20, 60] } })).await?;
    let answered = until_open(&tenant, ANA, &free).await?;
    tenant.until_status(&answered, "read").await?;
    ensure!(taken(&platform, &answered).await? == ["Hello"], "{answered}");

    // A failure is told in words.
    faults(&platform, json!({ "undelivered": { "131026": 1.0 } })).await?;
    let lost = send(&tenant, BEN, template("1")).await?;
    let failed = tenant.until_status(&lost, "failed").await?;
    ensure!(failed["error"]["next_step"] == "Use SMS for this person", "{failed}");

    // A lost answer is in doubt, and its receipts end the doubt: it is never sent again.
    faults(&platform, json!({ "lost_response": 1.0 })).await?;
    let doubted = send(&tenant, BEN, template("2")).await?;
    tenant.until_status(&doubted, "delivered").await?;
    ensure!(taken(&platform, &doubted).await?.len() == 1, "{doubted} is there once");

    // STOP on WhatsApp is one of WhatsApp.
    faults(&platform, json!({})).await?;
    write(&platform, ANA, "STOP").await?;
    tenant.until_opted_out(ANA).await?;
    let stopped = send(&tenant, ANA, template("3")).await?;
    tenant.until_status(&stopped, "blocked").await?;
    ensure!(taken(&platform, &stopped).await?.is_empty(), "nobody is texted who must not be");
    platform.stop().await
}

/// Sends until the person's message has opened their window; says the id of what went.
async fn until_open(tenant: &Caller, to: &str, fields: &Value) -> anyhow::Result<String> {
    loop {
        let message = send(tenant, to, fields.clone()).await?;
        let path = format!("/v1/messages/{message}");
        let decided =
            |read: &Value| !["accepted", "queued"].contains(&read["status"].as_str().unwrap_or(""));
        if tenant.until(&path, decided).await?["status"] != "blocked" {
            return Ok(message);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_questions_and_reactions_pass_whatsapp_and_a_button_opens_the_window()
-> anyhow::Result<()> {
    let (platform, tenant) = world().await?;
    let buttons = json!({ "buttons": [{ "id": "yes", "title": "Yes" }] });
    let days = json!({ "button": "Days", "rows": [{ "id": "mon", "title": "Monday" }] });

    // Each to somebody else: one person gets a message in six seconds.
    let link = "https://www.example.com/bill.pdf";
    for (n, fields, text) in [
        (1, json!({ "body": "Your bill", "media_urls": [link] }), "Your bill"),
        (2, json!({ "body": "Shall we come?", "interactive": buttons }), "Shall we come?"),
        (3, json!({ "body": "When?", "interactive": { "list": days } }), "When?"),
        (4, json!({ "reaction": { "message_id": "wamid.HBgL", "emoji": "👍" } }), "👍"),
    ] {
        let person = format!("+1212555013{n}");
        let refused = send(&tenant, &person, fields.clone()).await?;
        let blocked = tenant.until_status(&refused, "blocked").await?;
        ensure!(blocked["passport"].to_string().contains("whatsapp_window"), "{blocked}");

        write(&platform, &person, "Hello").await?;
        let sent = until_open(&tenant, &person, &fields).await?;
        tenant.until_status(&sent, "delivered").await?;
        ensure!(taken(&platform, &sent).await? == [text], "{fields}");
    }

    // Who presses a button has said its title.
    let pressed = json!({ "from": BEN, "to": NUMBER, "body": "Yes", "button": "yes" });
    platform.sandbox(Method::POST, "inbound", &pressed).await?;
    let answered = until_open(&tenant, BEN, &json!({ "body": "Until Monday" })).await?;
    tenant.until_status(&answered, "delivered").await?;
    platform.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_is_made_told_of_and_sent_to_an_audience_by_whatsapp() -> anyhow::Result<()> {
    let (platform, tenant) = world().await?;

    // Made here, and approved there; what was made there is read.
    let new = json!({
        "account": "main", "name": "sale", "language": "en", "category": "marketing",
        "components": { "body": { "text": "Hello {{1}}, come in.", "examples": ["Ana"] } },
    });
    let made = tenant.call(Method::POST, "/v1/carrier-templates", Some(&new)).await?;
    let path = format!("/v1/carrier-templates/{}", made["id"].as_str().context("id")?);
    tenant.until(&path, |read| read["state"] == "approved").await?;
    let code = "/v1/carrier-templates?name=code";
    tenant.until(code, |read| read["data"][0]["state"] == "approved").await?;

    // What becomes of it is told by a signed callback.
    for (status, state) in [("PAUSED", "paused"), ("APPROVED", "approved")] {
        let change = json!({ "status": status });
        let review = format!("businesses/{BUSINESS}/templates/sale/en");
        platform.sandbox(Method::PUT, &review, &change).await?;
        tenant.until(&path, |read| read["state"] == state).await?;
    }

    // Everybody of the audience gets it in their name.
    let people = json!({ "contacts": [
        { "phone": ANA, "first_name": "Ana" }, { "phone": BEN },
    ] });
    tenant.call(Method::POST, "/v1/contacts/bulk", Some(&people)).await?;
    let senders = tenant.call(Method::GET, "/v1/senders", None).await?;
    let pool = json!({ "name": "all", "senders": [senders["data"][0]["id"]] });
    let pool = tenant.call(Method::POST, "/v1/pools", Some(&pool)).await?;
    let campaign = json!({
        "name": "Spring", "class": "transactional", "channel": "whatsapp", "pool_id": pool["id"],
        "audience": { "all": true }, "carrier_template": {
            "name": "sale", "language": "en", "parameters": ["{first_name|friend}"],
        },
    });
    let campaign = tenant.call(Method::POST, "/v1/campaigns", Some(&campaign)).await?;
    let path = format!("/v1/campaigns/{}", campaign["id"].as_str().context("id")?);
    tenant.call(Method::POST, &format!("{path}/start"), Some(&json!({}))).await?;
    tenant.until(&path, |read| read["state"] == "completed").await?;

    let ledger = platform.ledger().await?;
    let mut texts: Vec<&str> = ledger.iter().filter_map(|text| text["body"].as_str()).collect();
    texts.sort_unstable();
    ensure!(texts == ["Hello Ana, come in.", "Hello friend, come in."], "{texts:?}");
    platform.stop().await
}
