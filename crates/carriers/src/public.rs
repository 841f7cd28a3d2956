//! Which addresses of others may be called: public ones. An address that a tenant names, or a
//! carrier redirects to, must not lead into the network that Millrace runs in. The name is looked
//! up by the client that calls, so that it cannot be another address when it is called.

use std::{
    error::Error,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};

use crate::http::{CONNECT_TIMEOUT, builder};

/// Why an address is not called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    /// It is none, or holds a user or a password.
    #[error("is not an absolute address without user and password")]
    NotAnAddress,
    /// It is not https on its own port.
    #[error("must use https, without a port")]
    NotHttps,
    /// Its host is in a network that is not public.
    #[error("must have a public host")]
    NotPublic,
}

/// A client like [`crate::http::client`] that makes connections to public addresses alone, whatever
/// a name is looked up to.
///
/// # Errors
/// When the TLS set-up fails.
pub fn client() -> Result<reqwest::Client, reqwest::Error> {
    builder().dns_resolver(Arc::new(PublicResolver)).build()
}

/// Checks an address by its form: https, the usual port, a name or a public number. What a name
/// leads to shows when it is called.
///
/// # Errors
/// Which rule it breaks.
pub fn check_address(url: &str) -> Result<Url, AddressFault> {
    let parsed = Url::parse(url).map_err(|_| AddressFault::NotAnAddress)?;
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(AddressFault::NotAnAddress);
    }
    if parsed.scheme() != "https" || parsed.port().is_some() {
        return Err(AddressFault::NotHttps);
    }

    let host = parsed.host_str().unwrap_or_default();
    let number = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let is_name = host.contains('.') && !host.ends_with('.') && !is_inner_name(host);
    match number {
        Ok(number) if is_public(number) => Ok(parsed),
        Err(_) if is_name => Ok(parsed),
        Ok(_) | Err(_) => Err(AddressFault::NotPublic),
    }
}

/// Names that lead nowhere public by definition.
fn is_inner_name(host: &str) -> bool {
    [".localhost", ".local", ".internal", ".home.arpa"].iter().any(|inner| host.ends_with(inner))
}

/// Whether a name leads to a public address now. An error is a name that cannot be looked up, or
/// not within the time in which a connection must be made.
pub(crate) async fn leads_to_public(host: &str) -> std::io::Result<bool> {
    let lookup = tokio::net::lookup_host((host, 0));
    let mut found = tokio::time::timeout(CONNECT_TIMEOUT, lookup).await??;
    Ok(found.any(|address| is_public(address.ip())))
}

/// Looks names up, and leaves out what is not public.
struct PublicResolver;

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(public_addresses(name))
    }
}

async fn public_addresses(name: Name) -> Result<Addrs, Box<dyn Error + Send + Sync>> {
    let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
    let public: Vec<SocketAddr> = found.filter(|it| is_public(it.ip())).collect();
    if public.is_empty() {
        return Err(AddressFault::NotPublic.into());
    }
    Ok(Box::new(public.into_iter()))
}

/// Whether an address is of the public internet, by the registries of special addresses that the
/// IANA keeps (RFC 6890).
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    match (a, b, c) {
        // This network, loopback, private networks, those behind a provider's translation.
        (0 | 10 | 127, ..) | (172, 16..=31, _) | (192, 168, _) | (100, 64..=127, _) => false,
        // Link-local, where clouds keep their metadata.
        (169, 254, _) => false,
        // Protocol assignments, documentation, benchmarks, the former relays of 6to4.
        (192, 0, 0 | 2) | (192, 88, 99) | (198, 18..=19, _) | (198, 51, 100) => false,
        (203, 0, 113) => false,
        // Multicast, reserved, broadcast.
        (224..=255, ..) => false,
        _ => true,
    }
}

/// Only 2000::/3 is given out. What carries an address of the older form in it is as
/// public as that.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    if let Some(older) = address.to_ipv4_mapped() {
        return is_public_v4(older);
    }
    match parts {
        // Teredo and other protocol assignments, documentation, 6to4.
        [0x2001, 0..=0x01ff, ..] | [0x2001, 0x0db8, ..] | [0x2002, ..] => false,
        [0x3fff, 0..=0x0fff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_and_special_addresses_are_not_public() {
        for inner in [
            "0.0.0.0",
            "10.1.2.3",
            "127.0.0.1",
            "127.8.8.8",
            "100.64.0.1",
            "100.127.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "192.0.0.8",
            "192.0.2.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "2002:7f00:1::",
            "64:ff9b::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "100::1",
            "fec0::1",
        ] {
            assert!(!is_public(inner.parse().expect("an address")), "{inner}");
        }

        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "93.184.216.34",
            "100.63.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "198.20.0.1",
            "223.255.255.1",
            "2606:4700::1111",
            "2a00:1450::1",
            "::ffff:8.8.8.8",
        ] {
            assert!(is_public(public.parse().expect("an address")), "{public}");
        }
    }

    #[test]
    fn addresses_are_refused_by_their_form_whatever_way_they_are_written() {
        use AddressFault as F;
        for (url, fault) in [
            ("http://example.com/x", F::NotHttps),
            ("ftp://example.com/x", F::NotHttps),
            ("file:///etc/passwd", F::NotHttps),
            ("https://example.com:8443/x", F::NotHttps),
            ("https://user@example.com/x", F::NotAnAddress),
            ("https://:secret@example.com/x", F::NotAnAddress),
            ("/x", F::NotAnAddress),
            ("", F::NotAnAddress),
            ("https://localhost/x", F::NotPublic),
            ("https://a.localhost/x", F::NotPublic),
            ("https://metadata.google.internal/x", F::NotPublic),
            ("https://nats/x", F::NotPublic),
            ("https://127.0.0.1/x", F::NotPublic),
            ("https://127.1/x", F::NotPublic),
            ("https://2130706433/x", F::NotPublic),
            ("https://0x7f.0.0.1/x", F::NotPublic),
            ("https://0177.0.0.1/x", F::NotPublic),
            ("https://169.254.169.254/latest", F::NotPublic),
            ("https://[::1]/x", F::NotPublic),
            ("https://[::ffff:10.0.0.1]/x", F::NotPublic),
        ] {
            assert_eq!(check_address(url), Err(fault), "{url}");
        }

        for url in
            ["https://example.com/a.png?x=1", "https://1.1.1.1/x", "https://example.com:443/"]
        {
            assert!(check_address(url).is_ok(), "{url}");
        }
    }
}
