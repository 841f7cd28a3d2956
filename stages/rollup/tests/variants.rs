//! Counts by variant on a real database: those of a campaign's variants add up to the campaign's at
//! every moment, whoever folds.

use std::collections::BTreeMap;

use anyhow::Context;
use domain::{
    ids::CampaignId,
    message::state::{MessageState as S, NO_RECEIPT},
};
use rollup::{CountsTeller, RollupStage};
use serde_json::{Value, json};
use stage::{Cx, Source};
use store::{
    Role,
    analytics::recount::{self, CountDifference},
    campaigns::{
        counts::CampaignCounts,
        ledger::{self, LedgerSums},
    },
};
use testkit::{
    hand_over,
    world::{TestWorld, enriched, message_row, now, with},
};
use uuid::Uuid;
use wire::{Event, event::CountsData, subject::Scope};

const CAMPAIGN: CampaignId = CampaignId(Uuid::from_u128(7));

/// A campaign whose messages 1 to 4 were made from variant `a` and 5 to 8 from `b`, a message of a
/// template without a campaign, and one of another campaign.
async fn world() -> anyhow::Result<TestWorld> {
    let world = TestWorld::start().await?;
    let campaign = json!({
        "tenant_id": "acme", "campaign_id": CAMPAIGN, "name": "c", "class": "promo",
        "template_id": Uuid::nil(), "pool_id": Uuid::nil(), "audience": {}, "state": "running",
        "audience_size": 8, "cursor": 8, "created_at": now(),
    });
    world.insert("campaigns", &[campaign]).await?;

    let row = |n: u32, campaign: Option<CampaignId>, variant: &str| {
        let columns = json!({
            "campaign_id": campaign, "variant": variant, "segments": 2, "cost_micros": 15_800,
        });
        with(message_row(&enriched(&world.tenant, n)), &columns)
    };
    let of_campaign = |n| row(n, Some(CAMPAIGN), if n <= 4 { "a" } else { "b" });
    let mut rows: Vec<Value> = (1..=8).map(of_campaign).collect();
    rows.push(row(9, None, "a"));
    rows.push(row(10, Some(CampaignId(Uuid::from_u128(8))), "a"));
    world.insert("messages", &rows).await?;
    Ok(world)
}

/// Moves messages: `set` says how.
async fn change(world: &TestWorld, numbers: &[u32], set: &str) -> anyhow::Result<()> {
    let id = |n: &u32| format!("'{}'", enriched(&world.tenant, *n).head.id.0);
    let ids: Vec<String> = numbers.iter().map(id).collect();
    let ids = ids.join(", ");
    world.run(&format!("update millrace.messages set {set} where message_id in ({ids})")).await
}

/// Of `a` two are delivered, one is blocked and one waits; of `b` one is delivered, one has failed,
/// one ended without a receipt, and one waits for the pace of its sender, in its second turn.
async fn history(world: &TestWorld) -> anyhow::Result<()> {
    let state = |state: S| format!("state = {}", state.code());
    let sent = format!("{}, carrier_sid = 'SM' || number", state(S::Sent));
    change(world, &[1, 2, 5, 6, 7], &state(S::Queued)).await?;
    change(world, &[3], &format!("{}, gate = 'dnc', code = 'dnc'", state(S::Blocked))).await?;
    change(world, &[8], &format!("{}, gate = 'quiet_hours'", state(S::Deferred))).await?;
    change(world, &[8], &format!("{}, turn = 2", state(S::Accepted))).await?;
    change(world, &[8], &format!("{}, code = 'pace'", state(S::Deferred))).await?;
    change(world, &[1, 2, 5, 6, 7], &sent).await?;
    change(world, &[1, 2, 5, 9, 10], &state(S::Delivered)).await?;
    change(world, &[6], &state(S::Failed)).await?;
    change(world, &[7], &format!("code = '{NO_RECEIPT}', segments = 3")).await
}

async fn told(world: &TestWorld) -> anyhow::Result<Vec<Event>> {
    let tick = CountsTeller::new(world.pipeline().await?).tick(&Cx::at(now(), now())).await?;
    tick.say.iter().map(|say| Ok(serde_json::from_slice(&say.json)?)).collect()
}

async fn sums(world: &TestWorld) -> anyhow::Result<LedgerSums> {
    let store = world.database.store(Role::Api).await?;
    ledger::read(&store, (&world.tenant, None), CAMPAIGN).await?.context("the campaign")
}

/// What was counted, by name, but for what is 0.
fn named(counts: &CampaignCounts) -> BTreeMap<String, i64> {
    let mut named: BTreeMap<String, i64> = BTreeMap::from([
        ("segments".into(), counts.segments()),
        ("cost".into(), counts.cost().0),
        ("released".into(), counts.released()),
        ("no receipt".into(), counts.detailed(S::Sent, NO_RECEIPT)),
        ("dnc".into(), counts.detailed(S::Blocked, "dnc")),
        ("pace".into(), counts.waiting_for_pace()),
        ("ended".into(), counts.ended()),
    ]);
    named.extend(S::ALL.map(|state| (state.as_str().to_owned(), counts.of(state))));
    named.retain(|_, count| *count != 0);
    named
}

/// The variants together are the campaign, and a recount finds nothing.
async fn adds_up(world: &TestWorld) -> anyhow::Result<LedgerSums> {
    let sums = sums(world).await?;
    let mut together: BTreeMap<String, i64> = BTreeMap::new();
    for (name, count) in sums.variants.values().flat_map(named) {
        *together.entry(name).or_default() += count;
    }
    assert_eq!(together, named(&sums.counts));

    let store = world.pipeline().await?;
    assert_eq!(recount::compare(&store, &world.tenant).await?.differences, []);
    Ok(sums)
}

