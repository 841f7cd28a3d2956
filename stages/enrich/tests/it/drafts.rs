//! What a message looks like when it is complete, and when it cannot be.

use domain::{
    ids::TemplateId,
    message::class::{Channel, MessageClass},
    money::Micros,
};
use serde_json::json;
use stage::Outcome;
use testkit::{hand_over, said};
use uuid::Uuid;
use wire::{
    Enriched, Event,
    event::MessageData,
    message::{Content, From},
};

use crate::world::{POOL, TEMPLATE, World, now, sender, subjects};

async fn enriched(world: &World, message: wire::Submitted) -> anyhow::Result<Enriched> {
    let said = said(hand_over(&world.stage().await?, now(), vec![message]).await?);
    Ok(serde_json::from_str(&said[0].1)?)
}

#[tokio::test]
async fn a_message_is_stored_with_its_contact_and_standing() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let outcomes = hand_over(&world.stage().await?, now(), vec![world.message(200, "Hi")]).await?;

    let said = said(outcomes);
    let subjects: Vec<_> = said.iter().map(|(subject, _)| subject.as_str()).collect();
    assert_eq!(subjects, ["msg.enriched.urgent", "events.acme.message.accepted"]);

    let message: Enriched = serde_json::from_str(&said[0].1)?;
    assert_eq!((message.text.as_str(), message.segments), ("Hi", 1));
    assert!(message.cost > Micros::ZERO);
    assert_eq!(message.place.zones.as_slice()[0].as_str(), "America/New_York");
    assert_eq!(message.passport.stamps()[0].verdict, "accept");
    assert_eq!(message.senders.last(), Some(&sender(12)), "the Australian one comes last");

    let event: Event = serde_json::from_str(&said[1].1)?;
    assert_eq!(event.version, 1);

    for rows in [
        "select count(*) from millrace.messages where state = 0 and version = 1 and turn = 1",
        "select count(*) from millrace.contacts where number = '+12125550200' and country = 'US'",
        "select count(*) from millrace.standings where channel = 'sms' and opted_out_at is null",
    ] {
        assert_eq!(world.number(rows).await?, 1, "{rows}");
    }
    Ok(())
}

#[tokio::test]
async fn a_campaign_speaks_the_contacts_language_and_tells_how_to_opt_out() -> anyhow::Result<()> {
    let world = World::begin().await?;
    enriched(&world, world.message(200, "makes the contact")).await?;
    world.run("update millrace.contacts set language = 'es', region = 'US-FL'").await?;

    let message = enriched(&world, {
        let mut message = world.campaign(200);
        message.head.id = domain::ids::MessageId(Uuid::from_u128(77));
        message
    });
    let message = message.await?;
    assert_eq!(message.text, "Hola amigo\nResponde ALTO para salir");
    assert_eq!(message.place.states, ["FL"]);

    world.run("update millrace.contacts set language = null, first_name = 'Ada'").await?;
    let message = enriched(&world, world.campaign(200).clone());
    // The same key as the first message: another body, so nothing is rendered.
    assert!(message.await.is_err());

    let mut other = world.campaign(200);
    other.head.id = domain::ids::MessageId(Uuid::from_u128(78));
    let message = enriched(&world, other).await?;
    assert_eq!(message.text, "Hi Ada\nReply STOP to opt out");
    Ok(())
}

#[tokio::test]
async fn a_sender_whose_warm_up_has_not_begun_is_asked_after_all_others() -> anyhow::Result<()> {
    let world = World::begin().await?;
    world
        .run(
            "update millrace.senders set active_since = case
                 when number = '+121255501010' then timestamptz '2100-01-01'
                 else timestamptz '2000-01-01' end",
        )
        .await?;

    for (n, from) in [(200, From::Pool(POOL)), (201, From::Any)] {
        let mut message = world.message(n, "Hi");
        message.from = from;
        let message = enriched(&world, message.with_body_hash()).await?;
        assert_eq!(message.senders.first(), Some(&sender(11)));
        assert_eq!(message.senders.last(), Some(&sender(10)));
    }
    Ok(())
}

