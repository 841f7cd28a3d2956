//! Cancels around the decision: what was reserved goes back, what was parked stays away, and a
//! later delivery says nothing.

use domain::message::{class::MessageClass, passport::Stamp};
use store::{
    Role, Store,
    messages::cancel::{self, CancelOutcome},
};
use testkit::hand_over;
use wire::Enriched;

use crate::world::{World, kinds, now};

async fn cancel(store: &Store, message: &Enriched) -> anyhow::Result<bool> {
    let stamp = Stamp::plain("api", now(), "cancel");
    let head = &message.head;
    let outcome = cancel::cancel(store, &head.tenant, head.id, now(), &stamp).await?;
    Ok(matches!(outcome, Some(CancelOutcome::Cancelled(_))))
}

#[tokio::test]
async fn a_cancel_after_the_admission_gives_everything_back() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550100", 1_000).await?;
    let (stage, api) = (world.stage().await?, world.database.store(Role::Api).await?);

    let messages = world.messages(MessageClass::Promo, &[sender], 200..203).await?;
    assert_eq!(kinds(hand_over(&stage, now(), messages.clone()).await?), [("admitted".into(), 3)]);

    assert!(cancel(&api, &messages[0]).await?);
    assert!(!cancel(&api, &messages[0]).await?, "once");

    for kind in ["quota_minute", "quota_hour", "quota_day", "sender_day"] {
        assert_eq!(world.counted(kind).await?, 2, "{kind}");
    }
    assert_eq!(world.counted("spend_day").await?, 2 * crate::world::COST);

    let marketed = "select count(*) from millrace.standings
                    where marketing_at <> '{}' or last_promo_at is not null";
    assert_eq!(world.number(marketed).await?, 2);
    assert_eq!(
        kinds(hand_over(&world.stage().await?, now(), messages).await?),
        [("admitted".into(), 2)],
        "delivered again, it says nothing"
    );

    assert_eq!(world.counted("quota_day").await?, 2);
    Ok(())
}

#[tokio::test]
async fn what_waits_of_a_campaign_that_is_stopped_ends_as_cancelled() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550100", 1_000).await?;
    let campaign = domain::ids::CampaignId(uuid::Uuid::from_u128(7));
    world
        .run(&format!(
            "insert into millrace.switches (tenant_id, scope, target, mode, reason, changed_at)
             values ('acme', 'campaign', '{campaign}', 'stopped', '', now())"
        ))
        .await?;
    let mut message = world.message(MessageClass::Promo, &[sender], 200, 200);
    message.head.campaign = Some(campaign);
    world.store(std::slice::from_ref(&message)).await?;

    for _ in 0..2 {
        let said = hand_over(&world.stage().await?, now(), vec![message.clone()]).await?;
        assert_eq!(kinds(said), [("cancelled".into(), 1)], "again, when it is delivered again");
    }
    let row = "select count(*) from millrace.messages
               where (state, gate, code) = (11, 'kill_switch', 'campaign_stopped')";
    assert_eq!(world.number(row).await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_cancel_of_what_waits_takes_its_parked_row_along() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550100", 1_000).await?;
    let (stage, api) = (world.stage().await?, world.database.store(Role::Api).await?);

    let night = "2026-03-03T03:00:00Z".parse()?;
    let deferred = world.messages(MessageClass::Promo, &[sender], 200..202).await?;
    assert_eq!(kinds(hand_over(&stage, night, deferred.clone()).await?), [("deferred".into(), 2)]);

    world
        .run(
            "insert into millrace.switches (tenant_id, scope, target, mode, reason, changed_at)
             values ('acme', 'tenant', '', 'paused', '', now())",
        )
        .await?;
    let held = world.messages(MessageClass::Promo, &[sender], 300..302).await?;
    assert_eq!(kinds(hand_over(&stage, now(), held.clone()).await?), [("held".into(), 2)]);
    assert_eq!(world.number("select count(*) from millrace.parked").await?, 4);

    for message in [&deferred[0], &held[0]] {
        assert!(cancel(&api, message).await?);
    }
    assert_eq!(world.number("select count(*) from millrace.parked").await?, 2);

    let again = [deferred, held].concat();
    assert_eq!(
        kinds(hand_over(&world.stage().await?, now(), again).await?),
        [("deferred".into(), 1), ("held".into(), 1)],
        "what was cancelled says nothing"
    );

    assert_eq!(world.number("select count(*) from millrace.parked").await?, 2);
    Ok(())
}

/// Gate and cancel meet at rows that no gate has decided yet, in every order.
#[tokio::test]
async fn a_cancel_that_races_with_the_gates_leaves_nothing_reserved() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550100", 1_000).await?;
    let (stage, api) = (world.stage().await?, world.database.store(Role::Api).await?);

    let messages = world.messages(MessageClass::Promo, &[sender], 200..300).await?;

    let deciding = async {
        let mut outcomes = Vec::new();
        for batch in messages.chunks(10) {
            outcomes.extend(hand_over(&stage, now(), batch.to_vec()).await?);
        }
        anyhow::Ok(outcomes)
    };
    let cancelling = async {
        for message in &messages {
            anyhow::ensure!(cancel(&api, message).await?, "nothing has been claimed");
        }
        Ok(())
    };

    let (decided, cancelled) = tokio::join!(deciding, cancelling);
    cancelled?;
    decided?;

    for kind in ["quota_minute", "quota_hour", "quota_day", "sender_day", "spend_day"] {
        assert_eq!(world.counted(kind).await?, 0, "{kind}");
    }
    let cancelled = "select count(*) from millrace.messages where state = 11";
    assert_eq!(world.number(cancelled).await?, 100);
    let marketed = "select count(*) from millrace.standings
                    where marketing_at <> '{}' or last_promo_at is not null";
    assert_eq!(world.number(marketed).await?, 0);
    Ok(())
}
