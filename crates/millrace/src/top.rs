//! `millrace top`: what each stage does and what waits before it, once a second.

mod look;
mod screen;
mod table;

use std::{process::ExitCode, time::Duration};

use anyhow::bail;
use boot::settings::Common;
use clap::Args;
use look::Look;
use screen::Screen;
use store::Role;

use crate::process::ProcessParts;

/// `millrace top [--once]`
#[derive(Debug, Args)]
pub struct Top {
    /// Print one table and end; the rates are those of one interval
    #[arg(long)]
    once: bool,
    /// Seconds between two tables, from 0.1 to 3600
    #[arg(long, default_value_t = 1.0, value_name = "SECONDS")]
    interval: f64,
    /// The settings that every process has.
    #[command(flatten)]
    common: Common,
}

/// Shows tables until it is told to end. What is away is shown as such, and asked again.
pub async fn run(args: Top) -> anyhow::Result<ExitCode> {
    if !(0.1..=3600.0).contains(&args.interval) {
        bail!("--interval must be seconds from 0.1 to 3600");
    }
    let every = Duration::from_secs_f64(args.interval);
    let mut common = args.common;
    // The table says what is away; lines of a log between would move it.
    common.log_filter.get_or_insert_with(|| "off".to_owned());
    let process = ProcessParts::begin(common)?;
    let broker = process.broker("top").await?;
    let store = process.store(Role::Owner, 1).await?;

    let mut screen = (!args.once).then(|| Screen::begin(process.stop.clone()));
    let mut before = Look::take(&broker, &store).await;
    // Nothing is known of the rates yet, and somebody waits.
    if let Some(screen) = &mut screen {
        screen.show(&table::of(None, &before))?;
    }
    while process.stop.run_until_cancelled(tokio::time::sleep(every)).await.is_some() {
        let now = Look::take(&broker, &store).await;
        let table = table::of(Some(&before), &now);
        let Some(screen) = &mut screen else {
            print!("{table}");
            break;
        };
        screen.show(&table)?;
        before = now;
    }
    Ok(ExitCode::SUCCESS)
}
