//! A pool whose senders are of several accounts of WhatsApp, each with templates of its own.

use domain::{draft::CarrierTemplate, ids::SenderId, message::class::Channel};
use serde_json::json;
use testkit::{hand_over, said};
use wire::{Enriched, message::Content};

use crate::world::{World, now, sender};

/// The senders that may carry a message by the template, to person `n`.
async fn candidates(world: &World, n: u32) -> anyhow::Result<Vec<SenderId>> {
    let mut message = world.message(n, "");
    message.head.channel = Channel::Whatsapp;
    message.content =
        Content::Carrier(CarrierTemplate::new("sale", "en", &[]).expect("a template"));
    let outcomes = hand_over(&world.stage().await?, now(), vec![message.with_body_hash()]).await?;
    let message: Enriched = serde_json::from_str(&said(outcomes)[0].1)?;
    Ok(message.senders)
}

/// A company whose second account has the template, and sender 11.
async fn two_accounts() -> anyhow::Result<World> {
    let world = World::begin().await?;
    world.account(json!({ "account": "second", "carrier": "whatsapp" })).await?;
    world.run("update millrace.senders set channel = 'whatsapp'").await?;
    let moved = format!(
        "update millrace.senders set account = 'second' where sender_id = '{}'",
        sender(11).0
    );
    world.run(&moved).await?;
    let syncs = ["main", "second"]
        .map(|account| json!({ "tenant_id": "acme", "account": account, "due": now() }));
    world.insert("template_syncs", &syncs).await?;
    let template = json!({
        "tenant_id": "acme", "template_id": uuid::Uuid::from_u128(7), "account": "second",
        "name": "sale", "language": "en", "category": "marketing",
        "components": { "body": { "text": "Sale" } }, "state": "approved", "created_at": now(),
        "asked_at": now(), "told_at": now(),
    });
    world.insert("carrier_templates", &[template]).await?;
    Ok(world)
}

#[tokio::test]
async fn a_template_is_carried_by_the_account_that_has_it() -> anyhow::Result<()> {
    let world = two_accounts().await?;

    // Of the first account nobody knows whether it has the template.
    let all = candidates(&world, 200).await?;
    assert_eq!(all.len(), 3);

    // Its list does not have it.
    world.run("update millrace.template_syncs set listed_at = now()").await?;
    for n in 201..207 {
        assert_eq!(candidates(&world, n).await?, [sender(11)]);
    }

    // No account sends it: the carrier says why.
    world.run("update millrace.carrier_templates set state = 'paused'").await?;
    assert_eq!(candidates(&world, 207).await?.len(), 3);
    Ok(())
}

#[tokio::test]
async fn none_of_the_many_senders_of_an_account_carries_a_template_that_it_does_not_have()
-> anyhow::Result<()> {
    let world = two_accounts().await?;
    // 450 senders of the first account, of which the last by its id is in the pool too.
    world
        .run(
            "insert into millrace.senders (tenant_id, sender_id, account, number, country,
                 time_zone, pace, active_since, daily_cap, channel, created_at)
             select s.tenant_id, lpad(to_hex(1000 + n), 32, '0')::uuid, s.account,
                    '+1212556' || lpad(n::text, 4, '0'), s.country, s.time_zone, s.pace,
                    s.active_since, s.daily_cap, s.channel, s.created_at
             from millrace.senders s, generate_series(1, 450) n
             where s.sender_id = lpad('a', 32, '0')::uuid;
             update millrace.pools set senders = senders || lpad(to_hex(1450), 32, '0')::uuid;
             update millrace.template_syncs set listed_at = now()",
        )
        .await?;
    for n in 201..209 {
        assert_eq!(candidates(&world, n).await?, [sender(11)]);
    }
    Ok(())
}
