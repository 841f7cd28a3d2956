//! Gate 3, do not contact: opt-out of everything or of one program, do-not-contact, missing
//! consent. Blocks, always.

use crate::{
    gates::{
        consent::program_of,
        evaluation::{Evaluation, Step},
    },
    message::class::MessageClass,
};

pub(in crate::gates) fn check(evaluation: &mut Evaluation<'_>) -> Step {
    let (recipient, candidate) = (evaluation.recipient, evaluation.candidate);
    if let Some(at) = recipient.opted_out_at {
        return Step::block("opted_out", format!("the person opted out on {at}"));
    }
    let of_campaign = candidate.campaign.and_then(|id| evaluation.tenant.programs.get(&id));
    let program = of_campaign.map_or(program_of(candidate.class), String::as_str);
    if recipient.stopped_programs.iter().any(|stopped| stopped == program) {
        let reason = format!("the person opted out of the program {program}");
        return Step::block("program_opted_out", reason);
    }
    let listed_counts = match candidate.class {
        MessageClass::Transactional => false,
        MessageClass::Promo
        | MessageClass::Journey
        | MessageClass::Conversational
        | MessageClass::Compliance => true,
    };
    if let Some(at) = recipient.do_not_contact_at.filter(|_| listed_counts) {
        return Step::block("do_not_contact", format!("on the do-not-contact list since {at}"));
    }
    let consent = recipient.consent();
    let needed = evaluation.policy.consent_for(candidate.class);
    if let Some(lacking) = needed.lacks(consent, evaluation.now) {
        return Step::block(lacking.code(), lacking.reason().into());
    }
    let rests_on_it = needed != crate::gates::consent::Needed::None;
    if let Some(end) = consent.and_then(|consent| consent.expires_at).filter(|_| rests_on_it) {
        evaluation.until(end);
    }
    Step::Pass
}
