//! Gate 0, eligible: the policy allows the recipient's country, at least one candidate sender is
//! usable, and the conversation is open for what may only be said in one.
//!
//! For every class but compliance. The answer is block; defer or hold where every sender that is
//! left is in quarantine. Leaves the usable senders to the gates after it, sound ones alone where
//! there are any.

mod health;

use crate::{
    conversation::answerable_until,
    gates::{
        evaluation::{Evaluation, Step},
        facts::SenderFacts,
    },
    message::class::{Channel, MessageClass},
};

pub(in crate::gates) fn check(evaluation: &mut Evaluation<'_>) -> Step {
    let now = evaluation.now;
    let channel = evaluation.candidate.channel;
    let fits = |sender: &SenderFacts| {
        sender.usable && sender.active_since <= now && sender.channel == channel
    };
    evaluation.senders.retain(|sender| fits(sender));

    if let Some(rejected) = country(evaluation).or_else(|| senders(evaluation)) {
        return rejected;
    }
    match conversation(evaluation) {
        Step::Pass => health::check(evaluation),
        rejected => rejected,
    }
}

/// A country that the policy does not name is not texted; nor is one that is not known.
fn country(evaluation: &Evaluation<'_>) -> Option<Step> {
    let country = evaluation.candidate.place.country;
    if country.is_some_and(|country| evaluation.policy.allowed_countries.contains(&country)) {
        return None;
    }

    let country = country.map_or("an unknown country".into(), |country| country.to_string());
    Some(Step::block("country_not_allowed", format!("the policy does not allow {country}")))
}

/// Some candidate must be left: in use, and active by now.
fn senders(evaluation: &Evaluation<'_>) -> Option<Step> {
    if !evaluation.senders.is_empty() {
        return None;
    }

    let reason = match evaluation.candidate.senders.len() {
        0 => "no sender fits this recipient".into(),
        n => format!("none of {n} candidate senders is usable"),
    };
    Some(Step::block("no_sender", reason))
}

/// Conversational messages, and everything on WhatsApp but templates of the carrier, may go out for
/// some hours after the contact's own text.
fn conversation(evaluation: &mut Evaluation<'_>) -> Step {
    let (channel, after) = (evaluation.candidate.channel, evaluation.policy.conversation());
    let closes = |last| answerable_until(last, channel, after);
    let closes_at = evaluation.recipient.last_inbound_at.map(closes);
    let is_open = closes_at.is_some_and(|closes_at| evaluation.now < closes_at);

    let needs_conversation = match evaluation.candidate.class {
        MessageClass::Conversational => true,
        MessageClass::Promo
        | MessageClass::Journey
        | MessageClass::Transactional
        | MessageClass::Compliance => false,
    };
    if needs_conversation && !is_open {
        return Step::block("conversation_closed", no_text_within(evaluation));
    }

    let needs_window = match evaluation.candidate.channel {
        Channel::Sms => false,
        Channel::Whatsapp => !evaluation.candidate.is_carrier_template,
    };
    if needs_window && !is_open {
        let reason = no_text_within(evaluation);
        return Step::block("whatsapp_window", format!("{reason}: send a template"));
    }

    if let Some(closes_at) = closes_at.filter(|_| needs_conversation || needs_window) {
        evaluation.until(closes_at);
    }
    Step::Pass
}

fn no_text_within(evaluation: &Evaluation<'_>) -> String {
    let hours = match evaluation.candidate.channel {
        Channel::Sms => evaluation.policy.conversation_hours,
        Channel::Whatsapp => evaluation.policy.conversation_hours.min(24),
    };
    match evaluation.recipient.last_inbound_at {
        Some(last) => format!("the contact last wrote on {last}, more than {hours} hours ago"),
        None => format!("the contact has not written, and had to in the last {hours} hours"),
    }
}
