//! What messages on WhatsApp cost: a price by category and country of the person, and so many
//! service messages of each number free in a month. Meta changes both with the months, so they are
//! a tenant's data; without any, such messages cost nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    country::Country,
    message::{class::MessageClass, state::MessageState},
    money::Micros,
};

/// What Meta bills a message as (`pricing.category` of its statuses).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceCategory {
    /// A template that promotes something.
    Marketing,
    /// A template about something that the person has agreed to.
    Utility,
    /// A template with a code.
    Authentication,
    /// The same, to a country where the business is not.
    AuthenticationInternational,
    /// A free text within the customer service window.
    Service,
    /// A marketing template by Meta's interface for marketing messages.
    MarketingLite,
    /// A text after a click on an advertisement.
    ReferralConversion,
}

crate::described_words! {
    PriceCategory, "What WhatsApp bills a message as: templates of three categories and their \
        special cases, and free texts within the customer service window, which are service.";
}

/// A tenant's prices per message, all in its currency.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhatsappRates {
    /// Prices by country of the person and by category.
    #[serde(default)]
    pub by_country: BTreeMap<Country, BTreeMap<PriceCategory, Micros>>,
    /// Prices where the country has none, or is not known.
    #[serde(default)]
    pub elsewhere: BTreeMap<PriceCategory, Micros>,
    /// How many service messages of each number are free in a month of the tenant's zone.
    #[serde(default)]
    pub free_service_messages: u32,
}

/// What the carrier has said of a message's price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceNotice {
    /// Whether it is billed at all.
    pub is_billed: bool,
    /// What it is billed as; none where it was not said, or by a word that this version does not
    /// know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<PriceCategory>,
    /// Whether it is free for the conversation that it belongs to, which began with a click: such
    /// messages are no part of the free ones of a month.
    #[serde(default)]
    pub is_free_entry: bool,
}

/// The price of a message as it is settled, kept with the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceSettlement {
    /// The state that the report told of.
    pub by: MessageState,
    /// The message's turn: what was said in an earlier one is about another call.
    pub turn: u32,
    /// Whether the carrier bills it.
    pub is_billed: bool,
    /// What the carrier bills it as, where it has said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<PriceCategory>,
    /// Whether it counts among the month's service messages of its number.
    #[serde(default)]
    pub is_counted: bool,
    /// Whether it is one of those that are free.
    #[serde(default)]
    pub is_free: bool,
}

/// What a message is, as far as its price goes.
#[derive(Debug, Clone, Copy)]
pub struct Priced {
    /// The country of the person.
    pub country: Option<Country>,
    /// The message's turn.
    pub turn: u32,
    /// What it costs as its row has it: the estimate, or what was settled.
    pub cost: Micros,
    /// How it was settled before.
    pub before: Option<PriceSettlement>,
}

// === impl PriceCategory ===

impl PriceCategory {
    /// Every category, in the order of the rate card.
    pub const ALL: [Self; 7] = [
        Self::Marketing,
        Self::Utility,
        Self::Authentication,
        Self::AuthenticationInternational,
        Self::Service,
        Self::MarketingLite,
        Self::ReferralConversion,
    ];

    /// The name at Meta, in rows and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Marketing => "marketing",
            Self::Utility => "utility",
            Self::Authentication => "authentication",
            Self::AuthenticationInternational => "authentication_international",
            Self::Service => "service",
            Self::MarketingLite => "marketing_lite",
            Self::ReferralConversion => "referral_conversion",
        }
    }

    /// The category of this name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.as_str().eq_ignore_ascii_case(name))
    }

    /// What a template will be billed as whose category at Meta is not known, by the class of its
    /// message.
    pub fn of_class(class: MessageClass) -> Self {
        match class {
            MessageClass::Promo | MessageClass::Journey => Self::Marketing,
            MessageClass::Conversational
            | MessageClass::Transactional
            | MessageClass::Compliance => Self::Utility,
        }
    }

    /// The category whose price holds where this one has none of its own.
    fn usual(self) -> Self {
        match self {
            Self::AuthenticationInternational => Self::Authentication,
            Self::MarketingLite => Self::Marketing,
            Self::ReferralConversion => Self::Service,
            Self::Marketing | Self::Utility | Self::Authentication | Self::Service => self,
        }
    }
}

// === impl WhatsappRates ===

impl WhatsappRates {
    /// What a message of this category costs to this country. Nothing where nobody has said it.
    pub fn price(&self, country: Option<Country>, category: PriceCategory) -> Micros {
        let of_country = country.and_then(|country| self.by_country.get(&country));
        let names = [category, category.usual()];
        let in_order = of_country.into_iter().chain(std::iter::once(&self.elsewhere));
        let mut known = in_order.flat_map(|prices| names.map(|name| prices.get(&name)));
        known.find_map(|price| price.copied()).unwrap_or_default()
    }
}

// === impl PriceNotice ===

impl PriceNotice {
    /// Of a message that was not delivered: Meta bills what is delivered.
    pub const NOT_BILLED: Self = Self { is_billed: false, category: None, is_free_entry: false };
}

// === impl PriceSettlement ===

