//! The settings of the edge: how the api is reached, and by whom.

use std::{net::IpAddr, path::PathBuf};

use ipnet::IpNet;

use super::{
    error::SettingsError,
    parse::{existing_file, given},
};

/// How the api is reached, as it is given.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Edge {
    /// Certificate chain in PEM, with which the api answers https itself; read again when it
    /// changes [default: none, plain http]
    #[arg(long, env = "MILLRACE_TLS_CERT", value_name = "PATH", value_parser = super::path())]
    pub tls_cert: Option<PathBuf>,
    /// Private key of MILLRACE_TLS_CERT, in PEM
    #[arg(long, env = "MILLRACE_TLS_KEY", value_name = "PATH", value_parser = super::path())]
    pub tls_key: Option<PathBuf>,
    /// Proxies whose X-Forwarded-For is believed: addresses or networks such as 10.0.0.0/8,
    /// separated by commas [default: none]
    #[arg(long, env = "MILLRACE_TRUSTED_PROXIES", value_name = "NETWORKS")]
    pub trusted_proxies: Option<String>,
    /// Origins whose pages may call the api from a browser, such as https://app.example.com,
    /// separated by commas [default: none]
    #[arg(long, env = "MILLRACE_CORS_ORIGINS", value_name = "ORIGINS")]
    pub cors_origins: Option<String>,
}

/// How the api is reached.
#[derive(Debug, Clone, Default)]
pub struct EdgeSettings {
    /// The certificate chain and its private key, both in PEM, where the api answers https itself.
    pub tls: Option<TlsFiles>,
    /// Who is believed about whom a request comes from.
    pub trusted_proxies: Vec<IpNet>,
    /// Origins whose pages may call the api: scheme, host and maybe a port.
    pub cors_origins: Vec<String>,
}

/// Where a server's certificate is.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The certificate chain, the server's own first.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl Edge {
    /// Parses every value and checks them against each other.
    pub(super) fn resolve(self) -> Result<EdgeSettings, SettingsError> {
        let cert = existing_file("MILLRACE_TLS_CERT", self.tls_cert)?;
        let key = existing_file("MILLRACE_TLS_KEY", self.tls_key)?;
        let missing = |name: &'static str, other: &str| {
            Err(SettingsError::new(name, format!("is not set, and {other} is: set both")))
        };
        let tls = match (cert, key) {
            (Some(cert), Some(key)) => Some(TlsFiles { cert, key }),
            (None, None) => None,
            (Some(_), None) => return missing("MILLRACE_TLS_KEY", "MILLRACE_TLS_CERT"),
            (None, Some(_)) => return missing("MILLRACE_TLS_CERT", "MILLRACE_TLS_KEY"),
        };

        Ok(EdgeSettings {
            tls,
            trusted_proxies: list(self.trusted_proxies.as_deref(), network)?,
            cors_origins: list(self.cors_origins.as_deref(), origin)?,
        })
    }
}

/// What is separated by commas.
fn list<T>(
    text: Option<&str>,
    read: fn(&str) -> Result<T, SettingsError>,
) -> Result<Vec<T>, SettingsError> {
    given(text)
        .map_or_else(|| Ok(Vec::new()), |text| text.split(',').map(str::trim).map(read).collect())
}

fn network(text: &str) -> Result<IpNet, SettingsError> {
    let address = text.parse::<IpAddr>().map(IpNet::from);
    address.or_else(|_| text.parse()).map_err(|_| {
        let problem = format!("'{text}' is no address and no network: 10.0.0.7 or 10.0.0.0/8");
        SettingsError::new("MILLRACE_TRUSTED_PROXIES", problem)
    })
}

fn origin(text: &str) -> Result<String, SettingsError> {
    let wrong = || {
        let problem = format!("'{text}' is no origin: https://app.example.com, without a path");
        SettingsError::new("MILLRACE_CORS_ORIGINS", problem)
    };
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = host.filter(|host| !host.is_empty()).ok_or_else(wrong)?;
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    if host.bytes().all(is_host) { Ok(text.to_ascii_lowercase()) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(proxies: &str, origins: &str) -> Result<EdgeSettings, SettingsError> {
        let (proxies, origins) = (Some(proxies.to_owned()), Some(origins.to_owned()));
        let edge = Edge { trusted_proxies: proxies, cors_origins: origins, ..Edge::default() };
        edge.resolve()
    }

    #[test]
    fn proxies_are_addresses_and_networks_and_origins_have_no_path() {
        let read =
            edge("10.0.0.7, 192.168.0.0/16,2001:db8::/32", "https://App.example.com").unwrap();
        let named = |text: &str| text.parse::<IpAddr>().unwrap();
        let holds = |of: usize, text: &str| read.trusted_proxies[of].contains(&named(text));
        assert!(holds(0, "10.0.0.7") && !holds(0, "10.0.0.8"));
        assert!(holds(1, "192.168.3.4") && holds(2, "2001:db8::1"));
        assert_eq!(read.cors_origins, ["https://app.example.com"]);

        for (proxies, origins, name) in [
            ("10.0.0", "", "MILLRACE_TRUSTED_PROXIES"),
            ("10.0.0.0/33", "", "MILLRACE_TRUSTED_PROXIES"),
            ("", "*", "MILLRACE_CORS_ORIGINS"),
            ("", "app.example.com", "MILLRACE_CORS_ORIGINS"),
            ("", "https://app.example.com/", "MILLRACE_CORS_ORIGINS"),
        ] {
            let error = edge(proxies, origins).unwrap_err().to_string();
            assert!(error.starts_with(name), "{error}");
        }
    }

    #[test]
    fn a_certificate_without_its_key_is_refused() {
        let cert = Some(PathBuf::from("Cargo.toml"));
        let error = Edge { tls_cert: cert, ..Edge::default() }.resolve().unwrap_err().to_string();
        assert!(error.starts_with("MILLRACE_TLS_KEY: is not set"), "{error}");
    }
}
