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
    message.content = Content::Carrier(CarrierTemplate::new("sale", "en", &[])?);
    let outcomes = hand_over(&world.stage().await?, now(), vec![message.with_body_hash()]).await?;
    let message: Enriched = serde_json::from_str(&said(outcomes)[0].1)?;
    Ok(message.senders)
}

#[tokio::test]
async fn a_template_is_carried_by_the_account_that_has_it() -> anyhow::Result<()> {
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
