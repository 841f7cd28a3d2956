//! Whole messages by other carriers than the demo's. A carrier that no stage, no route and no store
//! module was written for passes them on an account of the platform's that two tenants share; its
//! feature is on in tests alone.

mod bandwidth;
mod carrier;
mod platform;
mod sign_in;
mod whatsapp;

use anyhow::Context;
use carrier::LoopbackServer;
use carriers::loopback::webhook::sign;
use platform::Platform;
use secrecy::SecretString;
use serde_json::json;

const SECRET: &str = "shared-secret";
const ANA: &str = "+12125550123";
const BEN: &str = "+12125550124";

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

    // All stages are in one process, and every address has been asked.
    let metrics = platform.metrics().await?;
    assert!(metrics.contains("millrace_http_requests_total{"), "{metrics}");
    assert!(metrics.len() < 120_000, "{} bytes:\n{metrics}", metrics.len());
    platform.stop().await
}
