//! The private NATS and Postgres of `millrace up`, where no others are named.

use std::path::Path;

use boot::{
    embedded::{EmbeddedOptions, Nats, Postgres},
    settings::Common,
};

/// The servers that this process started, and ends.
pub struct Servers {
    nats: Option<Nats>,
    postgres: Option<Postgres>,
}

impl Servers {
    /// Starts what is not named by `NATS_URL` and `DATABASE_URL`, and names it there.
    ///
    /// # Errors
    /// A server cannot be started; one line says why and what to do.
    pub async fn start(data: &Path, common: &mut Common) -> anyhow::Result<Self> {
        let options = EmbeddedOptions::default();
        let mut servers = Self { nats: None, postgres: None };

        if common.nats_url.is_none() && common.nats_url_file.is_none() {
            let nats = Nats::start(data, &options).await?;
            common.nats_url = Some(nats.url().clone());
            servers.nats = Some(nats);
        }

        if common.database_url.is_none() && common.database_url_file.is_none() {
            let postgres = Postgres::start(data, &options).await?;
            common.database_url = Some(postgres.database_url().clone());
            servers.postgres = Some(postgres);
        }

        Ok(servers)
    }

    /// Whether the database is one of them: then no process of another start uses it.
    pub fn has_database(&self) -> bool {
        self.postgres.is_some()
    }

    /// Ends them, Postgres first.
    pub async fn stop(self) {
        if let Some(postgres) = self.postgres {
            postgres.stop().await;
        }
        if let Some(nats) = self.nats {
            nats.stop().await;
        }
    }
}
