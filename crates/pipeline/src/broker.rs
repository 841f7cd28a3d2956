//! The connection to NATS. Each process makes it once and checks it for what Millrace needs of a
//! server; one callback logs what the client library would keep to itself.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};

use async_nats::{
    Client, ConnectError, ConnectErrorKind, ConnectOptions, Event, ServerAddr,
    jetstream::{Context, context::ContextBuilder},
};
use stage::machine::{backoff, chance};
use wire::frame::MAX_BYTES;

use crate::credentials::inbox_of;

/// The oldest server that Millrace runs on: (major, minor).
pub const OLDEST_SERVER: (u32, u32) = (2, 15);

/// How long a PubAck is awaited before the same frame is published again under the same id. Nothing
/// else finds a lost ack, so a longer wait makes a leader change longer.
pub const ACK_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a request to the JetStream API may take. Such requests are rare, and may have to wait
/// for an election.
pub const API_TIMEOUT: Duration = Duration::from_secs(15);

/// How many publishes may await their PubAck at once, per connection. More wait their turn.
const PUBLISHES_IN_FLIGHT: usize = 4096;

/// Bytes that a publish needs beside the frame: subject, headers, protocol.
pub(crate) const PUBLISH_OVERHEAD: usize = 8 * 1024;

/// A connection to NATS with JetStream. Clones share it.
#[derive(Clone, Debug)]
pub struct Broker {
    /// The connection itself, for requests and subscriptions.
    pub client: Client,
    /// For publishes: a PubAck is awaited for [`ACK_TIMEOUT`].
    pub jetstream: Context,
    /// For declaring and looking up streams and consumers: waits for [`API_TIMEOUT`].
    pub api: Context,
}

/// Why there is no connection that Millrace could run on. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// Nobody answers at the address.
    #[error("NATS_URL: no NATS at {url}: {source}")]
    Connect {
        /// Where, without a password.
        url: String,
        /// What the client said.
        source: ConnectError,
    },
    /// The server lets nobody in by these credentials.
    #[error(
        "NATS at {url} refuses the login, which is that of {by}: {source}; `millrace nats config` \
         writes the credentials of each kind of process"
    )]
    Login {
        /// Where, without a password.
        url: String,
        /// Which setting it comes from.
        by: &'static str,
        /// What the client said.
        source: ConnectError,
    },
    /// The credentials file cannot be read.
    #[error("NATS_CREDS: {path} cannot be read: {source}")]
    Credentials {
        /// Where the file should be.
        path: String,
        /// Why it cannot be read.
        source: std::io::Error,
    },
    /// The server is older than [`OLDEST_SERVER`].
    #[error("nats-server {found} at {url} is too old: 2.15 or newer is needed")]
    TooOld {
        /// Where, without a password.
        url: String,
        /// The version that it has.
        found: String,
    },
    /// `NATS_URL` is no address.
    #[error("NATS_URL: {url} is not an address: {source}")]
    Address {
        /// As given, without a password.
        url: String,
        /// What is wrong with it.
        source: std::io::Error,
    },
    /// JetStream is switched off.
    #[error(
        "nats-server at {url} runs without JetStream: start it with `-js` or a jetstream block"
    )]
    NoJetStream {
        /// Where, without a password.
        url: String,
    },
    /// A full frame would not fit.
    #[error("max_payload of nats-server at {url} is {found} bytes: at least {needed} are needed")]
    SmallPayload {
        /// Where, without a password.
        url: String,
        /// The server's limit in bytes.
        found: usize,
        /// The least limit that will do.
        needed: usize,
    },
}

impl Broker {
    /// Connects and checks the server. `url` may name several servers, separated by commas;
    /// `name` is what the server's own tools show.
    ///
    /// # Errors
    /// When there is no connection, or the server is not one that Millrace can run on.
    pub async fn connect(url: &str, creds: Option<&Path>, name: &str) -> Result<Self, BrokerError> {
        let mut options = options(name);
        if let Some(path) = creds {
            let unreadable = |source| {
                let path = path.display().to_string();
                BrokerError::Credentials { path, source }
            };
            let text = tokio::fs::read_to_string(path).await.map_err(unreadable)?;
            options = options.credentials(&text).map_err(unreadable)?;
            // Credentials that hear the answers under one prefix alone ask under it.
            if let Some(inbox) = inbox_of(&text) {
                options = options.custom_inbox_prefix(inbox);
            }
        }

        let shown = without_password(url);
        let servers = url.split(',').map(|one| one.trim().parse::<ServerAddr>());
        let servers: Vec<ServerAddr> = servers
            .collect::<Result<_, _>>()
            .map_err(|source| BrokerError::Address { url: shown.clone(), source })?;
        // The client does not take these from the address by itself.
        let named = servers.iter().find_map(|one| Some((one.username()?, one.password()?)));
        if let Some((user, password)) = named {
            options = options.user_and_password(user.to_owned(), password.to_owned());
        }

        let by = if creds.is_some() { "NATS_CREDS" } else { "NATS_URL, as NATS_CREDS is not set" };
        let refused = |source| not_connected(source, shown.clone(), by);
        let client = options.connect(servers.as_slice()).await.map_err(refused)?;
        check(&client.server_info(), shown)?;
        Ok(Self::of(client))
    }

