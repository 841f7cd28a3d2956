//! A short run of `millrace fair`: neighbours who flood, whose carrier is slow, who upload slowly
//! and who share an account, beside one who sends a code each second. An unoptimized build takes
//! some ten times as long for everything and loses more of a pace whenever the machine is busy for
//! a moment: on a slow machine codes take some seconds here, and half of a pace is used. So the
//! limits here are wide. They find what waits behind others (behind a slow account ten seconds and
//! more, behind a flooded sender a minute), and paces that are not kept. The optimized one has one
//! second, 95 % of a pace and 10 % of a share.

use std::{path::Path, process::Command};

#[test]
fn codes_are_on_time_beside_floods_and_shares_and_paces_are_kept() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let mut fair = Command::new(env!("CARGO_BIN_EXE_millrace"));
    fair.args(["fair", "--texts", "500", "--seconds", "18", "--recipients", "220"]);
    fair.args(["--accounts", "8", "--posts", "1"]);
    fair.args(["--used", "40", "--within", "6000", "--off", "20"]);

    let output = fair.current_dir(folder).output().expect("the program runs");

    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{errors}");
    assert!(said.contains("the neighbours notice nothing"), "{said}");
}
