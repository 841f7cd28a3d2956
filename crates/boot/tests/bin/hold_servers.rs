//! Starts the embedded servers in a directory and holds them until it is ended: tests end it in
//! every way there is, and look at what is left.
//!
//! Usage: `hold_servers DIR`. Prints one line of JSON when the servers are ready.
#![expect(clippy::print_stdout, reason = "its output is its answer")]

use std::path::PathBuf;

use anyhow::Context;
use boot::{
    embedded::{DataDir, EmbeddedOptions, Nats, Postgres},
    shutdown,
};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let dir = std::env::args_os().nth(1).map(PathBuf::from).context("usage: hold_servers DIR")?;
    let stop = shutdown::on_signals()?;
    shutdown::with_who_started_us(stop.clone());
    let dir = DataDir::open(&dir)?;

    // Durable, as `millrace up` runs them.
    let options = EmbeddedOptions::default();
    let (nats, postgres) =
        tokio::try_join!(Nats::start(dir.path(), &options), Postgres::start(dir.path(), &options))?;

    let ready = serde_json::json!({
        "nats": { "pid": nats.pid(), "port": nats.port() },
        "postgres": { "pid": postgres.pid(), "port": postgres.port() },
    });
    println!("{ready}");

    stop.cancelled().await;
    postgres.stop().await;
    nats.stop().await;
    Ok(())
}
