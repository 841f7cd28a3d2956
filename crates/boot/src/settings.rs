//! The settings that every process has: from flags, the environment or files, parsed once and
//! checked against each other before anything starts.
//!
//! [`Common`] is what clap reads, as text; [`Settings`] is what the program works with. Bad values
//! end the process with one line and exit code 64, bad flags with clap's code 2.

mod edge;
mod error;
mod leave_out;
mod media;
mod parse;
mod retention;
mod sign_in;

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

use pipeline::access::SubscriberSigner;
use secrecy::SecretString;
use wire::stream::{ACK_WAIT, Stream};

pub use edge::{Edge, EdgeSettings, TlsFiles};
pub use error::SettingsError;
pub use media::{MediaSettings, MediaStore};
pub use parse::{secret_or_file, stream_sizes};
pub use retention::RetentionSettings;
pub use sign_in::{MailSettings, SignIn, SignInSettings};

use crate::{keys::Keys, telemetry::logs::LogFormat};

/// The exit code of a process whose settings are wrong (`EX_USAGE` of sysexits.h).
pub const EXIT_BAD_SETTINGS: u8 = 64;
/// Where the api listens without `MILLRACE_LISTEN`.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8080";
/// Where health is answered without `MILLRACE_HEALTH_LISTEN`.
pub const DEFAULT_HEALTH_LISTEN: &str = "127.0.0.1:8081";

