//! The vendors' own SDKs against the sandbox: `official_sdks.py`, with the Python that
//! `scripts/setup --tests` gave them to.

use std::process::Command;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_official_sdks_work_against_the_sandbox() {
    let python = boot::tools::python().expect("run scripts/setup --tests");
    let listen = "127.0.0.1:0".parse().expect("an address");
    let sandbox = sandbox::start(sandbox::SandboxConfig { listen, ..Default::default() });
    let sandbox = sandbox.await.expect("a sandbox");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/official_sdks.py");
    let base = format!("http://{}", sandbox.addr);
    let run = move || Command::new(python).arg(script).arg(base).output();
    let output = tokio::task::spawn_blocking(run).await.expect("no panic").expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{errors}");
    sandbox.stop().await;
}
