//! What the claim keeps from being sent, and from being sent twice.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use domain::{
    ids::CampaignId,
    message::{class::Lane, state::MessageState},
};
use send::SendConfig;
use serde_json::json;
use stage::{Cx, Outcome};
use store::{
    capacity::pace::PaceLocks,
    messages::claim::{self, Claimant, ToClaim},
};
use testkit::{hand_over, hand_over_at, ids, in_words};
use uuid::Uuid;

use crate::{
    outcomes::settle,
    world::{World, now},
};

#[tokio::test]
async fn a_message_is_sent_recorded_and_announced() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550001", 1_000).await?;
    let messages = world.admit(sender, 3).await?;

    let outcomes = hand_over(&world.stage().await?, now(), messages.clone()).await?;
    assert!(outcomes.iter().all(|outcome| in_words(outcome) == ["message.sent"]));

    let stored = world.stored(&messages[0]).await?;
    assert_eq!((stored.state, stored.version, stored.attempt), (MessageState::Sent, 3, 1));
    assert!(stored.sid.is_some_and(|sid| sid.starts_with("SM")) && stored.reserved);
    assert_eq!(stored.verdicts, ["admit", "sent"]);

    assert_eq!(world.accepted_once().await?, 3);
    let first = &world.ledger().await?[0];
    assert_eq!(first["from"], "+12125550001");
    assert_eq!(
        (first["body"].as_str(), first["to"].as_str().map(str::len)),
        (Some("hello"), Some(12))
    );
    Ok(())
}

#[tokio::test]
async fn the_carrier_gets_the_trace_of_the_request_that_began_the_message() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550001", 1_000).await?;
    let mut messages = world.admit(sender, 2).await?;
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    messages[0].message.head.trace = Some(trace.into());

    hand_over(&world.stage().await?, now(), messages.clone()).await?;

    let traced = messages[0].message.head.id.to_string();
    for line in world.ledger().await? {
        let expected = if line["reference"] == traced { json!(trace) } else { json!(null) };
        assert_eq!(line["traceparent"], expected);
    }
    assert_eq!(world.accepted_once().await?, 2);
    Ok(())
}

#[tokio::test]
async fn a_program_left_after_admission_is_seen_by_the_claim_and_the_others_go_out()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550001", 1_000).await?;
    let mut messages = world.admit(sender, 3).await?;

    let (news, deals) = (Uuid::from_u128(1), Uuid::from_u128(2));

    let mut connection = world.database.superuser().await?;
    sqlx::query(
        "insert into millrace.campaigns (tenant_id, campaign_id, name, class, program, template_id,
             pool_id, audience, created_at)
         select 'acme', id, program, 'promo', program, gen_random_uuid(), gen_random_uuid(), '{}',
                now()
         from unnest($1::uuid[], $2::text[]) as k (id, program)",
    )
    .bind(vec![news, deals])
    .bind(vec!["news", "deals"])
    .execute(&mut connection)
    .await?;
    sqlx::query("update millrace.standings set stopped_programs = '{news}'")
        .execute(&mut connection)
        .await?;

    messages[0].message.head.campaign = Some(CampaignId(news));
    messages[1].message.head.campaign = Some(CampaignId(deals));

    hand_over(&world.stage().await?, now(), messages.clone()).await?;

    let blocked = world.stored(&messages[0]).await?;
    assert_eq!(
        (blocked.state, blocked.code.as_deref()),
        (MessageState::Blocked, Some("program_opted_out"))
    );
    for message in &messages[1..] {
        assert_eq!(world.stored(message).await?.state, MessageState::Sent);
    }
    Ok(())
}

#[tokio::test]
async fn a_message_delivered_twice_is_sent_once_and_says_the_same_again() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550001", 1_000).await?;
    let messages = world.admit(sender, 40).await?;

    let stage = world.stage().await?;
    let first = hand_over(&stage, now(), messages.clone()).await?;
    let again = hand_over(&world.stage().await?, now(), messages[7..].to_vec()).await?;

    assert_eq!(ids(&first[7..]), ids(&again));
    assert_eq!(world.accepted_once().await?, 40);
    Ok(())
}

#[tokio::test]
async fn two_workers_with_the_same_messages_send_each_once() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550001", 10_000).await?;
    let messages = world.admit(sender, 200).await?;
    world.faults(json!({ "latency_ms": [5, 30] })).await?;

    let (one, other) = (world.stage().await?, world.stage().await?);
    let backwards: Vec<_> = messages.iter().rev().cloned().collect();
    let (first, second) = tokio::join!(settle(&one, &messages), settle(&other, &backwards));

    let mut second = ids(&second?);
    second.reverse();
    assert_eq!(ids(&first?), second);

    assert_eq!(world.accepted_once().await?, 200);
    assert_eq!(world.states().await?, [(MessageState::Sent, 200)]);
    Ok(())
}

