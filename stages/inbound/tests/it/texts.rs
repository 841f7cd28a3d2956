//! Texts that come in, on a real database.

use jiff::Timestamp;
use serde_json::json;
use wire::{InboundText, Submitted, WebhookRequest, frame::Outgoing};

use super::world::{World, json, subjects};

#[tokio::test]
async fn a_stop_that_the_carrier_does_not_know_opts_out_and_is_confirmed_in_its_language()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    world.account(true).await?;

    let said = world.receive(vec![world.text("SM1", "ALTO")]).await?;
    assert_eq!(
        subjects(&said),
        ["events.acme.message.received", "events.acme.contact.opted_out", "msg.submitted.urgent"]
    );

    let confirmation: Submitted = serde_json::from_slice(&said[2].json)?;
    assert_eq!(confirmation.head.class.as_str(), "compliance");
    assert!(serde_json::to_string(&confirmation.content)?.contains("baja"));
    assert!(world.opted_out().await?);
    Ok(())
}

#[tokio::test]
async fn a_stop_that_the_carrier_has_confirmed_is_not_confirmed_again() -> anyhow::Result<()> {
    let world = World::begin().await?;
    world.account(true).await?;

    let said = world.receive(vec![world.text("SM1", "STOP")]).await?;
    assert!(!subjects(&said).contains(&"msg.submitted.urgent".to_owned()));
    assert!(world.opted_out().await?);
    Ok(())
}

#[tokio::test]
async fn where_the_carrier_confirms_nothing_we_do() -> anyhow::Result<()> {
    let world = World::begin().await?;
    world.account(false).await?;

    let said = world.receive(vec![world.text("SM1", "STOP")]).await?;
    assert!(subjects(&said).contains(&"msg.submitted.urgent".to_owned()));
    Ok(())
}

#[tokio::test]
async fn what_the_carrier_says_it_has_answered_is_an_opt_out_and_is_not_answered_again()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    world.account(false).await?;

    // A word of the tenant's own list at the carrier, which means nothing to anybody else.
    let said = world.receive(vec![world.text("SM1", "Pineapple&OptOutType=STOP")]).await?;
    assert_eq!(subjects(&said), ["events.acme.message.received", "events.acme.contact.opted_out"]);
    assert!(world.opted_out().await?);

    let said = world.receive(vec![world.text("SM2", "Mango&OptOutType=START")]).await?;
    assert!(!subjects(&said).contains(&"msg.submitted.urgent".to_owned()));
    assert!(!world.opted_out().await?);
    Ok(())
}

#[tokio::test]
async fn a_text_to_a_number_of_a_service_is_one_to_the_sender_that_is_the_service()
-> anyhow::Result<()> {
    const SERVICE: &str = "MG0123456789abcdef0123456789abcdef";
    let world = World::begin().await?;
    world.account_without_senders(true).await?;
    let service = world.sender(SERVICE, json!({})).await?;
    let text = |sid| world.text(sid, &format!("Hello&MessagingServiceSid={SERVICE}"));

    world.receive(vec![text("SM1")]).await?;
    let senders = "select string_agg(distinct sender_id::text, ' ') from millrace.conversations";
    assert_eq!(world.one(senders).await?, service.0.to_string());

    // A number that is a sender itself is the one that was texted.
    let number = world.sender("+12025550171", json!({})).await?;
    world.receive(vec![text("SM2")]).await?;
    let of_numbers = "select string_agg(distinct c.sender_id::text, ' ')
                      from millrace.conversations c
                      join millrace.senders s on s.sender_id = c.sender_id
                      where s.number like '+%'";
    assert_eq!(world.one(of_numbers).await?, number.0.to_string());
    Ok(())
}

