//! Which message a text at the carrier belongs to: among equal ones, when a callback comes while
//! the list is asked, and when the answer to the call is heard late.

use carriers::CarrierReply;
use domain::message::{
    passport::{Passport, Stamp},
    state::MessageState::{Deferred, Delivered, InDoubt, Queued, Sent},
};
use reconcile::ReceiptStage;
use store::messages::sent::{self, Taken};
use testkit::hand_over;
use uuid::Uuid;

use crate::{
    calls::{Calls, OWNER, Text, equal, now, text},
    ticks::tick,
    world::said,
};

#[tokio::test]
async fn of_five_equal_texts_of_which_the_carrier_has_three_three_are_sent_and_two_go_again()
-> anyhow::Result<()> {
    let world = Calls::begin().await?;
    let texts: Vec<Text> = (1..=5).map(|n| equal(n, 1)).collect();
    world.doubts(&texts, 3).await?;

    let said = tick(&world.sweep().await?).await?;
    let (deferred, sent) = ("message.deferred", "message.sent");
    assert_eq!(said, [deferred, deferred, sent, sent, sent]);

    let mut states = world.states(&texts).await?;
    states.sort_unstable_by_key(|state| state.code());
    assert_eq!(states, [Deferred, Deferred, Sent, Sent, Sent]);

    let sids = "select count(distinct carrier_sid) from millrace.messages where state = 20";
    assert_eq!(world.number(sids).await?, 3, "each text was given once");
    let due = "select count(*) from millrace.parked p join millrace.messages m \
               using (tenant_id, message_id, turn) where m.state = 1 and p.due = m.due";
    assert_eq!(world.number(due).await?, 2);

    assert_eq!(world.reserved().await?, 3, "a parked message reserves nothing");
    Ok(())
}

