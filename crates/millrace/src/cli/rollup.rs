//! The words of `millrace rollup`.

use boot::settings::Common;
use clap::{Args, Subcommand};
use domain::ids::TenantId;

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
    /// tenant by tenant, while everything runs
    Rebuild(Rebuild),
}

/// `millrace rollup rebuild [--check]`
#[derive(Debug, Args)]
pub struct Rebuild {
    /// Only tell what differs: exit code 1 where something does
    #[arg(long)]
    pub check: bool,
    /// Only the totals of this tenant
    #[arg(long, value_name = "TENANT")]
    pub tenant: Option<TenantId>,
    /// The settings that every process has.
    #[command(flatten)]
    pub common: Common,
}
