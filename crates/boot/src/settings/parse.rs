//! Parsing of single settings. An error names the setting and what would be right; values that
//! may hold secrets are never shown.

use std::{
    collections::BTreeMap,
    net::{SocketAddr, ToSocketAddrs},
    ops::RangeInclusive,
    path::PathBuf,
    time::Duration,
};

use http::Uri;
use pipeline::access::SubscriberSigner;
use secrecy::{ExposeSecret, SecretString};
use tracing_subscriber::EnvFilter;
use wire::stream::Stream;

use super::error::SettingsError;
use crate::{
    keys::Keys,
    telemetry::logs::{DEFAULT_FILTER, LogFormat},
};

/// The largest file that a secret is read from, bytes.
const LARGEST_SECRET: u64 = 64 * 1024;

/// A secret, or the content of the file that holds it. Blanks around it do not count.
///
/// # Errors
/// Both are given, or the file cannot be read, is empty or too large.
pub fn secret_or_file(
    name: &'static str,
    (value, file): (Option<SecretString>, Option<PathBuf>),
) -> Result<Option<SecretString>, SettingsError> {
    let trimmed =
        |text: &str| Some(text.trim()).filter(|it| !it.is_empty()).map(SecretString::from);
    let value = value.and_then(|value| trimmed(value.expose_secret()));

    let Some(file) = file.filter(|file| !file.as_os_str().is_empty()) else { return Ok(value) };
    if value.is_some() {
        return Err(SettingsError::new(name, format!("{name}_FILE is set too: remove one")));
    }

    let wrong = |problem: String| {
        SettingsError::new(format!("{name}_FILE"), format!("{}: {problem}", file.display()))
    };
    let length = std::fs::metadata(&file).map_err(|e| wrong(e.to_string()))?.len();
    if length > LARGEST_SECRET {
        return Err(wrong(format!("larger than {LARGEST_SECRET} bytes")));
    }

    let content = std::fs::read_to_string(&file).map_err(|e| wrong(e.to_string()))?;
    match trimmed(SecretString::from(content).expose_secret()) {
        Some(secret) => Ok(Some(secret)),
        None => Err(wrong("is empty".to_owned())),
    }
}

/// Keys, newest first, from a text or a file as in [`secret_or_file`].
pub(super) fn keys(
    name: &'static str,
    given: (Option<SecretString>, Option<PathBuf>),
) -> Result<Option<Keys>, SettingsError> {
    let Some(text) = secret_or_file(name, given)? else { return Ok(None) };
    match Keys::parse(&text) {
        Ok(keys) => Ok(Some(keys)),
        Err(error) => Err(SettingsError::new(name, error.to_string())),
    }
}

pub(super) fn database_url(url: Option<&SecretString>) -> Result<(), SettingsError> {
    let Some(url) = url else { return Ok(()) };
    let url = url.expose_secret();
    let known = ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme));
    if known && url.parse::<sqlx::postgres::PgConnectOptions>().is_ok() {
        return Ok(());
    }

    let problem = "must look like postgres://user:password@host:port/database";
    Err(SettingsError::new("DATABASE_URL", problem))
}

pub(super) fn nats_url(url: Option<&SecretString>) -> Result<(), SettingsError> {
    let Some(url) = url else { return Ok(()) };
    for server in url.expose_secret().split(',').map(str::trim) {
        let known = ["nats://", "tls://"].iter().any(|scheme| server.starts_with(scheme));
        if !known || server.parse::<async_nats::ServerAddr>().is_err() {
            let problem = "must look like nats://host:port, several separated by commas";
            return Err(SettingsError::new("NATS_URL", problem));
        }
    }
    Ok(())
}

/// The key that signs credentials of tenants.
pub(super) fn subscriber_key(
    given: (Option<SecretString>, Option<PathBuf>),
) -> Result<Option<SubscriberSigner>, SettingsError> {
    let name = "NATS_SUBSCRIBER_KEY";
    let Some(text) = secret_or_file(name, given)? else { return Ok(None) };
    let problem = "must be an account and its key, as `millrace nats config` writes them";
    SubscriberSigner::parse(&text).map(Some).map_err(|_| SettingsError::new(name, problem))
}