    /// Wraps a connection that somebody else has made and checked.
    pub fn of(client: Client) -> Self {
        let jetstream = ContextBuilder::new()
            .timeout(ACK_TIMEOUT)
            .max_ack_inflight(PUBLISHES_IN_FLIGHT)
            .backpressure_on_inflight(true)
            .build(client.clone());
        let api = ContextBuilder::new().timeout(API_TIMEOUT).build(client.clone());
        Self { client, jetstream, api }
    }

    /// Whether the connection stands right now, for `/readyz`.
    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == async_nats::connection::State::Connected
    }

    /// The longest JSON that one publish can carry.
    pub(crate) fn longest_json(&self) -> usize {
        self.client.max_payload().saturating_sub(PUBLISH_OVERHEAD)
    }
}

/// How the client behaves, whatever server it connects to.
fn options(name: &str) -> ConnectOptions {
    let connected = AtomicBool::new(true);
    ConnectOptions::new()
        .name(name)
        .ping_interval(Duration::from_secs(10))
        .request_timeout(Some(API_TIMEOUT))
        .reconnect_delay_callback(reconnect_delay)
        .event_callback(move |event| {
            report(&event, &connected);
            std::future::ready(())
        })
}

/// Why the client has no connection.
fn not_connected(source: ConnectError, url: String, by: &'static str) -> BrokerError {
    match source.kind() {
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
            BrokerError::Login { url, by, source }
        }
        ConnectErrorKind::ServerParse
        | ConnectErrorKind::Dns
        | ConnectErrorKind::TimedOut
        | ConnectErrorKind::Tls
        | ConnectErrorKind::Io
        | ConnectErrorKind::MaxReconnects => BrokerError::Connect { url, source },
    }
}

/// Whether the server is one that Millrace can run on.
fn check(server: &async_nats::ServerInfo, url: String) -> Result<(), BrokerError> {
    if !new_enough(&server.version) {
        return Err(BrokerError::TooOld { url, found: server.version.clone() });
    }
    if !server.jetstream {
        return Err(BrokerError::NoJetStream { url });
    }
    let needed = MAX_BYTES + PUBLISH_OVERHEAD;
    if server.max_payload < needed {
        return Err(BrokerError::SmallPayload { url, found: server.max_payload, needed });
    }
    Ok(())
}

fn new_enough(version: &str) -> bool {
    let mut parts = version.split(['.', '-']).map(str::parse::<u32>);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= OLDEST_SERVER,
        (Some(_) | None, _) => false,
    }
}

/// The addresses as logs and errors may show them.
pub fn without_password(url: &str) -> String {
    let bare = |one: &str| match (one.split_once("://"), one.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        (None, Some((_, host))) => host.to_owned(),
        (_, None) => one.to_owned(),
    };

    url.split(',').map(str::trim).map(bare).collect::<Vec<_>>().join(",")
}

/// The wait before another attempt to reconnect: a restarted server is found within about a second.
fn reconnect_delay(attempts: usize) -> Duration {
    let attempts = u32::try_from(attempts).unwrap_or(u32::MAX);
    backoff(attempts, Duration::from_millis(20), Duration::from_secs(1), chance())
}

/// Logs what happens to the connection. A forbidden publish or an overflowing buffer shows nowhere
/// but here.
fn report(event: &Event, connected: &AtomicBool) {
    match event {
        Event::Connected => {
            connected.store(true, Relaxed);
            tracing::info!("connected to NATS");
        }
        Event::Disconnected => {
            connected.store(false, Relaxed);
            tracing::warn!("disconnected from NATS; reconnecting");
        }
        // One for each attempt to reconnect. The log has the disconnection itself already.
        Event::ClientError(_) if !connected.load(Relaxed) => tracing::debug!(%event, "NATS"),
        Event::LameDuckMode => tracing::warn!("the NATS server is about to stop"),
        Event::Draining | Event::Closed => tracing::debug!(%event, "NATS connection"),
        Event::SlowConsumer(_) => {
            metrics::counter!("millrace_broker_slow_consumer_total").increment(1);
            tracing::warn!(%event, "NATS deliveries were dropped; they come again");
        }
        Event::ServerError(_) | Event::ClientError(_) => {
            metrics::counter!("millrace_broker_errors_total").increment(1);
            tracing::error!(%event, "NATS");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_before_2_15_are_refused() {
        for new in ["2.15.0", "2.15.1", "2.16.0-RC.1", "3.0.0"] {
            assert!(new_enough(new), "{new}");
        }
        for old in ["2.14.9", "2.9.10", "1.99.0", "", "x"] {
            assert!(!new_enough(old), "{old}");
        }
    }

    #[test]
    fn what_an_old_or_bare_server_lacks_is_said_in_one_line() {
        let server = |version: &str, jetstream, max_payload| async_nats::ServerInfo {
            version: version.into(),
            jetstream,
            max_payload,
            ..Default::default()
        };

        let said = |server| check(&server, "nats://a".into()).map_err(|e| e.to_string());
        assert_eq!(said(server("2.15.1", true, 1 << 20)), Ok(()));

        let old = said(server("2.10.0", true, 1 << 20)).expect_err("old");
        assert_eq!(old, "nats-server 2.10.0 at nats://a is too old: 2.15 or newer is needed");
        assert!(said(server("2.15.1", false, 1 << 20)).expect_err("bare").contains("JetStream"));
        assert!(said(server("2.15.1", true, 1 << 18)).expect_err("small").contains("max_payload"));
    }

    #[test]
    fn a_password_is_never_shown() {
        assert_eq!(without_password("nats://u:p@h:1, k@i"), "nats://h:1,i");
        assert_eq!(without_password("nats://h:1"), "nats://h:1");
    }
}
