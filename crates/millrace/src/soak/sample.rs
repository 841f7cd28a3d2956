//! What everything takes at an instant: memory, tables, streams, and what Postgres has counted.

use std::collections::BTreeMap;

use store::{
    Role,
    statistics::{self, ServerStatistics, TableStatistics},
};
use wire::stream::Stream;

use crate::{bench::usage, platform::Platform};

/// A look at a platform.
#[derive(Clone)]
pub struct Sample {
    /// Bytes of memory of each process, and of both servers.
    pub memory: BTreeMap<&'static str, u64>,
    /// Bytes of each stream.
    pub streams: BTreeMap<&'static str, u64>,
    /// What Postgres says of each table.
    pub tables: Vec<TableStatistics>,
    /// What Postgres has counted.
    pub server: ServerStatistics,
}

impl Sample {
    /// Looks at everything.
    ///
    /// # Errors
    /// A server does not answer.
    pub async fn take(platform: &Platform) -> anyhow::Result<Self> {
        let store = platform.store(Role::Owner).await?;
        let (tables, server) =
            (statistics::tables(&store).await?, statistics::server(&store).await?);
        store.close().await;

        let broker = platform.broker("soak").await?;
        let mut streams = BTreeMap::new();
        for stream in Stream::ALL {
            let found = broker.api.get_stream(stream.name()).await?;
            streams.insert(stream.name(), found.cached_info().state.bytes);
        }

        let memory = usage::own_memory(&usage::each(platform));
        Ok(Self { memory, streams, tables, server })
    }

    /// Dead rows of all tables.
    pub fn dead(&self) -> i64 {
        self.tables.iter().map(|table| table.dead).sum()
    }
}
