//! How long a message that has no row is waited for: it may have been accepted just now, and then
//! it is in the queue of those that are to be stored. Once that queue has nothing left of what was
//! in it when the message was looked for, the message is not on its way.

use std::time::Duration;

use domain::ids::MessageId;
use pipeline::backlog;
use tokio::time::{Instant, sleep, timeout};
use wire::Stream;

use crate::app::App;

/// How long a message is waited for at most.
const WAIT: Duration = Duration::from_secs(2);

/// How often it is looked for meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How long the broker may take to say what is queued. Without its word the message is waited for.
const ASK: Duration = Duration::from_millis(500);

/// A message accepted longer ago has been stored, or will not be seen within [`WAIT`] either.
const JUST_NOW: Duration = Duration::from_secs(60);

/// The wait for one message.
pub(super) struct Patience {
    until: Instant,
    /// The newest entry of the queue when it was asked about first.
    newest: Option<u64>,
    /// Whether the message cannot be on its way: it is looked for once more.
    is_last: bool,
}

impl Patience {
    /// With a message that may have been accepted just now, as far as its id tells.
    pub(super) fn with(id: MessageId) -> Self {
        let wait = if may_be_new(id) { WAIT } else { Duration::ZERO };
        Self { until: Instant::now() + wait, newest: None, is_last: false }
    }

    /// Returns true when another look is worth it, false when none is. It waits without a
    /// connection to the database.
    pub(super) async fn next_look(&mut self, app: &App) -> bool {
        if self.is_last || Instant::now() >= self.until {
            return false;
        }

        let queued = timeout(ASK, backlog::queued(&app.broker, Stream::Submitted)).await;
        if let Ok(Some(queued)) = queued {
            let newest = *self.newest.get_or_insert(queued.newest);
            if queued.oldest > newest {
                self.is_last = true;
                return true;
            }
        }
        sleep(LOOK_EVERY).await;
        true
    }
}

/// Whether the message may have been accepted just now, as far as its id tells. Ids made from a
/// caller's keys are of version 5 and say nothing of a time; those of a generated key, of version
/// 7, say when the first request with it came. No others are made.
fn may_be_new(id: MessageId) -> bool {
    match id.0.get_version_num() {
        5 => true,
        7 => {
            let made = id.0.get_timestamp().map_or(0, |made| made.to_unix().0);
            let now = u64::try_from(stage::machine::now().as_second()).unwrap_or_default();
            now <= made.saturating_add(JUST_NOW.as_secs())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn an_id_that_nothing_new_can_have_is_not_waited_for() {
        let tenant = "acme".parse().expect("a tenant");
        assert!(may_be_new(MessageId::from_key(&tenant, "k-1")));
        assert!(may_be_new(MessageId::from_key(&tenant, &crate::ids::generated_key())));

        let old = "auto-01890a5d-ac96-774b-bcce-b302099a8057";
        for old in [MessageId::from_key(&tenant, old), MessageId(Uuid::nil())] {
            assert!(!may_be_new(old), "{old}");
        }
    }
}