/// Settles a message by what its carrier says in a report of this state, with the month's service
/// messages of its number so far in `used`, which it moves. None where a report that tells more has
/// settled it before: in whatever order reports come, the one that tells most decides in the end.
/// Answers the settlement and the cost.
pub fn settle(
    message: &Priced,
    (by, notice): (MessageState, PriceNotice),
    rates: &WhatsappRates,
    used: &mut u32,
) -> Option<(PriceSettlement, Micros)> {
    let before = message.before.filter(|before| before.turn == message.turn);
    if before.is_some_and(|before| before.by.merge(by) == before.by) {
        return None;
    }

    // A number's service messages count once each, whether or not the carrier bills them.
    let is_service = notice.category.map(PriceCategory::usual) == Some(PriceCategory::Service);
    let is_counted = is_service && !notice.is_free_entry && rates.free_service_messages > 0;
    let was_counted = message.before.is_some_and(|before| before.is_counted);
    let is_free = match (was_counted, is_counted) {
        (true, true) => message.before.is_some_and(|before| before.is_free),
        (false, true) => {
            *used = used.saturating_add(1);
            *used <= rates.free_service_messages
        }
        (true, false) => {
            *used = used.saturating_sub(1);
            false
        }
        (false, false) => false,
    };

    let cost = match (notice.is_billed && !is_free, notice.category) {
        (false, _) => Micros::ZERO,
        (true, Some(category)) => rates.price(message.country, category),
        // Billed as something that this version does not know: the estimate stands.
        (true, None) => message.cost,
    };
    let PriceNotice { is_billed, category, .. } = notice;
    let turn = message.turn;
    Some((PriceSettlement { by, turn, is_billed, category, is_counted, is_free }, cost))
}

#[cfg(test)]
mod tests {
    use MessageState::{Delivered, Failed, Read, Sent};
    use PriceCategory::{Marketing, MarketingLite, Service, Utility};

    use super::*;

    fn rates(free_service_messages: u32) -> WhatsappRates {
        let us = BTreeMap::from([(Marketing, Micros(25_000)), (Service, Micros(4_000))]);
        let elsewhere = BTreeMap::from([(Marketing, Micros(160_000)), (Utility, Micros(80_000))]);
        let by_country = BTreeMap::from([(Country::US, us)]);
        WhatsappRates { by_country, elsewhere, free_service_messages }
    }

    fn billed(category: PriceCategory) -> PriceNotice {
        PriceNotice { is_billed: true, category: Some(category), is_free_entry: false }
    }

    /// Applies reports one after another; the last settlement and cost, and the month's messages.
    fn after(
        reports: &[(MessageState, PriceNotice)],
        rates: &WhatsappRates,
        mut used: u32,
    ) -> (Option<PriceSettlement>, Micros, u32) {
        let country = Some(Country::US);
        let mut message = Priced { country, turn: 1, cost: Micros(25_000), before: None };
        for report in reports {
            if let Some((settled, cost)) = settle(&message, *report, rates, &mut used) {
                (message.before, message.cost) = (Some(settled), cost);
            }
        }
        (message.before, message.cost, used)
    }

    #[test]
    fn a_price_is_the_countrys_then_the_usual_categorys_then_that_of_elsewhere() {
        let rates = rates(0);
        let us = Some(Country::US);
        assert_eq!(rates.price(us, Marketing), Micros(25_000));
        assert_eq!(rates.price(us, MarketingLite), Micros(25_000));
        assert_eq!(rates.price(us, Utility), Micros(80_000));
        assert_eq!(rates.price(Some(Country::AU), Marketing), Micros(160_000));
        assert_eq!(rates.price(None, Service), Micros::ZERO);
        assert_eq!(WhatsappRates::default().price(us, Marketing), Micros::ZERO);
    }

    #[test]
    fn reports_in_any_order_settle_the_same() {
        let rates = rates(0);
        let reports = [
            (Sent, billed(Marketing)),
            (Failed, PriceNotice::NOT_BILLED),
            (Delivered, billed(Utility)),
            (Read, billed(Utility)),
        ];
        let orders = [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2]];
        for order in orders {
            let reports = order.map(|index| reports[index]);
            let (settled, cost, _) = after(&reports, &rates, 0);
            assert_eq!((settled.expect("settled").by, cost), (Read, Micros(80_000)), "{order:?}");
        }
        for order in [[0, 1], [1, 0]] {
            let (_, cost, _) = after(&order.map(|index| reports[index]), &rates, 0);
            assert_eq!(cost, Micros::ZERO, "what failed is not billed: {order:?}");
        }
    }

    #[test]
    fn the_first_service_messages_of_a_month_are_free_and_each_counts_once() {
        let rates = rates(2);
        let reports = [(Sent, billed(Service)), (Delivered, billed(Service))];
        assert_eq!((after(&reports, &rates, 1).1, after(&reports, &rates, 1).2), (Micros::ZERO, 2));
        assert_eq!(
            (after(&reports, &rates, 2).1, after(&reports, &rates, 2).2),
            (Micros(4_000), 3)
        );

        let failed = [(Sent, billed(Service)), (Failed, PriceNotice::NOT_BILLED)];
        assert_eq!((after(&failed, &rates, 1).1, after(&failed, &rates, 1).2), (Micros::ZERO, 1));

        let by_click = PriceNotice { is_free_entry: true, is_billed: false, ..billed(Service) };
        assert_eq!(after(&[(Delivered, by_click)], &rates, 0).2, 0);
    }

    #[test]
    fn what_is_billed_as_something_unknown_costs_what_was_estimated() {
        let unknown = PriceNotice { is_billed: true, category: None, is_free_entry: false };
        assert_eq!(after(&[(Delivered, unknown)], &rates(0), 0).1, Micros(25_000));
    }

    #[test]
    fn what_was_settled_in_an_earlier_turn_is_settled_anew() {
        let (settled, ..) = after(&[(Failed, PriceNotice::NOT_BILLED)], &rates(0), 0);
        let country = Some(Country::US);
        let again = Priced { country, turn: 2, cost: Micros(25_000), before: settled };
        let (_, cost) =
            settle(&again, (Sent, billed(Marketing)), &rates(0), &mut 0).expect("settled");
        assert_eq!(cost, Micros(25_000));
    }
}
