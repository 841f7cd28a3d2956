//! What texts cost by the rate card.

use domain::{
    billing::RateCard,
    country::Country,
    money::{Currency, Micros},
};

#[test]
fn a_text_costs_the_price_of_its_country_for_each_segment() {
    let card = RateCard::standard();
    assert_eq!(card.cost(Some(Country::US), 1), Micros(7_900));
    assert_eq!(card.cost(Some(Country::US), 3), Micros(23_700));
    assert_eq!(card.cost(Some(Country::AU), 2), Micros(103_000));
    assert_eq!(card.cost(Some(Country::US), 0), Micros::ZERO);
    assert_eq!(card.currency, Currency::USD);
}

#[test]
fn an_unknown_country_costs_at_least_as_much_as_any_known_one() {
    let card = RateCard::standard();
    let dearest = card.per_segment.values().max().copied().expect("prices");
    assert!(card.cost(None, 1) >= dearest);
    assert_eq!(card.cost("ZZ".parse().ok(), 1), card.cost(None, 1));
}
