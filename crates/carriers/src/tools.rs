//! Calls the tools of a company for its assistant: one POST each, to a host that the operator has
//! listed (`MILLRACE_ALLOW_TOOL_HOSTS`). No redirect is followed, and nothing is tried again.

use std::time::Duration;

use domain::assistant::{
    AssistantTool, MOST_RESULT, ToolFailure, ToolResult, fits_schema, is_short_input,
};
use http::{HeaderName, HeaderValue, Method, header::ACCEPT};
use reqwest::{Request, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::{
    http::{CallFault, JSON, call, set_body},
    public::{AddressFault, check_address},
};

/// Calls tools. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ToolCaller {
    /// Calls servers that the operator has listed with their port.
    listed: reqwest::Client,
    /// Calls public addresses alone.
    public: reqwest::Client,
    hosts: Vec<String>,
}

/// A tool that can be called.
#[derive(Debug, Clone)]
pub struct CallableTool {
    /// What the company has described.
    pub tool: AssistantTool,
    /// What its header says. None where it has no header, or what is stored cannot be opened: such
    /// a tool is not called.
    pub secret: Option<SecretString>,
}

/// What a call is about, beside its input.
#[derive(Clone, Copy)]
pub struct ToolCallOf<'a> {
    /// The address of the person who writes; none in a trial.
    pub from: Option<&'a str>,
    /// The longest time that there is, if the tool's own is longer.
    pub within: Duration,
}

/// Why a tool may not be at an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ToolAddressFault {
    /// It is none, or holds a user, a password or a fragment.
    #[error("must be an absolute http or https address without user, password and fragment")]
    NotAnAddress,
    /// The operator has not listed its host.
    #[error("host {host} is not listed in MILLRACE_ALLOW_TOOL_HOSTS; ask the operator for it")]
    HostNotAllowed {
        /// The host, with its port where the address names one.
        host: String,
    },
    /// Its host is listed without a port: then it is https, on the usual port, and public.
    #[error("{0}, unless MILLRACE_ALLOW_TOOL_HOSTS lists its host with the port")]
    NotPublic(AddressFault),
}

/// Below this a call is not worth its try.
const LEAST: Duration = Duration::from_millis(200);

/// Which client may call an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Listed,
    Public,
}

impl CallableTool {
    /// A stored tool as it can be called; `open` opens its sealed secret, if it can.
    pub fn of(
        tool: AssistantTool,
        sealed: Option<&str>,
        open: impl FnOnce(&str) -> Option<SecretString>,
    ) -> Self {
        Self { tool, secret: sealed.and_then(open) }
    }
}

impl ToolCaller {
    /// A caller over [`crate::http::client`] and [`crate::public::client`]. Hosts are listed in
    /// small letters: `host:port` is called whatever it resolves to, by http or https; `host` by
    /// https on the usual port, at public addresses.
    pub fn new(listed: reqwest::Client, public: reqwest::Client, hosts: Vec<String>) -> Self {
        Self { listed, public, hosts }
    }

    /// Checks where a tool is to be.
    ///
    /// # Errors
    /// Which rule the address breaks.
    pub fn check(&self, url: &str) -> Result<(), ToolAddressFault> {
        place(url, &self.hosts).map(|_| ())
    }

    /// Of a company's stored tools those that can be called: whose host is still listed, by the
    /// operator. `open` opens their sealed secrets.
    pub fn callable<'a>(
        &self,
        stored: impl IntoIterator<Item = &'a (AssistantTool, Option<String>)>,
        open: impl Fn(&str) -> Option<SecretString>,
    ) -> Vec<CallableTool> {
        let listed = stored.into_iter().filter(|(tool, _)| self.check(&tool.url).is_ok());
        let callable = |(tool, sealed): &'a (AssistantTool, Option<String>)| {
            CallableTool::of(tool.clone(), sealed.as_deref(), &open)
        };
        listed.map(callable).collect()
    }

    /// Calls a tool once.
    ///
    /// # Errors
    /// Why it has said nothing of use.
    pub async fn call(
        &self,
        callable: &CallableTool,
        input: &Value,
        of: ToolCallOf<'_>,
    ) -> Result<ToolResult, ToolFailure> {
        let tool = &callable.tool;
        if !is_short_input(input) || !fits_schema(&tool.schema, input) {
            return Err(ToolFailure::BadInput);
        }
        let seconds = u64::from(tool.timeout_seconds.clamp(1, 10).unsigned_abs());
        let within = Duration::from_secs(seconds).min(of.within);
        if within < LEAST {
            return Err(ToolFailure::NoTime);
        }
        let (place, url) = place(&tool.url, &self.hosts).map_err(|_| ToolFailure::NotAllowed)?;
        let client = match place {
            Place::Listed => &self.listed,
            Place::Public => &self.public,
        };

        let body = json!({ "tool": tool.name, "input": input, "from": of.from });
        let mut request = Request::new(Method::POST, url);
        set_body(&mut request, JSON, body.to_string(), None);
        request.headers_mut().insert(ACCEPT, JSON);
        if let Some(name) = &tool.header {
            let (name, value) = header(name, callable.secret.as_ref())?;
            request.headers_mut().insert(name, value);
        }
        *request.timeout_mut() = Some(within);

        let reply = call(client, request, MOST_RESULT).await.map_err(failure)?;
        match reply.status {
            200..=299 => ToolResult::read(input, &reply.body).ok_or(ToolFailure::Unreadable),
            _ => Err(ToolFailure::Refused),
        }
    }
}

