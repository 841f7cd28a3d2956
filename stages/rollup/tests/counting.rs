//! Totals on a real database: the same numbers however the events come.

use domain::{
    gates::Gate,
    ids::{CampaignId, ContactId, MessageId, TenantId},
    message::{class::MessageClass, state::MessageState},
    money::Micros,
};
use jiff::Timestamp;
use rollup::{RollupStage, TotalsPublisher};
use stage::{Cx, Source};
use store::Role;
use testkit::{Database, hand_over};
use uuid::Uuid;
use wire::{Event, EventKind, event::MessageData, totals::Totals};

const CAMPAIGN: CampaignId = CampaignId(Uuid::from_u128(7));

/// The event of version `version` of message `n`, which a campaign sent.
fn event(tenant: &TenantId, n: u128, version: i64, state: MessageState, kind: EventKind) -> Event {
    let id = Uuid::from_u128(n);
    let blocked = state == MessageState::Blocked;
    let data = MessageData {
        message: MessageId(id),
        state,
        turn: 1,
        class: MessageClass::Promo,
        contact: ContactId(id),
        campaign: Some(CAMPAIGN),
        sender: None,
        segments: 2,
        cost: Micros(15_800),
        gate: blocked.then_some(Gate::Dnc),
        code: None,
        until: None,
    };
    let happened_at = Timestamp::from_second(1_000 + version).expect("in range");
    Event::new(kind, tenant, id, version, happened_at, &data)
}

/// Two messages delivered, one failed, one blocked, one still at the carrier.
fn history(tenant: &TenantId) -> Vec<Event> {
    use EventKind as K;
    use MessageState as S;

    let mut events = Vec::new();
    for n in 1..=5 {
        events.push(event(tenant, n, 1, S::Accepted, K::MessageAccepted));
    }
    for n in 1..=4 {
        events.push(event(tenant, n, 3, S::Sent, K::MessageSent));
    }
    events.push(event(tenant, 1, 4, S::Delivered, K::MessageDelivered));
    events.push(event(tenant, 2, 4, S::Delivered, K::MessageDelivered));
    events.push(event(tenant, 3, 4, S::Failed, K::MessageFailed));
    events.push(event(tenant, 5, 2, S::Blocked, K::MessageBlocked));
    events
}

/// The campaign's totals after these batches.
async fn totals_after(batches: Vec<Vec<Event>>, database: &Database) -> anyhow::Result<Totals> {
    let store = database.store(Role::Pipeline).await?;
    let rollup = RollupStage::new(store.clone());

    for batch in batches {
        hand_over(&rollup, Timestamp::UNIX_EPOCH, batch).await?;
    }

    let cx = Cx::at(Timestamp::UNIX_EPOCH, machine_now());
    let tick = TotalsPublisher::new(store).tick(&cx).await?;

    let campaign = tick.say.iter().find(|out| out.subject.to_string().contains(".campaign."));
    Ok(serde_json::from_slice(&campaign.expect("the campaign's totals").json)?)
}

/// Machine time of the tests.
fn machine_now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).expect("in range")
}

/// Whether totals are those of the history.
fn assert_counted(totals: &Totals) {
    let count = |name: &str| totals.totals.get(name).copied().unwrap_or_default();
    assert_eq!(count("delivered"), 2);
    assert_eq!(count("failed"), 1);
    assert_eq!(count("sent"), 1);
    assert_eq!(count("blocked"), 1);
    assert_eq!(count("blocked.dnc"), 1);
    assert_eq!(count("accepted"), 0);
    assert_eq!(count("segments"), 8, "a blocked message takes no segments");
    assert_eq!(count("cost_micros"), 4 * 15_800);
    assert_eq!(totals.id, Some(CAMPAIGN.0));
    assert_eq!(totals.as_of, Timestamp::from_second(1_004).expect("in range"));
}