/// Settings as they are given. Flatten this into a command; then call [`Common::resolve`].
///
/// An empty value counts as none. A secret may come from a file instead: the variable with `_FILE`
/// at its end names it.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Settings")]
pub struct Common {
    /// Postgres database: postgres://user:password@host:port/database [default: none; `up` starts
    /// one of its own]
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    #[arg(value_parser = secret)]
    pub database_url: Option<SecretString>,
    /// File that holds DATABASE_URL
    #[arg(long, env = "DATABASE_URL_FILE", value_name = "PATH", value_parser = path())]
    pub database_url_file: Option<PathBuf>,
    /// NATS servers: nats://host:port or tls://host:port, separated by commas [default: none; `up`
    /// starts one of its own]
    #[arg(long, env = "NATS_URL", hide_env_values = true, value_name = "URL")]
    #[arg(value_parser = secret)]
    pub nats_url: Option<SecretString>,
    /// File that holds NATS_URL
    #[arg(long, env = "NATS_URL_FILE", value_name = "PATH", value_parser = path())]
    pub nats_url_file: Option<PathBuf>,
    /// NATS credentials file (.creds) [default: none]
    #[arg(long, env = "NATS_CREDS", value_name = "PATH", value_parser = path())]
    pub nats_creds: Option<PathBuf>,
    /// Key that signs what tenants log in to NATS with, as `millrace nats config` makes it
    /// [default: none, no event consumers]
    #[arg(long, env = "NATS_SUBSCRIBER_KEY", hide_env_values = true, value_name = "KEY")]
    #[arg(value_parser = secret)]
    pub nats_subscriber_key: Option<SecretString>,
    /// File that holds NATS_SUBSCRIBER_KEY
    #[arg(long, env = "NATS_SUBSCRIBER_KEY_FILE", value_name = "PATH", value_parser = path())]
    pub nats_subscriber_key_file: Option<PathBuf>,
    /// Address to answer requests on [default: 127.0.0.1:8080, the sandbox 127.0.0.1:8090]
    #[arg(long, env = "MILLRACE_LISTEN", value_name = "HOST:PORT")]
    pub listen: Option<String>,
    /// Address of /healthz, /readyz and /metrics; port 0 takes any [default: 127.0.0.1:8081]
    #[arg(long, env = "MILLRACE_HEALTH_LISTEN", value_name = "HOST:PORT")]
    pub health_listen: Option<String>,
    /// How the api is reached, and by whom.
    #[command(flatten)]
    pub edge: Edge,
    /// How people come and sign in.
    #[command(flatten)]
    pub sign_in: SignIn,
    /// Where media lie and are fetched.
    #[command(flatten)]
    pub media: MediaStore,
    /// Where carriers reach the api for callbacks, the same for every process [default: that of the
    /// platform, which an api has said: http:// and its listen address]
    #[arg(long, env = "MILLRACE_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
    /// Keys that encrypt stored credentials: 32 bytes in base64 each, newest first, separated by
    /// commas [default: none; `up` makes one]. A flag is seen in the process list: prefer the
    /// variable or the file
    #[arg(long, env = "MILLRACE_MASTER_KEY", hide_env_values = true, value_name = "BASE64")]
    #[arg(value_parser = secret)]
    pub master_key: Option<SecretString>,
    /// File that holds MILLRACE_MASTER_KEY
    #[arg(long, env = "MILLRACE_MASTER_KEY_FILE", value_name = "PATH", value_parser = path())]
    pub master_key_file: Option<PathBuf>,
    /// Keys that sign access tokens, in the same form as the master keys [default: none, nobody
    /// signs in; `up` makes one]
    #[arg(long, env = "MILLRACE_JWT_SECRET", hide_env_values = true, value_name = "BASE64")]
    #[arg(value_parser = secret)]
    pub jwt_secret: Option<SecretString>,
    /// File that holds MILLRACE_JWT_SECRET
    #[arg(long, env = "MILLRACE_JWT_SECRET_FILE", value_name = "PATH", value_parser = path())]
    pub jwt_secret_file: Option<PathBuf>,
    /// Key for AI replies [default: none, no AI replies]
    #[arg(long, env = "ANTHROPIC_API_KEY", hide_env_values = true, value_name = "KEY")]
    #[arg(value_parser = secret)]
    pub anthropic_api_key: Option<SecretString>,
    /// File that holds ANTHROPIC_API_KEY
    #[arg(long, env = "ANTHROPIC_API_KEY_FILE", value_name = "PATH", value_parser = path())]
    pub anthropic_api_key_file: Option<PathBuf>,
    /// Server of the AI [default: https://api.anthropic.com]
    #[arg(long, env = "ANTHROPIC_BASE_URL", value_name = "URL")]
    pub anthropic_base_url: Option<String>,
    /// Hosts, besides the carriers' own, that carrier accounts may be called at: host or
    /// host:port, separated by commas [default: none]
    #[arg(long, env = "MILLRACE_ALLOW_CARRIER_HOSTS", value_name = "HOSTS")]
    pub allow_carrier_hosts: Option<String>,
    /// Hosts that tools of tenants' assistants may be at: host (https, at public addresses), or
    /// host:port (http too, in any network), separated by commas [default: none, no tools]
    #[arg(long, env = "MILLRACE_ALLOW_TOOL_HOSTS", value_name = "HOSTS")]
    pub allow_tool_hosts: Option<String>,
    /// Where the sandbox is called for test keys, the same for every process; its host counts as
    /// allowed [default: none, no test keys are made]
    #[arg(long, env = "MILLRACE_SANDBOX_URL", value_name = "URL")]
    pub sandbox_url: Option<String>,
    /// How long a stage may hold a message before the broker gives it to another process, in
    /// seconds: the same for `streams apply` and every stage [default: 6]
    #[arg(long, env = "MILLRACE_ACK_WAIT", value_name = "SECONDS")]
    pub ack_wait: Option<String>,
    /// How many copies of each stream the broker keeps: 1, or 3 or 5 in a cluster [default: 1]
    #[arg(long, env = "MILLRACE_STREAM_REPLICAS", value_name = "N")]
    pub stream_replicas: Option<String>,
    /// How large streams may become, such as EVENTS=16GiB,CARRIER=8GiB [default: docs/operating.md]
    #[arg(long, env = "MILLRACE_STREAM_SIZES", value_name = "SIZES")]
    pub stream_sizes: Option<String>,
    /// How long after its claim a carrier call may begin, in seconds, for every stage alike
    /// [default: 0.2]
    #[arg(long, env = "MILLRACE_CALL_BY", value_name = "SECONDS")]
    pub call_by: Option<String>,
    /// How many carrier calls a process of send has under way at once, from 4 to 4096
    /// [default: 256]
    #[arg(long, env = "MILLRACE_CARRIER_CALLS", value_name = "N")]
    pub carrier_calls: Option<String>,
    /// How long a carrier call may take, in seconds, for every stage alike [default: 10]
    #[arg(long, env = "MILLRACE_REQUEST_TIMEOUT", value_name = "SECONDS")]
    pub request_timeout: Option<String>,
    /// How long a carrier's list may miss a text that it took, in seconds, for every stage alike:
    /// sooner no text in doubt is sent again [default: each carrier's own]
    #[arg(long, env = "MILLRACE_LIST_LAG", value_name = "SECONDS")]
    pub list_lag: Option<String>,
    /// How long a text may be in doubt, in seconds of business time: then it is unknown for good
    /// [default: 259200, three days]
    #[arg(long, env = "MILLRACE_DOUBT_LIMIT", value_name = "SECONDS")]
    pub doubt_limit: Option<String>,
    /// How long a text may be without a receipt before it is fetched from the carrier, in seconds
    /// of business time [default: 600, ten minutes]
    #[arg(long, env = "MILLRACE_RECEIPT_FETCH", value_name = "SECONDS")]
    pub receipt_fetch: Option<String>,
    /// How long a text may be without a receipt before none is expected any more, in seconds of
    /// business time [default: 259200, three days]
    #[arg(long, env = "MILLRACE_RECEIPT_HORIZON", value_name = "SECONDS")]
    pub receipt_horizon: Option<String>,
    /// How long texts are kept after their message has ended, in days such as 90d, at least 31d
    /// [default: 90d]
    #[arg(long, env = "MILLRACE_RETAIN_TEXT", value_name = "DAYS")]
    pub retain_text: Option<String>,
    /// How long messages are kept after their end, in days such as 400d, at least as long as texts:
    /// as long a repeat under their key sends nothing [default: 400d]
    #[arg(long, env = "MILLRACE_RETAIN_MESSAGES", value_name = "DAYS")]
    pub retain_messages: Option<String>,
    /// How long the lines of imports that became no contact are kept, in days such as 30d
    /// [default: 30d]
    #[arg(long, env = "MILLRACE_RETAIN_IMPORT_ROWS", value_name = "DAYS")]
    pub retain_import_rows: Option<String>,
    /// How many groups of counts may wait for rollup, from 1000 to 100000000: beyond that no
    /// message is stored until it has folded some [default: 2000000]
    #[arg(long, env = "MILLRACE_COUNTS_LIMIT", value_name = "GROUPS")]
    pub counts_limit: Option<String>,
    /// 1 allows the sandbox clock, which moves business time [default: 0]
    #[arg(long, env = "MILLRACE_SANDBOX", value_name = "0|1")]
    pub sandbox: Option<String>,
    /// How log lines look: json or pretty [default: pretty at a terminal, else json]
    #[arg(long, env = "MILLRACE_LOG", value_name = "FORMAT")]
    pub log: Option<String>,
    /// What is logged, such as info or info,send=debug [default: info, libraries warn]
    #[arg(long, env = "RUST_LOG", value_name = "FILTER")]
    pub log_filter: Option<String>,
}

