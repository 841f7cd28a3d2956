//! What the address of a webhook says of calls that fail: Twilio's connection overrides, behind a
//! `#`. `rc` is how often a call is tried again, `rp` after what. The rest of them, its timeouts
//! and places, is not played.

use http::StatusCode;

/// The most retries that an address may ask for.
const MOST: u8 = 5;

/// Why a call was of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// There was no connection to be had.
    NotConnected,
    /// There was one, and no answer in time.
    Silent,
    /// The answer is no success.
    Status(StatusCode),
}

/// How often a call is tried again, and after what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Retries {
    most: u8,
    /// After a failed connection.
    not_connected: bool,
    /// After a connection that brought no answer.
    silent: bool,
    /// After a 4xx.
    client_error: bool,
    /// After a 5xx.
    server_error: bool,
}

impl Retries {
    /// What Twilio does by itself.
    const USUAL: Self = Self {
        most: 1,
        not_connected: true,
        silent: false,
        client_error: false,
        server_error: false,
    };

    /// What an address says. What it does not say, and what cannot be meant, is as usual.
    pub(crate) fn of(url: &str) -> Self {
        let (_, fragment) = url.split_once('#').unwrap_or_default();
        let said = |key: &str| {
            let mut settings = fragment.split('&').filter_map(|setting| setting.split_once('='));
            settings.find_map(|(name, value)| (name == key).then_some(value))
        };

        let most =
            said("rc").and_then(|count| count.parse::<u8>().ok()).filter(|count| *count <= MOST);
        let most = most.unwrap_or(Self::USUAL.most);
        let Some(policies) = said("rp") else { return Self { most, ..Self::USUAL } };
        let after =
            |name: &str| policies.split(',').any(|policy| policy == name || policy == "all");
        Self {
            most,
            not_connected: after("ct"),
            silent: after("rt"),
            client_error: after("4xx"),
            server_error: after("5xx"),
        }
    }

    /// Whether a call that has failed is tried again, after so many retries.
    pub(crate) fn allow(self, retries: u8, failure: Failure) -> bool {
        let is_meant = match failure {
            Failure::NotConnected => self.not_connected,
            Failure::Silent => self.silent,
            Failure::Status(status) if status.is_server_error() => self.server_error,
            Failure::Status(status) => self.client_error && status.is_client_error(),
        };
        is_meant && retries < self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUSY: Failure = Failure::Status(StatusCode::SERVICE_UNAVAILABLE);
    const FORBIDDEN: Failure = Failure::Status(StatusCode::FORBIDDEN);

    #[test]
    fn by_itself_a_call_is_tried_once_more_and_only_where_it_could_not_connect() {
        for url in ["http://h/s", "http://h/s#", "http://h/s#rc=9", "http://h/s#x=1"] {
            let usual = Retries::of(url);
            assert!(usual.allow(0, Failure::NotConnected), "{url}");
            assert!(!usual.allow(1, Failure::NotConnected), "{url}");
            assert!(![Failure::Silent, BUSY, FORBIDDEN].iter().any(|why| usual.allow(0, *why)));
        }
    }

    #[test]
    fn an_address_says_how_often_and_after_what() {
        let all = Retries::of("http://h/s?message=1#rc=5&rp=all");
        for failure in [Failure::NotConnected, Failure::Silent, BUSY, FORBIDDEN] {
            assert!(all.allow(4, failure) && !all.allow(5, failure), "{failure:?}");
        }
        let some = Retries::of("http://h/s#ct=2000&rc=2&rp=5xx,rt");
        assert!(some.allow(1, BUSY) && some.allow(1, Failure::Silent));
        assert!(!some.allow(0, FORBIDDEN) && !some.allow(0, Failure::NotConnected));
        assert!(!some.allow(2, BUSY));
        assert!(!Retries::of("http://h/s#rc=0").allow(0, Failure::NotConnected));
    }
}
