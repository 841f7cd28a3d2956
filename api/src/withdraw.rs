//! What is on its way and must not go out any more, for a reason that nobody asked for by the
//! message's id: an erasure, a person who takes a conversation over.

use domain::{ids::MessageId, message::passport::Stamp};
use jiff::Timestamp;
use store::messages::withdraw::{self, WithdrawOutcome};

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
    let times = (now, stage::machine::now());
    let stamp = Stamp { reason: Some(reason.into()), ..Stamp::plain("api", now, "cancel") };
    match withdraw::withdraw(&app.store, &caller.tenant, id, times, &stamp).await? {
        WithdrawOutcome::Withdrawn(event) => {
            outbox::publish_soon(app, *event);
            Ok(true)
        }
        WithdrawOutcome::Marked => Ok(true),
        WithdrawOutcome::Over => Ok(false),
        WithdrawOutcome::TooMany => {
            let detail = "too much that was cancelled has yet to be fed: repeat it later";
            Err(Problem::too_many(detail, 60))
        }
    }
}
