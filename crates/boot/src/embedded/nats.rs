//! The embedded NATS server with JetStream.

use std::{
    fmt,
    fs::File,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;
use pipeline::access::ProcessKind;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use super::{
    EmbeddedError, EmbeddedOptions, NatsSync, PORT_ATTEMPTS, READY_POLL, READY_WITHIN,
    data_dir::{lock_log, make_dir},
    failed, free_port, last_words, port_was_taken,
    supervise::{Program, Supervised},
};
use crate::{files::write_private, keys::random_hex, nats_access::NatsAccess, tools};

/// A private NATS server, in operator mode: each kind of process logs in with credentials of its
/// own. Dropping it stops it too.
pub struct Nats {
    home: Home,
    ports: Ports,
    options: EmbeddedOptions,
    server: Supervised,
}

/// The largest message, bytes: a webhook's body of 1 MiB takes a third more in base64, and as much
/// again sealed in a dead letter.
const MAX_PAYLOAD: usize = 3 * 1024 * 1024;
/// How long the server may take to stop.
const GRACE: Duration = Duration::from_secs(15);
/// How long a server whose owner was killed may take until it has stopped.
const PATIENCE: Duration = Duration::from_secs(17);
/// Where streams lay before there were accounts, below the store.
const WITHOUT_ACCOUNTS: &str = "jetstream/$G";

impl Nats {
    /// Starts a server that keeps its data in `dir/nats`, and waits until it answers.
    ///
    /// # Errors
    /// No server binary that is new enough; a server already working there; it does not start.
    pub async fn start(dir: &Path, options: &EmbeddedOptions) -> Result<Self, EmbeddedError> {
        let home = Home::open(dir, options)?;
        let log = lock_log("NATS", &home.log, PATIENCE).await?;
        home.adopt_streams()?;

        let preferred = options.ports.nats.or_else(|| home.last_port());
        let (ports, server) = start_on_some_port(&home, options, preferred, log).await?;
        home.keep_port(ports.client)?;
        Ok(Self { home, ports, options: options.clone(), server })
    }

    /// The address for `NATS_URL`.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.ports.client)
    }

    /// Its keys and credentials.
    pub fn access(&self) -> &NatsAccess {
        &self.home.access
    }

    /// The operator's credentials, for `NATS_CREDS`.
    pub fn creds(&self) -> PathBuf {
        self.home.access.credentials(ProcessKind::Operator)
    }

    /// The client port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.ports.client
    }

    /// The server's own HTTP monitoring, such as `/varz` and `/jsz`, on loopback.
    pub fn monitor_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.monitor)
    }

    /// The server's process id.
    pub fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// Its name in a cluster.
    pub fn peer_name(&self) -> Option<&str> {
        self.options.nats_peer.as_ref().map(|peer| peer.name.as_str())
    }

    /// Waits until the server has everything that its cluster has: then another one may be away.
    ///
    /// # Errors
    /// It has not within two minutes.
    pub async fn current(&self) -> Result<(), EmbeddedError> {
        let deadline = Instant::now() + READY_WITHIN;
        while !is_healthy(self.ports.monitor).await {
            if Instant::now() > deadline {
                let reason = "it does not catch up with its cluster".to_owned();
                return Err(not_started(&self.home, reason));
            }
            tokio::time::sleep(READY_POLL).await;
        }
        Ok(())
    }

    /// Sends the server a signal: tests use this to kill, freeze and thaw it.
    pub fn signal(&self, signal: Signal) {
        self.server.signal(signal);
    }

    /// Waits until the server has ended, which it should not do by itself.
    pub async fn exited(&self) {
        while self.server.exited().is_none() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Stops the server if it runs, and starts it again on the same data and, if it can be had, the
    /// same port.
    ///
    /// # Errors
    /// As for [`Nats::start`].
    pub async fn restart(&mut self) -> Result<(), EmbeddedError> {
        self.server.stop().await;
        let log = lock_log("NATS", &self.home.log, PATIENCE).await?;

        let preferred = Some(self.ports.client);
        let (ports, server) = start_on_some_port(&self.home, &self.options, preferred, log).await?;

        self.ports = ports;
        self.server = server;
        Ok(())
    }

    /// Stops the server and waits until it has.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

impl fmt::Debug for Nats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nats").field("ports", &self.ports).field("pid", &self.pid()).finish()
    }
}

/// The server's ports on 127.0.0.1.
#[derive(Debug, Clone, Copy)]
struct Ports {
    client: u16,
    /// Of its own HTTP monitoring.
    monitor: u16,
}

/// The server's directory and what it keeps between starts.
struct Home {
    dir: PathBuf,
    log: PathBuf,
    access: NatsAccess,
}

impl Home {
    fn open(dir: &Path, options: &EmbeddedOptions) -> Result<Self, EmbeddedError> {
        let dir = make_dir(&dir.join("nats"), 0o700)?;
        let keys = match &options.nats_peer {
            Some(peer) => peer.keys.clone(),
            None => dir.join("access"),
        };
        let make = if options.ephemeral { NatsAccess::make_quickly } else { NatsAccess::make };
        let access = make(&keys).map_err(failed("making the keys of", &keys))?;

        Ok(Self { log: dir.join("server.log"), dir, access })
    }

