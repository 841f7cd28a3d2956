//! What messages become, and why they fail.

use super::*;
use crate::{ids::CampaignId, message::class::MessageClass};

#[test]
fn every_field_that_a_template_may_name_is_filled() {
    let names = [("first_name", "Ana"), ("last_name", "Diaz"), ("region", "hidden")];
    let person = Person {
        postal_code: Some("10001".into()),
        region: Some("US-NY".into()),
        fields: names.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        ..Person::default()
    };

    let filled = CONTACT_FIELDS.map(|name| person.field(name));
    assert_eq!(filled, [Some("Ana"), Some("Diaz"), Some("10001"), Some("US-NY")]);
    assert_eq!(person.field("plan"), None);
}

#[test]
fn the_variant_is_known_also_where_its_text_cannot_be_sent() {
    let tenant: TenantId = "acme".parse().expect("a tenant");
    let defaults = TenantDefaults { name: "Acme".into(), language: "en".into(), zone: None };
    let campaign = CampaignId(uuid::Uuid::nil());
    let json = r#"[{"key": "a", "weight": 0, "bodies": {"en": "Hi"}},
                   {"key": "b", "weight": 1, "bodies": {"en": "Hi {first_name}"}}]"#;
    let variants = [((tenant.clone(), campaign), json.to_owned())].into();
    let supplies = Supplies {
        tenants: [(tenant.clone(), defaults)].into(),
        texts: Texts::parse(variants, HashMap::new()),
        ..Supplies::default()
    };

    let drafted = |campaign, to: &str, first_name: Option<&str>| {
        let to: Address = to.parse().expect("an address");
        let (class, channel) = (MessageClass::Promo, Channel::Sms);
        let (content, from) = (&Content::Campaign, &From::Any);
        let origin = Origin { tenant: &tenant, campaign, content, from };
        let request = DraftRequest { class, channel, to: &to, origin };
        let fields = first_name.map(|name| ("first_name".to_owned(), name.to_owned()));
        let person = Person { fields: fields.into_iter().collect(), ..Person::default() };
        let contact = ContactId::of(&tenant, to.as_str());
        let draft = draft(&request, contact, &person, &supplies).expect("a known tenant");
        (draft.variant, draft.failed)
    };

    let (b, phone) = (Some("b".to_owned()), "+12025550173");
    let whatsapp_id = "US.13491208655302741918";
    assert_eq!(drafted(Some(campaign), phone, Some("Ana")), (b.clone(), None));
    assert_eq!(drafted(Some(campaign), phone, None), (b.clone(), Some("missing_variable")));
    assert_eq!(drafted(Some(campaign), whatsapp_id, None), (b, Some(NO_PHONE_NUMBER)));
    assert_eq!(drafted(None, phone, None), (None, Some("unknown_campaign")));
}

/// The draft of a plain text to this address.
fn drafted(channel: Channel, to: &Address) -> Draft {
    saying("Hello", channel, to)
}

fn saying(text: &str, channel: Channel, to: &Address) -> Draft {
    let tenant: TenantId = "acme".parse().expect("a tenant");
    let defaults = TenantDefaults { name: "Acme".into(), language: "en".into(), zone: None };
    let supplies = Supplies { tenants: [(tenant.clone(), defaults)].into(), ..Supplies::default() };
    let content = Content::Body(text.into());
    let origin = Origin { tenant: &tenant, campaign: None, content: &content, from: &From::Any };
    let request = DraftRequest { class: MessageClass::Transactional, channel, to, origin };

    let contact = ContactId::of(&tenant, to.as_str());
    draft(&request, contact, &Person::default(), &supplies).expect("the tenant is known")
}

