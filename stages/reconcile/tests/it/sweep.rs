//! What the sweep makes of calls whose end nobody said.

use carriers::CarrierReply;
use domain::{
    gates::OnLate,
    message::state::MessageState::{Deferred, Failed, InDoubt, Queued, Sent, Unknown},
};
use serde_json::json;
use store::{Role, messages::in_doubt, parked::release};
use uuid::Uuid;

use crate::{
    calls::{Calls, OWNER, Text, now, text},
    ticks::{ids, tick, tick_without_mark, types},
};

/// Raised doubts of which the api still has to tell.
const RAISED: &str =
    "select count(*) from millrace.unsaid_events where event like '%\"in_doubt.raised\"%'";

#[tokio::test]
async fn a_lost_answer_is_found_in_the_carriers_list_and_never_called_again() -> anyhow::Result<()>
{
    let world = Calls::begin().await?;
    world.doubts(&[text(1)], 1).await?;

    let sweep = world.sweep().await?;
    assert_eq!(tick(&sweep).await?, ["message.sent"]);

    let stored = world.stored(&text(1)).await?;
    let [(_, sid)] = &world.ledger().await?[..] else { panic!("one text") };
    assert_eq!((stored.state, stored.sid.as_ref()), (Sent, Some(sid)));
    assert_eq!((stored.version, stored.code), (4, None));
    assert_eq!(stored.verdicts, ["in_doubt", "sent"]);

    assert_eq!(world.reserved().await?, 1, "what the carrier took is billed");

    assert_eq!(tick(&sweep).await?, [""; 0]);
    assert_eq!(world.number("select count(*) from millrace.doubts").await?, 0);
    assert_eq!(world.number("select count(*) from millrace.parked").await?, 0);
    Ok(())
}

#[tokio::test]
async fn segments_that_the_carrier_counted_correct_what_was_reserved() -> anyhow::Result<()> {
    let world = Calls::begin().await?;
    world.doubts(&[text(1)], 1).await?;
    // Ours were two; the carrier says one.
    world.run("update millrace.messages set segments = 2, cost_micros = 15800").await?;
    world.run("update millrace.counters set used = used + 7900 where kind like 'spend%'").await?;

    assert_eq!(tick(&world.sweep().await?).await?, ["message.sent"]);

    let corrected =
        "select count(*) from millrace.messages where segments = 1 and cost_micros = 7900";
    assert_eq!(world.number(corrected).await?, 1);
    assert_eq!(world.reserved().await?, 1, "every counter holds one message again");
    Ok(())
}

