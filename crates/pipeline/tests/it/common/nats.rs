//! A nats-server of one test: a child process on a free port with a directory of its own, gone
//! when the test ends.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A running server.
pub struct Nats {
    child: Child,
    dir: PathBuf,
    port: u16,
    sync: &'static str,
    /// Further settings of JetStream.
    more: &'static str,
}

impl Nats {
    /// Starts one on a free port.
    pub fn start() -> Self {
        Self::of("2m", "")
    }

    /// Starts one that writes each message to the disk before it answers.
    pub fn strict() -> Self {
        Self::of("always", "")
    }

    /// Starts one with further settings of JetStream.
    pub fn of(sync: &'static str, more: &'static str) -> Self {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("millrace-pipeline-{}-{count}", std::process::id());
        let dir = std::env::temp_dir().join(name);
        fs::create_dir_all(&dir).expect("a directory for the broker");

        let child = spawn(&dir, -1, (sync, more));
        let port = wait_for_port(&dir, child.id());
        Self { child, dir, port, sync, more }
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Kills it as a power cut would, and starts it on the same port and data.
    pub fn restart(&mut self) {
        self.child.kill().expect("the broker ran");
        self.child.wait().expect("the broker ended");
        self.child = spawn(&self.dir, i32::from(self.port), (self.sync, self.more));
        wait_for_port(&self.dir, self.child.id());
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.dir);
    }
}

fn spawn(dir: &Path, port: i32, (sync, more): (&str, &str)) -> Child {
    let shown = dir.display();
    let config = format!(
        "listen: \"127.0.0.1:{port}\"
ports_file_dir: \"{shown}\"
\
         jetstream {{ store_dir: \"{shown}\", sync_interval: \"{sync}\", {more} }}
"
    );
    let file = dir.join("nats.conf");
    fs::write(&file, config).expect("a configuration file");

    Command::new(binary())
        .arg("-c")
        .arg(file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("nats-server 2.15 or newer: `make test` installs it")
}

/// The server writes its address to a file once it listens.
fn wait_for_port(dir: &Path, pid: u32) -> u16 {
    let file = dir.join(format!("nats-server_{pid}.ports"));
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(20) {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let ports: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        let url = ports["nats"][0].as_str().unwrap_or_default();
        if let Some(port) = url.rsplit(':').next().and_then(|port| port.parse().ok()) {
            return port;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("nats-server did not start within 20 s");
}

/// Where the set-up script puts the server, else the one on the PATH.
fn binary() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folders = [".millrace-tools/venv/bin", "target/tools/nats/bin"];
    let found = folders.iter().map(|folder| root.join(folder).join("nats-server"));
    found.into_iter().find(|path| path.exists()).unwrap_or_else(|| "nats-server".into())
}
