//! One message that is asked for by itself.

use std::slice;

use super::{
    message::{Accepted, NewMessage, Submission},
    seen,
};
use crate::{app::App, auth::Reach, http::Problem};

/// The message, checked with all that it names.
///
/// # Errors
/// Everything that is wrong with it, or with what it names.
pub(crate) async fn accept(
    app: &App,
    of: &Reach,
    submission: &Submission<'_>,
    new: NewMessage<'_>,
) -> Result<Accepted, Problem> {
    let message = submission.accept(0, new).map_err(Problem::invalid)?;

    let wrong = seen::unseen(app, of, slice::from_ref(&message.naming)).await?;
    if let Some(wrong) = wrong.into_iter().flatten().next() {
        return Err(Problem::invalid(vec![wrong]));
    }

    let naming: Vec<_> = message.naming.iter().cloned().collect();
    let wrong = app.named.wrong(of, submission.now, naming).await;
    let wrong: Vec<_> = wrong.into_iter().flatten().collect();
    if wrong.is_empty() { Ok(message) } else { Err(Problem::invalid(wrong)) }
}
