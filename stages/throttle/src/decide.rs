//! In which order the messages of a batch are served, and how long each waits. Pure, but for the
//! paces, which it moves on.

use domain::{gates::depth, gcra::Slot, ids::TenantId};
use jiff::{SignedDuration, Timestamp};
use wire::Relayed;

use crate::{drr, pace::SenderPaces};

/// How long a message may wait here. The gates admit no more than a second of a sender's pace, so
/// few wait longer.
const PATIENCE: SignedDuration = SignedDuration::from_secs(2);

/// What each tenant gets in a round: as many segments as the longest message has.
const QUANTUM: u32 = 10;

/// A message whose turn has come.
pub(crate) struct Served<'a> {
    /// The index to answer it by.
    pub(crate) index: usize,
    pub(crate) message: &'a Relayed,
    /// How long it waits for its sender's pace; none for a message that goes now.
    pub(crate) wait: Option<SignedDuration>,
}

/// Serves the messages of a batch at a machine instant, tenant after tenant.
pub(crate) fn serve<'a>(
    paces: &mut SenderPaces,
    now: Timestamp,
    messages: &'a [Relayed],
) -> Vec<Served<'a>> {
    paces.begin(now);

    let order = drr::order(QUANTUM, messages.iter().map(turn_of));
    let serve = |index| {
        let message: &Relayed = &messages[index];
        Served { index, message, wait: wait(paces, message) }
    };
    order.into_iter().map(serve).collect()
}

/// The tenant of a message, its weight in the account, and the segments that it costs.
fn turn_of(message: &Relayed) -> (&TenantId, u32, u32) {
    (message.tenant(), message.weight(), segments(message).into())
}

/// Asks the sender's pace. A message that would wait beyond [`PATIENCE`] goes now: `send` parks it.
fn wait(paces: &mut SenderPaces, message: &Relayed) -> Option<SignedDuration> {
    let depth = depth(message.class().lane());
    match paces.ask(message.sender(), message.pace(), segments(message), depth) {
        Slot::Now => None,
        Slot::After(wait) => (wait <= PATIENCE).then_some(wait),
    }
}

fn segments(message: &Relayed) -> u16 {
    message.segments().max(1)
}
