//! Whether what messages leave from is seen by their caller. Who is limited to brands names a
//! sender or a pool of theirs in each message; without an answer of the database nothing of theirs
//! is sent.

use std::sync::Arc;

use domain::ids::{PoolId, SenderId};
use store::drafts;
use wire::{Submitted, message::From};

use crate::{
    app::App,
    auth::Reach,
    http::{FieldError, Problem},
};

/// What is wrong with where each message leaves from, in their order. A message that names nothing
/// is given as none.
///
/// # Errors
/// The database is away.
pub(crate) async fn unseen(
    app: &App,
    reach: &Reach,
    messages: &[Option<Arc<Submitted>>],
) -> Result<Vec<Option<FieldError>>, Problem> {
    if !reach.is_limited() {
        return Ok(vec![None; messages.len()]);
    }

    let from = messages.iter().map(|message| message.as_ref().map_or(&From::Any, |it| &it.from));
    let from: Vec<&From> = from.collect();
    let senders = from.iter().filter_map(|from| match from {
        From::Sender(id) => Some(*id),
        From::Pool(_) | From::Any => None,
    });
    let pools = from.iter().filter_map(|from| match from {
        From::Pool(id) => Some(*id),
        From::Sender(_) | From::Any => None,
    });
    let (senders, pools): (Vec<SenderId>, Vec<PoolId>) = (senders.collect(), pools.collect());

    let mut tx = app.transactions.begin(reach).await?;
    let (senders, pools) = drafts::known(&mut tx, reach, &senders, &pools).await?;
    let error = |field: &str, code, detail: &str| {
        Some(FieldError { field: field.into(), code, detail: detail.into() })
    };
    let wrong = from.into_iter().map(|from| match from {
        From::Any => error("from", "required", "name a sender or a pool of your brands"),
        From::Sender(id) if !senders.contains_key(id) => {
            error("from", "not_found", "no sender of yours has this id or number")
        }
        From::Pool(id) if !pools.contains_key(id) => {
            error("pool", "not_found", "no pool with this id")
        }
        From::Sender(_) | From::Pool(_) => None,
    });
    Ok(wrong.collect())
}
