//! A short run of `millrace chaos`: every kind of process, the broker and the database are killed
//! once while messages go through two carriers at once.

use std::{path::Path, process::Command};

#[test]
fn a_campaign_under_kill_9_ends_with_every_count_agreeing() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let mut chaos = Command::new(env!("CARGO_BIN_EXE_millrace"));
    chaos.args(["chaos", "--recipients", "1500", "--kills", "11", "--limit", "150"]);
    chaos.args(["--carriers", "twilio,bandwidth"]);
    // What is kept for a time goes through streams that hold a part of it.
    chaos.args(["--stream-sizes", "EVENTS=1MiB,CARRIER=1MiB,TEXTS=1MiB"]);

    let output = chaos.current_dir(folder).output().expect("the program runs");

    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{errors}");
    assert!(said.contains("every count agrees"), "{said}");
}
