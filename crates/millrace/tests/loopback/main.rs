//! Whole messages by other carriers than the demo's. A carrier that no stage, no route and no store
//! module was written for passes them on an account of the platform's that two tenants share; its
//! feature is on in tests alone.

mod bandwidth;
mod carrier;
mod conversations;
mod platform;
mod readme;
mod sign_in;
mod whatsapp;

use anyhow::{Context, ensure};
use carrier::LoopbackServer;
use carriers::loopback::webhook::sign;
use platform::{Caller, Platform};
use secrecy::SecretString;
use serde_json::json;

const SECRET: &str = "shared-secret";
const ANA: &str = "+12125550123";
const BEN: &str = "+12125550124";

/// Where the carrier brings texts.
struct Hook<'a> {
    platform: &'a Platform,
    path: &'a str,
    secret: &'a SecretString,
}

impl Hook<'_> {
    async fn bring(&self, id: &str, from: &str, to: &str, text: &str) -> anyhow::Result<()> {
        let body = json!([{ "kind": "text", "id": id, "from": from, "to": to, "text": text }]);
        let body = body.to_string();
        let signature = sign(self.secret, body.as_bytes());
        let status = self.platform.webhook(self.path, &signature, &body).await?;
        ensure!(status == 200, "{id}: {status}");
        Ok(())
    }
}

/// The number of one tenant asks the other one for help and says stop, and the carrier brings each
/// answer back to it: an answer is answered by nobody.
async fn two_tenants_answer_each_other_once(
    carrier: &LoopbackServer,
    hook: &Hook<'_>,
    demo: &Caller,
) -> anyhow::Result<()> {
    let (one, other) = ("+12125550001", "+12125550002");
    let before = carrier.wait_for(0).await?.len();
    for (n, word) in ["HELP", "STOP"].into_iter().enumerate() {
        hook.bring(&format!("asks-{n}"), one, other, word).await?;
        let answer = carrier.wait_for(before + n + 1).await?.swap_remove(before + n);
        ensure!((answer.from.as_str(), answer.to.as_str()) == (other, one), "{answer:?}");
        hook.bring(&format!("comes-back-{n}"), &answer.from, &answer.to, &answer.text).await?;
    }
    let totals = "/v1/analytics/dashboard";
    demo.until(totals, |read| read["totals"]["received"] == 2).await?;

    // What was stored with them is answered by now when a later question is.
    hook.bring("asks-later", ANA, one, "HELP").await?;
    let texts = carrier.wait_for(before + 3).await?;
    let to: Vec<_> = texts[before..].iter().map(|text| text.to.as_str()).collect();
    ensure!(to == [one, one, ANA], "{texts:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_carrier_passes_whole_messages_of_two_tenants_that_share_its_account()
-> anyhow::Result<()> {
    let carrier = LoopbackServer::start(SECRET).await?;
    let platform = Platform::start().await?;
    let handle = platform
        .account_create(&["--carrier", "loopback", "--sid", "acct-1", "--pace", "50"], &carrier.url)
        .await?;
    let demo = platform.tenant("demo").await?;
    let other = platform.tenant("other").await?;
    platform.tool(&["account", "share", &handle, "demo"]).await?;
    platform
        .tool(&["account", "share", &handle, "other", "--name", "main", "--weight", "3"])
        .await?;

    // Both send, and each text leaves with its own tenant's reference.
    demo.sender("platform", "+12125550001").await?;
    other.sender("main", "+12125550002").await?;
    let texts = [demo.text("+12125550001", ANA).await?, other.text("+12125550002", ANA).await?];
    let sent = carrier.wait_for(2).await?;
    let sent_for = |tenant: &str, message: &str| {
        let reference = format!("{tenant}:{message}");
        sent.iter().find(|text| text.reference == reference).context("it has not been sent")
    };
    let (first, second) = (sent_for("demo", &texts[0])?, sent_for("other", &texts[1])?);

    // One request of the carrier holds receipts for both, and a text to the second one's number.
    let webhook = json!([
        { "kind": "status", "reference": first.reference, "id": first.id, "status": "delivered" },
        { "kind": "status", "reference": second.reference, "id": second.id, "status": "failed",
          "code": 7 },
        { "kind": "text", "id": "in-1", "from": BEN, "to": "+12125550002", "text": "STOP" },
    ])
    .to_string();
    let secret = SecretString::from(SECRET);
    let path = format!("/webhooks/loopback/{handle}");
    assert_eq!(platform.webhook(&path, "0000", &webhook).await?, 403);
    assert_eq!(platform.webhook(&path, &sign(&secret, webhook.as_bytes()), &webhook).await?, 200);
    demo.until_status(&texts[0], "delivered").await?;
    let failed = other.until_status(&texts[1], "failed").await?;
    assert_eq!(failed["error"]["cause"], "the person opted out at the carrier");

    // Who said STOP to one tenant has said it to that one alone.
    other.until_opted_out(BEN).await?;
    let blocked = other.text("+12125550002", BEN).await?;
    other.until_status(&blocked, "blocked").await?;
    demo.text("+12125550001", BEN).await?;
    let sent = carrier.wait_for(4).await?;
    assert_eq!(sent.len(), 4, "two texts, the confirmation of the STOP, and the first one's next");

    let hook = Hook { platform: &platform, path: &path, secret: &secret };
    two_tenants_answer_each_other_once(&carrier, &hook, &demo).await?;

    // All stages are in one process, and every address has been asked.
    let metrics = platform.metrics().await?;
    assert!(metrics.contains("millrace_http_requests_total{"), "{metrics}");
    assert!(metrics.len() < 120_000, "{} bytes:\n{metrics}", metrics.len());
    platform.stop().await
}
