//! How every process logs in to NATS: with the user and password of `NATS_URL`, which the client
//! library leaves unused, or with a credentials file.

use std::path::Path;

use async_nats::{Client, ConnectOptions, ServerAddr};
use secrecy::{ExposeSecret, SecretString};

/// NATS could not be reached or refused us. Holds no secrets.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// Not addresses of NATS servers.
    #[error("NATS_URL must look like nats://host:port, several separated by commas")]
    Address,
    /// The credentials file cannot be read or is none.
    #[error("NATS_CREDS {path}: {source}")]
    Credentials {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// No server can be reached, or it refuses the login.
    #[error("NATS at {servers}: {source}")]
    Connect {
        /// The servers without user and password.
        servers: String,
        /// The client's answer.
        source: async_nats::ConnectError,
    },
}

/// The servers that `NATS_URL` names and how to log in to them. Callers add what else they want,
/// such as a name.
///
/// # Errors
/// [`BrokerError::Address`], [`BrokerError::Credentials`].
pub async fn connect_options(
    url: &SecretString,
    credentials: Option<&Path>,
) -> Result<(Vec<ServerAddr>, ConnectOptions), BrokerError> {
    let servers = url.expose_secret().split(',').map(|server| server.trim().parse());
    let servers: Vec<ServerAddr> =
        servers.collect::<Result<_, _>>().map_err(|_| BrokerError::Address)?;
    let mut options = ConnectOptions::new();
    let login = servers.iter().find_map(|server| Some((server.username()?, server.password()?)));
    if let Some((user, password)) = login {
        let (user, password) = (percent_decoded(user), percent_decoded(password));
        options = options.user_and_password(user, password);
    }
    if let Some(path) = credentials {
        options = options.credentials_file(path).await.map_err(|source| {
            BrokerError::Credentials { path: path.display().to_string(), source }
        })?;
    }
    Ok((servers, options))
}

/// Connects under a name that the server shows in its list of connections.
///
/// # Errors
/// As [`connect_options`], and [`BrokerError::Connect`].
pub async fn connect(
    url: &SecretString,
    credentials: Option<&Path>,
    name: &str,
) -> Result<Client, BrokerError> {
    let (servers, options) = connect_options(url, credentials).await?;
    let named: Vec<_> = servers.iter().map(|it| format!("{}:{}", it.host(), it.port())).collect();
    options
        .name(name)
        .connect(servers)
        .await
        .map_err(|source| BrokerError::Connect { servers: named.join(","), source })
}

/// Undoes the encoding that addresses need for signs such as `@`. What is no encoding stays.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let pair = tail.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        match pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(byte) if first == b'%' => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            Some(_) | None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_that_addresses_encode_are_read_back() {
        assert_eq!(percent_decoded("p%40ss%3aw%C3%B6rd"), "p@ss:wörd");
        assert_eq!(percent_decoded("100%"), "100%");
        assert_eq!(percent_decoded("%zz"), "%zz");
    }

    #[tokio::test]
    async fn an_error_shows_no_password() {
        let url = SecretString::from("nats://me:hunter2@127.0.0.1:1");
        let error = connect(&url, None, "test").await.expect_err("nobody listens on port 1");
        assert!(error.to_string().starts_with("NATS at 127.0.0.1:1: "), "{error}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        let wrong = connect(&SecretString::from("http://x"), None, "test").await;
        assert!(matches!(wrong, Err(BrokerError::Address)));
    }
}