/// Settings, parsed and checked.
#[derive(Debug)]
pub struct Settings {
    /// The address of Postgres, if named.
    pub database_url: Option<SecretString>,
    /// The addresses of NATS, if named, separated by commas.
    pub nats_url: Option<SecretString>,
    /// The NATS credentials file, if named; it exists.
    pub nats_creds: Option<PathBuf>,
    /// What signs the credentials of tenants, if named.
    pub nats_subscribers: Option<SubscriberSigner>,
    /// The address to answer requests on, if named.
    pub listen: Option<SocketAddr>,
    /// Where `/healthz`, `/readyz` and `/metrics` are answered.
    pub health_listen: SocketAddr,
    /// How the api is reached, and by whom.
    pub edge: EdgeSettings,
    /// How people come and sign in.
    pub sign_in: SignInSettings,
    /// Where media lie and are fetched.
    pub media: MediaSettings,
    /// Where carriers reach the api, without a slash at its end: as named, or where it listens.
    pub public_url: String,
    /// Whether it is named.
    pub names_public_url: bool,
    /// The keys that encrypt stored credentials, if named.
    pub master_keys: Option<Keys>,
    /// The keys that sign access tokens, if named.
    pub jwt_keys: Option<Keys>,
    /// The key for AI replies, if named; without it there are none.
    pub anthropic_api_key: Option<SecretString>,
    /// The address of the AI's server, without a slash at its end.
    pub anthropic_base_url: String,
    /// Further hosts that carrier accounts may be called at, lowercase, some with a port.
    pub carrier_hosts: Vec<String>,
    /// Hosts that tools of assistants may be at, lowercase, some with a port.
    pub tool_hosts: Vec<String>,
    /// Where the sandbox is called for test keys, if named, without a slash at its end.
    pub sandbox_url: Option<String>,
    /// How long a stage may hold a message before another process gets it.
    pub ack_wait: Duration,
    /// How many copies of each stream the broker keeps.
    pub stream_replicas: usize,
    /// How many bytes streams may hold that do not have the limit of the code.
    pub stream_sizes: BTreeMap<Stream, i64>,
    /// How long after its claim a carrier call may begin.
    pub call_by: Duration,
    /// How many carrier calls a process has under way at once.
    pub carrier_calls: usize,
    /// How long a carrier call may take.
    pub request_timeout: Duration,
    /// How long a carrier's list may miss a text that it took; none is each carrier's own.
    pub list_lag: Option<Duration>,
    /// How long a text may be in doubt before it is unknown for good; business time.
    pub doubt_limit: Duration,
    /// How long a text may be without a receipt before it is fetched; business time.
    pub receipt_fetch: Duration,
    /// How long a text may be without a receipt before none is expected; business time.
    pub receipt_horizon: Duration,
    /// For how long things are kept.
    pub retention: RetentionSettings,
    /// How many groups of counts may wait for rollup.
    pub counts_limit: i64,
    /// Whether the sandbox clock may move business time.
    pub sandbox: bool,
    /// How log lines look.
    pub log_format: LogFormat,
    /// What is logged, in the language of `RUST_LOG`.
    pub log_filter: String,
}

