//! What is on its way and must not go out any more, for a reason that nobody asked for by the
//! message's id: an erasure, a person who takes a conversation over.

use domain::{
    ids::{ConversationId, MessageId},
    message::passport::Stamp,
};
use jiff::Timestamp;
use store::messages::withdraw::{self, PERSON_ANSWERS, WithdrawOutcome};

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
    let outcome =
        withdraw::withdraw(&app.store, &caller.tenant, id, times, &stamp(now, reason)).await?;
    told(app, outcome)
}

/// Withdraws what the assistant has answered in a conversation, as far as it has not gone out and a
/// person has the conversation. A repeat does what a fault has left undone.
///
/// # Errors
/// As for [`withdraw()`]: what else waits is withdrawn all the same.
pub(crate) async fn answers(
    app: &App,
    caller: &Caller,
    conversation: ConversationId,
    now: Timestamp,
) -> Result<(), Problem> {
    let times = (now, stage::machine::now());
    let (of, stamp) = ([(caller.tenant.id(), conversation)], stamp(now, PERSON_ANSWERS));
    let ended = withdraw::answers(&app.store, &of, times, &stamp).await?;
    let told: Vec<_> = ended.into_iter().map(|(_, outcome)| told(app, outcome)).collect();
    told.into_iter().try_for_each(|one| one.map(drop))
}

fn stamp(now: Timestamp, reason: &'static str) -> Stamp {
    Stamp { reason: Some(reason.into()), ..Stamp::plain("api", now, "cancel") }
}

/// Says what became of a message. True where it will not be sent any more.
fn told(app: &App, outcome: WithdrawOutcome) -> Result<bool, Problem> {
    match outcome {
        WithdrawOutcome::Withdrawn(event) => {
            outbox::publish_soon(app, *event);
            Ok(true)
        }
        WithdrawOutcome::Marked => Ok(true),
        WithdrawOutcome::Over => Ok(false),
        WithdrawOutcome::TooMany => {
            let detail = "too many cancelled messages are still on their way to be stored: repeat \
                          the request in a minute";
            Err(Problem::too_many(detail, 60))
        }
    }
}
