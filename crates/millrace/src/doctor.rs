//! `millrace doctor`: whether everything is as the processes need it. It writes nothing, and asks
//! on where a part is away.

mod broker;
mod clocks;
mod database;
mod keys;
mod public_address;
mod report;
mod settings;

use std::process::ExitCode;

use report::Report;

use crate::cli::Serve;

/// One line for each check; the exit code is 1 where one fails.
pub async fn run(args: Serve) -> anyhow::Result<ExitCode> {
    let mut report = Report::default();
    let (found, wrong) = args.common.resolve_what_is_right();
    settings::check(&mut report, found.as_ref(), &wrong);

    if let Some(settings) = found {
        let nats = broker::check(&mut report, &settings).await;
        let mut postgres = database::check(&mut report, &settings).await;
        clocks::check(&mut report, nats.as_ref(), postgres.as_mut()).await;
        public_address::check(&mut report, &settings).await;
        keys::check(&mut report, &settings).await;
    }
    Ok(report.end())
}
