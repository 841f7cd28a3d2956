//! Private NATS and Postgres servers: for `millrace up`, and for tests, which need no containers.
//!
//! Both listen on free loopback ports, keep their data under a directory of the caller, ask for a
//! random password or for credentials, and stop when this process ends, also by `kill -9`.

mod account;
mod cluster;
mod copy;
mod data_dir;
mod dump;
mod nats;
mod nats_cluster;
mod postgres;
mod supervise;
mod template;

pub use data_dir::{DataDir, Scratch};
pub use nats::Nats;
pub use nats_cluster::{NatsPeer, start_nats_cluster};
pub use postgres::Postgres;
pub use template::{template, template_root};

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use crate::tools::ToolError;

/// How embedded servers are run. The default is for real data: everything is on disk before it is
/// answered.
#[derive(Debug, Clone, Default)]
pub struct EmbeddedOptions {
    /// For tests only: no fsync anywhere, small buffers, and a stop that does not tidy up. Data
    /// survives a killed server process, but not a crash of the machine.
    pub ephemeral: bool,
    /// When JetStream's writes reach the disk. Ignored when `ephemeral`.
    pub nats_sync: NatsSync,
    /// The server's place in a cluster of NATS servers; see [`start_nats_cluster`].
    pub nats_peer: Option<NatsPeer>,
    /// The ports to use if they are free, else any that are. Without preference they are those of
    /// the last start in the same directory, so that addresses stay as they were.
    pub ports: PreferredPorts,
    /// A cluster made by [`template`], to be copied: that takes 0.1 s, making one 1 s. Only
    /// together with `ephemeral`.
    pub template: Option<PathBuf>,
}

impl EmbeddedOptions {
    /// What a test wants: speed.
    pub fn for_tests() -> Self {
        Self { ephemeral: true, ..Self::default() }
    }
}

/// When an acknowledged message is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NatsSync {
    /// Before the broker acknowledges it.
    #[default]
    Always,
    /// At this interval, whole seconds and at least one. A power cut loses what the broker
    /// acknowledged since: for replicated clusters, and to measure what `Always` costs.
    Every(Duration),
}

/// Ports to try first; 0 or None stands for any.
#[derive(Debug, Clone, Copy, Default)]
pub struct PreferredPorts {
    /// The port of NATS for clients.
    pub nats: Option<u16>,
    /// The port of Postgres.
    pub postgres: Option<u16>,
}

/// Why an embedded server is not there. Each text is one line.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// A server binary is missing or too old.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// Another process of ours works in this directory.
    #[error("{} is in use by another millrace{owner}: stop that one, or choose another --data-dir",
        dir.display())]
    InUse {
        /// The data directory.
        dir: PathBuf,
        /// ` (process 123)`, or nothing when it is not known.
        owner: String,
    },
    /// A server of an earlier run has not stopped.
    #[error("the {server} of an earlier run still works in {}: stop it, then try again",
        dir.display())]
    StillRunning {
        /// `NATS` or `Postgres`.
        server: &'static str,
        /// Where it keeps its data.
        dir: PathBuf,
    },
    /// The data were written by a version of PostgreSQL that is not installed.
    #[error("{} was made by PostgreSQL {made_by}, {found}: install PostgreSQL {made_by}, \
        or start anew with: rm -rf {}", dir.display(), start_anew.display())]
    OtherVersion {
        /// The cluster's directory.
        dir: PathBuf,
        /// The major version that made it.
        made_by: String,
        /// What is installed, in words.
        found: String,
        /// What to remove to start anew.
        start_anew: PathBuf,
    },
    /// A file that belongs to the data is gone or cannot be read as what it should be.
    #[error("{} {what}: restore it, or start anew with: rm -rf {}", path.display(),
        start_anew.display())]
    Damaged {
        /// The file or directory that is damaged.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
        /// What to remove to start anew.
        start_anew: PathBuf,
    },
    /// The server ended, or did not answer in time.
    #[error("{server} did not start: {reason} (log: {})", log.display())]
    NotStarted {
        /// `NATS` or `Postgres`.
        server: &'static str,
        /// The last line of its log, or that it did not answer.
        reason: String,
        /// The file that it logs to.
        log: PathBuf,
    },
    /// Root has no other user to run Postgres as.
    #[error(
        "Postgres does not run as root, and there is no user `postgres` or `nobody`: \
        create one (useradd --system postgres)"
    )]
    NoAccount,
    /// The database's roles could not be made or asked.
    #[error("the embedded Postgres refused its set-up: {0}")]
    Database(#[from] sqlx::Error),
    /// The caller's own preparation of a template failed.
    #[error("the template could not be prepared: {0:#}")]
    Template(anyhow::Error),
    /// A file or process operation failed.
    #[error("{what} failed: {source}")]
    Io {
        /// What was tried, and on which path.
        what: String,
        /// The system's answer.
        source: std::io::Error,
    },
}

/// Turns an IO error into one that says what was tried on which path.
fn failed<'a>(what: &'a str, path: &'a Path) -> impl FnOnce(std::io::Error) -> EmbeddedError + 'a {
    move |source| EmbeddedError::Io { what: format!("{what} {}", path.display()), source }
}

/// A loopback port that nobody uses at this moment. Somebody may a moment later, so whoever starts
/// a server on it tries again on another.
fn free_port() -> Result<u16, EmbeddedError> {
    let not_found =
        |source| EmbeddedError::Io { what: "looking for a free port on 127.0.0.1".into(), source };
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).map_err(not_found)?;

    Ok(listener.local_addr().map_err(not_found)?.port())
}

/// How often a server is started because its port was taken meanwhile.
const PORT_ATTEMPTS: usize = 5;
/// How long a server may take until it answers. Recovery of a large store takes its time.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// How often a starting server is asked.
const READY_POLL: Duration = Duration::from_millis(10);

/// Whether a log says that a port was taken.
fn port_was_taken(log: &Path) -> bool {
    std::fs::read_to_string(log)
        .is_ok_and(|text| text.to_ascii_lowercase().contains("address already in use"))
}

/// The last line that a server wrote to its log.
fn last_words(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let line = text.lines().rev().find(|line| !line.trim().is_empty());

    line.map_or_else(|| "it said nothing".to_owned(), |line| line.trim().to_owned())
}
