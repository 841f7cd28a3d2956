//! How far the clocks of this machine, NATS and Postgres are apart.

use boot::clock::machine_now;
use jiff::Timestamp;
use pipeline::{Broker, inspect};
use store::core::inspect::Inspection;

use super::report::{Report, within};

/// From here on leases, marks and receipts of two machines tell different stories, microseconds.
const FAR: i64 = 1_000_000;

/// How far a clock is ahead of this machine's.
#[derive(Debug, Clone, Copy)]
struct Ahead {
    micros: i64,
    /// It is known to this much: half of what the answer took.
    within: i64,
}

pub(super) async fn check(
    report: &mut Report,
    nats: Option<&Broker>,
    postgres: Option<&mut Inspection>,
) {
    let of_nats = match nats {
        Some(nats) => told(report, "NATS", ask(inspect::clock(nats)).await),
        None => None,
    };
    let of_postgres = match postgres {
        Some(postgres) => {
            let asked = async { postgres.clock().await.map(Some) };
            told(report, "Postgres", ask(asked).await)
        }
        None => None,
    };

    if let (Some(nats), Some(postgres)) = (of_nats, of_postgres) {
        let apart =
            Ahead { micros: nats.micros - postgres.micros, within: nats.within + postgres.within };
        say(report, "NATS", "Postgres", apart);
    } else {
        report.skip("clocks", "NATS and Postgres are compared where both answer, with streams");
    }
}

/// Holds a clock against this machine's, once before and once after it was read.
async fn ask<E: std::fmt::Display>(
    asked: impl Future<Output = Result<Option<Timestamp>, E>>,
) -> Result<Option<Ahead>, String> {
    let before = machine_now().as_microsecond();
    let read = within(asked).await?;
    let after = machine_now().as_microsecond();
    let half = (after - before) / 2;
    Ok(read.map(|read| Ahead { micros: read.as_microsecond() - before - half, within: half }))
}

fn told(report: &mut Report, of: &str, found: Result<Option<Ahead>, String>) -> Option<Ahead> {
    match found {
        Ok(Some(ahead)) => {
            say(report, of, "this machine", ahead);
            Some(ahead)
        }
        Ok(None) => None,
        Err(why) => {
            report.skip("clocks", format!("{of}: {why}"));
            None
        }
    }
}

fn say(report: &mut Report, of: &str, against: &str, Ahead { micros, within }: Ahead) {
    let (millis, within) = (micros as f64 / 1e3, within as f64 / 1e3);
    let found = format!("{of} is {millis:+.1} ms from {against} (known to {within:.1} ms)");
    if micros.abs() > FAR {
        report.warn("clocks", found, "set the clocks by NTP on every machine");
    } else {
        report.ok("clocks", found);
    }
}
