//! The private NATS and Postgres of `millrace up`, where no others are named.

use std::path::Path;

use anyhow::Context;
use boot::{
    embedded::{EmbeddedOptions, Nats, Postgres},
    nats_access::NatsAccess,
    settings::{Common, Settings},
};
use pipeline::broker::Broker;
use secrecy::{ExposeSecret, SecretString};
use store::core::reach;

/// The servers that this process started, and ends.
pub struct Servers {
    nats: Option<Nats>,
    postgres: Option<Postgres>,
}

/// Asks the servers that the settings name.
///
/// # Errors
/// One of them does not answer, or refuses the login; says which setting names it.
pub async fn named_ones_answer(settings: &Settings) -> anyhow::Result<()> {
    if let Some(url) = &settings.nats_url {
        Broker::connect(url.expose_secret(), settings.nats_creds.as_deref(), "up").await?;
    }
    if let Some(url) = &settings.database_url {
        reach::answers(url.expose_secret()).await.context("DATABASE_URL")?;
    }
    Ok(())
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
            common.nats_url = Some(nats.url().into());
            common.nats_creds = Some(nats.creds());
            common.nats_subscriber_key_file = Some(nats.access().subscriber_key());
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

    /// The credentials of each kind of process, where the broker is one of them.
    pub fn access(&self) -> Option<&NatsAccess> {
        self.nats.as_ref().map(Nats::access)
    }

    /// The address of the database for scripts, where it is one of them: they are no owner.
    ///
    /// # Errors
    /// The database is away.
    pub async fn scripts_database(&self) -> anyhow::Result<Option<SecretString>> {
        match &self.postgres {
            Some(postgres) => Ok(Some(postgres.make_scripts_url().await?)),
            None => Ok(None),
        }
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
