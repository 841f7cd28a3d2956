//! Fetching media: what came with a text, from its carrier with the account's credentials; and what
//! a tenant has named, from a public address. One call fetches once: who asks tries again.
//!
//! Credentials go to the account's own server alone. A carrier may redirect to a server that wants
//! none: such an address is held to the same rule as one that a tenant names.

use std::{borrow::Cow, time::Duration};

use http::{
    HeaderValue, Method,
    header::{ACCEPT, LOCATION},
};
use reqwest::{Request, Url};

use crate::{
    account::Client,
    hosts::is_listed,
    http::{CallFault, Reply, call},
    media_reply::MediaReply,
    public::{AddressFault, check_address, leads_to_public},
};

/// How long one call may take, to the last byte.
const CALL: Duration = Duration::from_secs(15);

/// The longest answer to a look-up, in bytes: an address and some ids.
const MAX_LOOK_UP: usize = 16 * 1024;

/// How many redirects are followed.
const REDIRECTS: usize = 2;

/// Fetches media. Cheap to clone.
#[derive(Debug, Clone)]
pub struct MediaFetcher {
    /// Calls carriers, and hosts that an operator has listed.
    listed: reqwest::Client,
    /// Calls public addresses alone.
    public: reqwest::Client,
    /// Hosts that carriers may redirect to though they are not public: accounts are called there.
    carrier_hosts: Vec<String>,
    /// Hosts that tenants may name though they are not public.
    media_hosts: Vec<String>,
}

/// What to do with an answer.
enum Next {
    Ends(MediaReply),
    GoesTo(String),
}

impl MediaFetcher {
    /// A fetcher over [`crate::http::client`] and [`crate::public::client`]. The lists name hosts
    /// that may be called though they are not public: `host` or `host:port`.
    pub fn new(
        listed: reqwest::Client,
        public: reqwest::Client,
        carrier_hosts: Vec<String>,
        media_hosts: Vec<String>,
    ) -> Self {
        Self { listed, public, carrier_hosts, media_hosts }
    }

    /// Fetches what came with a text of an account, at most so many bytes. `url` is what the
    /// carrier has named it by: an address, or an id by which it tells the address.
    pub async fn of_account(&self, client: &Client, url: &str, limit: usize) -> MediaReply {
        let address = match client.media_lookup(url) {
            Some(request) => match self.look_up(client, request).await {
                Ok(address) => Cow::Owned(address),
                Err(reply) => return reply,
            },
            None => Cow::Borrowed(url),
        };
        let Some(request) = client.media_request(&address) else { return MediaReply::NotAllowed };
        let asked = request.url().clone();
        match next(&asked, call(&self.listed, of_any_type(request), limit).await, false) {
            Next::Ends(reply) => reply,
            Next::GoesTo(other) => self.follow(other, &self.carrier_hosts, limit).await,
        }
    }

    /// Asks a carrier where it gives what it has named by an id.
    async fn look_up(&self, client: &Client, request: Request) -> Result<String, MediaReply> {
        let answer = call(&self.listed, request, MAX_LOOK_UP).await;
        let reply = answer.map_err(|_| MediaReply::Unavailable)?;
        client.media_address(reply.status, &reply.body)
    }

    /// Fetches what a tenant has named, at most so many bytes.
    pub async fn of_tenant(&self, url: &str, limit: usize) -> MediaReply {
        self.follow(url.to_owned(), &self.media_hosts, limit).await
    }

    /// Fetches without credentials, from public hosts and those of a list, redirects included.
    async fn follow(&self, mut url: String, hosts: &[String], limit: usize) -> MediaReply {
        for _call in 0..=REDIRECTS {
            let (client, asked) = match self.may_call(&url, hosts).await {
                Ok(found) => found,
                Err(reply) => return reply,
            };
            let request = of_any_type(Request::new(Method::GET, asked.clone()));
            match next(&asked, call(client, request, limit).await, true) {
                Next::Ends(reply) => return reply,
                Next::GoesTo(other) => url = other,
            }
        }
        MediaReply::Gone
    }

    /// The client that may call an address.
    async fn may_call(
        &self,
        url: &str,
        hosts: &[String],
    ) -> Result<(&reqwest::Client, Url), MediaReply> {
        let parsed = check_media_url(url, hosts).map_err(|_| MediaReply::NotAllowed)?;
        if is_listed(&parsed, hosts) {
            return Ok((&self.listed, parsed));
        }

        let host = parsed.host_str().unwrap_or_default();
        match leads_to_public(host.trim_matches(['[', ']'])).await {
            Ok(true) => Ok((&self.public, parsed)),
            Ok(false) => Err(MediaReply::NotAllowed),
            Err(_) => Err(MediaReply::Unavailable),
        }
    }
}

/// Checks an address that media are to be fetched from, by its form: one of a host that is listed
/// as `host` or `host:port`, or of a public one.
///
/// # Errors
/// Which rule it breaks.
pub fn check_media_url(url: &str, hosts: &[String]) -> Result<Url, AddressFault> {
    let parsed = Url::parse(url).map_err(|_| AddressFault::NotAnAddress)?;
    let listed = matches!(parsed.scheme(), "http" | "https") && is_listed(&parsed, hosts);
    if listed { Ok(parsed) } else { check_address(url) }
}

/// A request that asks for bytes of any type, within the time that one call may take.
fn of_any_type(mut request: Request) -> Request {
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("*/*"));
    *request.timeout_mut() = Some(CALL);
    request
}

/// What an answer means. Where nobody's credentials were shown, 401 and 403 are about what was
/// asked for, else about the account, which somebody may mend.
fn next(asked: &Url, answer: Result<Reply, CallFault>, is_open: bool) -> Next {
    let reply = match answer {
        Ok(reply) => reply,
        Err(CallFault::TooLong) => return Next::Ends(MediaReply::TooLarge),
        Err(CallFault::NoConnection | CallFault::TimedOut | CallFault::Broken) => {
            return Next::Ends(MediaReply::Unavailable);
        }
    };
    match reply.status {
        200 => Next::Ends(MediaReply::Bytes(reply.body)),
        301 | 302 | 303 | 307 | 308 => {
            let location = reply.headers.get(LOCATION).and_then(|value| value.to_str().ok());
            let other = location.and_then(|location| asked.join(location).ok());
            other.map_or(Next::Ends(MediaReply::Gone), |other| Next::GoesTo(other.into()))
        }
        401 | 403 if !is_open => Next::Ends(MediaReply::Unavailable),
        408 | 425 | 429 | 500.. => Next::Ends(MediaReply::Unavailable),
        // A carrier may tell of a text before it gives what came with it.
        404 if !is_open => Next::Ends(MediaReply::Unavailable),
        _ => Next::Ends(MediaReply::Gone),
    }
}
