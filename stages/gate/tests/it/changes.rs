//! What changes while the stage runs: policies, the platform's switch, stops of a program. Nothing
//! is cached, so that the next batch goes by it.

use domain::{
    gates::{SwitchMode, Wake},
    ids::CampaignId,
    message::class::MessageClass,
};
use serde_json::json;
use store::{
    Role, Store,
    parked::wake::{self, Way, What},
    settings::{platform_switch, policies},
};
use testkit::hand_over;
use uuid::Uuid;
use wire::Enriched;

use crate::world::{World, kinds, now};

/// The messages that are due, as the source `schedule` releases them.
async fn released(world: &World) -> anyhow::Result<Vec<Enriched>> {
    let store: Store = world.database.store(Role::Pipeline).await?;
    wake::work(&store, now(), stage::machine::now(), 100).await?;

    let found = store::parked::release::find(&store, now(), 100, 100, &[]).await?;
    let due = store::parked::release::release(&store, &found, now()).await?;
    store::parked::release::released(&store, &due).await?;
    Ok(due.into_iter().filter_map(|row| Some(row.payload?.1)).collect())
}

/// Puts a policy in force, as the api does.
async fn put(world: &World, body: serde_json::Value) -> anyhow::Result<()> {
    let store = world.database.store(Role::Api).await?;
    let mut tx = store.scoped([&world.tenant]).await?;
    policies::add(&mut tx, &world.tenant, &body, "test", now()).await?;
    let cause = Wake::Policy.to_string();
    wake::wake(&mut tx, &world.tenant, &What::Cause(&cause), Way::On).await?;
    tx.commit().await?;
    Ok(())
}

#[tokio::test]
async fn a_changed_policy_decides_the_very_next_batch_of_a_running_stage() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550100", 1_000).await?;
    let stage = world.stage().await?;
    let messages = world.messages(MessageClass::Promo, &[sender], 200..204).await?;

    let first = hand_over(&stage, now(), messages[..1].to_vec()).await?;
    assert_eq!(kinds(first), [("admitted".into(), 1)]);

    put(&world, json!({ "consent": { "promo": "express_written" } })).await?;
    let second = hand_over(&stage, now(), messages[1..2].to_vec()).await?;
    assert_eq!(kinds(second), [("blocked".into(), 1)]);

    let written = "update millrace.standings set consent_basis = 'express_written'
                   where number = '+12125550202'";
    world.run(written).await?;

    let third = hand_over(&stage, now(), messages[2..].to_vec()).await?;
    assert_eq!(kinds(third), [("admitted".into(), 1), ("blocked".into(), 1)]);

    let code = "select count(*) from millrace.messages where code = 'consent_insufficient'";
    assert_eq!(world.number(code).await?, 2);
    Ok(())
}

#[tokio::test]
async fn what_an_unreadable_policy_held_goes_on_under_the_next_one() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550100", 1_000).await?;
    let stage = world.stage().await?;
    world.policy(r#"{"suppression_days": "ninety"}"#).await?;

    let messages = world.messages(MessageClass::Promo, &[sender], 200..203).await?;
    let held = hand_over(&stage, now(), messages).await?;
    assert_eq!(kinds(held), [("held".into(), 3)]);

    let code = "select count(*) from millrace.messages where code = 'policy_unreadable'";
    assert_eq!(world.number(code).await?, 3);

    assert!(released(&world).await?.is_empty(), "nothing goes on by itself");

    put(&world, json!({ "suppression_days": 90 })).await?;
    let back = released(&world).await?;
    assert_eq!(back.iter().map(|message| message.head.turn).collect::<Vec<_>>(), [2, 2, 2]);

    let admitted = hand_over(&stage, now(), back).await?;
    assert_eq!(kinds(admitted), [("admitted".into(), 3)]);

    assert_eq!(world.number("select count(*) from millrace.parked").await?, 0);
    Ok(())
}