pub(super) fn existing_file(
    name: &'static str,
    path: Option<PathBuf>,
) -> Result<Option<PathBuf>, SettingsError> {
    let Some(path) = path.filter(|path| !path.as_os_str().is_empty()) else { return Ok(None) };
    match std::fs::File::open(&path) {
        Ok(_) => Ok(Some(path)),
        Err(error) => Err(SettingsError::new(name, format!("{}: {error}", path.display()))),
    }
}

pub(super) fn address(
    name: &'static str,
    text: Option<&str>,
) -> Result<Option<SocketAddr>, SettingsError> {
    let Some(text) = given(text) else { return Ok(None) };
    // A host name is looked up, so that `localhost:8080` works.
    let found = text.to_socket_addrs().ok().and_then(|mut found| found.next());
    found.map(Some).ok_or_else(|| {
        SettingsError::new(name, format!("'{text}' is no address: host:port, such as 0.0.0.0:8080"))
    })
}

/// An address, or the default where none is given.
pub(super) fn address_or(
    name: &'static str,
    text: Option<&str>,
    default: &str,
) -> Result<SocketAddr, SettingsError> {
    let text = given(text).unwrap_or(default);
    address(name, Some(text))?.ok_or_else(|| SettingsError::new(name, "is empty"))
}

/// An http or https address with a host, without user and query. Gives it without a slash at its
/// end, so that a path can follow.
pub(super) fn http_url(
    name: &'static str,
    text: Option<&str>,
) -> Result<Option<String>, SettingsError> {
    let Some(text) = given(text) else { return Ok(None) };
    let wrong = || {
        let problem = format!("'{text}' must look like https://host or https://host/path");
        SettingsError::new(name, problem)
    };

    let uri: Uri = text.parse().map_err(|_| wrong())?;
    let scheme_fits = matches!(uri.scheme_str(), Some("http" | "https"));
    let host_fits = uri.host().is_some_and(|host| !host.is_empty());
    let has_user = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
    if !scheme_fits || !host_fits || has_user || uri.query().is_some() {
        return Err(wrong());
    }

    Ok(Some(text.trim_end_matches('/').to_owned()))
}

/// The host of an address with its port, lowercase.
pub(super) fn host_and_port(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
    Some(format!("{}:{port}", uri.host()?.to_lowercase()))
}

/// Hosts with or without a port, lowercase, separated by commas. Each is a name, not a pattern.
pub(super) fn hosts(name: &'static str, text: Option<&str>) -> Result<Vec<String>, SettingsError> {
    let entries = given(text).unwrap_or_default().split(',').map(str::trim);
    let parse = |entry: &str| {
        let authority: Option<http::uri::Authority> = entry.parse().ok();
        let fits =
            |it: &http::uri::Authority| !it.host().is_empty() && !entry.contains(['@', '*', '/']);

        authority.filter(fits).map(|it| it.as_str().to_lowercase()).ok_or_else(|| {
            SettingsError::new(name, format!("'{entry}' is no host, such as localhost:8090"))
        })
    };

    entries.filter(|entry| !entry.is_empty()).map(parse).collect()
}

/// How many copies of each stream: an odd number of servers agrees on each entry.
pub(super) fn replicas(text: Option<&str>) -> Result<usize, SettingsError> {
    match given(text) {
        None | Some("1") => Ok(1),
        Some("3") => Ok(3),
        Some("5") => Ok(5),
        Some(other) => {
            let problem = format!("'{other}' must be 1, 3 or 5");
            Err(SettingsError::new("MILLRACE_STREAM_REPLICAS", problem))
        }
    }
}

/// How many groups of counts may wait for rollup: 2,000,000 take about a gigabyte.
pub(super) fn counts_limit(text: Option<&str>) -> Result<i64, SettingsError> {
    let Some(text) = given(text) else { return Ok(2_000_000) };

    let groups = text.parse().ok().filter(|groups| (1_000..=100_000_000).contains(groups));
    let wrong = || format!("'{text}' must be a number of groups from 1000 to 100000000");
    groups.ok_or_else(|| SettingsError::new("MILLRACE_COUNTS_LIMIT", wrong()))
}

pub(super) fn carrier_calls(text: Option<&str>) -> Result<usize, SettingsError> {
    let Some(text) = given(text) else { return Ok(256) };

    let calls = text.parse().ok().filter(|calls| (4..=4_096).contains(calls));
    let wrong = || format!("'{text}' must be a number of calls from 4 to 4096");
    calls.ok_or_else(|| SettingsError::new("MILLRACE_CARRIER_CALLS", wrong()))
}

