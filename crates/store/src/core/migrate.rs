//! `millrace migrate`: the roles, then the schema, as its owner.

use sha2::{Digest, Sha256};
use sqlx::{Connection, Executor};

use crate::core::{
    reach::{self, ConnectError},
    scope::Role,
};

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations");

/// A name for the schema that this version makes: another one as soon as a migration differs.
pub fn version() -> String {
    let mut hash = Sha256::new();
    for migration in MIGRATIONS.iter() {
        hash.update(&migration.checksum);
    }
    wire::hex(&hash.finalize()[..8])
}

/// The numbers of the migrations that this version has, and the checksum of each.
pub(super) fn known() -> impl Iterator<Item = (i64, &'static [u8])> {
    MIGRATIONS.iter().map(|migration| (migration.version, migration.checksum.as_ref()))
}

/// Makes the roles where they are missing. Needs CREATEROLE only then.
const ROLES: &str = "
do $$
declare r text;
begin
    foreach r in array array['millrace_owner', 'millrace_api', 'millrace_pipeline'] loop
        if not exists (select from pg_roles where rolname = r) then
            execute format('create role %I nosuperuser nobypassrls nologin', r);
            execute format('grant %I to %I', r, current_user);
        end if;
    end loop;
    if not has_database_privilege('millrace_owner', current_database(), 'create') then
        execute format('grant create on database %I to millrace_owner', current_database());
    end if;
end $$";

/// Why the schema could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The roles are missing and could not be made.
    #[error("cannot make the database roles; run once as a superuser: {0}")]
    Roles(#[source] sqlx::Error),
    /// The database gave no connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The connection broke, or the schema could not be made.
    #[error("cannot work as millrace_owner: {0}")]
    Owner(#[source] sqlx::Error),
    /// A migration failed; it was rolled back.
    #[error(transparent)]
    Migration(#[from] sqlx::migrate::MigrateError),
}

/// Brings the schema up to date; does nothing when it is. Safe to run in several processes at once.
///
/// # Errors
/// See [`MigrateError`]; what was applied before stays applied.
pub async fn migrate(url: &str) -> Result<(), MigrateError> {
    let login = reach::options(url)?;
    let mut connection = reach::connect(&login).await?;
    connection.execute(ROLES).await.map_err(MigrateError::Roles)?;
    connection.close().await.map_err(MigrateError::Owner)?;

    let owner = login.options([("role", Role::Owner.as_str()), ("search_path", "millrace")]);
    let mut connection = reach::connect(&owner).await?;
    connection
        .execute("create schema if not exists millrace")
        .await
        .map_err(MigrateError::Owner)?;
    MIGRATIONS.run(&mut connection).await?;
    connection.close().await.map_err(MigrateError::Owner)
}