#[tokio::test]
async fn a_batch_larger_than_the_permits_goes_through_in_chunks() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550001", 10_000).await?;
    let messages = world.admit(sender, 300).await?;

    let config = SendConfig {
        allow_hosts: vec!["127.0.0.1".into()],
        permits: 16,
        ..SendConfig::new("http://127.0.0.1:9")
    };

    let stage = world.stage_with(config).await?;
    let outcomes = settle(&stage, &messages).await?;
    assert!(outcomes.iter().all(|outcome| in_words(outcome) == ["message.sent"]));
    assert_eq!(world.accepted_once().await?, 300);
    Ok(())
}

#[tokio::test]
async fn what_comes_again_is_not_called_again_beside_what_comes_for_the_first_time()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550001", 1_000).await?;
    let messages = world.admit(sender, 6).await?;
    let stage = world.stage().await?;
    settle(&stage, &messages[..3]).await?;

    let outcomes = settle(&stage, &messages).await?;
    assert!(outcomes.iter().all(|outcome| in_words(outcome) == ["message.sent"]));
    assert_eq!(world.accepted_once().await?, 6);
    assert_eq!(world.states().await?, [(MessageState::Sent, 6)]);
    Ok(())
}

#[tokio::test]
async fn an_opt_out_that_commits_before_the_claim_stops_it() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550001", 1_000).await?;
    let messages = world.admit(sender, 2).await?;

    // The opt-out has its lock, and commits while the claim waits for it.
    let mut opt_out = world.database.superuser().await?;
    let number = messages[0].message.head.to.to_string();
    sqlx::query("begin").execute(&mut opt_out).await?;
    sqlx::query("update millrace.standings set opted_out_at = now() where number = $1")
        .bind(&number)
        .execute(&mut opt_out)
        .await?;

    let stage = world.stage().await?;
    let commit = async {
        world.waiting(1).await?;
        sqlx::query("commit").execute(&mut opt_out).await?;
        anyhow::Ok(())
    };
    let (outcomes, committed) = tokio::join!(settle(&stage, &messages), commit);
    committed?;
    let outcomes = outcomes?;
    assert_eq!(in_words(&outcomes[0]), ["message.blocked"]);
    assert_eq!(in_words(&outcomes[1]), ["message.sent"]);
    assert_eq!(world.accepted_once().await?, 1);
    let blocked = world.stored(&messages[0]).await?;
    assert_eq!(
        (blocked.state, blocked.code.as_deref()),
        (MessageState::Blocked, Some("opted_out"))
    );
    assert!(!blocked.reserved && !blocked.claimed);
    assert_eq!(world.reserved(sender).await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_paused_tenant_holds_and_a_policy_change_goes_back_to_the_gates() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550001", 1_000).await?;
    let messages = world.admit(sender, 2).await?;

    let stage = world.stage().await?;
    world
        .run(
            "insert into millrace.switches (tenant_id, scope, target, mode, changed_at)
             values ('acme', 'tenant', '', 'paused', now())",
        )
        .await?;

    let held = hand_over(&stage, now(), messages[..1].to_vec()).await?;
    assert_eq!(in_words(&held[0]), ["message.held"]);
    assert!(matches!(held[0], Outcome::Park { due: None, .. }));

    world.run("delete from millrace.switches").await?;
    world.run("insert into millrace.policies values ('acme', 4, '{}', now(), 'test')").await?;
    let back = hand_over(&stage, now(), messages[1..].to_vec()).await?;
    assert!(matches!(back[0], Outcome::Park { due: Some(due), .. } if due == now()));

    assert_eq!(world.accepted_once().await?, 0);
    assert_eq!(world.reserved(sender).await?, 0);
    let waiting =
        "select count(*) from millrace.parked where cause_key = 'switch:tenant' or due is not null";
    assert_eq!(world.number(waiting).await?, 2);

    let marketed = "select count(*) from millrace.standings where last_promo_at is not null";
    assert_eq!(world.number(marketed).await?, 0, "what was not sent does not count as marketing");
    Ok(())
}