#[tokio::test]
async fn events_in_one_batch_are_counted_once_each() -> anyhow::Result<()> {
    let database = Database::start().await?;
    let tenant = database.tenant("acme").await?;
    assert_counted(&totals_after(vec![history(&tenant)], &database).await?);
    Ok(())
}

#[tokio::test]
async fn repeated_reversed_and_recut_events_give_the_same_totals() -> anyhow::Result<()> {
    let database = Database::start().await?;
    let tenant = database.tenant("acme").await?;

    let mut reversed = history(&tenant);
    reversed.reverse();
    let cut: Vec<Vec<Event>> = history(&tenant).chunks(3).map(<[Event]>::to_vec).collect();
    let batches = [vec![reversed], cut, vec![history(&tenant)]].concat();

    assert_counted(&totals_after(batches, &database).await?);
    Ok(())
}

#[tokio::test]
async fn two_workers_with_the_same_events_count_them_once() -> anyhow::Result<()> {
    let database = Database::start().await?;
    let tenant = database.tenant("acme").await?;
    let store = database.store(Role::Pipeline).await?;
    let (one, two) = (RollupStage::new(store.clone()), RollupStage::new(store));

    let (first, second) = tokio::join!(
        hand_over(&one, Timestamp::UNIX_EPOCH, history(&tenant)),
        hand_over(&two, Timestamp::UNIX_EPOCH, history(&tenant)),
    );
    first?;
    second?;

    assert_counted(&totals_after(Vec::new(), &database).await?);
    Ok(())
}

#[tokio::test]
async fn published_totals_are_not_published_again_until_they_change() -> anyhow::Result<()> {
    let database = Database::start().await?;
    let tenant = database.tenant("acme").await?;
    let store = database.store(Role::Pipeline).await?;
    let rollup = RollupStage::new(store.clone());
    hand_over(&rollup, Timestamp::UNIX_EPOCH, history(&tenant)).await?;

    let publish = TotalsPublisher::new(store);
    let cx = Cx::at(Timestamp::UNIX_EPOCH, machine_now());
    let tick = publish.tick(&cx).await?;
    assert_eq!(tick.say.len(), 2, "the dashboard and the campaign");
    tick.published.expect("a mark").await?;

    assert!(publish.tick(&cx).await?.say.is_empty());

    hand_over(&rollup, Timestamp::UNIX_EPOCH, history(&tenant)).await?;
    assert_eq!(publish.tick(&cx).await?.say.len(), 0, "a repeat changes nothing");
    Ok(())
}

#[tokio::test]
async fn a_cancelled_message_moves_from_where_it_stood_and_late_events_move_it_nowhere()
-> anyhow::Result<()> {
    use EventKind as K;
    use MessageState as S;

    let database = Database::start().await?;
    let tenant = database.tenant("acme").await?;

    let says = |n, version, state, kind| event(&tenant, n, version, state, kind);
    let batches = vec![
        vec![says(1, 1, S::Accepted, K::MessageAccepted)],
        // Cancelled before the gates, while it waited, and before it was stored; the event of the
        // second comes before what it overtakes.
        vec![says(1, 2, S::Cancelled, K::MessageCancelled)],
        vec![says(2, 3, S::Cancelled, K::MessageCancelled)],
        vec![says(2, 2, S::Deferred, K::MessageDeferred)],
        vec![says(2, 1, S::Accepted, K::MessageAccepted)],
        vec![says(3, 1, S::Cancelled, K::MessageCancelled)],
        vec![says(1, 2, S::Cancelled, K::MessageCancelled)],
    ];

    let totals = totals_after(batches, &database).await?;
    let count = |name: &str| totals.totals.get(name).copied().unwrap_or_default();
    assert_eq!((count("cancelled"), count("accepted"), count("deferred")), (3, 0, 0));
    assert_eq!((count("segments"), count("cost_micros")), (0, 0), "no carrier had them");
    Ok(())
}
