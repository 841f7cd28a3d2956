//! `millrace nats config`: the keys, accounts and credentials of a NATS server in operator mode.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context;
use boot::nats_access::NatsAccess;
use clap::{Args, Subcommand};

/// `millrace nats config`
#[derive(Debug, Args)]
pub struct NatsCommand {
    /// What to do
    #[command(subcommand)]
    action: NatsAction,
}

#[derive(Debug, Subcommand)]
enum NatsAction {
    /// Writes a folder with who may log in to NATS and what each may do
    ///
    /// accounts.conf is for the server (`include accounts.conf`) and holds no secret. creds has the
    /// credentials of each kind of process, for NATS_CREDS, and of the operator. subscribers.key is
    /// for NATS_SUBSCRIBER_KEY_FILE of the api. keys is needed by no process: keep it elsewhere.
    ///
    /// Run again, keys stay as they are, and what each may do becomes what this version needs:
    /// before an upgrade, and for a key that was removed to be made anew.
    Config(Config),
}

/// `millrace nats config FOLDER`
#[derive(Debug, Args)]
struct Config {
    /// Where to write; made if it is not there
    folder: PathBuf,
}

/// Writes the folder, and says which account is the platform's.
pub fn run(command: NatsCommand) -> anyhow::Result<ExitCode> {
    let NatsAction::Config(Config { folder }) = command.action;
    let access = NatsAccess::make(&folder).with_context(|| folder.display().to_string())?;
    println!("{}", access.account());
    eprintln!("{}: the account of the platform is above", access.config().display());
    Ok(ExitCode::SUCCESS)
}
