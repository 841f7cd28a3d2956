//! The first connection of a process to its database, and in one line why there is none.

use std::{io::ErrorKind, str::FromStr, time::Duration};

use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};

use super::login;

/// How long a server may take to answer: one that starts together with its processes refuses them
/// at first.
const PATIENCE: Duration = Duration::from_secs(4);

/// How long to wait before it is tried again.
const PAUSE: Duration = Duration::from_millis(100);

/// Why a process has no database. Who shows it says first which setting names the address.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address cannot be read.
    #[error("is no address of a Postgres ({why}): write postgres://user:password@host/database")]
    Address {
        /// What is wrong with it.
        why: String,
    },
    /// Nobody answers there, or what answers is no Postgres.
    #[error("no Postgres answers at {at} ({why}): start it there, or set the address it has")]
    Away {
        /// Host and port, or the path of a socket.
        at: String,
        /// What happened instead.
        why: String,
    },
    /// A Postgres answers, and lets nobody in who comes so.
    #[error("Postgres at {at} refuses the login ({why}): {fix}")]
    Refused {
        /// Host and port, or the path of a socket.
        at: String,
        /// What it said.
        why: String,
        /// What mends it.
        fix: &'static str,
    },
}

/// Waits until the database behind an address takes a connection.
///
/// # Errors
/// It does not within 4 seconds, refuses the login, or the address cannot be read.
pub async fn answers(url: &str) -> Result<(), ConnectError> {
    reach(&options(url)?).await
}

/// The same, of an address that is read already.
pub(super) async fn reach(options: &PgConnectOptions) -> Result<(), ConnectError> {
    connect(options).await?.close().await.map_err(|why| refusal(options, &why))
}

/// Reads an address.
pub(super) fn options(url: &str) -> Result<PgConnectOptions, ConnectError> {
    PgConnectOptions::from_str(url).map_err(|why| ConnectError::Address { why: why.to_string() })
}

/// Makes one connection. A server that is starting, and one that has no room, is asked again.
pub(super) async fn connect(options: &PgConnectOptions) -> Result<PgConnection, ConnectError> {
    let mut last = None;
    let tried = async {
        loop {
            match PgConnection::connect_with(options).await {
                Ok(connection) => return Ok(connection),
                Err(why) if may_pass(&why) => last = Some(why),
                Err(why) => return Err(refusal(options, &why)),
            }
            tokio::time::sleep(PAUSE).await;
        }
    };

    let tried = tokio::time::timeout(PATIENCE, tried).await;
    tried.unwrap_or_else(|_| {
        let nothing = || format!("no answer within {} s", PATIENCE.as_secs());
        let why = last.map_or_else(nothing, |why| said(&why));
        Err(ConnectError::Away { at: place(options), why })
    })
}

/// Whether the next try may succeed without anybody doing anything.
fn may_pass(why: &sqlx::Error) -> bool {
    match why {
        sqlx::Error::Io(why) => {
            matches!(why.kind(), ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset)
        }
        sqlx::Error::Database(why) => why.is_transient_in_connect_phase(),
        _ => false,
    }
}

/// Why a connection that is not tried again was not made.
pub(super) fn refusal(options: &PgConnectOptions, why: &sqlx::Error) -> ConnectError {
    let (at, text) = (place(options), said(why));
    match why {
        sqlx::Error::Database(_) => ConnectError::Refused { at, why: text, fix: login::fix(why) },
        _ => ConnectError::Away { at, why: text },
    }
}

/// Where a server is: host and port, or the path of its socket.
fn place(options: &PgConnectOptions) -> String {
    match options.get_socket() {
        Some(path) => path.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    }
}

/// What went wrong, without the library's words about it.
fn said(why: &sqlx::Error) -> String {
    match why {
        sqlx::Error::Io(why) => why.to_string(),
        sqlx::Error::Database(why) => why.message().to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_closed_port_is_named_within_five_seconds_with_what_to_do() {
        // Bound and let go: nobody listens there.
        let port = {
            let bound = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
            bound.local_addr().expect("its address").port()
        };
        let url = format!("postgres://millrace:secret@127.0.0.1:{port}/millrace");

        let tried = tokio::time::timeout(Duration::from_secs(5), answers(&url)).await;

        let why = tried.expect("within 5 seconds").expect_err("nobody listens").to_string();
        assert!(why.contains(&format!("127.0.0.1:{port}")), "{why}");
        assert!(why.contains("refused") && why.contains("start it"), "{why}");
        assert!(!why.contains("secret"), "{why}");
    }

    #[tokio::test]
    async fn an_address_that_cannot_be_read_says_how_one_is_written() {
        let why = answers("127.0.0.1:5432").await.expect_err("no address").to_string();

        assert!(why.contains("postgres://user:password@host/database"), "{why}");
    }
}
