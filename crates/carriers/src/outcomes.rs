//! What became of texts, read by their carrier's codes.

use std::collections::BTreeMap;

use domain::health::Outcomes;

use crate::Carrier;

/// Sums up what became of texts, by the carrier's code; those delivered are under the empty one.
/// People's own wishes say nothing against a sender. Of a carrier that this version does not know
/// no code is a complaint.
pub fn outcomes(by_code: &BTreeMap<String, i64>, carrier: &str) -> Outcomes {
    let carrier = Carrier::from_name(carrier);
    let mut seen = Outcomes::default();
    for (code, messages) in by_code {
        let Ok(code) = code.parse::<u32>() else {
            seen.delivered += messages;
            continue;
        };
        if carrier.is_some_and(|carrier| carrier.wish(code).is_some()) {
            continue;
        }
        seen.failed += messages;
        if carrier.is_some_and(|carrier| carrier.is_complaint(code)) {
            seen.complaints += messages;
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filtered_texts_are_complaints_and_opt_outs_are_not_looked_at() {
        let by_code = [("", 90), ("30003", 4), ("30007", 3), ("21610", 2), ("99", 1)];
        let by_code = by_code.map(|(code, count)| (code.to_owned(), count)).into();
        let seen = outcomes(&by_code, Carrier::Twilio.as_str());
        assert_eq!(seen, Outcomes { delivered: 90, failed: 8, complaints: 3 });

        let unknown = outcomes(&by_code, "pigeon");
        assert_eq!(unknown, Outcomes { delivered: 90, failed: 10, complaints: 0 });
    }
}
