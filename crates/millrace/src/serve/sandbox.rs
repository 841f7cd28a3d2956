//! `millrace sandbox`: the simulator, and the bridge from its clock to every other process.

use std::{net::SocketAddr, process::ExitCode};

use anyhow::Context;
use boot::{clock, health::Health};
use domain::clock::BusinessClock;
use pipeline::broker::Broker;
use sandbox::Sandbox;
use tokio_util::sync::CancellationToken;

use crate::{
    cli,
    process::{self, ProcessParts},
};

/// Where the sandbox listens unless told otherwise.
pub const DEFAULT_LISTEN: ([u8; 4], u16) = ([127, 0, 0, 1], 8090);

/// Runs the sandbox until it is told to end. Without `NATS_URL` its clock is its own.
pub async fn run(args: cli::Serve) -> anyhow::Result<ExitCode> {
    let answers_health = args.common.health_listen.is_some();
    let process = ProcessParts::begin(args.common)?;
    process.end_in_time();
    let listen = process.settings.listen_or(SocketAddr::from(DEFAULT_LISTEN));
    let sandbox = start(listen).await?;
    tracing::info!(address = %sandbox.addr, smtp = %sandbox.smtp, "sandbox is up");

    let mut health = Health::new(process.metrics.clone(), process.stop.clone());
    if process.settings.nats_url.is_some() {
        let broker = process.broker("sandbox").await?;
        health = process::check_broker(health, &broker);
        bridge(&sandbox, broker, process.stop.clone()).await?;
    }

    // Beside an api on one machine, only where it is asked for.
    let end = CancellationToken::new();
    if answers_health {
        let address = process.answer_health(health, end.clone()).await?;
        tracing::info!(health = %address, "running");
    }

    process.stop.cancelled().await;
    sandbox.stop().await;
    end.cancel();
    Ok(ExitCode::SUCCESS)
}

/// Starts a sandbox.
///
/// # Errors
/// The address is in use.
pub async fn start(listen: SocketAddr) -> anyhow::Result<Sandbox> {
    let config = sandbox::SandboxConfig { listen, ..sandbox::SandboxConfig::default() };
    sandbox::start(config).await.with_context(|| crate::process::in_use("MILLRACE_LISTEN", listen))
}

/// Gives the sandbox the clock that the platform already goes by, then forwards every change of
/// the sandbox's clock to the platform.
///
/// # Errors
/// The broker cannot be asked.
pub async fn bridge(
    sandbox: &Sandbox,
    broker: Broker,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let known = clock::follow_sandbox_clock(&broker.jetstream, stop.clone()).await?;
    if let Some(clock) = known.clock() {
        sandbox.restore_clock(clock);
    }

    let mut changes = sandbox.clock.clone();
    tokio::spawn(stop.run_until_cancelled_owned(async move {
        while changes.changed().await.is_ok() {
            let clock: Option<BusinessClock> = *changes.borrow_and_update();
            if let Some(clock) = clock {
                forward(&broker, clock).await;
            }
        }
    }));
    Ok(())
}

async fn forward(broker: &Broker, clock: BusinessClock) {
    let now = clock.at(clock::machine_now());
    if let Err(why) = clock::set_sandbox_clock(&broker.jetstream, now, clock.rate).await {
        tracing::error!(%why, "the sandbox clock could not be forwarded");
    }
}
