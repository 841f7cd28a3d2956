//! Gate 0, eligible: the country is allowed, some sender is usable, the conversation is open.
//! Leaves the usable candidates to the gates after it.

use jiff::Timestamp;

use super::case::{Case, Step};
use crate::class::{Channel, MessageClass};

pub(super) fn check(case: &mut Case<'_>) -> Step {
    let (judged, now) = (case.judged, case.now);
    case.senders.retain(|sender| sender.usable && sender.active_since <= now);
    let country = judged.place.country;
    let allowed = country.is_some_and(|c| case.policy.allowed_countries.contains(&c));
    if !allowed {
        let country = country.map_or("an unknown country".into(), |c| c.to_string());
        return Step::block("country_not_allowed", format!("the policy does not allow {country}"));
    }
    if case.senders.is_empty() {
        let reason = match judged.senders.len() {
            0 => "no sender fits this recipient".into(),
            n => format!("none of {n} candidate senders is usable"),
        };
        return Step::block("no_sender", reason);
    }
    let until = |at: Timestamp| at.saturating_add(case.policy.conversation()).unwrap_or(at);
    let closes = case.standing.last_inbound_at.map(until);
    let open = closes.is_some_and(|at| now < at);
    let needs_conversation = match judged.class {
        MessageClass::Conversational => true,
        MessageClass::Promo
        | MessageClass::Journey
        | MessageClass::Transactional
        | MessageClass::Compliance => false,
    };
    if needs_conversation && !open {
        return Step::block("conversation_closed", no_text_within(case));
    }
    let needs_window = match judged.channel {
        Channel::Sms => false,
        Channel::Whatsapp => true,
    };
    if needs_window && !open {
        return Step::block("whatsapp_window", no_text_within(case));
    }
    if let Some(closes) = closes.filter(|_| needs_conversation || needs_window) {
        case.until(closes);
    }
    Step::Pass
}

fn no_text_within(case: &Case<'_>) -> String {
    let hours = case.policy.conversation_hours;
    match case.standing.last_inbound_at {
        Some(last) => format!("the contact last wrote on {last}, more than {hours} hours ago"),
        None => format!("the contact has not written, and had to in the last {hours} hours"),
    }
}
