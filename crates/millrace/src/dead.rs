//! `millrace dead`: looks at dead letters, sends them on their way again, or deletes them.

mod decide;
mod discard;
mod letters;
mod opened;
mod redrive;
pub mod renew;
mod report;
mod show;

use std::process::ExitCode;

use crate::cli::dead::{DeadAction, DeadCommand};

/// Runs one of the four.
pub async fn run(args: DeadCommand) -> anyhow::Result<ExitCode> {
    match args.action {
        DeadAction::List(args) => show::list(args).await,
        DeadAction::Show(args) => show::show(args).await,
        DeadAction::Redrive(args) => redrive::run(args).await,
        DeadAction::Discard(args) => discard::run(args).await,
    }
}