/// The smallest stream: some of the largest frames.
const SMALLEST_STREAM: i64 = 1024 * 1024;

/// Reads streams and their sizes in bytes, KiB, MiB, GiB or TiB.
///
/// # Errors
/// What is no stream, or too small for some of the largest frames.
pub fn stream_sizes(text: Option<&str>) -> Result<BTreeMap<Stream, i64>, SettingsError> {
    let entries = given(text).unwrap_or_default().split(',').map(str::trim);
    let parse = |entry: &str| {
        let read = entry.split_once('=').and_then(|(name, size)| {
            let stream = Stream::ALL.into_iter().find(|stream| stream.name() == name.trim())?;
            Some((stream, bytes(size.trim()).filter(|size| *size >= SMALLEST_STREAM)?))
        });
        read.ok_or_else(|| {
            let example = "is no stream and its size of at least 1MiB, such as EVENTS=16GiB";
            SettingsError::new("MILLRACE_STREAM_SIZES", format!("'{entry}' {example}"))
        })
    };
    entries.filter(|entry| !entry.is_empty()).map(parse).collect()
}

fn bytes(text: &str) -> Option<i64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return None,
    };
    digits.trim().parse::<i64>().ok()?.checked_mul(unit)
}

pub(super) fn switch(name: &'static str, text: Option<&str>) -> Result<bool, SettingsError> {
    match given(text) {
        None | Some("0" | "false") => Ok(false),
        Some("1" | "true") => Ok(true),
        Some(other) => Err(SettingsError::new(name, format!("'{other}' must be 0 or 1"))),
    }
}

/// A whole number of seconds within a range.
pub(super) fn seconds(
    name: &'static str,
    text: Option<&str>,
    range: RangeInclusive<u64>,
    default: u64,
) -> Result<Duration, SettingsError> {
    let Some(text) = given(text) else { return Ok(Duration::from_secs(default)) };

    let seconds = text.parse().ok().filter(|seconds| range.contains(seconds));
    let (least, most) = (range.start(), range.end());
    let wrong = || format!("'{text}' must be a number of seconds from {least} to {most}");
    seconds.map(Duration::from_secs).ok_or_else(|| SettingsError::new(name, wrong()))
}

/// Seconds within a range, with fractions.
pub(super) fn span(
    name: &'static str,
    text: Option<&str>,
    range: RangeInclusive<f64>,
    default: f64,
) -> Result<Duration, SettingsError> {
    let given = optional_span(name, text, range, default)?;
    Ok(given.unwrap_or(Duration::from_secs_f64(default)))
}

/// Seconds until something is waited for no more: up to 30 days, three where none are given.
pub(super) fn days(name: &'static str, text: Option<&str>) -> Result<Duration, SettingsError> {
    span(name, text, 1.0..=2_592_000.0, 259_200.0)
}

/// A span that has no default of its own; `example` is one that would be right.
pub(super) fn optional_span(
    name: &'static str,
    text: Option<&str>,
    range: RangeInclusive<f64>,
    example: f64,
) -> Result<Option<Duration>, SettingsError> {
    let Some(text) = given(text) else { return Ok(None) };

    let seconds = text.parse().ok().filter(|seconds| range.contains(seconds));
    let (least, most) = (range.start(), range.end());
    let wrong = || format!("'{text}' must be seconds from {least} to {most}, such as {example}");
    let span = seconds.map(Duration::from_secs_f64);
    span.map(Some).ok_or_else(|| SettingsError::new(name, wrong()))
}

pub(super) fn log_format(text: Option<&str>) -> Result<LogFormat, SettingsError> {
    match given(text) {
        None => Ok(LogFormat::for_stderr()),
        Some("json") => Ok(LogFormat::Json),
        Some("pretty") => Ok(LogFormat::Pretty),
        Some(other) => {
            let problem = format!("'{other}' must be json or pretty");
            Err(SettingsError::new("MILLRACE_LOG", problem))
        }
    }
}

pub(super) fn log_filter(text: Option<&str>) -> Result<String, SettingsError> {
    let text = given(text).unwrap_or(DEFAULT_FILTER);
    match EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => {
            let problem = format!("{error}: must look like info or info,send=debug");
            Err(SettingsError::new("RUST_LOG", problem.replace('\n', " ")))
        }
    }
}

/// Empty counts as not given, as in compose files that name every variable.
pub(super) fn given(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}
