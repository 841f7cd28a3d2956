//! `millrace dead`: looks at dead letters, and sends them on their way again.

mod decide;
mod letters;
mod opened;
mod redrive;
mod report;
mod show;

use std::process::ExitCode;

use crate::cli::dead::{DeadAction, DeadCommand};

/// Runs one of the three.
pub async fn run(args: DeadCommand) -> anyhow::Result<ExitCode> {
    match args.action {
        DeadAction::List(args) => show::list(args).await,
        DeadAction::Show(args) => show::show(args).await,
        DeadAction::Redrive(args) => redrive::run(args).await,
    }
}