#[tokio::test]
async fn a_tenant_that_never_sends_again_gets_unknown_and_the_reservation_stays()
-> anyhow::Result<()> {
    let world = Calls::begin().await?;
    world.policy(1, json!({ "in_doubt": { "absent": "never" } })).await?;
    world.doubts(&[text(1), text(2)], 1).await?;

    let sweep = world.sweep().await?;
    assert_eq!(tick(&sweep).await?, ["message.sent", "message.unknown"]);

    assert_eq!(world.states(&[text(1), text(2)]).await?, [Sent, Unknown]);
    assert_eq!(world.number("select count(*) from millrace.parked").await?, 0);
    assert_eq!(world.reserved().await?, 2, "it may have been billed");
    assert_eq!(tick(&sweep).await?, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn a_process_that_died_between_claim_and_call_costs_its_messages_one_more_turn()
-> anyhow::Result<()> {
    let world = Calls::begin().await?;
    world.admit(&[text(1)]).await?;
    world.claim(OWNER, 0, &[text(1)]).await?;

    let sweep = world.sweep().await?;
    assert_eq!(tick(&sweep).await?, [""; 0], "until its time is past the claim is its owner's");

    world.age().await?;
    assert_eq!(tick(&sweep).await?, ["message.deferred"]);
    assert_eq!(world.number(RAISED).await?, 1);
    assert_eq!(world.number("select count(*) from millrace.open_claims").await?, 0);

    let stored = world.stored(&text(1)).await?;
    assert_eq!((stored.state, stored.version), (Deferred, 4));
    assert_eq!(stored.verdicts, ["in_doubt", "deferred"]);
    assert_eq!(tick(&sweep).await?, [""; 0]);

    // schedule releases it, the gates admit it, and it is sent once.
    let store = world.database.store(Role::Pipeline).await?;
    let found = release::find(&store, now(), 9, 9, &[]).await?;
    let due = release::release(&store, &found, now()).await?;
    let [row] = &due[..] else { panic!("{} rows are due", due.len()) };
    let (_, again) = row.payload.as_ref().expect("it is sent again");
    assert_eq!((again.head.id, again.head.turn, again.text.as_str()), (text(1).id, 2, "hello 1"));
    assert_eq!(again.place.states, ["IL"], "where the person may be is looked up again");
    assert_eq!((again.senders.len(), again.passport.stamps().len()), (1, 2));
    release::released(&store, &due).await?;
    assert!(matches!(world.call(&text(1)).await, CarrierReply::Accepted { .. }));
    assert_eq!(world.ledger().await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn what_is_to_become_of_a_late_message_outlives_the_process_that_died() -> anyhow::Result<()>
{
    let world = Calls::begin().await?;
    world.admit(&[text(1)]).await?;
    world.run("update millrace.messages set on_late = 'drop'").await?;
    world.claim(OWNER, 0, &[text(1)]).await?;
    world.age().await?;

    assert_eq!(tick(&world.sweep().await?).await?, ["message.deferred"]);

    let store = world.database.store(Role::Pipeline).await?;
    let found = release::find(&store, now(), 9, 9, &[]).await?;
    let due = release::release(&store, &found, now()).await?;
    let (_, again) = due[0].payload.as_ref().expect("it is sent again");
    assert_eq!(again.head.on_late, Some(OnLate::Drop));
    Ok(())
}

#[tokio::test]
async fn what_send_had_in_hand_goes_back_to_the_gates_as_it_was() -> anyhow::Result<()> {
    let world = Calls::begin().await?;
    world.doubts(&[text(1)], 0).await?;

    assert_eq!(tick(&world.sweep().await?).await?, ["message.deferred"]);

    let store = world.database.store(Role::Pipeline).await?;
    let found = release::find(&store, now(), 9, 9, &[]).await?;
    let due = release::release(&store, &found, now()).await?;
    let (_, again) = due[0].payload.as_ref().expect("it is sent again");
    assert_eq!((again.senders.len(), again.head.trace.is_some()), (2, true));

    let verdicts: Vec<&str> =
        again.passport.stamps().iter().map(|stamp| stamp.verdict.as_str()).collect();
    assert_eq!(verdicts, ["in_doubt", "deferred"]);
    Ok(())
}

#[tokio::test]
async fn a_carrier_whose_list_cannot_be_read_resolves_nothing() -> anyhow::Result<()> {
    let world = Calls::begin().await?;
    world.doubts(&[text(1), text(2)], 1).await?;
    let outage = json!({ "from": "2000-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z" });

    let sweep = world.sweep().await?;
    for status in [503, 429, 401] {
        let mut outage = outage.clone();
        outage["status"] = status.into();
        world.faults(json!({ "account_outage": outage })).await?;
        assert_eq!(tick(&sweep).await?, [""; 0], "{status}");
        assert_eq!(world.states(&[text(1), text(2)]).await?, [InDoubt, InDoubt], "{status}");
        let later = "select count(*) from millrace.doubts where next_look > clock_timestamp()";
        assert_eq!(world.number(later).await?, 2, "{status}: they are looked at later");
        world.age().await?;
    }

    assert_eq!(world.number("select min(looks)::bigint from millrace.doubts").await?, 3);
    world.faults(json!({})).await?;
    assert_eq!(tick(&sweep).await?, ["message.deferred", "message.sent"]);
    Ok(())
}

#[tokio::test]
async fn absence_is_not_believed_before_the_list_lag_is_over() -> anyhow::Result<()> {
    let world = Calls::begin().await?;
    world.doubts(&[text(1)], 0).await?;
    // Called 35 seconds ago: ten for the call, thirty for the list.
    world
        .run(
            "update millrace.messages set call_by = clock_timestamp() - interval '35 seconds';
             update millrace.doubts set next_look = clock_timestamp()",
        )
        .await?;

    let sweep = world.sweep().await?;
    assert_eq!(tick(&sweep).await?, [""; 0]);
    assert_eq!(world.states(&[text(1)]).await?, [InDoubt]);
    let soon = "select count(*) from millrace.doubts
                where next_look - clock_timestamp() between interval '2 s' and interval '5 s'";
    assert_eq!(world.number(soon).await?, 1);
    Ok(())
}

#[tokio::test]
async fn two_sweeps_at_once_resolve_each_doubt_once() -> anyhow::Result<()> {
    let world = Calls::begin().await?;
    let texts: Vec<Text> = (1..=20).map(text).collect();
    world.doubts(&texts, 12).await?;
    world.admit(&[text(21)]).await?;
    world.claim(Uuid::from_u128(1), 0, &[text(21)]).await?;
    world.age().await?;

    let (one, other) = (world.sweep().await?, world.sweep().await?);
    let (first, second) = tokio::join!(tick(&one), tick(&other));
    let (first, second) = (first?, second?);

    let said = |what: &str| first.iter().chain(&second).filter(|said| *said == what).count();
    assert_eq!((said("message.sent"), said("message.deferred")), (12, 9));

    assert_eq!(world.number(RAISED).await?, 1);
    let versions = "select count(*) from millrace.messages where version <> 4";
    assert_eq!(world.number(versions).await?, 0, "raised once and resolved once, each of them");
    assert_eq!(world.number("select count(*) from millrace.taken_sids").await?, 12);
    assert_eq!(world.number("select count(*) from millrace.doubts").await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_sweep_that_died_before_its_mark_is_repeated_with_the_same_events() -> anyhow::Result<()>
{
    let world = Calls::begin().await?;
    world.doubts(&[text(1), text(2)], 1).await?;
    world.admit(&[text(3)]).await?;
    world.claim(Uuid::from_u128(1), 0, &[text(3)]).await?;

    // Only the third claim is past its time, and it is too young for a look.
    world
        .run(
            "update millrace.messages set call_by = call_by - interval '12 s' where state = 3;
             update millrace.open_claims set call_by = call_by - interval '12 s'",
        )
        .await?;

    let first = tick_without_mark(&world.sweep().await?).await?;
    assert_eq!(types(&first.say), ["message.deferred", "message.sent"]);
    assert_eq!(world.number(RAISED).await?, 1, "owed with the raise, whatever dies now");

    world.run("update millrace.doubts set next_look = clock_timestamp() where looks = 0").await?;
    let sweep = world.sweep().await?;
    let second = tick_without_mark(&sweep).await?;
    assert_eq!(ids(&first.say), ids(&second.say));
    second.published.expect("there is something to mark").await?;

    world.run("update millrace.doubts set next_look = clock_timestamp()").await?;
    assert_eq!(tick(&sweep).await?, [""; 0]);
    assert_eq!(world.states(&[text(1), text(2), text(3)]).await?, [Sent, Deferred, InDoubt]);
    assert_eq!(world.number("select max(version) from millrace.messages").await?, 4);
    Ok(())
}

#[tokio::test]
async fn a_claim_that_was_given_up_or_made_anew_is_left_alone() -> anyhow::Result<()> {
    let world = Calls::begin().await?;
    let texts = [text(1), text(2)];
    world.admit(&texts).await?;
    world.claim(OWNER, 0, &texts).await?;
    world.age().await?;

    let given_up = "update millrace.messages set claim_owner = null, call_by = null";
    world.run(given_up).await?;
    let other = Uuid::from_u128(0xb0b);
    world.claim(other, 0, &texts[..1]).await?;

    let sweep = world.sweep().await?;
    assert_eq!(tick(&sweep).await?, [""; 0]);
    assert_eq!(world.states(&texts).await?, [Queued, Queued]);
    let left = "select count(*) from millrace.open_claims";
    assert_eq!(world.number(left).await?, 1, "the new claim may still dangle");

    world.age().await?;
    assert_eq!(tick(&sweep).await?, ["message.deferred"]);
    assert_eq!(world.states(&texts).await?, [Deferred, Queued]);
    Ok(())
}

#[tokio::test]
async fn a_claim_whose_row_somebody_holds_is_raised_when_it_is_free() -> anyhow::Result<()> {
    let world = Calls::begin().await?;
    world.admit(&[text(1)]).await?;
    world.claim(OWNER, 0, &[text(1)]).await?;
    world.age().await?;

    let mut frozen = world.database.superuser().await?;
    sqlx::raw_sql("begin; select from millrace.messages for update").execute(&mut frozen).await?;

    let sweep = world.sweep().await?;
    assert_eq!(tick(&sweep).await?, [""; 0]);

    sqlx::raw_sql("rollback").execute(&mut frozen).await?;
    assert_eq!(tick(&sweep).await?, ["message.deferred"]);
    Ok(())
}

#[tokio::test]
async fn a_message_that_no_call_ever_sends_fails_in_the_end() -> anyhow::Result<()> {
    let world = Calls::begin().await?;
    world.doubts(&[text(1)], 0).await?;
    world.run("update millrace.messages set attempt = 20").await?;

    assert_eq!(tick(&world.sweep().await?).await?, ["message.failed"]);

    let stored = world.stored(&text(1)).await?;
    assert_eq!((stored.state, stored.code.as_deref()), (Failed, Some("given_up")));
    assert_eq!(world.reserved().await?, 0);
    Ok(())
}

#[tokio::test]
async fn under_a_policy_that_cannot_be_read_an_absent_text_stays_in_doubt() -> anyhow::Result<()> {
    let world = Calls::begin().await?;
    world.policy(1, json!({ "x": 1 })).await?;
    world.doubts(&[text(1), text(2)], 1).await?;

    assert_eq!(tick(&world.sweep().await?).await?, ["message.sent"]);
    assert_eq!(world.states(&[text(1), text(2)]).await?, [Sent, InDoubt]);
    Ok(())
}

#[tokio::test]
async fn the_list_of_doubts_shows_those_that_are_open_page_by_page() -> anyhow::Result<()> {
    let world = Calls::begin().await?;
    let texts: Vec<Text> = (1..=3).map(text).collect();
    world.doubts(&texts, 0).await?;
    world.run("update millrace.messages set state = 20 where body = 'hello 2'").await?;

    let mut tx = world.scoped().await?;
    let first = in_doubt::list(&mut tx, &world.tenant, Uuid::nil(), 1).await?;
    let rest = in_doubt::list(&mut tx, &world.tenant, first[0].message.0, 9).await?;

    let listed: Vec<_> = first.iter().chain(&rest).map(|doubt| doubt.message).collect();
    assert_eq!(listed, [text(1).id, text(3).id]);
    assert_eq!((first[0].account.as_str(), first[0].attempt, first[0].since), ("main", 1, now()));
    assert_eq!(first[0].code.as_deref(), Some("connection_broken"));
    Ok(())
}
