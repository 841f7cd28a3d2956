//! The vendors' own SDKs against the sandbox: `tests/official_sdks.py`, with the Python that
//! `scripts/setup --tests` gave them to.

use std::path::Path;
use std::process::{Command, Output};

use crate::support::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_official_sdks_work_against_the_sandbox() {
    let python = boot::tools::python().expect("run scripts/setup --tests");
    let world = World::new().await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/official_sdks.py");
    let base = world.base.clone();
    let run = move || Command::new(python).arg(script).arg(base).output();
    let output = tokio::task::spawn_blocking(run).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", text_of(&output));
}

fn text_of(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}
