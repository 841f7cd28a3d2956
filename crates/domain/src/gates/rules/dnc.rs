//! Gate 3, do not contact: nobody is texted who has opted out of everything or of the message's
//! program, who is on the do-not-contact list, or who lacks the consent that the policy asks for.
//!
//! For every class but compliance. An entry of the do-not-contact list keeps transactional messages
//! back where it stops all, and not where it stops marketing. The answer is block, always.

use crate::gates::{
    consent::{Needed, Stops, program_of},
    evaluation::{Evaluation, Step},
};

pub(in crate::gates) fn check(evaluation: &mut Evaluation<'_>) -> Step {
    if let Some(rejected) = opted_out(evaluation).or_else(|| listed(evaluation)) {
        return rejected;
    }
    consent(evaluation)
}

/// The person's own stop: of everything, or of the program that the message belongs to.
fn opted_out(evaluation: &Evaluation<'_>) -> Option<Step> {
    let (recipient, candidate) = (evaluation.recipient, evaluation.candidate);
    if let Some(at) = recipient.opted_out_at {
        return Some(Step::block("opted_out", format!("the person opted out on {at}")));
    }

    let of_campaign = candidate.campaign.and_then(|id| evaluation.tenant.programs.get(&id));
    let program = of_campaign.map_or(program_of(candidate.class), String::as_str);
    let has_left = recipient.stopped_programs.iter().any(|stopped| stopped == program);
    has_left.then(|| {
        Step::block("program_opted_out", format!("the person opted out of the program {program}"))
    })
}

/// The do-not-contact list of the tenant and of the platform.
fn listed(evaluation: &Evaluation<'_>) -> Option<Step> {
    let recipient = evaluation.recipient;
    let at = recipient.do_not_contact_at?;
    let stops = recipient.do_not_contact_stops.unwrap_or_default();
    if !stops.stops(evaluation.candidate.class) {
        return None;
    }
    let what = match stops {
        Stops::Marketing => "on the do-not-contact list",
        Stops::All => "on the do-not-contact list for all messages",
    };
    Some(Step::block("do_not_contact", format!("{what} since {at}")))
}

/// The consent that the policy asks for. A message that rests on one may not be sent after its end.
fn consent(evaluation: &mut Evaluation<'_>) -> Step {
    let consent = evaluation.recipient.consent();
    let needed = evaluation.policy.consent_for(evaluation.candidate.class);
    if let Some(lacking) = needed.lacks(consent, evaluation.now) {
        return Step::block(lacking.code(), lacking.reason().into());
    }

    let rests_on_it = needed != Needed::None;
    if let Some(end) = consent.and_then(|consent| consent.expires_at).filter(|_| rests_on_it) {
        evaluation.until(end);
    }
    Step::Pass
}
