//! `millrace up` where an address cannot be had, or nobody answers at one that is named.

use std::{
    net::TcpListener,
    process::Command,
    time::{Duration, Instant},
};

use boot::embedded::Scratch;

/// Set aside for documentation (RFC 5737): no machine has it.
const NOT_OURS: &str = "192.0.2.1:9";

#[test]
fn up_ends_before_it_makes_anything_where_it_cannot_listen() -> anyhow::Result<()> {
    let scratch = Scratch::new()?;
    let data = scratch.path().join("data");
    for setting in ["MILLRACE_LISTEN", "MILLRACE_HEALTH_LISTEN"] {
        let mut up = Command::new(env!("CARGO_BIN_EXE_millrace"));
        up.args(["up", "--data-dir"]).arg(&data);
        up.env("MILLRACE_LISTEN", "127.0.0.1:0").env(setting, NOT_OURS);
        let ended = up.output()?;

        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(!ended.status.success(), "{setting}");
        assert!(said.contains(&format!("{setting}: cannot listen on {NOT_OURS}")), "{said}");
        assert_eq!(said.matches(&format!("{setting}: ")).count(), 1, "named once: {said}");
        assert!(!data.exists(), "{setting}: nothing is made");
    }
    Ok(())
}

#[test]
fn up_says_within_seconds_which_server_does_not_answer_and_makes_nothing() -> anyhow::Result<()> {
    let scratch = Scratch::new()?;
    let data = scratch.path().join("data");
    // Bound and let go: nobody listens there.
    let nobody = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let names = [
        ("DATABASE_URL", format!("postgres://millrace:secret@{nobody}/millrace")),
        ("NATS_URL", format!("nats://{nobody}")),
    ];
    for (setting, url) in names {
        let mut up = Command::new(env!("CARGO_BIN_EXE_millrace"));
        up.args(["up", "--data-dir"]).arg(&data);
        up.env("MILLRACE_LISTEN", "127.0.0.1:0").env(setting, url);
        let begun = Instant::now();
        let ended = up.output()?;

        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(!ended.status.success(), "{setting}");
        assert!(said.contains(&format!("millrace: {setting}: ")), "{said}");
        assert_eq!(said.matches(&format!("{setting}: ")).count(), 1, "named once: {said}");
        assert!(said.contains(&nobody.to_string()) && !said.contains("secret"), "{said}");
        assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
        assert!(!data.exists(), "{setting}: nothing is made");
    }
    Ok(())
}
