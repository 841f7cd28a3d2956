//! The vendors' own SDKs against the sandbox: `tests/official_sdks.py` in a virtual environment
//! that all checkouts' test runs share under `target/pytools`.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::World;

const PACKAGES: [&str; 2] = ["twilio", "anthropic"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_official_sdks_work_against_the_sandbox() {
    let python = tokio::task::spawn_blocking(python_with_sdks).await.unwrap();
    let world = World::new().await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/official_sdks.py");
    let base = world.base.clone();
    let run = move || Command::new(python).arg(script).arg(base).output();
    let output = tokio::task::spawn_blocking(run).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", text_of(&output));
}

/// The Python of an environment with the SDKs, made on first use. Other test processes wait.
fn python_with_sdks() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let home = target.join("pytools");
    std::fs::create_dir_all(&home).unwrap();
    let lock = File::create(home.join("lock")).unwrap();
    lock.lock().unwrap();
    let python = home.join("bin/python");
    if !python.exists() {
        let made = Command::new("python3").args(["-m", "venv"]).arg(&home).output();
        let fine = made.as_ref().is_ok_and(|output| output.status.success());
        if !fine {
            // Without ensurepip half an environment is left, which would be taken for a whole one.
            let _ = std::fs::remove_dir_all(home.join("bin"));
        }
        assert!(fine, "python3 with venv is missing: install python3 and python3-venv");
    }
    let imports = format!("import {}", PACKAGES.join(", "));
    let has = Command::new(&python).args(["-c", &imports]).output().unwrap();
    if !has.status.success() {
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        let installed = pip.args(PACKAGES).output().unwrap();
        let packages = PACKAGES.join(" and ");
        let error = text_of(&installed);
        assert!(installed.status.success(), "pip cannot install {packages}: {error}");
    }
    python
}

fn text_of(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}
