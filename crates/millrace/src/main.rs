//! `millrace`: every process of the platform in one binary. Which one it is says the first word.

#![expect(clippy::print_stdout, reason = "a command prints its answer")]

mod accounts;
mod admin;
mod bench;
mod chaos;
mod cli;
mod cluster;
mod counts_moved;
mod dead;
mod demo;
mod doctor;
mod document;
mod fair;
mod flow;
mod gauges;
mod migrate;
mod nats;
mod platform;
mod process;
mod public_url;
mod recount;
mod rotate;
mod serve;
mod soak;
mod tenants;
mod tokens;
mod top;
mod up;
mod users;
mod verdict;

use std::process::ExitCode;

use boot::settings::{EXIT_BAD_SETTINGS, SettingsError};
use clap::FromArgMatches;
use cli::{Cli, Command};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::from_arg_matches(&cli::help::command().get_matches());
    let cli = cli.unwrap_or_else(|error| error.exit());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let ended = match runtime {
        Ok(runtime) => {
            let ended = runtime.block_on(run(cli.command));
            // A look-up of a name or a file that does not come back holds no process.
            runtime.shutdown_background();
            ended
        }
        Err(why) => Err(anyhow::anyhow!("cannot start: {why}")),
    };
    match ended {
        Ok(code) => code,
        Err(error) => {
            eprintln!("millrace: {}", one_line(&error));
            ExitCode::from(if error.is::<SettingsError>() { EXIT_BAD_SETTINGS } else { 1 })
        }
    }
}

/// What went wrong, with its causes. One that the text before it has told is not told again.
fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !line.contains(&cause) {
            let separator = if line.is_empty() { "" } else { ": " };
            line.push_str(separator);
            line.push_str(&cause);
        }
    }
    line
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    carriers::http::install_crypto();

    match command {
        Command::Up(args) => up::run(args).await,
        Command::Api(args) => serve::api::run(args).await,
        Command::Stage(args) => serve::stage::run(args).await,
        Command::Sandbox(args) => serve::sandbox::run(args).await,
        Command::Settings => {
            print!("{}", cli::help::settings());
            Ok(ExitCode::SUCCESS)
        }
        Command::Doctor(args) => doctor::run(args).await,
        Command::Top(args) => top::run(args).await,
        Command::Migrate(args) => migrate::run(args).await,
        Command::Nats(args) => nats::run(args),
        Command::Streams(args) => admin::streams(args).await,
        Command::Tenant(args) => tenants::run(args).await,
        Command::Token(args) => tokens::run(args).await,
        Command::User(args) => users::run(args).await,
        Command::Account(args) => accounts::run(args).await,
        Command::Switch(args) => admin::switch(args).await,
        Command::Keys(args) => rotate::run(args).await,
        Command::Dead(args) => dead::run(args).await,
        Command::Rollup(args) => recount::run(args).await,
        Command::Demo(args) => demo::command(args).await,
        Command::Document { kind } => document::run(kind),
        Command::Bench(args) => bench::run(args).await,
        Command::Chaos(args) => chaos::run(args).await,
        Command::Fair(args) => fair::run(args).await,
        Command::Cluster(args) => cluster::run(args).await,
        Command::Soak(args) => soak::run(args).await,
        Command::DemoPeople { seed } => demo::people::write(seed),
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context;
    use boot::settings::SettingsError;

    use super::*;

    #[test]
    fn a_cause_that_is_told_already_is_not_told_again() {
        let refused = std::io::Error::other("connection refused");
        let told =
            pipeline::broker::BrokerError::Address { url: "nats://x".into(), source: refused };
        let expected = "NATS_URL: nats://x is not an address: connection refused";
        assert_eq!(one_line(&told.into()), expected);

        let setting = SettingsError::new("MILLRACE_LISTEN", "'8080' is no address");
        assert_eq!(one_line(&setting.into()), "MILLRACE_LISTEN: '8080' is no address");

        let why = Err::<(), _>(std::io::Error::other("timed out")).context("DATABASE_URL");
        assert_eq!(one_line(&why.expect_err("an error")), "DATABASE_URL: timed out");
    }
}
