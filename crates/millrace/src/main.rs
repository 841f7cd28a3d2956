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
mod fair;
mod flow;
mod platform;
mod process;
mod public_url;
mod recount;
mod serve;
mod soak;
mod up;
mod verdict;

use std::process::ExitCode;

use boot::settings::{EXIT_BAD_SETTINGS, SettingsError};
use clap::Parser;
use cli::{Cli, Command};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
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
            eprintln!("millrace: {error:#}");
            ExitCode::from(if error.is::<SettingsError>() { EXIT_BAD_SETTINGS } else { 1 })
        }
    }
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    carriers::http::install_crypto();
    match command {
        Command::Up(args) => up::run(args).await,
        Command::Api(args) => serve::api::run(args).await,
        Command::Stage(args) => serve::stage::run(args).await,
        Command::Sandbox(args) => serve::sandbox::run(args).await,
        Command::Migrate(args) => admin::migrate(args).await,
        Command::Streams(args) => admin::streams(args).await,
        Command::Tenant(args) => admin::tenant(args).await,
        Command::Token(args) => admin::token(args).await,
        Command::Account(args) => accounts::run(args).await,
        Command::Switch(args) => admin::switch(args).await,
        Command::Dead(args) => dead::run(args).await,
        Command::Rollup(args) => recount::run(args).await,
        Command::Demo(args) => demo::command(args).await,
        Command::Bench(args) => bench::run(args).await,
        Command::Chaos(args) => chaos::run(args).await,
        Command::Fair(args) => fair::run(args).await,
        Command::Cluster(args) => cluster::run(args).await,
        Command::Soak(args) => soak::run(args).await,
        Command::DemoPeople { seed } => demo::people::write(seed),
    }
}
