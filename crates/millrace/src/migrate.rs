//! `millrace migrate`: the schema, and on a fresh Postgres the roles and the database before it.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use boot::{
    login::DatabaseLogin,
    settings::{Common, Settings, SettingsError, path, secret, secret_or_file},
};
use clap::Args;
use secrecy::{ExposeSecret, SecretString};
use store::{
    Role, Store,
    core::{
        migrate,
        roles::{self, NewLogin},
    },
};

use crate::public_url;

/// `millrace migrate [--create-roles]`
#[derive(Debug, Args)]
pub struct Migrate {
    /// Make roles, login and database first, as the administrator of --admin-url
    #[arg(long)]
    create_roles: bool,
    /// Postgres as somebody who may make roles and databases, for --create-roles alone
    #[arg(long, env = "MILLRACE_ADMIN_URL", hide_env_values = true, value_name = "URL")]
    #[arg(value_parser = secret)]
    admin_url: Option<SecretString>,
    /// File that holds the administrator's URL
    #[arg(long, env = "MILLRACE_ADMIN_URL_FILE", value_name = "PATH", value_parser = path())]
    admin_url_file: Option<PathBuf>,
    /// Where --create-roles writes the URL for processes that it makes, if none is set; one that is
    /// there is read
    #[arg(long, default_value = "millrace-database-url", value_name = "PATH")]
    database_url_to: PathBuf,
    /// The settings that every process has.
    #[command(flatten)]
    common: Common,
}

/// Brings the schema to what this version needs.
///
/// # Errors
/// The database cannot be asked, or the roles are missing and may not be made.
pub async fn run(args: Migrate) -> anyhow::Result<ExitCode> {
    let settings = args.common.resolve()?;
    let admin = secret_or_file("MILLRACE_ADMIN_URL", (args.admin_url, args.admin_url_file))?;
    let url = if args.create_roles {
        create_roles(&settings, admin, &args.database_url_to).await?
    } else if admin.is_some() {
        let detail = "is for --create-roles alone: add that, or leave the administrator out";
        return Err(SettingsError::new("MILLRACE_ADMIN_URL", detail).into());
    } else {
        settings.need_database()?.clone()
    };

    let url = url.expose_secret();
    migrate::migrate(url).await.context("DATABASE_URL")?;
    eprintln!("schema is up to date");

    if settings.names_public_url {
        let store = Store::connect(url, Role::Api, 1).await.context("DATABASE_URL")?;
        public_url::move_to(&settings, &store).await?;
        eprintln!("the platform goes by {}", settings.public_url);
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes what processes log in with; gives their address.
async fn create_roles(
    settings: &Settings,
    admin: Option<SecretString>,
    path: &Path,
) -> anyhow::Result<SecretString> {
    let example = "is not set: postgres://postgres:password@host/postgres";
    let admin = admin.ok_or_else(|| SettingsError::new("MILLRACE_ADMIN_URL", example))?;
    let login = match &settings.database_url {
        Some(url) => DatabaseLogin::of_url(url).context("DATABASE_URL")?,
        // Before the roles: a password that is nowhere written would be lost with a crash.
        None => DatabaseLogin::load_or_create(path, &admin).context("--database-url-to")?,
    };

    let DatabaseLogin { name, password, database, url } = login;
    let login = NewLogin { name, password, database };
    let made = roles::create(admin.expose_secret(), &login).await.context("MILLRACE_ADMIN_URL")?;
    for made in made {
        eprintln!("{made} is made");
    }
    if settings.database_url.is_none() {
        eprintln!(
            "DATABASE_URL is in {}: give it to processes as DATABASE_URL_FILE",
            path.display()
        );
    }
    Ok(url)
}
