//! The operator's tools: streams, the platform's switch.

use std::{process::ExitCode, time::Duration};

use anyhow::bail;
use boot::{clock, settings::Settings};
use pipeline::{
    broker::Broker,
    consumers::{ConsumerSettings, apply_consumers, diff_consumers},
    streams::{StreamSettings, apply_streams, apply_streams_that_fit, diff_streams},
};
use secrecy::ExposeSecret;
use store::{Role, settings::platform_switch};

use crate::{
    cli::{self, Streams, StreamsAction, SwitchTarget},
    process::ProcessParts,
};

/// `millrace streams apply|diff`: one line for each change, and how many.
pub async fn streams(args: Streams) -> anyhow::Result<ExitCode> {
    let settings = args.common.resolve()?;
    let url = settings.need_nats()?.expose_secret();
    let broker = Broker::connect(url, settings.nats_creds.as_deref(), "streams").await?;

    let changes = match args.action {
        StreamsAction::Apply => {
            if settings.sandbox {
                clock::make_sandbox_clock(&broker.api).await?;
            }
            apply(&broker, &streams_of(&settings), &consumers_of(settings.ack_wait)).await?
        }
        StreamsAction::Diff => {
            let mut changes = diff_streams(&broker, &streams_of(&settings)).await?;
            changes.extend(diff_consumers(&broker, &consumers_of(settings.ack_wait)).await?);
            changes
        }
    };

    for change in &changes {
        eprintln!("{}: {}", change.what, change.how);
    }
    eprintln!("{} changes", changes.len());
    Ok(ExitCode::SUCCESS)
}

/// Makes streams and consumers what this version needs.
///
/// # Errors
/// The broker refuses, or a change would lose data.
pub async fn apply(
    broker: &Broker,
    streams: &StreamSettings,
    consumers: &ConsumerSettings,
) -> anyhow::Result<Vec<pipeline::change::DeclaredChange>> {
    let mut changes = apply_streams(broker, streams).await?;
    changes.extend(apply_consumers(broker, consumers).await?);
    Ok(changes)
}

/// The same on a broker of our own, whose disk may be small: then streams are smaller.
///
/// # Errors
/// As for [`apply`].
pub async fn apply_to_own(
    broker: &Broker,
    streams: &StreamSettings,
    consumers: &ConsumerSettings,
) -> anyhow::Result<()> {
    let applied = apply_streams_that_fit(broker, streams).await?;
    if let Some(most) = applied.max_bytes.filter(|_| streams.max_bytes.is_none()) {
        eprintln!("the disk is small: no stream gets more than {} MiB of it", most >> 20);
    }

    apply_consumers(broker, consumers).await?;
    clock::make_sandbox_clock(&broker.api).await?;
    Ok(())
}

/// The streams of an installation.
pub fn streams_of(settings: &Settings) -> StreamSettings {
    let (replicas, sizes) = (settings.stream_replicas, settings.stream_sizes.clone());
    StreamSettings { replicas, sizes, ..StreamSettings::default() }
}

/// The consumers of an installation.
pub fn consumers_of(ack_wait: Duration) -> ConsumerSettings {
    ConsumerSettings { ack_wait, ..ConsumerSettings::default() }
}

/// `millrace switch platform on|paused|stopped`: says who was told and what was released.
pub async fn switch(args: cli::SwitchArgs) -> anyhow::Result<ExitCode> {
    let SwitchTarget::Platform = args.scope;
    let reason = args.reason.trim();
    if !(1..=500).contains(&reason.chars().count()) {
        bail!("--reason has 1 to 500 characters");
    }

    let process = ProcessParts::begin(args.common)?;
    let store = process.store(Role::Api, 1).await?;
    let now = process.time.now();
    let thrown = platform_switch::throw(&store, args.mode, reason, now).await?;

    eprintln!(
        "the platform was {} and is {}; {} tenants told, {} held messages go back to the gates",
        thrown.before.as_str(),
        args.mode.as_str(),
        thrown.tenants,
        thrown.released
    );
    Ok(ExitCode::SUCCESS)
}
