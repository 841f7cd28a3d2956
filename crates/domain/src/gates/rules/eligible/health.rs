//! Passes over senders that do badly: quarantined ones, those whose probe does not take this
//! message, and those whose account messages are held for.
//!
//! While a sound sender for the same country is left, it carries the message. Where none is,
//! marketing waits for one that is in quarantine; what somebody waits for goes on, and so does what
//! has a held account alone: `send` holds it until the account works.

use jiff::Timestamp;

use crate::{
    gates::{
        evaluation::{Evaluation, Step},
        facts::SenderFacts,
        wake::Wake,
    },
    health::DRAWN_AGAIN,
};

/// The code of a message that waits for a sender to come out of quarantine.
const CODE: &str = "sender_quarantined";

pub(super) fn check(evaluation: &mut Evaluation<'_>) -> Step {
    let (id, now) = (evaluation.candidate.id, evaluation.now);
    let takes = |sender: &SenderFacts| sender.health.takes(id, now);
    let is_sound = |sender: &SenderFacts| takes(sender) && !sender.account_is_held;
    if evaluation.senders.iter().all(|sender| is_sound(sender)) {
        return Step::Pass;
    }

    // Preferred candidates come first: those for the recipient's country, where there are any.
    let country = evaluation.senders.first().and_then(|sender| sender.country);
    let fits = |sender: &SenderFacts| sender.country == country;
    if evaluation.senders.iter().any(|sender| is_sound(sender) && fits(sender)) {
        evaluation.senders.retain(|sender| is_sound(sender));
        return Step::Pass;
    }

    let resting = evaluation.senders.iter().copied().filter(|s| fits(s) && !takes(s));
    let first_back = resting.min_by_key(|sender| asks_again_at(sender, now));
    match first_back.filter(|_| evaluation.can_wait()) {
        Some(sender) => wait(evaluation, sender),
        None => {
            let order =
                |sender: &&SenderFacts| (!fits(sender), sender.account_is_held, !takes(sender));
            evaluation.senders.sort_by_key(order);
            Step::Pass
        }
    }
}

/// When a message is asked about again that waits for this sender; never, where no time ends that.
fn asks_again_at(sender: &SenderFacts, now: Timestamp) -> Timestamp {
    sender.health.asks_again_at(now).unwrap_or(Timestamp::MAX)
}

/// Waits for the sender that may come back first, spread over the time after which a probe takes
/// other messages.
fn wait(evaluation: &Evaluation<'_>, sender: &SenderFacts) -> Step {
    let (wake, health) = (Wake::Health(sender.id), sender.health);
    let state = health.state.as_str();
    let reason = format!("no sender in good health is left, and {} is {state}", sender.number);
    match health.asks_again_at(evaluation.now) {
        Some(at) => {
            let seconds = u32::try_from(DRAWN_AGAIN.as_secs()).unwrap_or(u32::MAX);
            let until = evaluation.spread_over(at, seconds);
            Step::defer_unless_woken(until, wake, CODE, reason)
        }
        None => Step::hold(wake, CODE, reason),
    }
}
