//! Gate 4, suppression: a contact gets no promotion within some days (90 by default) of the last.
//!
//! For promotions. The answer is block, with the instant from which another may pass.

use crate::gates::evaluation::{Evaluation, Step};

pub(in crate::gates) fn check(evaluation: &mut Evaluation<'_>) -> Step {
    let Some(last) = evaluation.last_promo_at() else { return Step::Pass };

    let days = evaluation.policy.suppression_days;
    match last.saturating_add(evaluation.policy.suppression()) {
        Ok(free) if free <= evaluation.now => Step::Pass,
        Ok(free) => {
            let reason = format!("a promotion went out on {last}, less than {days} days ago");
            Step::block_until(free, "suppressed", reason)
        }
        // The end of the span lies beyond the end of time.
        Err(_) => Step::block("suppressed", format!("a promotion went out on {last}")),
    }
}
