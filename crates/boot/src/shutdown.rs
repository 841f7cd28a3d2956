//! Stopping in order: the first signal asks for a drain, the second ends the process, and so does
//! the end of the time that a drain has.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The exit code after a second signal: what shells report for one ended by Ctrl-C.
const EXIT_IMPATIENT: i32 = 130;

/// How long a process may take to end once it is asked to, whatever is full, away or slow: what
/// kills it then would be the operator's patience. The parts of a drain are shorter together.
pub const STOP_LIMIT: Duration = Duration::from_secs(30);

/// How long before that the process ends itself.
const SPARE: Duration = Duration::from_secs(1);

/// The exit code of a process that did not end by itself in time.
const EXIT_LATE: i32 = 1;

/// Work was still under way when its time to finish was over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} did not finish within {} s", limit.as_secs())]
pub struct DrainTimedOut {
    /// The part of the process whose work it was.
    pub what: &'static str,
    /// The time it had.
    pub limit: Duration,
}

/// A token that SIGTERM or SIGINT (Ctrl-C) cancels. A second signal exits at once, with code 130:
/// the broker delivers again what is unfinished then.
///
/// # Errors
/// The system refuses the signal handlers.
pub fn on_signals() -> std::io::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;

    let stop = CancellationToken::new();
    let asked = stop.clone();
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            }
        };

        let name = next().await;
        tracing::info!(signal = name, "stopping: work under way is finished first");
        asked.cancel();

        let name = next().await;
        tracing::warn!(signal = name, "stopping at once");
        std::process::exit(EXIT_IMPATIENT);
    });

    Ok(stop)
}

/// The variable by which whoever starts a process has it stop with them.
pub const LIFELINE: &str = "MILLRACE_LIFELINE";

/// Cancels `stop` when whoever started the process has ended, however they ended, if they have said
/// by [`LIFELINE`] that they hold its standard input open for as long as they live.
#[expect(clippy::disallowed_methods, reason = "said by a program to a program: no setting")]
pub fn with_who_started_us(stop: CancellationToken) {
    if std::env::var_os(LIFELINE).is_none() {
        return;
    }
    std::thread::spawn(move || {
        // Nobody writes into it: it ends, or cannot be read.
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        tracing::warn!("stopping: whoever started this process has ended");
        stop.cancel();
    });
}

/// Ends the process where it has not ended by itself within [`STOP_LIMIT`] of `stop`. A thread of
/// its own sees to it, as nothing else may be able to run by then. Nothing is lost by it: the
/// broker and the leases of rows give what is unfinished to others.
pub fn bound(stop: CancellationToken) {
    tokio::spawn(async move {
        stop.cancelled().await;
        std::thread::spawn(|| {
            std::thread::sleep(STOP_LIMIT.saturating_sub(SPARE));
            let limit = STOP_LIMIT.as_secs();
            tracing::error!(limit, "stopping at once: what is under way is left for others");
            std::process::exit(EXIT_LATE);
        });
    });
}

/// Waits for work to finish, but not longer than `limit`.
///
/// # Errors
/// [`DrainTimedOut`]; the work is dropped.
pub async fn drain<T>(
    what: &'static str,
    limit: Duration,
    work: impl Future<Output = T>,
) -> Result<T, DrainTimedOut> {
    let timed = tokio::time::timeout(limit, work).await;
    timed.map_err(|_| DrainTimedOut { what, limit })
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::signal::{Signal, raise};

    #[tokio::test(start_paused = true)]
    async fn a_drain_ends_when_its_time_is_over() {
        let limit = Duration::from_secs(20);
        let late = drain("gate", limit, std::future::pending::<()>()).await;
        let error = late.expect_err("never finishes");
        assert_eq!(error.to_string(), "gate did not finish within 20 s");

        assert_eq!(drain("gate", limit, async { 7 }).await, Ok(7));
    }

    #[tokio::test]
    async fn a_signal_cancels_the_token() {
        let stop = on_signals().expect("handlers");
        assert!(!stop.is_cancelled());
        raise(Signal::SIGTERM).expect("raised");
        stop.cancelled().await;
    }
}