#[tokio::test]
async fn a_question_goes_to_reply_and_changes_no_standing() -> anyhow::Result<()> {
    let world = World::begin().await?;
    world.account(true).await?;

    let said = world.receive(vec![world.text("SM1", "Are+you+open+on+Sunday%3F")]).await?;
    assert_eq!(
        subjects(&said),
        ["events.acme.message.received", "inbound.acme", "events.acme.conversation.opened"]
    );

    let text: InboundText = serde_json::from_slice(&said[1].json)?;
    assert_eq!((text.body.as_str(), text.epoch), ("Are you open on Sunday?", 1));
    assert!(!world.opted_out().await?);
    Ok(())
}

#[tokio::test]
async fn a_text_delivered_twice_says_the_same_twice_and_a_later_start_stands() -> anyhow::Result<()>
{
    let world = World::begin().await?;
    world.account(false).await?;

    let first = world.receive(vec![world.text("SM1", "STOP"), world.text("SM1", "STOP")]).await?;
    let (half, other) = first.split_at(first.len() / 2);
    assert_eq!(json(half), json(other), "a copy in the same batch says the same");

    world.receive(vec![world.text("SM2", "START")]).await?;
    assert!(!world.opted_out().await?);

    let again = world.receive(vec![world.text("SM1", "STOP")]).await?;
    assert_eq!(json(half), json(&again), "a late copy says the same");
    assert!(!world.opted_out().await?, "and changes nothing: the person said START after it");
    Ok(())
}

#[tokio::test]
async fn a_start_that_comes_after_a_newer_stop_does_not_lift_it() -> anyhow::Result<()> {
    let world = World::begin().await?;
    world.account(false).await?;

    let second = Timestamp::from_second(1_001)?;
    world.receive(vec![world.text("SM1", "STOP")]).await?;
    let newer = WebhookRequest { received_at: second, ..world.text("SM3", "STOP") };
    world.receive(vec![newer]).await?;

    let late = world.receive(vec![world.text("SM2", "START")]).await?;
    assert!(world.opted_out().await?);
    assert_eq!(subjects(&late), ["events.acme.message.received"], "and nobody hears otherwise");

    let ledger = "select string_agg(action, ' ' order by at, action) from millrace.consents";
    assert_eq!(
        world.one(ledger).await?,
        "restore revoke revoke",
        "it is written down all the same"
    );

    let newest = WebhookRequest { received_at: second, ..world.text("SM4", "START") };
    world.receive(vec![newest]).await?;
    assert!(!world.opted_out().await?);
    Ok(())
}

#[tokio::test]
async fn a_stop_is_in_the_ledger_and_the_trail_and_reaches_what_is_parked() -> anyhow::Result<()> {
    let world = World::begin().await?;
    world.account(true).await?;
    world
        .run(
            r#"insert into millrace.parked (tenant_id, message_id, turn, due, cause, lane, payload,
                   parked_at)
               select 'acme', gen_random_uuid(), 1, timestamptz '2030-01-01', 'quiet_hours', 'bulk',
                   jsonb_build_object('head', jsonb_build_object('to', k, 'channel', 'sms')), now()
               from unnest(array['+12125550123', '+12125550124']) as k"#,
        )
        .await?;

    world.receive(vec![world.text("SM1", "STOP"), world.text("SM1", "STOP")]).await?;
    world.receive(vec![world.text("SM1", "STOP")]).await?;

    let woken = "select string_agg(payload -> 'head' ->> 'to', ' ') from millrace.parked
                 where due = '1970-01-01T00:00:00Z'";
    assert_eq!(world.one(woken).await?, "+12125550123", "due now, and nobody else's");

    world.receive(vec![world.text("SM2", "START")]).await?;

    let ledger =
        "select string_agg(concat_ws(' ', action, method, previous, inbound_id is not null,
                      evidence ->> 'words'), ', ' order by action desc)
                  from millrace.consents";
    let lines = "revoke keyword none t STOP, restore keyword opted_out t START";
    assert_eq!(world.one(ledger).await?, lines);

    let trail = "select string_agg(concat_ws(' ', seq, actor, action, subject), ', ' order by seq)
                 from millrace.audit_log";
    let entries = "1 stage:inbound consent.revoked number:+12125550123, \
                   2 stage:inbound consent.restored number:+12125550123";
    assert_eq!(world.one(trail).await?, entries);

    let told = "select string_agg(detail, ' ') from millrace.audit_log";
    assert!(!world.one(told).await?.contains("START"), "no text of a person is in the trail");
    Ok(())
}

