//! Gate 0, eligible: the country is allowed, some sender is usable, the conversation is open.
//! Leaves the usable candidates to the gates after it.

use jiff::Timestamp;

use crate::{
    gates::evaluation::{Evaluation, Step},
    message::class::{Channel, MessageClass},
};

pub(in crate::gates) fn check(evaluation: &mut Evaluation<'_>) -> Step {
    let (candidate, now) = (evaluation.candidate, evaluation.now);
    evaluation.senders.retain(|sender| sender.usable && sender.active_since <= now);
    let country = candidate.place.country;
    let allowed = country.is_some_and(|c| evaluation.policy.allowed_countries.contains(&c));
    if !allowed {
        let country = country.map_or("an unknown country".into(), |c| c.to_string());
        return Step::block("country_not_allowed", format!("the policy does not allow {country}"));
    }
    if evaluation.senders.is_empty() {
        let reason = match candidate.senders.len() {
            0 => "no sender fits this recipient".into(),
            n => format!("none of {n} candidate senders is usable"),
        };
        return Step::block("no_sender", reason);
    }
    let until = |at: Timestamp| at.saturating_add(evaluation.policy.conversation()).unwrap_or(at);
    let closes = evaluation.recipient.last_inbound_at.map(until);
    let open = closes.is_some_and(|at| now < at);
    let needs_conversation = match candidate.class {
        MessageClass::Conversational => true,
        MessageClass::Promo
        | MessageClass::Journey
        | MessageClass::Transactional
        | MessageClass::Compliance => false,
    };
    if needs_conversation && !open {
        return Step::block("conversation_closed", no_text_within(evaluation));
    }
    let needs_window = match candidate.channel {
        Channel::Sms => false,
        Channel::Whatsapp => true,
    };
    if needs_window && !open {
        return Step::block("whatsapp_window", no_text_within(evaluation));
    }
    if let Some(closes) = closes.filter(|_| needs_conversation || needs_window) {
        evaluation.until(closes);
    }
    Step::Pass
}

fn no_text_within(evaluation: &Evaluation<'_>) -> String {
    let hours = evaluation.policy.conversation_hours;
    match evaluation.recipient.last_inbound_at {
        Some(last) => format!("the contact last wrote on {last}, more than {hours} hours ago"),
        None => format!("the contact has not written, and had to in the last {hours} hours"),
    }
}