impl Common {
    /// Adds a host that carrier accounts may be called at to those that are named.
    pub fn allow_carrier_host(&mut self, host: impl ToString) {
        let named = self.allow_carrier_hosts.take().into_iter();
        let hosts: Vec<String> = named.chain([host.to_string()]).collect();
        self.allow_carrier_hosts = Some(hosts.join(","));
    }

    /// Reads the files, parses every value and checks the values against each other.
    ///
    /// # Errors
    /// The first setting that is wrong.
    pub fn resolve(self) -> Result<Settings, SettingsError> {
        let database = (self.database_url, self.database_url_file);
        let database_url = parse::secret_or_file("DATABASE_URL", database)?;
        parse::database_url(database_url.as_ref())?;
        let nats_url = parse::secret_or_file("NATS_URL", (self.nats_url, self.nats_url_file))?;
        parse::nats_url(nats_url.as_ref())?;

        let listen = parse::address("MILLRACE_LISTEN", self.listen.as_deref())?;
        let health = ("MILLRACE_HEALTH_LISTEN", self.health_listen.as_deref());
        let health_listen = parse::address_or(health.0, health.1, DEFAULT_HEALTH_LISTEN)?;
        let public = parse::http_url("MILLRACE_PUBLIC_URL", self.public_url.as_deref())?;
        let edge = self.edge.resolve()?;
        let public_url = public.clone().unwrap_or_else(|| reached_at(listen, &edge));
        let ai = parse::http_url("ANTHROPIC_BASE_URL", self.anthropic_base_url.as_deref())?;
        let sandbox_url = parse::http_url("MILLRACE_SANDBOX_URL", self.sandbox_url.as_deref())?;

        let master = (self.master_key, self.master_key_file);
        let anthropic = (self.anthropic_api_key, self.anthropic_api_key_file);
        let subscribers = (self.nats_subscriber_key, self.nats_subscriber_key_file);
        let retained = [self.retain_text, self.retain_messages, self.retain_import_rows];
        let settings = Settings {
            database_url,
            nats_url,
            nats_creds: parse::existing_file("NATS_CREDS", self.nats_creds)?,
            nats_subscribers: parse::subscriber_key(subscribers)?,
            listen,
            health_listen,
            edge,
            sign_in: self.sign_in.resolve()?,
            media: self.media.resolve()?,
            public_url,
            names_public_url: public.is_some(),
            master_keys: parse::keys("MILLRACE_MASTER_KEY", master)?,
            jwt_keys: parse::keys("MILLRACE_JWT_SECRET", (self.jwt_secret, self.jwt_secret_file))?,
            anthropic_api_key: parse::secret_or_file("ANTHROPIC_API_KEY", anthropic)?,
            anthropic_base_url: ai.unwrap_or_else(|| "https://api.anthropic.com".to_owned()),
            carrier_hosts: carrier_hosts(self.allow_carrier_hosts, sandbox_url.as_deref())?,
            tool_hosts: tool_hosts(self.allow_tool_hosts.as_deref())?,
            sandbox_url,
            ack_wait: ack_wait(self.ack_wait.as_deref())?,
            stream_replicas: parse::replicas(self.stream_replicas.as_deref())?,
            stream_sizes: parse::stream_sizes(self.stream_sizes.as_deref())?,
            call_by: parse::span("MILLRACE_CALL_BY", self.call_by.as_deref(), 0.01..=5.0, 0.2)?,
            carrier_calls: parse::carrier_calls(self.carrier_calls.as_deref())?,
            request_timeout: parse::span(
                "MILLRACE_REQUEST_TIMEOUT",
                self.request_timeout.as_deref(),
                0.1..=60.0,
                10.0,
            )?,
            list_lag: parse::optional_span(
                "MILLRACE_LIST_LAG",
                self.list_lag.as_deref(),
                0.0..=3600.0,
                30.0,
            )?,
            doubt_limit: parse::days("MILLRACE_DOUBT_LIMIT", self.doubt_limit.as_deref())?,
            receipt_fetch: parse::span(
                "MILLRACE_RECEIPT_FETCH",
                self.receipt_fetch.as_deref(),
                1.0..=86_400.0,
                600.0,
            )?,
            receipt_horizon: horizon(self.receipt_horizon.as_deref())?,
            retention: RetentionSettings::of(&retained)?,
            counts_limit: parse::counts_limit(self.counts_limit.as_deref())?,
            sandbox: parse::switch("MILLRACE_SANDBOX", self.sandbox.as_deref())?,
            log_format: parse::log_format(self.log.as_deref())?,
            log_filter: parse::log_filter(self.log_filter.as_deref())?,
        };

        settings.check_together().map(|()| settings)
    }
}

