//! What texts cost: segments by the rate card when a message is drafted, the carrier's own count of
//! segments when it takes the text, and the correction of what the gates had reserved. Messages on
//! WhatsApp are priced by category instead.

mod whatsapp;

use std::{collections::BTreeMap, sync::LazyLock};

use serde::{Deserialize, Serialize};
pub use whatsapp::{
    PriceCategory, PriceNotice, PriceSettlement, Priced, WhatsappRates, settle as settle_whatsapp,
};

use crate::{
    country::Country,
    message::state::MessageState,
    money::{Currency, Micros},
};

/// Prices per segment by country. All in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateCard {
    /// The currency of every price.
    pub currency: Currency,
    /// Price of one segment, by country of the recipient.
    pub per_segment: BTreeMap<Country, Micros>,
    /// Price of one segment where the country has no row or is not known. High on purpose: an
    /// estimate holds back a budget, so it may be too high but not too low.
    pub elsewhere: Micros,
    /// Price of one message with media, by country of the recipient.
    #[serde(default)]
    pub per_media_message: BTreeMap<Country, Micros>,
    /// The same where the country has no row or is not known.
    #[serde(default)]
    pub media_elsewhere: Micros,
}

impl RateCard {
    /// The built-in card (`data/rate_card.tsv`): a starting point until a tenant has its own.
    pub fn standard() -> &'static Self {
        &STANDARD
    }

    /// What a text of so many segments costs to this country.
    pub fn cost(&self, country: Option<Country>, segments: u16) -> Micros {
        let price = country.and_then(|country| self.per_segment.get(&country));
        price.unwrap_or(&self.elsewhere).times(u32::from(segments))
    }

    /// What a message with media costs to this country: carriers bill it as one, whatever its text.
    pub fn cost_with_media(&self, country: Option<Country>) -> Micros {
        let price = country.and_then(|country| self.per_media_message.get(&country));
        *price.unwrap_or(&self.media_elsewhere)
    }
}

/// The segments that the carrier counted and what they cost, by the rate per segment of the
/// estimate. None where the estimate stands: the carrier has not said a count, or the same one.
pub fn billed(
    estimated_segments: u16,
    cost: Micros,
    counted: Option<u16>,
) -> Option<(u16, Micros)> {
    let estimated = estimated_segments.max(1);
    let counted = counted.filter(|counted| *counted != estimated && *counted > 0)?;

    let rate = cost.0 / i64::from(estimated);
    Some((counted, Micros(rate * i64::from(counted))))
}

/// Whether a message costs what its row says, where it is shown: one that has ended without a
/// carrier that took it costs nothing. Before its end it costs what is reserved for it.
pub fn is_charged(state: MessageState, is_taken: bool) -> bool {
    match state {
        MessageState::Blocked
        | MessageState::Cancelled
        | MessageState::Expired
        | MessageState::Failed => is_taken,
        MessageState::Accepted
        | MessageState::Deferred
        | MessageState::Held
        | MessageState::Queued
        | MessageState::InDoubt
        | MessageState::Unknown
        | MessageState::Sent
        | MessageState::Delivered
        | MessageState::Read => true,
    }
}

/// What a reservation gives back so that budgets hold what is billed; negative where more is billed
/// than was reserved. None where nothing changes.
pub fn correction(reserved: Micros, billed: Micros) -> Option<Micros> {
    let difference = reserved - billed;
    (difference != Micros::ZERO).then_some(difference)
}

static STANDARD: LazyLock<RateCard> = LazyLock::new(|| {
    let (per_segment, elsewhere) = prices(include_str!("../data/rate_card.tsv"));
    let (per_media_message, media_elsewhere) = prices(include_str!("../data/media_rate_card.tsv"));
    let currency = Currency::USD;
    RateCard { currency, per_segment, elsewhere, per_media_message, media_elsewhere }
});

/// The prices of a built-in card by country, and that of every other.
fn prices(card: &str) -> (BTreeMap<Country, Micros>, Micros) {
    let (mut by_country, mut elsewhere) = (BTreeMap::new(), Micros::ZERO);
    for row in card.lines().filter(|row| !row.starts_with('#')) {
        let (country, price) = row.split_once('\t').expect("two columns of a rate card");
        let price = price.parse().expect("a price");
        match country {
            "*" => elsewhere = price,
            country => {
                by_country.insert(country.parse().expect("a country"), price);
            }
        }
    }
    (by_country, elsewhere)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COST: Micros = Micros(15_800);

    #[test]
    fn what_the_carrier_counts_costs_the_rate_of_the_estimate() {
        assert_eq!(billed(2, COST, Some(3)), Some((3, Micros(23_700))));
        assert_eq!(billed(2, COST, Some(1)), Some((1, Micros(7_900))));
    }

    #[test]
    fn an_estimate_stands_where_the_carrier_says_the_same_or_nothing() {
        for counted in [None, Some(0), Some(2)] {
            assert_eq!(billed(2, COST, counted), None, "{counted:?}");
        }
    }

    #[test]
    fn a_text_that_was_estimated_at_no_segments_counts_as_one() {
        assert_eq!(billed(0, COST, Some(1)), None);
        assert_eq!(billed(0, COST, Some(2)), Some((2, Micros(31_600))));
    }

    #[test]
    fn a_message_that_no_carrier_took_costs_nothing_once_it_has_ended() {
        assert!(!is_charged(MessageState::Failed, false) && is_charged(MessageState::Failed, true));
        for state in MessageState::ALL.into_iter().filter(|state| !state.is_final()) {
            assert!(is_charged(state, false), "{state:?} holds its reservation");
        }
    }

    #[test]
    fn budgets_give_back_what_is_not_billed_and_take_what_is_billed_beyond() {
        assert_eq!(correction(COST, Micros(7_900)), Some(Micros(7_900)));
        assert_eq!(correction(COST, Micros(23_700)), Some(Micros(-7_900)));
        assert_eq!(correction(COST, COST), None);
    }
}