#[tokio::test]
async fn the_platforms_switch_holds_everybody_and_wakes_everybody() -> anyhow::Result<()> {
    let world = World::begin().await?;
    world.database.tenant("globex").await?;
    let sender = world.sender("+12125550100", 1_000).await?;
    let stage = world.stage().await?;

    let store = world.database.store(Role::Api).await?;
    let off = platform_switch::throw(&store, SwitchMode::Paused, "incident", now()).await?;
    assert_eq!((off.before.as_str(), off.tenants, off.released), ("on", 2, 0));

    let messages = world.messages(MessageClass::Transactional, &[sender], 200..202).await?;
    let held = hand_over(&stage, now(), messages).await?;
    assert_eq!(kinds(held), [("held".into(), 2)]);

    world
        .run(
            "insert into millrace.parked (tenant_id, message_id, turn, cause, cause_key, lane,
                 payload, parked_at)
             select t, gen_random_uuid(), 1, 'kill_switch', k, 'bulk', '{}', now()
             from unnest(array['globex', 'acme'], array['switch:platform', 'switch:tenant'])
                  as v (t, k)",
        )
        .await?;

    let on = platform_switch::throw(&store, SwitchMode::On, "over", now()).await?;
    assert_eq!((on.before.as_str(), on.tenants, on.released), ("paused", 2, 3));

    let admitted = hand_over(&stage, now(), released(&world).await?).await?;
    assert_eq!(kinds(admitted), [("admitted".into(), 2)]);

    let trail = "select count(*) from millrace.audit_log where action = 'switch.changed'
                 and subject = 'switch:platform' and actor = 'operator'";
    assert_eq!(world.number(trail).await?, 4, "twice, in the trail of each tenant");
    Ok(())
}

#[tokio::test]
async fn turning_the_platform_on_waits_for_who_is_still_holding_for_it() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let api = world.database.store(Role::Api).await?;
    platform_switch::throw(&api, SwitchMode::Paused, "incident", now()).await?;

    let pipeline = world.database.store(Role::Pipeline).await?;
    let mut holding = pipeline.scoped([&world.tenant]).await?;
    let seen: String =
        sqlx::query_scalar("select millrace.platform_mode()").fetch_one(&mut *holding).await?;
    assert_eq!(seen, "paused");

    let on =
        tokio::spawn(
            async move { platform_switch::throw(&api, SwitchMode::On, "over", now()).await },
        );

    let waits = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'";
    while world.number(waits).await? == 0 {
        assert!(!on.is_finished(), "it did not wait");
        tokio::task::yield_now().await;
    }

    sqlx::query(
        "insert into millrace.parked (tenant_id, message_id, turn, cause, cause_key, lane, payload,
             parked_at)
         values ('acme', gen_random_uuid(), 1, 'c', 'switch:platform', 'bulk', '{}', now())",
    )
    .execute(&mut *holding)
    .await?;

    holding.commit().await?;
    assert_eq!(on.await??.released, 1, "what was held meanwhile is woken too");
    Ok(())
}

#[tokio::test]
async fn a_stop_of_one_program_blocks_its_campaigns_alone() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550100", 1_000).await?;

    let (news, deals) = (Uuid::from_u128(1), Uuid::from_u128(2));
    world
        .run(
            "insert into millrace.campaigns (tenant_id, campaign_id, name, class, program,
                 template_id, pool_id, audience, created_at)
             select 'acme', ('00000000-0000-0000-0000-00000000000' || n)::uuid, p, 'promo', p,
                    gen_random_uuid(), gen_random_uuid(), '{}', now()
             from unnest(array[1, 2], array['news', 'deals']) as k (n, p)",
        )
        .await?;

    let mut messages = world.messages(MessageClass::Promo, &[sender], 200..203).await?;
    world.run("update millrace.standings set stopped_programs = '{news}'").await?;

    messages[0].head.campaign = Some(CampaignId(news));
    messages[1].head.campaign = Some(CampaignId(deals));

    let outcomes = hand_over(&world.stage().await?, now(), messages).await?;
    assert_eq!(kinds(outcomes), [("admitted".into(), 2), ("blocked".into(), 1)]);

    let code = "select count(*) from millrace.messages where code = 'program_opted_out'
                and message_id = '00000000-0000-0000-0000-0000000000c9'";
    assert_eq!(world.number(code).await?, 1);
    Ok(())
}

#[tokio::test]
async fn what_is_held_comes_back_when_it_is_late_and_to_be_dropped_then() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550100", 1_000).await?;
    world
        .run(
            "insert into millrace.switches (tenant_id, scope, target, mode, reason, changed_at)
             values ('acme', 'tenant', '', 'paused', '', now())",
        )
        .await?;

    let lateness = json!({ "lateness": { "max_seconds": 600, "on_late": "drop" } });
    put(&world, lateness).await?;

    let messages = world.messages(MessageClass::Promo, &[sender], 200..201).await?;
    hand_over(&world.stage().await?, now(), messages).await?;

    let due = "select count(*) from millrace.parked
               where cause_key = 'switch:tenant' and due = '2026-03-02T17:10:00Z'";
    assert_eq!(world.number(due).await?, 1);
    Ok(())
}
