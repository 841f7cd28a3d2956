//! Where carriers reach the platform is one value: who would name another does not start.

use crate::support::Apart;

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_would_go_by_another_public_url_does_not_start() -> anyhow::Result<()> {
    let platform = Apart::start(1).await?;
    let other = "--public-url=http://elsewhere.test";

    for words in [["stage", "send"].as_slice(), &["stage", "gate"], &["api"]] {
        let words = [words, &[other, "--listen=127.0.0.1:0"]].concat();
        let refused = platform.tool(&words).await.expect_err("it is not the platform's");
        let refused = refused.to_string();
        assert!(refused.contains("MILLRACE_PUBLIC_URL: "), "{words:?}: {refused}");
        assert!(refused.contains("http://elsewhere.test"), "{words:?}: {refused}");
    }

    platform.tool(&["migrate", other]).await?;
    let before = format!("--public-url={}", platform.api_url());
    let as_before = platform.tool(&["stage", "send", &before]).await;
    let as_before = as_before.expect_err("the platform has moved");
    assert!(as_before.to_string().contains("migrate --public-url"), "{as_before}");
    platform.stop().await
}