#[test]
fn a_campaign_fills_a_template_of_the_carrier_with_the_persons_fields() {
    let tenant: TenantId = "acme".parse().expect("a tenant");
    let defaults = TenantDefaults { name: "Acme".into(), language: "en".into(), zone: None };
    let campaign = CampaignId(uuid::Uuid::nil());
    let drafted = |plan: &str, fields: &[(&str, &str)]| {
        let values = ["{first_name|friend}".to_owned(), plan.to_owned()];
        let template = CarrierTemplate::new("sale", "en", &values).expect("right");
        let json = serde_json::to_string(&template).expect("plain data");
        let campaigns = [((tenant.clone(), campaign), json)].into();
        let supplies = Supplies {
            tenants: [(tenant.clone(), defaults.clone())].into(),
            texts: Texts::parse(campaigns, HashMap::new()),
            ..Supplies::default()
        };
        let to: Address = "US.13491208655302741918".parse().expect("an address");
        let (content, from) = (&Content::Campaign, &From::Any);
        let campaign = Some(campaign);
        let origin = Origin { tenant: &tenant, campaign, content, from };
        let (class, channel) = (MessageClass::Promo, Channel::Whatsapp);
        let request = DraftRequest { class, channel, to: &to, origin };
        let fields = fields.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        let person = Person { fields: fields.collect(), ..Person::default() };
        let contact = ContactId::of(&tenant, to.as_str());
        let draft = draft(&request, contact, &person, &supplies).expect("a known tenant");
        (draft.failed, draft.text, draft.carrier.map(|carrier| carrier.parameters))
    };

    let values = vec!["Ana".to_owned(), "a b".to_owned()];
    let whole = drafted("{plan}", &[("first_name", "Ana"), ("plan", "a\n b")]);
    assert_eq!(whole, (None, "sale (en): Ana | a b".to_owned(), Some(values)));
    let (_, text, _) = drafted("{plan}", &[("plan", "gold")]);
    assert_eq!(text, "sale (en): friend | gold", "no opt-out line is added");
    let unfilled = vec!["{first_name|friend}".to_owned(), "{plan}".to_owned()];
    let failed = (Some("missing_variable"), String::new(), Some(unfilled));
    assert_eq!(drafted("{plan}", &[]), failed);
    assert_eq!(drafted("{plan|}", &[]).0, Some("blank_parameter"));
    assert!(reason("blank_parameter").contains("says nothing"));
}

#[test]
fn lines_are_sent_and_counted_with_one_character_at_their_end() {
    let number: Address = "+12025550173".parse().expect("an address");
    let text = format!("{}\r\n{}", "a".repeat(80), "b".repeat(79));
    let draft = saying(&text, Channel::Sms, &number);
    assert_eq!((draft.segments, draft.text), (1, text.replace("\r\n", "\n")));
}

#[test]
fn a_message_with_media_is_one_and_needs_no_text() {
    let tenant: TenantId = "acme".parse().expect("a tenant");
    let defaults = TenantDefaults { name: "Acme".into(), language: "en".into(), zone: None };
    let id = MediaId(uuid::Uuid::from_u128(7));
    let supplies = Supplies {
        tenants: [(tenant.clone(), defaults)].into(),
        media: [(tenant.clone(), id)].into(),
        ..Supplies::default()
    };
    let to: Address = "+12025550173".parse().expect("an address");
    let drafted = |text: &str, media: &str| {
        let content = Content::Media { text: text.into(), media: vec![media.to_owned()] };
        let origin =
            Origin { tenant: &tenant, campaign: None, content: &content, from: &From::Any };
        let (class, channel) = (MessageClass::Transactional, Channel::Sms);
        let request = DraftRequest { class, channel, to: &to, origin };
        let contact = ContactId::of(&tenant, to.as_str());
        let draft = draft(&request, contact, &Person::default(), &supplies);
        let draft = draft.expect("the tenant is known");
        (draft.failed, draft.segments, draft.cost)
    };

    let price = RateCard::standard().cost_with_media(to.phone().and_then(|it| it.country()));
    assert!(price > RateCard::standard().cost(Some("US".parse().expect("a country")), 1));
    let long = "x".repeat(400);
    for text in ["", "Hello", &long] {
        assert_eq!(drafted(text, "https://example.com/x.png"), (None, 1, price));
        assert_eq!(drafted(text, &id.to_string()), (None, 1, price));
    }
    let unknown = MediaId(uuid::Uuid::from_u128(8)).to_string();
    assert_eq!(drafted("Hello", &unknown), (Some(UNKNOWN_MEDIA), 0, Micros(0)));
    assert!(reason(UNKNOWN_MEDIA).contains("/v1/media"));
}

#[test]
fn sms_reaches_phone_numbers_alone() {
    let number: Address = "+12025550173".parse().expect("an address");
    let id: Address = "US.13491208655302741918".parse().expect("an address");

    let failed = drafted(Channel::Sms, &id);
    assert_eq!((failed.failed, failed.segments), (Some(NO_PHONE_NUMBER), 0));
    assert!(reason(NO_PHONE_NUMBER).contains("phone number"));

    let sent = [(Channel::Sms, &number), (Channel::Whatsapp, &number), (Channel::Whatsapp, &id)];
    for (channel, to) in sent {
        assert_eq!(drafted(channel, to).failed, None, "{channel:?} {to:?}");
    }
}
