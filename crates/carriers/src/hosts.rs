//! Which base URLs a carrier account may have. Tenants can set one, and credentials go there, so
//! any host but the provider's own must be named by the operator (`MILLRACE_ALLOW_CARRIER_HOSTS`).

use reqwest::Url;

/// Accepts the provider's own host over https on its default port, and hosts on the allow-list
/// over http or https. Entries are `host` (any port) or `host:port`; case does not matter.
///
/// `is_own` tells a provider's own hosts. Returns the URL without a trailing slash.
///
/// # Errors
/// Says which rule the URL breaks; the message is safe to show, it holds at most the host.
pub fn check_base_url<S: AsRef<str>>(
    is_own: impl Fn(&str) -> bool,
    url: &str,
    allow_hosts: &[S],
) -> Result<String, BaseUrlError> {
    let parsed = Url::parse(url).map_err(|_| BaseUrlError::NotAUrl)?;
    let host = parsed.host_str().filter(|host| !host.is_empty()).ok_or(BaseUrlError::NotAUrl)?;
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(BaseUrlError::HasCredentials);
    }
    if parsed.query().is_some() || parsed.fragment().is_some() {
        return Err(BaseUrlError::HasQuery);
    }
    let listed = is_listed(&parsed, allow_hosts);
    let own = is_own(host) && parsed.port().is_none() && parsed.path() == "/";
    match (parsed.scheme(), own, listed) {
        ("https", true, _) | ("https" | "http", _, true) => {
            Ok(parsed.as_str().trim_end_matches('/').to_owned())
        }
        ("https", false, false) => Err(BaseUrlError::HostNotAllowed { host: host.to_owned() }),
        _ => Err(BaseUrlError::NotHttps),
    }
}

/// Whether the host of an address is on a list of `host` (any port) and `host:port`.
pub(crate) fn is_listed<S: AsRef<str>>(url: &Url, allow_hosts: &[S]) -> bool {
    let host = url.host_str().filter(|host| !host.is_empty());
    let lists = |host| allow_hosts.iter().any(|entry| names(entry.as_ref(), host, url));
    host.is_some_and(lists)
}

/// Whether two addresses are of one server: scheme, host and port.
pub fn is_same_place(one: &str, other: &str) -> bool {
    match (Url::parse(one), Url::parse(other)) {
        (Ok(one), Ok(other)) => one.origin() == other.origin() && one.origin().is_tuple(),
        (Err(_), _) | (_, Err(_)) => false,
    }
}

/// Why a base URL was turned down.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// It does not parse, or has no host.
    #[error("base_url is not an absolute URL")]
    NotAUrl,
    /// User or password in the URL; credentials have their own fields.
    #[error("base_url must not hold credentials")]
    HasCredentials,
    /// A query or fragment would be lost when paths are added.
    #[error("base_url must have no query and no fragment")]
    HasQuery,
    /// Plain http is for listed hosts only.
    #[error("base_url must use https, unless MILLRACE_ALLOW_CARRIER_HOSTS lists its host")]
    NotHttps,
    /// Neither the provider's own host nor a listed one.
    #[error("base_url host {host} is not the carrier's; list it in MILLRACE_ALLOW_CARRIER_HOSTS")]
    HostNotAllowed {
        /// The host of the URL.
        host: String,
    },
}

fn names(entry: &str, host: &str, url: &Url) -> bool {
    let entry = entry.trim().to_ascii_lowercase();
    if entry == host {
        return true;
    }
    url.port_or_known_default().is_some_and(|port| entry == format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::{BaseUrlError, check_base_url, is_same_place};

    use crate::twilio;

    const NONE: [&str; 0] = [];

    #[test]
    fn the_carriers_own_host_needs_no_listing() {
        for url in ["https://api.twilio.com", "https://api.twilio.com/", "https://API.twilio.com"] {
            let accepted = check_base_url(twilio::owns_host, url, &NONE);
            assert_eq!(accepted.as_deref(), Ok("https://api.twilio.com"), "{url}");
        }
        assert!(
            check_base_url(twilio::owns_host, "https://api.dublin.ie1.twilio.com", &NONE).is_ok()
        );
        assert!(
            check_base_url(|host| host == "api.anthropic.com", "https://api.anthropic.com", &NONE)
                .is_ok()
        );
    }

    #[test]
    fn every_other_form_of_url_is_turned_down() {
        use BaseUrlError as E;
        let host = |host: &str| E::HostNotAllowed { host: host.to_owned() };

        let cases = [
            ("http://api.twilio.com", E::NotHttps),
            ("https://api.twilio.com:8443", host("api.twilio.com")),
            ("https://api.twilio.com/redirect", host("api.twilio.com")),
            ("https://api.twilio.com.evil.test", host("api.twilio.com.evil.test")),
            ("https://xapi.twilio.com", host("xapi.twilio.com")),
            ("https://api.eviltwilio.com", host("api.eviltwilio.com")),
            ("https://eviltwilio.com", host("eviltwilio.com")),
            ("https://api.twilio.com@evil.test", E::HasCredentials),
            ("https://api.twilio.com?x=1", E::HasQuery),
            ("https://api.twilio.com#x", E::HasQuery),
            ("http://127.0.0.1:8090", E::NotHttps),
            ("https://169.254.169.254", host("169.254.169.254")),
            ("file:///etc/passwd", E::NotAUrl),
            ("/v1", E::NotAUrl),
            ("", E::NotAUrl),
        ];

        for (url, want) in cases {
            assert_eq!(check_base_url(twilio::owns_host, url, &NONE), Err(want), "{url}");
        }

        // The regional form is Twilio's alone.
        let other = check_base_url(
            |host| host == "api.anthropic.com",
            "https://api.x.anthropic.com",
            &NONE,
        );
        assert_eq!(other, Err(host("api.x.anthropic.com")));
    }

    #[test]
    fn one_server_is_the_same_place_by_any_path_and_another_port_is_another() {
        let here = "http://sandbox:8080";
        assert!(is_same_place(here, "http://SANDBOX:8080/twilio"));
        for other in ["http://sandbox", "https://sandbox:8080", "http://sandbox.x:8080", "sandbox"]
        {
            assert!(!is_same_place(here, other), "{other}");
        }
        assert!(!is_same_place("data:x", "data:x"), "no server at all");
    }

    #[test]
    fn a_listed_host_is_accepted_with_any_port_and_a_listed_port_only_with_that_one() {
        let allow = ["127.0.0.1:8090", " Sandbox.internal ", "[::1]:9000"];
        for (url, accepted) in [
            ("http://127.0.0.1:8090", true),
            ("http://127.0.0.1:8090/", true),
            ("http://127.0.0.1:8091", false),
            ("http://127.0.0.1", false),
            ("http://sandbox.internal:1234/twilio", true),
            ("https://sandbox.internal", true),
            ("http://[::1]:9000", true),
            ("http://[::1]:9001", false),
            ("ftp://sandbox.internal", false),
        ] {
            assert_eq!(check_base_url(twilio::owns_host, url, &allow).is_ok(), accepted, "{url}");
        }
    }
}
