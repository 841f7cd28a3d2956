//! Gate 3, do not contact: opt-out, do-not-contact, missing consent. Blocks, always.

use super::case::{Case, Step};
use crate::class::MessageClass;

pub(super) fn check(case: &mut Case<'_>) -> Step {
    let standing = case.standing;
    if let Some(at) = standing.opted_out_at {
        return Step::block("opted_out", format!("the person opted out on {at}"));
    }
    let opt_out_only = match case.judged.class {
        MessageClass::Transactional => true,
        MessageClass::Promo
        | MessageClass::Journey
        | MessageClass::Conversational
        | MessageClass::Compliance => false,
    };
    if opt_out_only {
        return Step::Pass;
    }
    if let Some(at) = standing.do_not_contact_at {
        return Step::block("do_not_contact", format!("on the do-not-contact list since {at}"));
    }
    let needs_consent = case.judged.class.is_marketing() && case.policy.require_consent;
    if needs_consent && standing.marketing_consent_at.is_none() {
        return Step::block("no_consent", "no consent to marketing is recorded".into());
    }
    Step::Pass
}