#[tokio::test]
async fn a_sender_whose_account_cannot_be_used_is_passed_over() -> anyhow::Result<()> {
    let world = World::begin().await?;
    world
        .run(
            "insert into millrace.carrier_accounts (tenant_id, account, carrier, carrier_sid,
                                                    base_url, sealed_token, confirms_opt_out,
                                                    created_at)
             select tenant_id, 'gone', carrier, carrier_sid, 'http://127.0.0.1:1', sealed_token,
                    confirms_opt_out, created_at
             from millrace.carrier_accounts",
        )
        .await?;
    let moved = format!(
        "update millrace.senders set account = 'gone' where sender_id = '{}'",
        sender(10).0
    );
    world.run(&moved).await?;

    let offered = async |from: From, n: u32| {
        let message = wire::Submitted { from, ..world.message(n, "Hello") }.with_body_hash();
        anyhow::Ok(enriched(&world, message).await?.senders)
    };
    assert_eq!(offered(From::Any, 200).await?.len(), 2);

    world
        .run(
            "insert into millrace.parked (tenant_id, message_id, turn, due, cause, cause_key, lane,
                                          payload, parked_at)
             values ('acme', gen_random_uuid(), 1, null, 'send:account_host_not_allowed',
                     'account:gone', 'bulk', '{}', now())",
        )
        .await?;
    for n in 300..306 {
        assert_eq!(offered(From::Any, n).await?, [sender(11)], "any sender");
        let of_pool = offered(From::Pool(POOL), n + 100).await?;
        assert!(of_pool[0] == sender(11) && !of_pool.contains(&sender(10)), "a pool's");
    }
    Ok(())
}

#[tokio::test]
async fn a_template_takes_given_values_of_its_latest_version() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let mut message = world.message(200, "");
    let variables = [("code".to_owned(), "1234".to_owned())].into();
    message.content = Content::Template { id: TEMPLATE, variables };
    message.from = From::Any;

    let message = enriched(&world, message.with_body_hash()).await?;

    assert_eq!(message.text, "Code 1234");
    assert_eq!(message.senders.len(), 2, "those for the United States");
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_rendered_has_failed_and_says_why() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let mut unknown_template = world.message(201, "");
    let id = TemplateId(Uuid::from_u128(99));
    unknown_template.content = Content::Template { id, variables: Default::default() };
    let mut unknown_campaign = world.campaign(202);
    unknown_campaign.head.campaign = Some(domain::ids::CampaignId(Uuid::from_u128(98)));
    let mut without_number = world.message(206, "Hi");
    without_number.head.to = "US.13491208655302741918".parse()?;

    let cases = [
        (world.campaign(200), "missing_variable"),
        (unknown_template, "unknown_template"),
        (unknown_campaign, "unknown_campaign"),
        (world.message(203, &"x".repeat(1_531)), "too_long"),
        (world.message(204, " \u{200b}"), "empty_text"),
        (world.message(205, "a\0b"), "unsendable_text"),
        (without_number, "no_phone_number"),
    ];

    let (messages, codes): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
    let messages: Vec<_> = messages.into_iter().map(|one| one.with_body_hash()).collect();

    let stage = world.stage().await?;
    let first = said(hand_over(&stage, now(), messages.clone()).await?);
    for ((subject, json), code) in first.iter().zip(codes) {
        assert_eq!(subject, "events.acme.message.failed");
        let event: Event = serde_json::from_str(json)?;
        let data: MessageData = serde_json::from_str(event.data.get())?;
        assert_eq!(data.code.as_deref(), Some(code));
    }

    assert_eq!(first, said(hand_over(&stage, now(), messages).await?), "a repeat says the same");

    let failed = "select count(*) from millrace.messages where state = 21 and body = ''";
    assert_eq!(world.number(failed).await?, 7);
    Ok(())
}

#[tokio::test]
async fn a_tenant_that_does_not_exist_is_a_dead_letter_and_others_go_on() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let mut stranger = world.message(200, "Hi");
    stranger.head.tenant = "nobody".parse()?;
    stranger.head.class = MessageClass::Promo;

    let batch = vec![stranger, world.message(201, "Hi")];
    let outcomes = hand_over(&world.stage().await?, now(), batch).await?;

    assert!(matches!(outcomes[0], Outcome::Dead { .. }));
    assert_eq!(subjects(outcomes).len(), 2);
    Ok(())
}