#[tokio::test]
async fn a_lower_turn_says_nothing_and_an_unknown_message_is_a_dead_letter() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550001", 1_000).await?;
    let mut messages = world.admit(sender, 2).await?;
    world.run("update millrace.messages set turn = 2").await?;
    messages[1].message.head.id = uuid::Uuid::nil().into();

    let outcomes = hand_over(&world.stage().await?, now(), messages).await?;
    assert_eq!(in_words(&outcomes[0]), [""; 0]);
    assert_eq!(in_words(&outcomes[1]), ["dead message_without_row"]);
    assert_eq!(world.accepted_once().await?, 0);
    Ok(())
}

#[tokio::test]
async fn two_claims_for_one_person_who_stopped_do_not_wait_for_each_other() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550001", 1_000).await?;
    let promo = world.admit(sender, 1).await?.remove(0);
    let confirmation = world.compliance_to(&promo).await?;
    world.run("update millrace.standings set opted_out_at = now()").await?;

    // Both have come as far as the pace, which somebody else has.
    let mut held = world.hold_pace().await?;
    let (one, other) = (world.stage().await?, world.stage().await?);
    let first = settle(&one, std::slice::from_ref(&promo));
    let second = async {
        world.waiting(1).await?;
        settle(&other, std::slice::from_ref(&confirmation)).await
    };
    let release = async {
        world.waiting(2).await?;
        sqlx::query("commit").execute(&mut held).await?;
        anyhow::Ok(())
    };

    let (first, second, released) = tokio::join!(first, second, release);
    released?;

    assert_eq!(in_words(&first?[0]), ["message.blocked"]);
    assert_eq!(in_words(&second?[0]), ["message.sent"]);
    Ok(())
}

#[tokio::test]
async fn the_last_look_goes_by_the_time_after_its_waits() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550001", 1_000).await?;
    let mut messages = world.admit(sender, 1).await?;

    // Hours before the recipient's evening: what ends is the time that it was admitted for.
    messages[0].route.sendable_until = "2026-03-04T20:00:00Z".parse()?;

    let mut held = world.hold_pace().await?;
    let late = Arc::new(AtomicBool::new(false));
    let (is_late, closes) = (late.clone(), messages[0].route.sendable_until);
    let clock: stage::Clock = Arc::new(move || match is_late.load(Ordering::Relaxed) {
        true => closes,
        false => now(),
    });

    let stage = world.stage().await?;
    let release = async {
        world.waiting(1).await?;
        late.store(true, Ordering::Relaxed);
        sqlx::query("commit").execute(&mut held).await?;
        anyhow::Ok(())
    };

    let (cx, batch) = (Cx::read(&clock), messages.clone());
    let (outcomes, released) = tokio::join!(hand_over_at(&stage, &cx, batch), release);
    released?;

    assert_eq!(in_words(&outcomes?[0]), ["message.deferred"]);
    assert_eq!(world.stored(&messages[0]).await?.code.as_deref(), Some("window_closed"));
    assert_eq!(world.accepted_once().await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_claim_that_is_given_back_twice_frees_no_later_one() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550001", 1_000).await?;
    let message = world.admit(sender, 1).await?.remove(0);
    let head = &message.message.head;
    let wanted = ToClaim {
        tenant: &head.tenant,
        message: head.id,
        turn: head.turn,
        meter: (sender, Lane::Bulk),
        segments: 1,
    };
    let paced = "insert into millrace.pace (tenant_id, key, next_free)
                 select tenant_id, 'sender:' || sender_id, now() from millrace.senders";
    world.run(paced).await?;
    let (store, owner) = (world.pipeline().await?, Uuid::from_u128(7));
    let claim = async |chunk| {
        let call_by = Duration::from_millis(200);
        let mut tx = store.scoped([&head.tenant]).await?;
        let claimant = Claimant { owner, chunk, call_by };
        let made = claim::take(&mut tx, claimant, &[wanted], &PaceLocks::default()).await?;
        tx.commit().await?;
        anyhow::Ok(made[0].expect("claimed"))
    };
    let give_back = async |made| {
        let mut tx = store.scoped([&head.tenant]).await?;
        claim::give_back(&mut tx, owner, &[(wanted, made)]).await?;
        anyhow::Ok(tx.commit().await?)
    };

    let first = claim(0).await?;
    give_back(first).await?;
    let later = claim(1).await?;
    assert_eq!(later.attempt, first.attempt, "no call has begun");
    give_back(first).await?;
    assert!(world.stored(&message).await?.claimed);

    give_back(later).await?;
    assert!(!world.stored(&message).await?.claimed);
    Ok(())
}
