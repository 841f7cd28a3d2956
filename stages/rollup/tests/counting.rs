//! Totals on a real database: what statements move is counted once, however it is told.

use anyhow::Context;
use domain::{ids::CampaignId, message::state::MessageState as S};
use jiff::{SignedDuration, Timestamp};
use rollup::{CountsTeller, RollupStage, TotalsPublisher};
use serde_json::{Value, json};
use stage::{Cx, Source};
use store::analytics::{
    recount::{self, CountDifference},
    timed::{self, Grain},
};
use testkit::{
    hand_over,
    world::{TestWorld, enriched, message_row, now, with},
};
use uuid::Uuid;
use wire::{Event, EventKind, event::CampaignData, subject::Scope, totals::Totals};

const CAMPAIGN: CampaignId = CampaignId(Uuid::from_u128(7));

/// Messages of two segments that a campaign begins.
async fn accept(world: &TestWorld, numbers: impl Iterator<Item = u32>) -> anyhow::Result<()> {
    let columns = json!({ "campaign_id": CAMPAIGN, "segments": 2, "cost_micros": 15_800 });
    let row = |n| with(message_row(&enriched(&world.tenant, n)), &columns);
    let rows: Vec<Value> = numbers.map(row).collect();
    world.insert("messages", &rows).await
}

/// Moves messages, a second after the last move: `set` says how.
async fn change(world: &TestWorld, numbers: &[u32], set: &str) -> anyhow::Result<()> {
    let ids: Vec<String> =
        numbers.iter().map(|n| format!("'{}'", enriched(&world.tenant, *n).head.id.0)).collect();
    let ids = ids.join(", ");
    let at = "changed_at = changed_at + interval '1 second'";
    world
        .run(&format!("update millrace.messages set {set}, {at} where message_id in ({ids})"))
        .await
}

/// Two messages delivered, one failed, one blocked, one still at the carrier, one that waits for
/// the pace of its sender, in its second turn.
async fn history(world: &TestWorld) -> anyhow::Result<()> {
    let state = |state: S| format!("state = {}", state.code());
    accept(world, 1..=6).await?;
    change(world, &[5], &format!("{}, gate = 'dnc', code = 'dnc'", state(S::Blocked))).await?;
    change(world, &[6], &format!("{}, gate = 'quiet_hours'", state(S::Deferred))).await?;
    change(world, &[6], &format!("{}, turn = 2", state(S::Accepted))).await?;
    change(world, &[6], &format!("{}, code = 'pace'", state(S::Deferred))).await?;
    change(world, &[1, 2, 3, 4], &state(S::Queued)).await?;
    for n in 1..=4 {
        let sent = format!("{}, carrier_sid = 'SM{n}'", state(S::Sent));
        change(world, &[n], &sent).await?;
    }
    change(world, &[1, 2], &state(S::Delivered)).await?;
    change(world, &[3], &state(S::Failed)).await
}

/// Whether totals are those of the history.
fn assert_counted(totals: &Totals) {
    let count = |name: &str| totals.totals.get(name).copied().unwrap_or_default();
    assert_eq!(count("delivered"), 2);
    assert_eq!(count("failed"), 1);
    assert_eq!(count("sent"), 1);
    assert_eq!(count("blocked"), 1);
    assert_eq!(count("blocked.dnc"), 1);
    assert_eq!((count("deferred"), count("deferred.pace")), (1, 1));
    assert_eq!(count("released"), 1);
    assert_eq!((count("accepted"), count("queued")), (0, 0));
    assert_eq!(count("segments"), 8, "a blocked message takes no segments");
    assert_eq!(count("cost_micros"), 4 * 15_800);
    assert_eq!(totals.id, Some(CAMPAIGN.0));
    assert_eq!(totals.as_of, now() + SignedDuration::from_secs(3));
    assert_eq!(totals.watermark, 6 + 1 + 3 + 4 + 4 + 2 + 1, "each change of each message");
}

/// Machine time of the tests, so many seconds on.
fn machine(seconds: i64) -> Cx {
    let at = Timestamp::from_second(1_800_000_000 + seconds).expect("in range");
    Cx::at(now(), at)
}

/// What one tick of the teller tells.
async fn told(world: &TestWorld, seconds: i64) -> anyhow::Result<Vec<Event>> {
    let teller = CountsTeller::new(world.pipeline().await?);
    let tick = teller.tick(&machine(seconds)).await?;
    tick.say.iter().map(|say| Ok(serde_json::from_slice(&say.json)?)).collect()
}

/// The campaign's totals, if they are to be published.
async fn totals(world: &TestWorld) -> anyhow::Result<Option<Totals>> {
    let tick = TotalsPublisher::new(world.pipeline().await?).tick(&machine(0)).await?;
    let campaign = tick.say.iter().find(|out| out.subject.to_string().contains(".campaign."));
    let totals = campaign.map(|out| serde_json::from_slice(&out.json));
    if let Some(mark) = tick.published {
        mark.await?;
    }
    Ok(totals.transpose()?)
}

