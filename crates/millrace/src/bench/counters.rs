//! What both servers count of themselves, before a load and behind it: bytes through the broker,
//! the database's log, its commits and its dead rows.

use std::time::Duration;

use anyhow::Context;
use store::{Store, statistics};

use super::watch::Sent;
use crate::{demo::client::HttpCaller, platform::Platform};

/// How long the database's statistics are behind its work.
const BEHIND: Duration = Duration::from_secs(2);

/// A look at the counters of both servers; only differences mean something.
#[derive(Debug, Clone, Copy)]
pub struct ServerCounters {
    wal_bytes: i64,
    commits: i64,
    /// Bytes of messages that the broker was given, and those that it handed out to the platform.
    broker_in: u64,
    broker_out: u64,
}

/// What the servers did for a load.
#[derive(Debug, Clone, Copy)]
pub struct ServerWork {
    /// Bytes of the database's log.
    pub wal_bytes: f64,
    /// Transactions that were committed.
    pub commits: f64,
    /// Bytes of messages that the broker was given.
    pub broker_in: f64,
    /// Bytes of messages that it handed out.
    pub broker_out: f64,
}

impl ServerCounters {
    /// Reads the counters, once the statistics have come up with what was done. What `listener`
    /// has heard is left out: it listens for the benchmark alone.
    ///
    /// # Errors
    /// A server does not answer.
    pub async fn take(platform: &Platform, store: &Store, listener: &Sent) -> anyhow::Result<Self> {
        let (mut broker_in, mut broker_out) = (0, 0);
        for server in &platform.nats {
            let counted = HttpCaller::new(&server.monitor_url(), None)?.get("/varz").await?;
            let bytes =
                |name: &str| counted[name].as_u64().with_context(|| format!("varz: {name}"));
            broker_in += bytes("in_bytes")?;
            broker_out += bytes("out_bytes")?;
        }
        let broker_out = broker_out.saturating_sub(listener.bytes());

        tokio::time::sleep(BEHIND).await;
        let counted = statistics::server(store).await?;
        let (wal_bytes, commits) = (counted.wal_bytes, counted.commits);
        Ok(Self { wal_bytes, commits, broker_in, broker_out })
    }

    /// What was done since an earlier look.
    pub fn since(&self, before: &Self) -> ServerWork {
        ServerWork {
            wal_bytes: (self.wal_bytes - before.wal_bytes) as f64,
            commits: (self.commits - before.commits) as f64,
            broker_in: (self.broker_in - before.broker_in) as f64,
            broker_out: self.broker_out.saturating_sub(before.broker_out) as f64,
        }
    }
}

/// Dead rows of all tables.
///
/// # Errors
/// The database is away.
pub async fn dead_rows(store: &Store) -> anyhow::Result<i64> {
    Ok(statistics::tables(store).await?.iter().map(|table| table.dead).sum())
}
