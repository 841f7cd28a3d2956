//! What the command line says.

pub mod bench;
pub mod dead;
pub mod help;
pub mod rollup;
pub mod values;

use std::path::PathBuf;

use boot::settings::Common;
use carriers::Carrier;
use clap::{Args, Parser, Subcommand, ValueEnum};
use dead::DeadCommand;
use domain::gates::SwitchMode;
use pipeline::run::Lanes;
use rollup::RollupCommand;
use stage::StageName;
use values::{carrier, stage_help, stage_name, switch_mode};

/// Millrace: multi-tenant SMS and WhatsApp messaging on NATS JetStream and Postgres.
///
/// `up` runs everything on this machine, and `up --demo` a campaign too: start there. In
/// production `migrate` and `streams apply` come first, then `api` and every `stage` as processes
/// of their own; `doctor` and `top` say how they are. `bench`, `chaos`, `fair`, `cluster` and
/// `soak` put a machine to the test. `millrace COMMAND --help` has an example of each, `millrace
/// settings` what all of them are set by.
///
/// Exit codes: 0 fine, 1 failed, 2 bad usage, 64 bad settings.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Cli {
    /// Which process this is.
    #[command(subcommand)]
    pub command: Command,
}

/// The processes and the operator's tools.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Everything in one process, on private NATS and Postgres unless others are named
    Up(Up),
    /// The ingress: REST and carrier webhooks
    Api(Serve),
    /// One stage of the pipeline as a process of its own, which any number of others may share
    Stage(StageArgs),
    /// The simulator of carriers and AI
    Sandbox(Serve),
    /// The settings that every command has, with their variables, units and defaults
    Settings,
    /// Checks settings, NATS, Postgres, keys and clocks; says what is wrong and how to mend it
    Doctor(Serve),
    /// What each stage does and what waits before it, once a second
    Top(crate::top::Top),
    /// Brings the database schema up to date, and sets a fresh Postgres up
    Migrate(crate::migrate::Migrate),
    /// Makes the broker's streams and consumers what this version needs, or says what would change
    Streams(Streams),
    /// Who may log in to a NATS server, and with what
    Nats(crate::nats::NatsCommand),
    /// The companies on the platform: made, listed, shown
    Tenant(crate::tenants::TenantCommand),
    /// API keys: made, listed, revoked
    Token(crate::tokens::TokenCommand),
    /// People who sign in: invited, listed, given another password
    User(crate::users::UserCommand),
    /// Carrier accounts of the platform itself, and the tenants that share them
    Account(crate::accounts::AccountCommand),
    /// Rotates the master key: what older ones have sealed comes under the first
    Keys(crate::rotate::KeysCommand),
    /// The platform's own switch: holds or stops the messages of every tenant
    Switch(SwitchArgs),
    /// Dead letters: what no stage could handle
    Dead(DeadCommand),
    /// Counts the totals again from the messages, to compare or to correct them
    Rollup(RollupCommand),
    /// Runs the demo campaign on a platform that is up, with the sandbox as its carrier
    Demo(Demo),
    /// The documents of the REST API and of the subjects, as programs read them
    Document {
        /// Which document to print
        #[arg(value_enum)]
        kind: DocumentKind,
    },
    /// Measures the whole pipeline on this machine
    Bench(bench::Bench),
    /// Kills processes while messages go through, and checks that every count agrees
    Chaos(Chaos),
    /// Floods the platform as some tenants would, and checks that the others do not notice
    Fair(Fair),
    /// Kills one NATS server of three after another, and checks that every count agrees
    Cluster(Cluster),
    /// A steady load with restarts, for as long as one likes, in which nothing may drift
    Soak(Soak),
    /// Writes the demo's contacts (CSV) to standard output
    #[command(hide = true)]
    DemoPeople {
        /// What all chance is drawn from
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

/// A document of what outsiders call or read.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum DocumentKind {
    /// The REST API: OpenAPI 3.1
    Openapi,
    /// The subjects on NATS: AsyncAPI 3.0
    Asyncapi,
    /// The REST API as a collection of Postman
    Postman,
}

/// A process with nothing but settings.
#[derive(Debug, Args)]
pub struct Serve {
    /// The settings that every process has.
    #[command(flatten)]
    pub common: Common,
}