async fn rollup(world: &TestWorld) -> anyhow::Result<RollupStage> {
    Ok(RollupStage::new(world.pipeline().await?))
}

#[tokio::test]
async fn each_change_of_a_message_is_counted_once() -> anyhow::Result<()> {
    let world = TestWorld::start().await?;
    history(&world).await?;

    hand_over(&rollup(&world).await?, now(), told(&world, 0).await?).await?;

    assert_counted(&totals(&world).await?.context("totals")?);
    assert_eq!(world.number("select count(*) from millrace.moved_counts").await?, 0);
    Ok(())
}

#[tokio::test]
async fn told_again_in_another_order_and_cut_it_counts_the_same() -> anyhow::Result<()> {
    let world = TestWorld::start().await?;
    let rollup = rollup(&world).await?;
    history(&world).await?;

    let mut events = told(&world, 0).await?;
    assert!(told(&world, 9).await?.is_empty(), "rollup has ten seconds to fold them");
    let again = told(&world, 11).await?;
    let ids = |events: &[Event]| {
        let mut ids: Vec<Uuid> = events.iter().map(|event| event.id).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(ids(&again), ids(&events), "the same groups are the same events");

    events.reverse();
    for part in events.chunks(3) {
        hand_over(&rollup, now(), part.to_vec()).await?;
    }
    hand_over(&rollup, now(), again).await?;
    assert_counted(&totals(&world).await?.context("totals")?);
    Ok(())
}

#[tokio::test]
async fn two_workers_with_the_same_groups_count_them_once() -> anyhow::Result<()> {
    let world = TestWorld::start().await?;
    let (one, two) = (rollup(&world).await?, rollup(&world).await?);
    history(&world).await?;
    let events = told(&world, 0).await?;

    let (first, second) =
        tokio::join!(hand_over(&one, now(), events.clone()), hand_over(&two, now(), events));
    first?;
    second?;

    assert_counted(&totals(&world).await?.context("totals")?);
    Ok(())
}

#[tokio::test]
async fn published_totals_are_not_published_again_until_they_change() -> anyhow::Result<()> {
    let world = TestWorld::start().await?;
    let rollup = rollup(&world).await?;
    history(&world).await?;
    let events = told(&world, 0).await?;
    hand_over(&rollup, now(), events.clone()).await?;
    assert!(totals(&world).await?.is_some());

    assert!(totals(&world).await?.is_none());
    hand_over(&rollup, now(), events).await?;
    assert!(totals(&world).await?.is_none(), "a repeat changes nothing");

    // A receipt that comes late makes a new version.
    change(&world, &[4], &format!("state = {}", S::Delivered.code())).await?;
    hand_over(&rollup, now(), told(&world, 0).await?).await?;
    let late = totals(&world).await?.context("totals")?;
    assert_eq!((late.totals["delivered"], late.totals["sent"]), (3, 0));
    Ok(())
}

#[tokio::test]
async fn a_change_that_moves_no_count_is_none() -> anyhow::Result<()> {
    let world = TestWorld::start().await?;
    accept(&world, 1..=1).await?;
    told(&world, 0).await?;

    change(&world, &[1], "body = '', passport = '[]', sender_id = gen_random_uuid()").await?;
    assert!(told(&world, 0).await?.is_empty());

    // The carrier bills another number of segments, and the receipt that never comes ends it.
    change(&world, &[1], &format!("state = {}, carrier_sid = 'SM1'", S::Sent.code())).await?;
    change(&world, &[1], "segments = 3, cost_micros = 23700").await?;
    change(&world, &[1], "code = 'no_receipt'").await?;
    let told = told(&world, 0).await?;
    let mut moved: Vec<Value> =
        told.iter().map(|e| serde_json::from_str(e.data.get())).collect::<Result<_, _>>()?;
    moved.sort_by_key(|group| (group["segments"].as_i64(), group["to"].to_string()));
    assert_eq!(moved[0]["to"], json!({ "state": "sent", "detail": "no_receipt" }));
    assert_eq!((&moved[1]["segments"], &moved[1]["cost"]), (&json!(1), &json!(7_900)));
    assert_eq!(
        (&moved[2]["segments"], &moved[2]["from"]["state"]),
        (&json!(2), &json!("accepted"))
    );
    assert_eq!(moved.len(), 3);
    Ok(())
}

#[tokio::test]
async fn the_rows_say_what_the_totals_say_at_every_moment() -> anyhow::Result<()> {
    let world = TestWorld::start().await?;
    let store = world.pipeline().await?;
    let agrees = async || {
        let found = recount::compare(&store, &world.tenant).await?;
        assert_eq!(found.differences, [], "of {}", found.compared);
        anyhow::Ok(found.compared)
    };

    history(&world).await?;
    agrees().await?;
    let mut events = told(&world, 0).await?;
    let later = events.split_off(events.len() / 2);
    hand_over(&rollup(&world).await?, now(), events).await?;
    agrees().await?;
    hand_over(&rollup(&world).await?, now(), later).await?;
    world.run("delete from millrace.messages where state in (21, 22)").await?;
    assert!(agrees().await? > 2 * 10, "of the tenant and of its campaign");
    Ok(())
}

#[tokio::test]
async fn a_total_that_is_not_what_the_rows_say_is_told_and_corrected() -> anyhow::Result<()> {
    let world = TestWorld::start().await?;
    let store = world.pipeline().await?;
    history(&world).await?;
    hand_over(&rollup(&world).await?, now(), told(&world, 0).await?).await?;
    let version = totals(&world).await?.context("totals")?.version;
    world.run("update millrace.totals set value = 7 where name = 'delivered'").await?;
    world.run("delete from millrace.totals where name = 'sent' and scope = 'campaign'").await?;
    // What events count in is left alone, also where only a newer version knows it.
    let others = "insert into millrace.totals
                  select 'acme', 'dashboard', '00000000-0000-0000-0000-000000000000', name, 5
                  from unnest(array['opt_outs', 'clicked']) name";
    world.run(others).await?;
    // What waits to be folded is no difference.
    change(&world, &[4], &format!("state = {}", S::Delivered.code())).await?;

    let wrong = |scope: &Scope, name: &str, counted, rows| CountDifference {
        scope: scope.clone(),
        variant: None,
        name: name.to_owned(),
        counted,
        rows,
    };
    let campaign = Scope::Campaign(CAMPAIGN.0);
    let wrong = [
        wrong(&Scope::Dashboard, "delivered", 7, 2),
        wrong(&campaign, "delivered", 7, 2),
        wrong(&campaign, "sent", 0, 1),
    ];
    assert_eq!(recount::compare(&store, &world.tenant).await?.differences, wrong);
    assert_eq!(recount::rebuild(&store, &world.tenant, now()).await?.differences, wrong);

    assert_eq!(recount::compare(&store, &world.tenant).await?.differences, []);
    let corrected = totals(&world).await?.context("subscribers are told")?;
    assert_eq!((corrected.totals["delivered"], corrected.totals["sent"]), (2, 1));
    let others = "select sum(value)::bigint from millrace.totals
                  where name in ('opt_outs', 'clicked')";
    assert_eq!(world.number(others).await?, 10);
    assert!(corrected.version > version);
    Ok(())
}

#[tokio::test]
async fn an_audience_is_counted_when_it_is_fixed_and_once_whatever_else_tells_of_it()
-> anyhow::Result<()> {
    let world = TestWorld::start().await?;
    let rollup = rollup(&world).await?;
    let event = |kind, version| {
        let data = CampaignData { campaign: CAMPAIGN, audience: 1_840 };
        Event::new(kind, &world.tenant, CAMPAIGN.0, version, now(), &data)
    };

    hand_over(&rollup, now(), vec![event(EventKind::CampaignAudienceFixed, 3)]).await?;
    let running = totals(&world).await?.context("totals")?;
    assert_eq!((running.totals["audience"], running.watermark), (1_840, 1));

    let later = [(EventKind::CampaignStopped, 4), (EventKind::CampaignCompleted, 5)];
    let later = later.map(|(kind, version)| event(kind, version)).to_vec();
    hand_over(&rollup, now(), later).await?;
    assert_eq!(totals(&world).await?, None, "nothing is new");
    Ok(())
}

#[tokio::test]
async fn the_times_of_a_series_add_up_to_what_came() -> anyhow::Result<()> {
    let world = TestWorld::start().await?;
    history(&world).await?;
    // Two hours later the carrier tells of one more.
    world.run("update millrace.messages set changed_at = changed_at + interval '2 hours'").await?;
    change(&world, &[4], &format!("state = {}", S::Delivered.code())).await?;
    for part in told(&world, 0).await?.chunks(4) {
        hand_over(&rollup(&world).await?, now(), part.to_vec()).await?;
    }

    let scope = Scope::Campaign(CAMPAIGN.0);
    let span = (now() - SignedDuration::from_secs(59), now() + SignedDuration::from_hours(3));
    let mut tx = world.scoped().await?;
    for grain in Grain::ALL {
        let points = timed::series(&mut tx, &world.tenant, &scope, grain, span).await?;
        let starts: Vec<Timestamp> = points.iter().map(|point| point.starts_at).collect();
        let mut expected = vec![now(), now() + SignedDuration::from_hours(2)];
        if grain == Grain::Day {
            expected = vec![grain.start_of(now())];
        }
        assert_eq!(starts, expected, "{grain:?}");

        let sum =
            |name: &str| points.iter().filter_map(|point| point.counts.get(name)).sum::<i64>();
        assert_eq!((sum("accepted"), sum("queued"), sum("sent")), (7, 4, 4), "one came twice");
        assert_eq!((sum("delivered"), sum("failed"), sum("blocked.dnc")), (3, 1, 1));
        assert_eq!((sum("segments"), sum("released")), (8, 1));
    }
    Ok(())
}