#[tokio::test]
async fn media_that_the_platform_has_go_with_a_message_and_others_end_it() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let [stored, pending] = [1, 2].map(|n| Uuid::from_u128(n).to_string());
    for (id, state) in [(&stored, "stored"), (&pending, "pending")] {
        let row = json!({
            "tenant_id": "acme", "media_id": id, "direction": "out", "url": "", "state": state,
            "position": 0, "tries": 0, "created_at": now(), "kept_from": now(),
        });
        world.insert("media", &[row]).await?;
    }
    let with = |n: u32, text: &str, media: &[&str]| {
        let mut message = world.message(n, "");
        let media = media.iter().map(|&one| one.to_owned()).collect();
        message.content = Content::Media { text: text.into(), media };
        message.with_body_hash()
    };

    let address = "https://example.com/menu.jpg";
    let message = enriched(&world, with(300, "The menu", &[&stored, address])).await?;
    assert_eq!(message.media, [stored.as_str(), address]);
    assert_eq!((message.segments, message.text.as_str()), (1, "The menu"));
    let kept = world.one("select array_to_string(media, ' ') from millrace.messages").await?;
    assert_eq!(kept, format!("{stored} {address}"));
    let alone = enriched(&world, with(301, "", &[&stored])).await?;
    assert_eq!((alone.text.as_str(), alone.cost), ("", message.cost), "it needs no text");

    let stage = world.stage().await?;
    let unknown = Uuid::from_u128(3).to_string();
    for (n, media) in [(302, &pending), (303, &unknown)] {
        let said = said(hand_over(&stage, now(), vec![with(n, "The menu", &[media])]).await?);
        let event: Event = serde_json::from_str(&said[0].1)?;
        let data: MessageData = serde_json::from_str(event.data.get())?;
        assert_eq!(data.code.as_deref(), Some("unknown_media"));
    }
    Ok(())
}

/// The campaign sends a template of the carrier's to person `n`, on WhatsApp.
fn by_carrier_template(world: &World, n: u32) -> wire::Submitted {
    let mut message = world.campaign(n);
    message.head.channel = Channel::Whatsapp;
    message.with_body_hash()
}

#[tokio::test]
async fn a_campaigns_template_of_the_carrier_is_filled_for_each_person_and_stays_as_it_was_stored()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    world
        .run(
            r#"update millrace.campaigns set channel = 'whatsapp', template_id = null,
                   template_version = null, carrier_template = '{"name": "sale", "language": "en",
                       "parameters": ["{first_name|friend}", "{plan}"]}'"#,
        )
        .await?;
    let person = json!({
        "tenant_id": "acme", "contact_id": domain::ids::ContactId::of(&world.tenant,
            testkit::world::person(200).as_str()),
        "number": testkit::world::person(200), "country": "US", "first_name": "Ana",
        "attributes": { "plan": "gold" }, "created_at": now(), "updated_at": now(),
    });
    world.insert("contacts", &[person]).await?;

    let first = enriched(&world, by_carrier_template(&world, 200)).await?;
    let template = first.template.clone().expect("a template");
    assert_eq!(template.parameters, ["Ana", "gold"]);
    assert_eq!((first.text.as_str(), first.segments), ("sale (en): Ana | gold", 1));
    assert_eq!(first.head.channel, Channel::Whatsapp);

    // What comes again says what was stored, whatever the person is called by now.
    for change in ["first_name = 'Ben'", r#"attributes = '{}'"#] {
        world.run(&format!("update millrace.contacts set {change}")).await?;
        let again = enriched(&world, by_carrier_template(&world, 200)).await?;
        assert_eq!((&again.text, &again.template), (&first.text, &first.template), "{change}");
    }

    // Somebody without the field has failed.
    let outcomes =
        hand_over(&world.stage().await?, now(), vec![by_carrier_template(&world, 201)]).await?;
    assert_eq!(subjects(outcomes), ["events.acme.message.failed"]);
    let code = "select code from millrace.messages where state = 21";
    assert_eq!(world.one(code).await?, "missing_variable");
    Ok(())
}
