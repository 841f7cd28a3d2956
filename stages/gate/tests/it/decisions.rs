//! What each verdict leaves behind: the row, the counters, the parked message, the words.

use domain::message::class::MessageClass;
use jiff::SignedDuration;
use stage::Outcome;
use testkit::{hand_over, said};
use wire::{Admitted, Enriched};

use crate::world::{COST, World, kinds, now};

#[tokio::test]
async fn an_admission_is_reserved_recorded_and_routed() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550100", 1_000).await?;
    let messages = world.messages(MessageClass::Promo, &[sender], 200..203).await?;

    let said = said(hand_over(&world.stage().await?, now(), messages.clone()).await?);
    assert_eq!(said.len(), 3);

    let shard = wire::subject::shard_of("main");
    for ((subject, json), message) in said.iter().zip(&messages) {
        assert_eq!(*subject, format!("msg.admitted.bulk.{shard}"));
        let admitted: Admitted = serde_json::from_str(json)?;
        assert_eq!(admitted.message.head, message.head);
        assert_eq!(admitted.route.sender, sender);
        assert_eq!((admitted.route.pace, admitted.route.policy_version), (10_000, 1));
        assert_eq!(admitted.route.sendable_until, "2026-03-03T02:00:00Z".parse()?);
        assert_eq!(admitted.message.passport.stamps()[1].verdict, "admit");
    }

    assert_eq!(world.counted("quota_minute").await?, 3);
    assert_eq!(world.counted("spend_day").await?, 3 * COST);
    assert_eq!(world.counted("sender_day").await?, 3);

    let queued = "select count(*) from millrace.messages where state = 3 and version = 2
                  and reserved_at = changed_at and jsonb_array_length(passport) = 2";
    assert_eq!(world.number(queued).await?, 3);
    let marketed = "select count(*) from millrace.standings
                    where last_promo_at = '2026-03-02T17:00:00Z' and cardinality(marketing_at) = 1";
    assert_eq!(world.number(marketed).await?, 3);
    Ok(())
}

#[tokio::test]
async fn a_deferral_is_parked_with_what_goes_back_to_the_gates() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550100", 1_000).await?;
    let messages = world.messages(MessageClass::Promo, &[sender], 200..201).await?;
    let night = "2026-03-03T03:00:00Z".parse()?;

    let outcomes = hand_over(&world.stage().await?, night, messages.clone()).await?;
    let due = "2026-03-03T14:00:00Z".parse()?;
    assert!(matches!(outcomes[0], Outcome::Park { due: Some(at), .. } if at == due));
    assert_eq!(kinds(outcomes), [("deferred".into(), 1)]);
    assert_eq!(world.counted("quota_day").await?, 0, "a deferral reserves nothing");

    let mut connection = world.database.superuser().await?;
    let parked = "select payload::text, cause, lane from millrace.parked
                  where due = '2026-03-03T14:00:00Z' and turn = 1";
    let (payload, cause, lane): (String, String, String) =
        sqlx::query_as(parked).fetch_one(&mut connection).await?;
    assert_eq!((cause.as_str(), lane.as_str()), ("quiet_hours:quiet_hours", "bulk"));

    let payload: Enriched = serde_json::from_str(&payload)?;
    assert_eq!(payload.head, messages[0].head);
    let stamp = &payload.passport.stamps()[1];
    assert_eq!((stamp.verdict.as_str(), stamp.until), ("defer", Some(due)));
    Ok(())
}

#[tokio::test]
async fn a_paused_tenant_and_an_unreadable_policy_hold() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550100", 1_000).await?;
    let stage = world.stage().await?;

    world
        .run(
            "insert into millrace.switches (tenant_id, scope, target, mode, reason, changed_at)
             values ('acme', 'tenant', '', 'paused', '', now())",
        )
        .await?;

    let messages = world.messages(MessageClass::Promo, &[sender], 200..202).await?;
    let paused = hand_over(&stage, now(), messages).await?;
    assert!(matches!(paused[0], Outcome::Park { due: None, .. }));
    assert_eq!(kinds(paused), [("held".into(), 2)]);

    world.run("delete from millrace.switches").await?;
    world.policy(r#"{"no_such_rule": 1}"#).await?;
    let messages = world.messages(MessageClass::Transactional, &[sender], 300..301).await?;
    assert_eq!(kinds(hand_over(&stage, now(), messages).await?), [("held".into(), 1)]);

    let by_key = "select count(*) from millrace.parked where cause_key = 'switch:tenant'";
    assert_eq!(world.number(by_key).await?, 2);
    let by_key = "select count(*) from millrace.parked where cause_key = 'policy'";
    assert_eq!(world.number(by_key).await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_block_and_an_expiry_end_a_message_without_a_reservation() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550100", 1_000).await?;
    let mut messages = world.messages(MessageClass::Promo, &[sender], 200..203).await?;
    world
        .run("update millrace.standings set opted_out_at = now() where number = '+12125550200'")
        .await?;
    messages[1].head.expires_at = Some(now() + SignedDuration::from_secs(5));
    messages[2].head.expires_at = Some("2026-03-03T05:00:00Z".parse()?);

    let night = "2026-03-03T03:00:00Z".parse()?;
    let stage = world.stage().await?;
    let ended = hand_over(&stage, now(), messages[..2].to_vec()).await?;
    assert_eq!(kinds(ended), [("blocked".into(), 1), ("expired".into(), 1)]);

    // Its deferral would last until the morning, beyond its use.
    let late = hand_over(&stage, night, messages[2..].to_vec()).await?;
    assert_eq!(kinds(late), [("expired".into(), 1)]);

    assert_eq!(world.counted("quota_day").await?, 0);
    assert_eq!(world.number("select count(*) from millrace.parked").await?, 0);
    let rows = "select count(*) from millrace.messages
                where (state, gate, code) = (10, 'dnc', 'opted_out')
                   or (state, code) = (12, 'validity_ended')
                   or (state, gate) = (12, 'quiet_hours')";
    assert_eq!(world.number(rows).await?, 3);
    Ok(())
}

#[tokio::test]
async fn a_message_without_a_row_is_a_dead_letter() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550100", 1_000).await?;
    let message = world.message(MessageClass::Promo, &[sender], 200, 9);

    let outcomes = hand_over(&world.stage().await?, now(), vec![message]).await?;
    assert!(matches!(outcomes[0], Outcome::Dead { .. }));
    Ok(())
}

#[tokio::test]
async fn of_an_archived_company_nothing_is_sent_not_even_an_answer_to_stop() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550100", 1_000).await?;
    let stage = world.stage().await?;
    let promo = world.messages(MessageClass::Promo, &[sender], 200..202).await?;
    let answer = world.messages(MessageClass::Compliance, &[sender], 300..301).await?;

    world.run("update millrace.tenants set archived_at = now()").await?;
    assert_eq!(kinds(hand_over(&stage, now(), promo).await?), [("blocked".into(), 2)]);
    assert_eq!(kinds(hand_over(&stage, now(), answer).await?), [("blocked".into(), 1)]);
    let why = "select count(*) from millrace.messages where code = 'tenant_archived'";
    assert_eq!(world.number(why).await?, 3);
    Ok(())
}