#[tokio::test]
async fn a_callback_that_comes_while_the_sweep_looks_wins() -> anyhow::Result<()> {
    let world = Calls::begin().await?;
    world.doubts(&[text(1)], 1).await?;
    let sid = world.ledger().await?[0].1.clone();

    let mut holder = world.database.superuser().await?;
    sqlx::raw_sql("begin; select from millrace.messages for update").execute(&mut holder).await?;

    let stage = ReceiptStage::new(world.pipeline().await?);
    let receipt = hand_over(&stage, now(), vec![world.receipt(text(1).id, &sid, "delivered")]);

    let sweep = world.sweep().await?;
    let looks = async {
        world.waiting(1).await?;
        tick(&sweep).await
    };
    let let_go = async {
        world.waiting(2).await?;
        sqlx::raw_sql("rollback").execute(&mut holder).await?;
        anyhow::Ok(())
    };

    let (receipt, looks, gone) = tokio::join!(receipt, looks, let_go);
    gone?;

    assert_eq!((said(&receipt?), looks?.len()), (vec!["message.delivered".to_owned()], 0));

    let stored = world.stored(&text(1)).await?;
    assert_eq!((stored.state, stored.version, stored.sid), (Delivered, 4, Some(sid)));
    assert_eq!(world.number("select count(*) from millrace.taken_sids").await?, 0);
    assert_eq!(world.number("select count(*) from millrace.doubts").await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_text_that_another_message_is_known_by_is_not_taken() -> anyhow::Result<()> {
    let world = Calls::begin().await?;
    let (recorded, doubtful) = (equal(1, 1), equal(2, 1));
    world.admit(std::slice::from_ref(&recorded)).await?;
    world.claim(Uuid::from_u128(1), 0, std::slice::from_ref(&recorded)).await?;
    let CarrierReply::Accepted { sid, .. } = world.call(&recorded).await else { panic!("taken") };

    let sweep = world.sweep().await?;
    world.doubts(std::slice::from_ref(&doubtful), 0).await?;

    // Its call may be under way still: the text could be of either.
    world.run("update millrace.messages set call_by = clock_timestamp() where state = 3").await?;
    world.run("delete from millrace.open_claims").await?;
    assert_eq!(tick(&sweep).await?, [""; 0]);
    assert_eq!(world.states(&[recorded.clone(), doubtful.clone()]).await?, [Queued, InDoubt]);

    let mut tx = world.scoped().await?;
    let taken = Taken {
        tenant: &world.tenant,
        message: recorded.id,
        attempt: 1,
        sid: &sid,
        billed: None,
        passport: &Passport::default(),
        stamp: &Stamp::plain("send", now(), "sent"),
    };
    sent::sent(&mut tx, Uuid::from_u128(1), now(), &[taken]).await?;
    tx.commit().await?;

    world.age().await?;
    assert_eq!(tick(&sweep).await?, ["message.deferred"]);
    assert_eq!(world.states(&[recorded, doubtful]).await?, [Sent, Deferred]);
    Ok(())
}

#[tokio::test]
async fn what_the_carrier_says_about_a_text_that_was_given_away_is_about_whoever_has_it()
-> anyhow::Result<()> {
    let world = Calls::begin().await?;
    let texts = [equal(1, 1), equal(2, 1)];
    world.doubts(&texts, 1).await?;

    tick(&world.sweep().await?).await?;
    let states = world.states(&texts).await?;

    let has = usize::from(states[0] != Sent);
    let (taker, other) = (&texts[has], &texts[1 - has]);
    assert_eq!(world.states(&[taker.clone(), other.clone()]).await?, [Sent, Deferred]);

    // The carrier was told the name of the one that has not got it.
    let sid = world.ledger().await?[0].1.clone();
    let stage = ReceiptStage::new(world.pipeline().await?);
    for _ in 0..2 {
        let receipts = vec![world.receipt(other.id, &sid, "delivered")];
        let outcomes = hand_over(&stage, now(), receipts).await?;
        assert_eq!(said(&outcomes), ["message.delivered"]);
    }

    assert_eq!(world.states(&[taker.clone(), other.clone()]).await?, [Delivered, Deferred]);
    let waits = "select count(*) from millrace.parked";
    assert_eq!(world.number(waits).await?, 1, "the other one is still to be sent");
    Ok(())
}

#[tokio::test]
async fn a_callback_ends_a_doubt_and_the_sweep_has_nothing_left_to_do() -> anyhow::Result<()> {
    let world = Calls::begin().await?;
    world.doubts(&[text(1)], 1).await?;

    let sid = world.ledger().await?[0].1.clone();
    let stage = ReceiptStage::new(world.pipeline().await?);
    hand_over(&stage, now(), vec![world.receipt(text(1).id, &sid, "sent")]).await?;

    assert_eq!(world.number("select count(*) from millrace.doubts").await?, 0);
    assert_eq!(tick(&world.sweep().await?).await?, [""; 0]);
    assert_eq!(world.stored(&text(1)).await?.version, 4);
    Ok(())
}

#[tokio::test]
async fn an_answer_that_is_heard_late_ends_the_doubt_and_the_sweep_only_tidies_up()
-> anyhow::Result<()> {
    let world = Calls::begin().await?;
    world.doubts(&[text(1)], 1).await?;
    let sid = world.ledger().await?[0].1.clone();

    let mut tx = world.scoped().await?;
    let taken = Taken {
        tenant: &world.tenant,
        message: text(1).id,
        attempt: 1,
        sid: &sid,
        billed: None,
        passport: &Passport::default(),
        stamp: &Stamp::plain("send", now(), "sent"),
    };
    sent::sent(&mut tx, OWNER, now(), &[taken]).await?;
    tx.commit().await?;

    assert_eq!(tick(&world.sweep().await?).await?, [""; 0]);
    assert_eq!(world.number("select count(*) from millrace.doubts").await?, 0);
    let stored = world.stored(&text(1)).await?;
    assert_eq!((stored.state, stored.code), (Sent, None), "it has no reason any more");
    Ok(())
}
