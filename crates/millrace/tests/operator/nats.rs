//! `millrace nats config`: what its help names is what it writes.

use std::{fs, path::Path, process::Command};

use boot::embedded::Scratch;

fn millrace(words: &[&str]) -> anyhow::Result<String> {
    let ended = Command::new(env!("CARGO_BIN_EXE_millrace")).args(words).output()?;
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{words:?}: {said}");
    Ok(String::from_utf8(ended.stdout)?)
}

fn config(folder: &Path) -> anyhow::Result<String> {
    millrace(&["nats", "config", &folder.to_string_lossy()])
}

#[test]
fn the_help_of_nats_config_names_what_it_writes_and_a_repeat_keeps_it() -> anyhow::Result<()> {
    let help = millrace(&["nats", "config", "--help"])?;
    let first = help.lines().next().unwrap_or_default();
    assert!(first.starts_with("Writes a folder with who may log in to NATS"), "{help}");
    assert!(help.contains("Example: millrace nats config nats"), "{help}");

    let scratch = Scratch::new()?;
    let folder = scratch.path().join("nats");
    let account = config(&folder)?;
    assert!(account.starts_with('A') && account.trim().len() == 56, "an account: {account}");
    let mut written: Vec<String> = Vec::new();
    for entry in fs::read_dir(&folder)? {
        written.push(entry?.file_name().to_string_lossy().into_owned());
    }
    written.sort();
    assert_eq!(written, ["accounts.conf", "creds", "keys", "subscribers.key"]);
    for name in &written {
        assert!(help.contains(name.as_str()), "{name} is not in\n{help}");
    }

    // Keys stay, and one that was removed is made anew.
    let kept = |name: &str| fs::read_to_string(folder.join("creds").join(name));
    let (api, gate) = (kept("api.creds")?, kept("gate.creds")?);
    fs::remove_file(folder.join("creds/gate.creds"))?;
    assert_eq!(config(&folder)?, account);
    assert_eq!(kept("api.creds")?, api);
    assert_ne!(kept("gate.creds")?, gate);
    Ok(())
}