/// Whether the variants are counted as the history has left them.
fn assert_history(sums: &LedgerSums) {
    let counts = |key: &str| named(sums.variants.get(key).expect("a variant"));
    let expected = |counts: &[(&str, i64)]| -> BTreeMap<String, i64> {
        counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    };

    let of_a = [
        ("accepted", 1),
        ("blocked", 1),
        ("cost", 2 * 15_800),
        ("delivered", 2),
        ("dnc", 1),
        ("ended", 3),
        ("segments", 4),
    ];
    let of_b = [
        ("cost", 3 * 15_800),
        ("deferred", 1),
        ("delivered", 1),
        ("ended", 3),
        ("failed", 1),
        ("no receipt", 1),
        ("pace", 1),
        ("released", 1),
        ("segments", 7),
        ("sent", 1),
    ];
    assert_eq!((counts("a"), counts("b")), (expected(&of_a), expected(&of_b)));
    assert_eq!(sums.variants.len(), 2, "only those of the campaign's own messages");
}

#[tokio::test]
async fn variants_add_up_to_their_campaign_before_and_after_a_fold() -> anyhow::Result<()> {
    let world = world().await?;
    adds_up(&world).await?;
    history(&world).await?;
    assert_history(&adds_up(&world).await?);

    // Half of the groups are folded, then all.
    let mut events = told(&world).await?;
    let later = events.split_off(events.len() / 2);
    let rollup = RollupStage::new(world.pipeline().await?);
    hand_over(&rollup, now(), events.clone()).await?;
    assert_history(&adds_up(&world).await?);
    hand_over(&rollup, now(), events).await?;
    hand_over(&rollup, now(), later).await?;
    assert_eq!(world.number("select count(*) from millrace.moved_counts").await?, 0);
    assert_history(&adds_up(&world).await?);

    // What is removed stays counted, and what moves afterwards moves on.
    world.run("delete from millrace.messages where state in (21, 22)").await?;
    assert_history(&adds_up(&world).await?);
    change(&world, &[4], &format!("state = {}", S::Queued.code())).await?;
    let counts = named(&adds_up(&world).await?.variants["a"]);
    assert_eq!((counts.get("queued"), counts.get("accepted")), (Some(&1), None));
    Ok(())
}

#[tokio::test]
async fn a_group_tells_its_variant() -> anyhow::Result<()> {
    let world = world().await?;
    let mut told: Vec<(Option<CampaignId>, Option<String>, i64)> = Vec::new();
    for event in self::told(&world).await? {
        let group: CountsData = serde_json::from_str(event.data.get())?;
        told.push((group.campaign, group.variant, group.messages));
    }

    told.sort();
    let (a, b) = (Some("a".to_owned()), Some("b".to_owned()));
    let other = CampaignId(Uuid::from_u128(8));
    let expected = [
        (None, a.clone(), 1),
        (Some(CAMPAIGN), a.clone(), 4),
        (Some(CAMPAIGN), b, 4),
        (Some(other), a, 1),
    ];
    assert_eq!(told, expected);
    Ok(())
}

/// Old stages name no variant: what they store has none, and what they fold is counted by variant
/// all the same.
#[tokio::test]
async fn an_older_version_beside_this_one_counts_the_same() -> anyhow::Result<()> {
    let world = world().await?;
    history(&world).await?;
    world.run("delete from millrace.moved_counts where campaign_id is not null").await?;
    assert_history(&sums(&world).await?);

    let columns = json!({ "campaign_id": CAMPAIGN });
    let stored = with(message_row(&enriched(&world.tenant, 11)), &columns);
    world.insert("messages", &[stored]).await?;
    change(&world, &[11], &format!("state = {}", S::Queued.code())).await?;
    let sums = sums(&world).await?;
    assert_history(&sums);
    assert_eq!(sums.counts.of(S::Queued), 1);
    Ok(())
}

#[tokio::test]
async fn counts_by_variant_that_are_not_what_the_rows_say_are_told_and_corrected()
-> anyhow::Result<()> {
    let world = world().await?;
    history(&world).await?;
    let rollup = RollupStage::new(world.pipeline().await?);
    hand_over(&rollup, now(), told(&world).await?).await?;
    let of_campaign = format!("campaign_id = '{}'", CAMPAIGN.0);
    for wrong in [
        format!(
            "update millrace.variant_totals set messages = 7 where state = 22 and variant = 'a' and {of_campaign}"
        ),
        format!("delete from millrace.variant_totals where state = 21 and {of_campaign}"),
    ] {
        world.run(&wrong).await?;
    }
    // What waits to be folded is no difference.
    change(&world, &[4], &format!("state = {}", S::Queued.code())).await?;

    let wrong = |variant: &str, name: &str, counted, rows| CountDifference {
        scope: Scope::Campaign(CAMPAIGN.0),
        variant: Some(variant.to_owned()),
        name: name.to_owned(),
        counted,
        rows,
    };
    let wrong = [wrong("a", "delivered", 7, 2), wrong("b", "failed", 0, 1)];
    let store = world.pipeline().await?;
    assert_eq!(recount::compare(&store, &world.tenant).await?.differences, wrong);
    assert_eq!(recount::rebuild(&store, &world.tenant, now()).await?.differences, wrong);

    adds_up(&world).await?;
    Ok(())
}