impl Settings {
    /// The named listen address, or another.
    pub fn listen_or(&self, default: SocketAddr) -> SocketAddr {
        self.listen.unwrap_or(default)
    }

    /// The address of Postgres, for processes that cannot do without.
    ///
    /// # Errors
    /// It is not named.
    pub fn need_database(&self) -> Result<&SecretString, SettingsError> {
        needed(self.database_url.as_ref(), "DATABASE_URL", "postgres://user:password@host/database")
    }

    /// The addresses of NATS, for processes that cannot do without.
    ///
    /// # Errors
    /// It is not named.
    pub fn need_nats(&self) -> Result<&SecretString, SettingsError> {
        needed(self.nats_url.as_ref(), "NATS_URL", "nats://host:4222")
    }

    /// The keys for stored credentials, for processes that cannot do without.
    ///
    /// # Errors
    /// They are not named.
    pub fn need_master_keys(&self) -> Result<&Keys, SettingsError> {
        needed(self.master_keys.as_ref(), "MILLRACE_MASTER_KEY", "32 bytes in base64")
    }

    /// The keys for access tokens, for processes that cannot do without.
    ///
    /// # Errors
    /// They are not named.
    pub fn need_jwt_keys(&self) -> Result<&Keys, SettingsError> {
        needed(self.jwt_keys.as_ref(), "MILLRACE_JWT_SECRET", "32 bytes in base64")
    }