/// `millrace up [--demo]`
#[derive(Debug, Args)]
pub struct Up {
    /// Run the demo campaign once everything is ready
    #[arg(long)]
    pub demo: bool,
    /// End after the demo's table: exit code 0 only if the ledger balances
    #[arg(long, requires = "demo")]
    pub exit: bool,
    /// Where the private servers keep their data
    #[arg(long, env = "MILLRACE_DATA_DIR", default_value = ".millrace", value_name = "PATH")]
    pub data_dir: PathBuf,
    /// The settings that every process has.
    #[command(flatten)]
    pub common: Common,
}

/// `millrace stage NAME`
#[derive(Debug, Args)]
pub struct StageArgs {
    /// Which stage to run.
    #[arg(value_parser = stage_name, help = stage_help())]
    pub name: StageName,
    /// Batches under way at once, per lane
    #[arg(long, default_value_t = 3, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u8).range(1..=64))]
    pub workers: u8,
    /// Which lane to serve
    #[arg(long, default_value = "both")]
    pub lane: LaneArg,
    /// The settings that every process has.
    #[command(flatten)]
    pub common: Common,
}

/// Lanes on the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum LaneArg {
    /// Answers, codes, confirmations.
    Urgent,
    /// Campaigns and journeys.
    Bulk,
    /// Both, by separate consumers.
    Both,
}

impl From<LaneArg> for Lanes {
    fn from(lane: LaneArg) -> Self {
        match lane {
            LaneArg::Urgent => Self::Urgent,
            LaneArg::Bulk => Self::Bulk,
            LaneArg::Both => Self::Both,
        }
    }
}

/// `millrace streams apply|diff`
#[derive(Debug, Args)]
pub struct Streams {
    /// What to do
    #[arg(value_enum)]
    pub action: StreamsAction,
    /// The settings that every process has.
    #[command(flatten)]
    pub common: Common,
}

/// What to do with streams and consumers.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum StreamsAction {
    /// Make them what this version needs; refuses what would lose data
    Apply,
    /// Say what apply would change
    Diff,
}

/// `millrace switch platform MODE`
#[derive(Debug, Args)]
pub struct SwitchArgs {
    /// What it stands over
    #[arg(value_enum)]
    pub scope: SwitchTarget,
    /// on, paused (messages are held) or stopped (messages are blocked for good)
    #[arg(value_parser = switch_mode)]
    pub mode: SwitchMode,
    /// Why, for every tenant's audit trail
    #[arg(long)]
    pub reason: String,
    /// The settings that every process has.
    #[command(flatten)]
    pub common: Common,
}

/// The one switch that is an operator's; tenants throw theirs through the API.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum SwitchTarget {
    /// The whole platform: every tenant
    Platform,
}

/// `millrace demo`, on a platform that is up
#[derive(Debug, Args)]
pub struct Demo {
    /// Where the api is
    #[arg(long, default_value = "http://127.0.0.1:8080", value_name = "URL")]
    pub api: String,
    /// Where the sandbox is
    #[arg(long, default_value = "http://127.0.0.1:8090", value_name = "URL")]
    pub sandbox: String,
    /// File that holds an admin's API key
    #[arg(long, default_value = ".millrace/api-key", value_name = "PATH")]
    pub key_file: PathBuf,
}

