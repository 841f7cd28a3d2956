//! What texts cost by the rate card.

use domain::{
    billing::{PriceCategory, RateCard, WhatsappRates},
    country::Country,
    draft::{
        CarrierTemplate, Content, DraftRequest, From, Origin, Person, Supplies, TenantDefaults,
        draft,
    },
    ids::{ContactId, TenantId},
    message::class::{Channel, MessageClass},
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

#[test]
fn a_message_on_whatsapp_costs_what_its_category_does_and_a_failed_one_nothing() {
    let tenant: TenantId = "acme".parse().expect("a tenant");
    let defaults = TenantDefaults { name: "Acme".into(), language: "en".into(), zone: None };
    let prices = [
        (PriceCategory::Marketing, Micros(25_000)),
        (PriceCategory::Utility, Micros(4_000)),
        (PriceCategory::Service, Micros(3_000)),
    ];
    let rates = WhatsappRates { elsewhere: prices.into(), ..WhatsappRates::default() };
    let mut supplies = Supplies {
        tenants: [(tenant.clone(), defaults)].into(),
        whatsapp_rates: [(tenant.clone(), rates)].into(),
        ..Supplies::default()
    };
    let cost = |supplies: &Supplies, content: &Content, class| {
        let to = "+12025550173".parse().expect("an address");
        let origin = Origin { tenant: &tenant, campaign: None, content, from: &From::Any };
        let request = DraftRequest { class, channel: Channel::Whatsapp, to: &to, origin };
        let contact = ContactId::of(&tenant, to.as_str());
        draft(&request, contact, &Person::default(), supplies).expect("a known tenant").cost
    };

    let template = CarrierTemplate::new("code", "en", &[]).expect("a template");
    let template = Content::Carrier(template);
    let text = Content::Body("Hi".into());
    for (content, class, expected) in [
        (&template, MessageClass::Promo, 25_000),
        (&template, MessageClass::Transactional, 4_000),
        (&text, MessageClass::Promo, 3_000),
        (&Content::Body(" ".into()), MessageClass::Promo, 0),
    ] {
        assert_eq!(cost(&supplies, content, class), Micros(expected), "{content:?} {class:?}");
    }
    // What the carrier says of a template is known better than what its message is for.
    let name = (tenant.clone(), "code".to_owned(), "en".to_owned());
    supplies.template_categories.insert(name, PriceCategory::Utility);
    assert_eq!(cost(&supplies, &template, MessageClass::Promo), Micros(4_000));

    supplies.whatsapp_rates.clear();
    assert_eq!(cost(&supplies, &template, MessageClass::Promo), Micros::ZERO);
}
