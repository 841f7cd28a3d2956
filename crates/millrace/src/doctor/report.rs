//! What the checks have found: one line each, with its fix.

use std::{fmt::Display, process::ExitCode, time::Duration};

/// How long one question may take. A request that somebody may not make is never answered.
const PATIENCE: Duration = Duration::from_secs(5);

/// The lines so far. Each is printed at once: a check may take seconds.
#[derive(Default)]
pub(super) struct Report {
    checks: usize,
    warnings: usize,
    failures: usize,
}

impl Report {
    /// It is as it should be.
    pub(super) fn ok(&mut self, what: &str, found: impl Display) {
        self.line("ok", what, &found.to_string());
    }

    /// It works, and somebody should look at it.
    pub(super) fn warn(&mut self, what: &str, found: impl Display, fix: impl Display) {
        self.warnings += 1;
        self.line("warn", what, &format!("{found}; {fix}"));
    }

    /// It does not work.
    pub(super) fn fail(&mut self, what: &str, found: impl Display, fix: impl Display) {
        self.failures += 1;
        self.line("FAIL", what, &format!("{found}; {fix}"));
    }

    /// It cannot be said, because of another check, which has failed.
    pub(super) fn skip(&mut self, what: &str, because: impl Display) {
        self.warn(what, "cannot be said", because);
    }

    fn line(&mut self, mark: &str, what: &str, text: &str) {
        self.checks += 1;
        println!("{mark:<4}  {what}: {}", text.replace('\n', " "));
    }

    /// The sum, and how the command ends.
    pub(super) fn end(self) -> ExitCode {
        let Self { checks, warnings, failures } = self;
        println!("{checks} checks, {warnings} warnings, {failures} failures");
        if failures > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}

/// Asks, and waits so long and no longer.
///
/// # Errors
/// What was answered instead, or that nothing was.
pub(super) async fn within<T, E: Display>(
    asked: impl Future<Output = Result<T, E>>,
) -> Result<T, String> {
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(answer) => answer.map_err(|why| why.to_string()),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}
