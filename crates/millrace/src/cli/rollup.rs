//! The words of `millrace rollup`.

use boot::settings::Common;
use clap::{Args, Subcommand};
use domain::ids::TenantId;
use jiff::Timestamp;

/// `millrace rollup rebuild`
#[derive(Debug, Args)]
pub struct RollupCommand {
    /// What to do with totals
    #[command(subcommand)]
    pub action: RollupAction,
}

/// What can be done with totals.
#[derive(Debug, Subcommand)]
pub enum RollupAction {
    /// Counts the rows of messages again and makes the totals what they say: reads all of them,
    /// tenant by tenant, while everything runs. With --since, makes series what the events say
    Rebuild(Rebuild),
}

/// `millrace rollup rebuild [--since INSTANT] [--check]`
#[derive(Debug, Args)]
pub struct Rebuild {
    /// Only tell what differs: exit code 1 where something does
    #[arg(long)]
    pub check: bool,
    /// Instead of the totals, the series from the hour of this instant on (RFC 3339), by what
    /// EVENTS says; at most 90 days back
    #[arg(long, value_name = "INSTANT")]
    pub since: Option<Timestamp>,
    /// Only the totals of this tenant
    #[arg(long, value_name = "TENANT")]
    pub tenant: Option<TenantId>,
    /// The settings that every process has.
    #[command(flatten)]
    pub common: Common,
}