/// The header that carries a secret.
fn header(
    name: &str,
    secret: Option<&SecretString>,
) -> Result<(HeaderName, HeaderValue), ToolFailure> {
    let secret = secret.ok_or(ToolFailure::NotAllowed)?;
    let name: HeaderName = name.parse().map_err(|_| ToolFailure::NotAllowed)?;
    let value = HeaderValue::from_str(secret.expose_secret());
    let mut value = value.map_err(|_| ToolFailure::NotAllowed)?;
    value.set_sensitive(true);
    Ok((name, value))
}

fn failure(fault: CallFault) -> ToolFailure {
    match fault {
        CallFault::NoConnection | CallFault::Broken => ToolFailure::Unreachable,
        CallFault::TimedOut => ToolFailure::TimedOut,
        CallFault::TooLong => ToolFailure::TooLong,
    }
}

/// Where an address leads, by its form and the list.
fn place(url: &str, hosts: &[String]) -> Result<(Place, Url), ToolAddressFault> {
    let parsed = Url::parse(url).map_err(|_| ToolAddressFault::NotAnAddress)?;
    let is_bare = parsed.username().is_empty()
        && parsed.password().is_none()
        && parsed.fragment().is_none()
        && matches!(parsed.scheme(), "http" | "https");
    let host = parsed.host_str().filter(|host| is_bare && !host.is_empty());
    let host = host.ok_or(ToolAddressFault::NotAnAddress)?;

    let names = |entry: &str| hosts.iter().any(|listed| listed == entry);
    let port = parsed.port_or_known_default().unwrap_or_default();
    if names(&format!("{host}:{port}")) {
        return Ok((Place::Listed, parsed));
    }
    if names(host) {
        let checked = check_address(url).map_err(ToolAddressFault::NotPublic)?;
        return Ok((Place::Public, checked));
    }
    let port = parsed.port().map(|port| format!(":{port}")).unwrap_or_default();
    Err(ToolAddressFault::HostNotAllowed { host: format!("{host}{port}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_is_at_a_host_that_is_listed_and_within_a_network_only_by_its_port() {
        let hosts = ["orders.example.com", "10.0.0.7:8080", "inner", "127.0.0.1"];
        let hosts = hosts.map(str::to_owned);
        let at = |url: &str| place(url, &hosts).map(|(place, _)| place);
        assert_eq!(at("https://orders.example.com/status?x=1"), Ok(Place::Public));
        assert_eq!(at("https://ORDERS.example.com:443/"), Ok(Place::Public));
        assert_eq!(at("http://10.0.0.7:8080/status"), Ok(Place::Listed));
        assert_eq!(at("https://10.0.0.7:8080/status"), Ok(Place::Listed));

        use ToolAddressFault as F;
        for (url, fault) in [
            ("http://orders.example.com/", F::NotPublic(AddressFault::NotHttps)),
            ("https://orders.example.com:8443/", F::NotPublic(AddressFault::NotHttps)),
            ("https://127.0.0.1/", F::NotPublic(AddressFault::NotPublic)),
            ("https://inner/", F::NotPublic(AddressFault::NotPublic)),
            ("https://orders.example.com@evil.test/", F::NotAnAddress),
            ("https://u:p@orders.example.com/", F::NotAnAddress),
            ("https://orders.example.com/#x", F::NotAnAddress),
            ("ftp://orders.example.com/", F::NotAnAddress),
            ("/status", F::NotAnAddress),
            ("http://10.0.0.7/", F::HostNotAllowed { host: "10.0.0.7".into() }),
            ("http://10.0.0.7:8081/", F::HostNotAllowed { host: "10.0.0.7:8081".into() }),
            (
                "https://x.orders.example.com/",
                F::HostNotAllowed { host: "x.orders.example.com".into() },
            ),
        ] {
            assert_eq!(at(url), Err(fault), "{url}");
        }
        assert!(place("https://orders.example.com/", &[]).is_err());
    }
}