#[tokio::test]
async fn an_opt_out_in_other_words_is_recorded_as_a_phrase() -> anyhow::Result<()> {
    let world = World::begin().await?;
    world.account(false).await?;

    let said = world.receive(vec![world.text("SM1", "please+stop+texting+me")]).await?;
    let event: serde_json::Value = serde_json::from_slice(&said[1].json)?;
    assert_eq!(event["data"]["cause"], "phrase", "{event}");

    let recorded = "select concat_ws(' ', c.method, s.opt_out_cause)
                    from millrace.consents c join millrace.standings s using (number)";
    assert_eq!(world.one(recorded).await?, "phrase phrase");
    Ok(())
}

#[tokio::test]
async fn help_says_who_answers_and_how_to_reach_them_in_the_language_asked() -> anyhow::Result<()> {
    let world = World::begin().await?;
    world.account(false).await?;
    world.run("update millrace.tenants set name = 'Acme Coffee'").await?;

    let said = world.receive(vec![world.text("SM1", "HELP")]).await?;
    let rest = "reply STOP to unsubscribe, START to return. Msg & data rates may apply.";
    assert_eq!(body(&said)?, format!("Acme Coffee: {rest}"));

    let hours_ago = "update millrace.inbound_texts set received_at = timestamptz '1969-12-31'";
    world.run(hours_ago).await?;
    world.policy(1, json!({ "help_contact": "acme.co/old" })).await?;
    world.policy(2, json!({ "help_contact": "acme.co/help" })).await?;

    let said = world.receive(vec![world.text("SM2", "ayuda")]).await?;
    let answer = body(&said)?;
    assert!(answer.starts_with("Acme Coffee: para ayuda acme.co/help. Responda ALTO"), "{answer}");

    let said = world.receive(vec![world.text("SM3", "STOPP")]).await?;
    let answer = body(&said)?;
    assert!(answer.starts_with("Sie sind von Acme Coffee abgemeldet"), "{answer}");
    Ok(())
}

/// The text of the answer, which is said last.
fn body(said: &[Outgoing]) -> anyhow::Result<String> {
    let last = said.last().expect("something is said");
    let message: serde_json::Value = serde_json::from_slice(&last.json)?;
    Ok(message["content"]["body"].as_str().expect("a body").to_owned())
}