/// `millrace chaos [--seed N]`
#[derive(Debug, Args)]
pub struct Chaos {
    /// People to text, a fifth of them by single messages and the others by a campaign
    #[arg(long, default_value_t = 10_000, value_name = "N")]
    pub recipients: usize,
    /// The carriers that take the texts: so many senders of each in one pool. With whatsapp a third
    /// of the single messages are templates on it
    #[arg(long, value_delimiter = ',', default_value = "twilio", value_name = "CARRIERS")]
    #[arg(value_parser = carrier)]
    pub carriers: Vec<Carrier>,
    /// How often a process is killed; every kind at least once
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub kills: usize,
    /// Processes of each stage
    #[arg(long, default_value_t = 2, value_name = "N")]
    pub each: usize,
    /// What all chance is drawn from [default: another one each time]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// How long everything may take, in seconds. With whatsapp the receipt horizon comes on top: it
    /// cannot be asked about a text whose receipts were lost
    #[arg(long, default_value_t = 230, value_name = "SECONDS")]
    pub limit: u64,
    /// Shortened: how long a stage may hold a message before another process gets it, in seconds
    #[arg(long, default_value_t = 6, value_name = "SECONDS")]
    pub ack_wait: u64,
    /// Shortened: how long the carrier's list may miss a text, in seconds
    #[arg(long, default_value_t = 2, value_name = "SECONDS")]
    pub list_lag: u64,
    /// Shortened: how long a carrier call may take, in seconds. With the list lag it makes the
    /// grace of a call in doubt, which must outlast a frozen process
    #[arg(long, default_value_t = 7, value_name = "SECONDS")]
    pub request_timeout: u64,
    /// Not shortened unless given: how long after its claim a carrier call may begin, in seconds
    #[arg(long, default_value_t = 0.2, value_name = "SECONDS")]
    pub call_by: f64,
    /// Shortened: how long a text is without a receipt before it is fetched, in seconds
    #[arg(long, default_value_t = 4, value_name = "SECONDS")]
    pub receipt_fetch: u64,
    /// Shortened: how long a text may be without a receipt before none is expected, in seconds
    #[arg(long, default_value_t = 200, value_name = "SECONDS")]
    pub receipt_horizon: u64,
    /// How large streams may become, such as EVENTS=1MiB,CARRIER=1MiB [default: not shortened]
    #[arg(long, value_name = "SIZES")]
    pub stream_sizes: Option<String>,
}

/// `millrace fair [--texts N]`
#[derive(Debug, Args)]
pub struct Fair {
    /// Texts of the tenant that floods: so many by batches, and as many by a campaign
    #[arg(long, default_value_t = 10_000, value_name = "N")]
    pub texts: usize,
    /// How long another tenant sends a code each second, in seconds
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    pub seconds: u64,
    /// People of the small campaign on a shared account; the large one has as many as there are
    /// texts, and at least four times as many
    #[arg(long, default_value_t = 1_000, value_name = "N")]
    pub recipients: usize,
    /// Carrier accounts of a tenant that take ten seconds for each answer
    #[arg(long, default_value_t = 8, value_name = "N")]
    pub accounts: usize,
    /// Connections over which one more tenant posts single texts, as fast as they are taken
    #[arg(long, default_value_t = 64, value_name = "N")]
    pub posts: usize,
    /// Processes of throttle and of send
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub each: usize,
    /// The least of its pace that the flooded sender must use, in percent; what a machine or an
    /// unoptimized build cannot keep up with for a moment is lost to a pace
    #[arg(long, default_value_t = 95, value_name = "PERCENT")]
    #[arg(value_parser = clap::value_parser!(u8).range(1..=100))]
    pub used: u8,
    /// The longest that 99 of 100 codes may take to the carrier, in milliseconds; any may take
    /// twice as long
    #[arg(long, default_value_t = 1_000, value_name = "MILLISECONDS")]
    pub within: u64,
    /// How far the small campaign's part of a shared account may be off, in percent of it
    #[arg(long, default_value_t = 10, value_name = "PERCENT")]
    #[arg(value_parser = clap::value_parser!(u8).range(1..=100))]
    pub off: u8,
    /// Kill a send process and freeze a throttle process meanwhile, of two or more
    #[arg(long)]
    pub blows: bool,
    /// How long a stage may hold a message before another process gets it, in seconds
    #[arg(long, default_value_t = 6, value_name = "SECONDS")]
    pub ack_wait: u64,
}

/// `millrace cluster [--texts N]`
#[derive(Debug, Args)]
pub struct Cluster {
    /// Texts of each run: on one server, on three, and on three that are killed
    #[arg(long, default_value_t = 10_000, value_name = "N")]
    #[arg(value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(100..))]
    pub texts: usize,
    /// Processes of each stage
    #[arg(long, default_value_t = 2, value_name = "N")]
    pub each: usize,
    /// Leave out the run on one server, and the one on three that are not killed
    #[arg(long)]
    pub kills_alone: bool,
    /// How long each run may take, in seconds
    #[arg(long, default_value_t = 180, value_name = "SECONDS")]
    pub limit: u64,
}

/// `millrace soak [--minutes N]`
#[derive(Debug, Args)]
pub struct Soak {
    /// How long the load goes on, in minutes
    #[arg(long, default_value_t = 30, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=1_440))]
    pub minutes: u64,
    /// Texts a second
    #[arg(long, default_value_t = 1_000, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u64).range(50..=10_000))]
    pub rate: u64,
}