    /// Streams of a version without accounts become those of the platform's account.
    fn adopt_streams(&self) -> Result<(), EmbeddedError> {
        let store = self.dir.join("jetstream");
        let before = store.join(WITHOUT_ACCOUNTS);
        let own = store.join("jetstream").join(self.access.account());
        if before.is_dir() && !own.exists() {
            std::fs::rename(&before, &own).map_err(failed("moving", &before))?;
        }
        Ok(())
    }

    fn last_port(&self) -> Option<u16> {
        std::fs::read_to_string(self.dir.join("port")).ok()?.trim().parse().ok()
    }

    fn keep_port(&self, port: u16) -> Result<(), EmbeddedError> {
        let path = self.dir.join("port");
        write_private(&path, port.to_string().as_bytes()).map_err(failed("writing", &path))
    }

    /// The server's configuration. Its language knows JSON strings, so that is how it is quoted.
    fn config(&self, name: &str, ports: Ports, options: &EmbeddedOptions) -> String {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let sync = match (options.ephemeral, options.nats_sync) {
            (false, NatsSync::Always) => "\"always\"".to_owned(),
            (false, NatsSync::Every(interval)) => format!("\"{}s\"", interval.as_secs().max(1)),
            // Nothing of a test needs to survive the machine.
            (true, _) => "\"10m\"".to_owned(),
        };
        let cluster = match &options.nats_peer {
            Some(peer) => peer.config(),
            None => String::new(),
        };

        format!(
            "server_name: {name}\nlisten: \"127.0.0.1:{client}\"\nhttp: \"127.0.0.1:{monitor}\"\n\
             max_payload: {MAX_PAYLOAD}\n\
             jetstream {{ store_dir: {store}, sync_interval: {sync} }}\n{accounts}{cluster}",
            client = ports.client,
            monitor = ports.monitor,
            store = quoted(&self.dir.join("jetstream").to_string_lossy()),
            accounts = self.access.accounts(),
        )
    }
}

/// Starts the server on the preferred port, and on others where it is taken.
async fn start_on_some_port(
    home: &Home,
    options: &EmbeddedOptions,
    preferred: Option<u16>,
    log: File,
) -> Result<(Ports, Supervised), EmbeddedError> {
    let binary = tools::nats_server()?.path;
    let mut preferred = preferred;
    for _ in 0..PORT_ATTEMPTS {
        let client = match preferred.take() {
            Some(port) if port != 0 => port,
            Some(_) | None => free_port()?,
        };
        let ports = Ports { client, monitor: free_port()? };

        log.set_len(0).map_err(failed("emptying", &home.log))?;
        let log = log.try_clone().map_err(failed("opening", &home.log))?;
        if let Some(server) = try_ports(home, options, &binary, ports, log).await? {
            return Ok((ports, server));
        }
    }
    Err(not_started(home, last_words(&home.log)))
}

/// Starts the server on these ports and waits until it answers. None when one of them is taken.
async fn try_ports(
    home: &Home,
    options: &EmbeddedOptions,
    binary: &Path,
    ports: Ports,
    log: File,
) -> Result<Option<Supervised>, EmbeddedError> {
    let alone = || format!("millrace-{}", random_hex(6));
    let name = options.nats_peer.as_ref().map_or_else(alone, |it| it.name.clone());
    let config = home.dir.join("nats.conf");
    let text = home.config(&name, ports, options);
    write_private(&config, text.as_bytes()).map_err(failed("writing", &config))?;

    let server = Supervised::start(Program {
        path: binary.to_owned(),
        args: vec!["--config".to_owned(), config.to_string_lossy().into_owned()],
        account: None,
        stop_signal: if options.ephemeral { "KILL" } else { "TERM" },
        grace: GRACE,
        log,
    })
    .map_err(failed("starting", binary))?;

    let deadline = Instant::now() + READY_WITHIN;
    while Instant::now() < deadline {
        if greets_as(&name, ports.client).await {
            return Ok(Some(server));
        }
        if server.exited().is_some() {
            return match port_was_taken(&home.log) {
                true => Ok(None),
                false => Err(not_started(home, last_words(&home.log))),
            };
        }
        tokio::time::sleep(READY_POLL).await;
    }

    Err(not_started(home, format!("it did not answer within {} s", READY_WITHIN.as_secs())))
}

/// Whether the server with this name answers on this port, JetStream included. On a port that
/// somebody else took first, somebody else would answer. The server greets with `INFO {json}`, and
/// listens only once its streams are recovered.
async fn greets_as(name: &str, port: u16) -> bool {
    let greeting = async {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.ok()?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).await.ok()?;
        let info: serde_json::Value = serde_json::from_str(line.strip_prefix("INFO ")?).ok()?;
        Some(info["server_name"] == name && info["jetstream"] == true)
    };

    matches!(tokio::time::timeout(Duration::from_secs(1), greeting).await, Ok(Some(true)))
}

/// Whether the server's own monitoring says that its streams and consumers are current.
async fn is_healthy(monitor: u16) -> bool {
    let asking = async {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, monitor)).await.ok()?;
        stream.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").await.ok()?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).await.ok()?;
        Some(line.split(' ').nth(1) == Some("200"))
    };

    matches!(tokio::time::timeout(Duration::from_secs(5), asking).await, Ok(Some(true)))
}

fn not_started(home: &Home, reason: String) -> EmbeddedError {
    EmbeddedError::NotStarted { server: "NATS", reason, log: home.log.clone() }
}
