//! `pg_dump` of an embedded database, into nothing: what a nightly backup costs those beside it.

use std::process::Stdio;

use secrecy::{ExposeSecret, SecretString};
use tokio::{io::AsyncReadExt, process::Command};

use super::{EmbeddedError, cluster::SUPERUSER};
use crate::tools::PostgresTools;

/// Dumps a database of the server on this port, and throws the dump away. Dropping the future ends
/// the program.
pub(super) async fn into_nothing(
    tools: &PostgresTools,
    port: u16,
    database: &str,
    password: &SecretString,
) -> Result<(), EmbeddedError> {
    let failed = |source| EmbeddedError::Io { what: "dumping the database".to_owned(), source };
    let mut child = Command::new(tools.bin.join("pg_dump"))
        .args(["--host", "127.0.0.1", "--port", &port.to_string(), "--username", SUPERUSER])
        .args(["--dbname", database, "--format", "plain"])
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("PGPASSWORD", password.expose_secret())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;

    let mut said = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        stderr.read_to_string(&mut said).await.map_err(failed)?;
    }
    match child.wait().await.map_err(failed)? {
        status if status.success() => Ok(()),
        status => Err(failed(std::io::Error::other(format!("{status}: {}", said.trim())))),
    }
}
