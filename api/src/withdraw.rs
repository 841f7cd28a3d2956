//! What is on its way and must not go out any more, for a reason that nobody asked for by the
//! message's id: an erasure, a person who takes a conversation over.

use domain::{ids::MessageId, message::passport::Stamp};
use jiff::Timestamp;
use store::messages::cancel::{self, CancelOutcome, Marked};

use crate::{app::App, auth::Caller, http::Problem, outbox};

/// Withdraws one message, or leaves a mark for one that has no row yet. True where it will not be
/// sent any more. `reason` is for its passport.
///
/// # Errors
/// Too many marks wait for their messages; the database is away.
pub(crate) async fn withdraw(
    app: &App,
    caller: &Caller,
    id: MessageId,
    now: Timestamp,
    reason: &'static str,
) -> Result<bool, Problem> {
    let stamp = Stamp { reason: Some(reason.into()), ..Stamp::plain("api", now, "cancel") };

    for _ in 0..2 {
        match cancel::cancel(&app.store, &caller.tenant, id, now, &stamp).await? {
            Some(CancelOutcome::Cancelled(event)) => {
                outbox::publish_soon(app, *event);
                return Ok(true);
            }
            Some(CancelOutcome::Before | CancelOutcome::TooLate { .. }) => return Ok(false),
            None => {}
        }

        let machine = stage::machine::now();
        match cancel::mark(&app.store, &caller.tenant, id, machine).await? {
            Marked::Left => return Ok(true),
            Marked::RowIsThere => {}
            Marked::TooMany => {
                let detail = "too much that was cancelled has yet to be fed: repeat it later";
                return Err(Problem::too_many(detail, 60));
            }
        }
    }
    Ok(false)
}
