//! Gate 4, suppression: days since the last promotion to this contact.

use super::case::{Case, Step};

pub(super) fn check(case: &mut Case<'_>) -> Step {
    let Some(last) = case.last_promo_at() else { return Step::Pass };
    let days = case.policy.suppression_days;
    match last.saturating_add(case.policy.suppression()) {
        Ok(free) if free <= case.now => Step::Pass,
        Ok(free) => {
            let reason = format!("a promotion went out on {last}, less than {days} days ago");
            Step::block_until(free, "suppressed", reason)
        }
        // A span that cannot be added is no span: nothing is sent.
        Err(_) => Step::block("suppressed", format!("a promotion went out on {last}")),
    }
}
