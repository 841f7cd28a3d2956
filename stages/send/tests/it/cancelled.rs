//! Cancels that come after the gates: withdrawn or sent, never both, and nothing stays reserved for
//! what was withdrawn.

use domain::message::{passport::Stamp, state::MessageState};
use serde_json::json;
use stage::Outcome;
use store::{
    Role, Store,
    messages::cancel::{self, CancelOutcome as Cancel},
};
use testkit::{hand_over, in_words};
use wire::Admitted;

use crate::{
    outcomes::settle,
    world::{World, now},
};

async fn cancel(store: &Store, message: &Admitted) -> anyhow::Result<Cancel> {
    let head = &message.message.head;
    let stamp = Stamp::plain("api", now(), "cancel");
    let outcome = cancel::cancel(store, &head.tenant, head.id, now(), &stamp).await?;
    outcome.ok_or_else(|| anyhow::anyhow!("it has a row"))
}

#[tokio::test]
async fn a_message_cancelled_after_its_admission_is_not_called_and_says_nothing()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550001", 1_000).await?;
    let messages = world.admit(sender, 3).await?;

    let api = world.database.store(Role::Api).await?;
    assert!(matches!(cancel(&api, &messages[0]).await?, Cancel::Cancelled(_)));
    assert_eq!(world.reserved(sender).await?, 2, "its reservation was given back");

    let marketed = "select count(*) from millrace.standings where marketing_at <> '{}'";
    assert_eq!(world.number(marketed).await?, 2, "it no longer counts as sent to the person");

    let stage = world.stage().await?;
    for _ in 0..2 {
        let outcomes = hand_over(&stage, now(), messages.clone()).await?;
        let said: Vec<_> = outcomes.iter().map(in_words).collect();
        assert_eq!(said, [vec![], vec!["message.sent".to_owned()], vec!["message.sent".into()]]);
    }

    assert_eq!(world.accepted_once().await?, 2);
    let states = [(MessageState::Cancelled, 1), (MessageState::Sent, 2)];
    assert_eq!(world.states().await?, states);

    assert!(matches!(
        cancel(&api, &messages[1]).await?,
        Cancel::TooLate { state: MessageState::Sent, .. }
    ));
    Ok(())
}

/// What is put in line has left its sender's meter: a cancel takes nothing out of it a second time.
#[tokio::test]
async fn what_was_put_in_line_and_is_cancelled_leaves_the_meter_once() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550001", 1).await?;
    let messages = world.admit(sender, 8).await?;
    let metered = "select coalesce(sum(used), 0)::bigint from millrace.counters
                   where kind like 'admitted_%'";
    let admitted = world.number(metered).await?;

    hand_over(&world.stage().await?, now(), messages.clone()).await?;
    let in_line = world.number("select count(*) from millrace.parked").await?;
    assert!(in_line > 0);
    assert_eq!(world.number(metered).await?, admitted - in_line);

    let api = world.database.store(Role::Api).await?;
    assert!(matches!(cancel(&api, &messages[7]).await?, Cancel::Cancelled(_)));
    assert_eq!(world.number(metered).await?, admitted - in_line);
    Ok(())
}

/// The claim and the cancel meet at the row: whoever comes second sees the first.
#[tokio::test]
async fn cancels_that_race_with_the_calls_withdraw_exactly_what_is_not_sent() -> anyhow::Result<()>
{
    let world = World::begin().await?;
    let sender = world.sender("+12125550001", 10_000).await?;
    let messages = world.admit(sender, 300).await?;
    world.faults(json!({ "latency_ms": [1, 5] })).await?;

    let api = world.database.store(Role::Api).await?;
    let stage = world.stage().await?;

    let cancelling = async {
        let mut withdrawn = 0_i64;
        // The other way round, so that the two meet.
        for message in messages.iter().rev() {
            withdrawn += i64::from(matches!(cancel(&api, message).await?, Cancel::Cancelled(_)));
        }
        anyhow::Ok(withdrawn)
    };

    let (outcomes, withdrawn) = tokio::join!(settle(&stage, &messages), cancelling);
    let (outcomes, withdrawn) = (outcomes?, withdrawn?);
    assert!((1..300).contains(&withdrawn), "{withdrawn} withdrawn: they did not meet");

    let states = [(MessageState::Cancelled, withdrawn), (MessageState::Sent, 300 - withdrawn)];
    assert_eq!(world.states().await?, states);
    assert_eq!(i64::try_from(world.accepted_once().await?)?, 300 - withdrawn);
    assert_eq!(world.reserved(sender).await?, 300 - withdrawn);

    let silent = outcomes.iter().filter(|one| matches!(one, Outcome::Emit(say) if say.is_empty()));
    assert_eq!(i64::try_from(silent.count())?, withdrawn);
    Ok(())
}
