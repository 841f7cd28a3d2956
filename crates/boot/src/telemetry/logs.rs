//! The log: lines on standard error.
//!
//! Our own lines carry ids, counts and times at every level. Libraries write what they handle: the
//! broker's client logs its password at `debug`, and drivers and HTTP clients log numbers and texts
//! at `trace`. So of libraries nothing below `info` is ever logged, whatever `RUST_LOG` asks for.

use std::io::IsTerminal;

use stage::StageName;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::filter_fn,
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    registry,
    util::{SubscriberInitExt, TryInitError},
};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object per line, for machines.
    Json,
    /// Coloured text, for people at a terminal.
    Pretty,
}

impl LogFormat {
    /// `Pretty` where people read, `Json` elsewhere.
    pub fn for_stderr() -> Self {
        if std::io::stderr().is_terminal() { Self::Pretty } else { Self::Json }
    }
}

/// What is logged without `RUST_LOG`: our own lines, and of libraries what is wrong.
pub const DEFAULT_FILTER: &str = "info,async_nats=warn,sqlx=warn,hyper=warn,reqwest=warn";

/// The crates of ours beside the stages, which are called what their stage is called, as targets of
/// log lines name them.
const OWN: [&str; 11] = [
    "api", "boot", "carriers", "domain", "millrace", "objects", "pipeline", "sandbox", "stage",
    "store", "wire",
];

/// Every crate whose lines are logged at every level.
pub fn own_crates() -> impl Iterator<Item = &'static str> {
    OWN.into_iter().chain(StageName::ALL.iter().map(|stage| stage.as_str()))
}

/// Starts logging. `filter` is in the language of `RUST_LOG`; the settings have checked it.
///
/// # Errors
/// There is a logger already.
pub fn start_logging(format: LogFormat, filter: &str) -> Result<(), TryInitError> {
    logger(format, filter, std::io::stderr).try_init()
}

fn logger<W>(format: LogFormat, filter: &str, write: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = fmt::layer().with_writer(write);
    let lines = match format {
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
        LogFormat::Pretty => {
            let colours = std::io::stderr().is_terminal();
            lines.compact().with_ansi(colours).with_target(false).boxed()
        }
    };
    registry().with(EnvFilter::new(filter)).with(filter_fn(is_discreet)).with(lines)
}

/// Whether a line carries nothing that it handles: ours, and what libraries say to operators.
fn is_discreet(line: &Metadata<'_>) -> bool {
    let krate = line.target().split("::").next().unwrap_or_default();
    *line.level() <= Level::INFO || own_crates().any(|own| own == krate)
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use super::*;

    /// Keeps what is logged.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("not poisoned").extend_from_slice(line);
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_default_filter_is_one() {
        DEFAULT_FILTER.parse::<EnvFilter>().expect("parses");
    }

    #[test]
    fn libraries_are_never_logged_in_detail() {
        let kept = Kept::default();
        let write = kept.clone();
        for filter in ["trace", "async_nats=trace,send=trace"] {
            let logger = logger(LogFormat::Json, filter, {
                let write = write.clone();
                move || write.clone()
            });
            tracing::subscriber::with_default(logger, || {
                tracing::debug!(target: "async_nats::connector", "password");
                tracing::trace!(target: "sqlx::query", "number");
                tracing::warn!(target: "async_nats", "slow consumer");
                tracing::trace!(target: "send::record", "claimed");
            });
        }

        let said = String::from_utf8(kept.0.lock().expect("not poisoned").clone()).expect("text");
        assert!(!said.contains("password") && !said.contains("number"), "{said}");
        assert_eq!(said.matches("slow consumer").count(), 2, "{said}");
        assert_eq!(said.matches("claimed").count(), 2, "{said}");
    }
}
