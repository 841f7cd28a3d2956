//! A private Postgres with the schema of this checkout, copied from a template in a tenth of a
//! second.

use boot::embedded::{self, EmbeddedOptions, Postgres, Scratch};
use domain::ids::TenantId;
use secrecy::ExposeSecret;
use sqlx::{Connection, PgConnection};
use store::{
    Role, Store,
    core::migrate,
    settings::tenants::{self, Tenant},
};

/// How a test's own Postgres is run: it begins with the schema of this checkout.
///
/// # Errors
/// No Postgres on this machine, or a migration fails.
pub async fn with_schema() -> anyhow::Result<EmbeddedOptions> {
    let root = embedded::template_root();
    let version = migrate::version();
    let template = embedded::template(&root, "schema", &version, async |server| {
        Ok(migrate::migrate(server.database_url().expose_secret()).await?)
    });
    Ok(EmbeddedOptions { template: Some(template.await?), ..EmbeddedOptions::for_tests() })
}

/// One test's database. Dropping it stops the server and removes its files.
pub struct Database {
    // Dropped in this order: the server before its directory.
    postgres: Postgres,
    _scratch: Scratch,
}

impl Database {
    /// Starts one with the schema of this checkout.
    ///
    /// # Errors
    /// No Postgres on this machine, or a migration fails.
    pub async fn start() -> anyhow::Result<Self> {
        let scratch = Scratch::new()?;
        let postgres = Postgres::start(scratch.path(), &with_schema().await?).await?;
        Ok(Self { postgres, _scratch: scratch })
    }

    /// The address for `DATABASE_URL`.
    pub fn url(&self) -> String {
        self.postgres.database_url().expose_secret().to_owned()
    }

    /// A connection as the superuser: for a test's own look at all tenants' rows.
    ///
    /// # Errors
    /// The server is away.
    pub async fn superuser(&self) -> anyhow::Result<PgConnection> {
        let url = self.postgres.superuser_url().expose_secret();
        Ok(PgConnection::connect(url).await?)
    }

    /// A pool that works as this role.
    ///
    /// # Errors
    /// The server is away.
    pub async fn store(&self, role: Role) -> anyhow::Result<Store> {
        Ok(Store::connect(&self.url(), role, 4).await?)
    }

    /// Makes a tenant under this key.
    ///
    /// # Errors
    /// The server is away.
    pub async fn tenant(&self, key: &str) -> anyhow::Result<TenantId> {
        let tenant: TenantId = key.parse()?;

        let store = self.store(Role::Api).await?;
        let named = Tenant::named(&tenant, key);
        tenants::create(&store, &named, boot::clock::machine_now()).await?;
        Ok(tenant)
    }

    /// The server itself, to kill, freeze and restart.
    pub fn server(&mut self) -> &mut Postgres {
        &mut self.postgres
    }
}
