//! Somebody comes to what `up` has started: by mail that a real client hands to the sandbox, and by
//! a text that goes through every stage to the sandbox's carrier.

use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::Method;
use serde_json::{Value, json};

use crate::platform::Platform;

const PHONE: &str = "+12125550123";
const EMAIL: &str = "mia@example.com";

/// How long a mail or a text may take, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks the api; gives what it says, which must be no problem.
async fn ask(
    platform: &Platform,
    path: &str,
    token: Option<&Value>,
    body: &Value,
) -> anyhow::Result<Value> {
    let url = format!("{}{path}", platform.endpoint("api")?);
    let mut request = carriers::http::client()?.request(Method::POST, url).json(body);
    if let Some(token) = token {
        request = request.bearer_auth(token.as_str().context("a token")?);
    }
    let answer = request.send().await?;
    let (status, bytes) = (answer.status(), answer.bytes().await?);
    ensure!(status.is_success(), "{path}: {status} {}", String::from_utf8_lossy(&bytes));
    Ok(serde_json::from_slice(&bytes)?)
}

/// The first six digits in what the sandbox shows, once it shows these words.
async fn code_in(platform: &Platform, path: &str, words: &str) -> anyhow::Result<String> {
    let url = format!("{}{path}", platform.endpoint("sandbox")?);
    let shown = async {
        loop {
            let text = carriers::http::client()?.get(&url).send().await?.text().await?;
            if let Some((before, _)) = text.split_once(words) {
                let from = before.len().checked_sub(6).context("a code")?;
                return anyhow::Ok(before[from..].to_owned());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, shown).await.with_context(|| format!("{words} never came"))?
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_comes_by_mail_and_signs_in_by_a_text_that_the_pipeline_carries()
-> anyhow::Result<()> {
    let platform = Platform::start().await?;

    // By mail: the request writes a row, schedule hands it over by SMTP, the sandbox catches it.
    let new = json!({ "email": EMAIL, "company": "Mia's Mill", "name": "Mia" });
    ask(&platform, "/v1/auth/signup", None, &new).await?;
    let mail = format!("/sandbox/mail?to={EMAIL}");
    let code = code_in(&platform, &mail, " signs you up").await?;
    let verify = json!({ "to": EMAIL, "code": code });
    let tokens = ask(&platform, "/v1/auth/otp/verify", None, &verify).await?;
    assert!(tokens["tenant"].as_str().is_some_and(|key| key.starts_with("mias-mill-")), "{tokens}");

    // A number of hers, and then in by that number alone.
    let token = Some(&tokens["access_token"]);
    ask(&platform, "/v1/me/addresses", token, &json!({ "to": PHONE })).await?;
    let code = code_in(&platform, "/sandbox/ledger", " shows Millrace").await?;
    let verify = json!({ "to": PHONE, "code": code });
    let person = ask(&platform, "/v1/me/addresses/verify", token, &verify).await?;
    assert_eq!((&person["phone"], &person["email_verified"]), (&json!(PHONE), &json!(true)));

    ask(&platform, "/v1/auth/otp", None, &json!({ "to": PHONE })).await?;
    let code = code_in(&platform, "/sandbox/ledger", " is your code").await?;
    let verify = json!({ "to": PHONE, "code": code });
    let again = ask(&platform, "/v1/auth/otp/verify", None, &verify).await?;
    assert_eq!(again["person"]["id"], tokens["person"]["id"]);
    platform.stop().await
}
