//! `millrace dead discard`: deletes letters that nobody wants to send again. Only what reconcile
//! has read: until then the letter is all that says that its message has failed.

use std::process::ExitCode;

use anyhow::{Context, bail};
use pipeline::{Publisher, room};
use wire::Stream;

use super::letters::Letters;
use crate::{cli::dead::Discard, process::ProcessParts};

/// `millrace dead discard`: fails where the letter that is named is not there, or not read yet.
pub(super) async fn run(args: Discard) -> anyhow::Result<ExitCode> {
    if !args.filter.is_given() && !args.all {
        bail!("say which letters: --stage, --tenant, --cause or --id, or --all of them");
    }

    // load
    let process = ProcessParts::begin(args.common)?;
    let broker = process.broker("discard").await?;
    let fill = room::fill(&broker, Stream::Dead).await;
    let unread_from = fill.context("DEAD: the broker does not say what was read")?.unread_from;
    let mut letters = Letters::open(&broker, &args.filter, &process.stop).await?;

    // decide, and delete
    let publisher = Publisher::new(&broker, "discard");
    let (mut discarded, mut unread) = (0, 0);
    while let Some(frame) = letters.next().await? {
        let meant: Vec<usize> = frame.letters(&args.filter).map(|(index, _)| index).collect();
        if frame.sequence >= unread_from {
            unread += meant.len();
            continue;
        }
        if !args.dry_run {
            letters.remove(&publisher, &frame, &meant).await?;
        }
        discarded += meant.len();
    }

    // say
    let done = if args.dry_run { "would be discarded" } else { "discarded" };
    println!("{discarded} {done}");
    if unread > 0 {
        println!("{unread} left: reconcile has not read them; run it, then discard again");
    }
    let is_missing = args.filter.id.is_some() && discarded == 0;
    Ok(if is_missing || unread > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