    /// Refuses what is wrong only with two settings together.
    fn check_together(&self) -> Result<(), SettingsError> {
        if self.listen == Some(self.health_listen) && self.health_listen.port() != 0 {
            let problem = format!("MILLRACE_LISTEN is {} too: choose another", self.health_listen);
            return Err(SettingsError::new("MILLRACE_HEALTH_LISTEN", problem));
        }

        if self.receipt_horizon <= self.receipt_fetch {
            let fetch = self.receipt_fetch.as_secs_f64();
            let problem = format!("must be longer than MILLRACE_RECEIPT_FETCH, which is {fetch}");
            return Err(SettingsError::new("MILLRACE_RECEIPT_HORIZON", problem));
        }

        // One look at a list can show nothing sooner.
        let first_look = self.request_timeout + self.list_lag.unwrap_or(Duration::from_secs(30));
        if self.doubt_limit <= first_look {
            let problem = "must be longer than MILLRACE_REQUEST_TIMEOUT and MILLRACE_LIST_LAG \
                           together";
            return Err(SettingsError::new("MILLRACE_DOUBT_LIMIT", problem));
        }

        if let (Some(master), Some(jwt)) = (&self.master_keys, &self.jwt_keys)
            && master.shares_a_key_with(jwt)
        {
            let problem = "a key of MILLRACE_MASTER_KEY is used here too: make one of its own";
            return Err(SettingsError::new("MILLRACE_JWT_SECRET", problem));
        }
        Ok(())
    }
}

/// How long the broker waits for an ack, in whole seconds.
fn ack_wait(written: Option<&str>) -> Result<Duration, SettingsError> {
    parse::seconds("MILLRACE_ACK_WAIT", written, 1..=3600, ACK_WAIT.as_secs())
}

/// How long a receipt is looked for.
fn horizon(written: Option<&str>) -> Result<Duration, SettingsError> {
    parse::days("MILLRACE_RECEIPT_HORIZON", written)
}

/// The hosts that accounts may be called at, with that of the sandbox.
fn carrier_hosts(
    named: Option<String>,
    sandbox_url: Option<&str>,
) -> Result<Vec<String>, SettingsError> {
    let mut hosts = parse::hosts("MILLRACE_ALLOW_CARRIER_HOSTS", named.as_deref())?;
    let host = sandbox_url.and_then(parse::host_and_port);
    if let Some(host) = host.filter(|host| !hosts.contains(host)) {
        hosts.push(host);
    }
    Ok(hosts)
}

/// The hosts that tools of assistants may be at.
fn tool_hosts(named: Option<&str>) -> Result<Vec<String>, SettingsError> {
    parse::hosts("MILLRACE_ALLOW_TOOL_HOSTS", named)
}

/// The public URL of a process that is reached where it listens.
fn reached_at(listen: Option<SocketAddr>, edge: &EdgeSettings) -> String {
    let scheme = if edge.tls.is_some() { "https" } else { "http" };
    match listen {
        Some(address) => format!("{scheme}://{address}"),
        None => format!("{scheme}://{DEFAULT_LISTEN}"),
    }
}

fn needed<'a, T>(
    value: Option<&'a T>,
    name: &'static str,
    example: &str,
) -> Result<&'a T, SettingsError> {
    value.ok_or_else(|| SettingsError::new(name, format!("is not set: {example}")))
}

/// How clap takes a secret: it cannot be wrong here, and is never printed.
///
/// # Errors
/// None at all.
pub fn secret(text: &str) -> Result<SecretString, std::convert::Infallible> {
    Ok(SecretString::from(text))
}

/// Reads the path of a file. An empty one is none, as an empty setting of any kind.
pub fn path() -> impl clap::builder::TypedValueParser<Value = PathBuf> {
    use clap::builder::{OsStringValueParser, TypedValueParser};
    OsStringValueParser::new().map(PathBuf::from)
}
