//! Where carriers reach the platform is one value: who would name another does not start.

use crate::world::World;

#[tokio::test]
async fn a_process_that_would_go_by_another_public_url_does_not_start() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let _api = world.start_api(&[]).await?;
    let other = "--public-url=http://elsewhere.test";

    for words in [["stage", "send"].as_slice(), &["stage", "gate"], &["api"]] {
        let words = [words, &[other, "--listen=127.0.0.1:0"]].concat();
        let refused = world.millrace(&words).await?;
        assert_eq!(refused.code, Some(1), "{words:?}: {}", refused.stderr);
        assert!(refused.stderr.contains("MILLRACE_PUBLIC_URL: "), "{words:?}: {}", refused.stderr);
        assert!(refused.stderr.contains("http://elsewhere.test"), "{words:?}: {}", refused.stderr);
    }

    let moved = world.millrace(&["migrate", other]).await?;
    assert_eq!(moved.code, Some(0), "{}", moved.stderr);
    let as_before = world.millrace(&["stage", "send"]).await?;
    assert!(as_before.stderr.contains("migrate --public-url"), "{}", as_before.stderr);
    Ok(())
}
