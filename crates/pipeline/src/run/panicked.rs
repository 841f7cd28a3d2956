//! The fault of a task that panicked, and what the panic said.

use stage::Fault;
use tokio::task::JoinError;

/// The fault of a stage or source whose task did not end by itself.
pub(super) fn panicked(whose: &str, failed: JoinError) -> Fault {
    Fault::Panicked(match failed.try_into_panic() {
        Ok(payload) => text(&*payload).to_owned(),
        Err(_) => format!("the {whose}'s task was cancelled"),
    })
}

/// What `panic!` was given, where that is a text.
fn text(payload: &(dyn std::any::Any + Send)) -> &str {
    let literal = payload.downcast_ref::<&str>().copied();
    let formatted = || payload.downcast_ref::<String>().map(String::as_str);

    literal.or_else(formatted).unwrap_or("a panic")
}
