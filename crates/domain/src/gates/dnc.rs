//! Gate 3, do not contact: opt-out of everything or of one program, do-not-contact, missing
//! consent. Blocks, always.

use super::{
    case::{Case, Step},
    consent::program_of,
};
use crate::class::MessageClass;

pub(super) fn check(case: &mut Case<'_>) -> Step {
    let (standing, judged) = (case.standing, case.judged);
    if let Some(at) = standing.opted_out_at {
        return Step::block("opted_out", format!("the person opted out on {at}"));
    }
    let of_campaign = judged.campaign.and_then(|id| case.tenant.programs.get(&id));
    let program = of_campaign.map_or(program_of(judged.class), String::as_str);
    if standing.stopped_programs.iter().any(|stopped| stopped == program) {
        let reason = format!("the person opted out of the program {program}");
        return Step::block("program_opted_out", reason);
    }
    let listed_counts = match judged.class {
        MessageClass::Transactional => false,
        MessageClass::Promo
        | MessageClass::Journey
        | MessageClass::Conversational
        | MessageClass::Compliance => true,
    };
    if let Some(at) = standing.do_not_contact_at.filter(|_| listed_counts) {
        return Step::block("do_not_contact", format!("on the do-not-contact list since {at}"));
    }
    let consent = standing.consent();
    let needed = case.policy.consent_for(judged.class);
    if let Some(lacking) = needed.lacks(consent, case.now) {
        return Step::block(lacking.code(), lacking.reason().into());
    }
    let rests_on_it = needed != super::consent::Needed::None;
    if let Some(end) = consent.and_then(|consent| consent.expires_at).filter(|_| rests_on_it) {
        case.until(end);
    }
    Step::Pass
}
