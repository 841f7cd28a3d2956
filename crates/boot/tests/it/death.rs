//! However the process ends that started the servers, they end too, and their data stay good.

use std::{
    io::{BufRead, BufReader},
    net::TcpStream,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use boot::embedded::Scratch;
use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, Uid},
};

/// The helper process, and what it said when its servers were ready.
struct Holder {
    process: Child,
    ready: serde_json::Value,
}

impl Holder {
    fn start(dir: &Path, uid: Option<u32>) -> Self {
        let helper = helper(uid);
        let mut command = Command::new(&helper);
        command.arg(dir.join("data")).stdout(Stdio::piped());
        // Where Ctrl-C goes: to the group of the helper, not to its servers.
        command.process_group(0);
        if let Some(uid) = uid {
            command.uid(uid).gid(uid);
        }

        let mut process = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if uid.is_some() {
            std::fs::remove_file(helper).unwrap();
        }

        let ready = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not ready: {line:?}"));
        Self { process, ready }
    }

    fn pid(&self, server: &str) -> Pid {
        Pid::from_raw(self.ready[server]["pid"].as_i64().unwrap().try_into().unwrap())
    }

    fn port(&self, server: &str) -> u16 {
        self.ready[server]["port"].as_u64().unwrap().try_into().unwrap()
    }

    /// Waits until neither server is there any more.
    fn assert_servers_end(&self) {
        for server in ["nats", "postgres"] {
            let deadline = Instant::now() + Duration::from_secs(20);
            while kill(self.pid(server), None).is_ok() {
                assert!(Instant::now() < deadline, "{server} outlives its owner");
                std::thread::sleep(Duration::from_millis(20));
            }
            assert!(TcpStream::connect(("127.0.0.1", self.port(server))).is_err());
        }
    }
}

/// A failed test ends its helper too.
impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The helper's binary; for another user a copy that this user can reach.
fn helper(uid: Option<u32>) -> PathBuf {
    let built = PathBuf::from(env!("CARGO_BIN_EXE_hold_servers"));
    if uid.is_none() {
        return built;
    }

    // Not in the scratch directory: that may lie where nothing can be run.
    let name = format!("hold_servers-{}", std::process::id());
    let copy = std::env::temp_dir().join(name);
    std::fs::copy(built, &copy).unwrap();
    copy
}

fn scratch() -> Scratch {
    let scratch = Scratch::new().unwrap();
    // Another user works in here too.
    std::fs::set_permissions(scratch.path(), PermissionsExt::from_mode(0o777)).unwrap();
    scratch
}

#[test]
fn a_killed_process_leaves_no_server_behind_and_the_next_one_starts_on_its_data() {
    let scratch = scratch();
    let mut first = Holder::start(scratch.path(), None);
    first.process.kill().unwrap();
    first.process.wait().unwrap();
    // At once: the servers of the first may still be stopping.
    let mut second = Holder::start(scratch.path(), None);

    assert_ne!(first.pid("nats"), second.pid("nats"));
    assert_ne!(first.pid("postgres"), second.pid("postgres"));
    assert_eq!(first.port("postgres"), second.port("postgres"), "addresses stay as they were");

    kill(Pid::from_raw(second.process.id().try_into().unwrap()), Signal::SIGKILL).unwrap();
    second.process.wait().unwrap();
    second.assert_servers_end();
}

#[test]
fn ctrl_c_reaches_the_process_and_it_stops_its_servers_itself() {
    let scratch = scratch();
    let mut holder = Holder::start(scratch.path(), None);
    let group = -i32::try_from(holder.process.id()).unwrap();
    kill(Pid::from_raw(group), Signal::SIGINT).unwrap();
    let status = holder.process.wait().unwrap();
    assert!(status.success(), "{status}");
    holder.assert_servers_end();
}

#[test]
fn a_data_directory_in_use_is_one_clear_line() {
    let scratch = scratch();
    let mut holder = Holder::start(scratch.path(), None);
    let second = Command::new(helper(None))
        .arg(scratch.path().join("data"))
        .env_remove("RUST_BACKTRACE")
        .output()
        .unwrap();

    assert!(!second.status.success());

    let said = String::from_utf8(second.stderr).unwrap();
    let owner = format!("is in use by another millrace (process {})", holder.process.id());
    assert!(said.contains(&owner), "{said}");
    assert_eq!(said.trim().lines().count(), 1, "{said}");

    holder.process.kill().unwrap();
    holder.process.wait().unwrap();
    holder.assert_servers_end();
}

#[test]
fn an_ordinary_user_needs_nobody_elses_rights() {
    // Whoever runs the tests as an ordinary user has this from the other tests.
    let nobody = Uid::effective().is_root().then_some(65_534);
    let scratch = scratch();
    let mut holder = Holder::start(scratch.path(), nobody);
    holder.process.kill().unwrap();
    holder.process.wait().unwrap();
    holder.assert_servers_end();
}