#[tokio::test]
async fn a_stop_leaves_one_program_only_where_the_policy_says_so() -> anyhow::Result<()> {
    let world = World::begin().await?;
    world.account(false).await?;
    world
        .run(
            "insert into millrace.campaigns (tenant_id, campaign_id, name, class, program,
                 template_id, pool_id, audience, created_at)
             values ('acme', '00000000-0000-0000-0000-000000000001', 'May', 'promo', 'news',
                 gen_random_uuid(), gen_random_uuid(), '{}', now())",
        )
        .await?;

    let recipient = "select concat_ws(' ', opted_out_at is not null, stopped_programs::text)
                    from millrace.standings";
    let thread = "update millrace.conversations
                  set last_campaign_id = '00000000-0000-0000-0000-000000000001'";

    world.receive(vec![world.text("SM0", "Hello")]).await?;
    world.run(thread).await?;

    let cases = [
        ("{}", "SM1", "t {}"),
        (r#"{"opt_out_scope": "program", "revoke_all_from": "1970-01-01"}"#, "SM7", "t {}"),
        (r#"{"opt_out_scope": "program"}"#, "SM2", "f {news}"),
        (r#"{"opt_out_scope": "program", "no_such_rule": 1}"#, "SM3", "t {}"),
    ];
    for (version, (policy, sid, expected)) in (1..).zip(cases) {
        world.policy(version, serde_json::from_str(policy)?).await?;

        let reset = "update millrace.standings set opted_out_at = null, stopped_programs = '{}'";
        world.run(reset).await?;

        let said = world.receive(vec![world.text(sid, "STOP")]).await?;
        assert_eq!(world.one(recipient).await?, expected, "{policy}");

        let again = world.receive(vec![world.text(sid, "STOP")]).await?;
        assert_eq!(json(&said), json(&again));

        let confirmation: Submitted = serde_json::from_slice(&said[2].json)?;
        let words = serde_json::to_string(&confirmation.content)?;
        assert_eq!(words.contains("no more messages"), expected == "t {}", "{words}");
    }

    let program = "select string_agg(program, ' ') from millrace.consents";
    assert_eq!(world.one(program).await?, "news");

    world.receive(vec![world.text("SM4", "START")]).await?;
    assert_eq!(world.one(recipient).await?, "f {}", "START takes back everything");

    // In a thread without a campaign nobody knows which program is meant.
    world.run("delete from millrace.policies where version = 4").await?;
    world.run("update millrace.conversations set last_campaign_id = null").await?;
    world.receive(vec![world.text("SM5", "STOP")]).await?;
    assert_eq!(world.one(recipient).await?, "t {}");
    Ok(())
}

#[tokio::test]
async fn a_stop_with_a_character_that_cannot_be_stored_is_an_opt_out_like_any_other()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    world.account(false).await?;

    let said = world.receive(vec![world.text("SM1", "ST%00OP%00")]).await?;
    assert!(subjects(&said).contains(&"events.acme.contact.opted_out".to_owned()));
    assert!(world.opted_out().await?);
    let stored = "select count(*) from millrace.inbound_texts where body = 'STOP'";
    assert_eq!(world.number(stored).await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_text_is_stored_without_the_character_that_cannot_be() -> anyhow::Result<()> {
    let world = World::begin().await?;
    world.account(false).await?;

    let said = world.receive(vec![world.text("SM1", "How%00 much%00?"), world.text("SM2", "%00")]);
    assert!(subjects(&said.await?).contains(&"inbound.acme".to_owned()));
    let stored = "select count(*) from millrace.inbound_texts where body in ('How much?', '')";
    assert_eq!(world.number(stored).await?, 2);
    Ok(())
}

#[tokio::test]
async fn what_comes_with_a_text_is_recorded_with_it_once_and_named_in_its_event()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    world.account(true).await?;
    let media = "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME";
    let mut text = world.text("MM1", "look");
    let urls = format!("&NumMedia=2&MediaUrl0={media}0&MediaUrl1={media}1");
    text.body.extend(urls.bytes());

    let first = world.receive(vec![text.clone()]).await?;
    let again = world.receive(vec![text]).await?;
    assert_eq!(json(&first), json(&again), "a repeat says the same");
    let event: serde_json::Value = serde_json::from_slice(&first[0].json)?;
    let named = event["data"]["media"].as_array().map_or(0, Vec::len);
    assert_eq!(named, 2, "{event}");

    let rows = "select string_agg(concat_ws(' ', media_id, position, account, state, url), ',' \
                order by position) from millrace.media where due is not null";
    let ids = [0, 1].map(|i: usize| event["data"]["media"][i].as_str().unwrap_or_default());
    let expected = format!("{} 0 main pending {media}0,{} 1 main pending {media}1", ids[0], ids[1]);
    assert_eq!(world.one(rows).await?, expected);

    // A picture without words opens the conversation too.
    let mut picture = world.text("MM2", "");
    picture.body.extend(format!("&NumMedia=1&MediaUrl0={media}2").bytes());
    let said = world.receive(vec![picture]).await?;
    assert_eq!(subjects(&said), ["events.acme.message.received", "inbound.acme"]);
    Ok(())
}
