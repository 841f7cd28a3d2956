//! What dead letters make of messages, however often they come.

use domain::{ids::MessageId, message::state::MessageState};
use stage::{Outcome, StageName};
use testkit::{hand_over, ids};
use uuid::Uuid;

use crate::{
    letters::{Letters, now},
    world::said,
};

const STORED: [StageName; 3] = [StageName::Gate, StageName::Throttle, StageName::Send];

#[tokio::test]
async fn a_message_that_died_ends_as_failed_and_is_announced_again_at_every_repeat()
-> anyhow::Result<()> {
    let world = Letters::begin().await?;
    let message = world.stored(1, MessageState::Accepted).await?;
    let letter = world.letter(StageName::Gate, message, 1);

    let first = world.read(vec![letter.clone()]).await?;
    assert_eq!(said(&first), ["message.failed"]);

    let row = world.row(message).await?;
    assert_eq!((row.state, row.code.as_deref()), (MessageState::Failed, Some("internal")));
    assert_eq!((row.version, row.verdicts.as_slice()), (4, ["failed".to_owned()].as_slice()));

    let again = world.read(vec![letter]).await?;
    assert_eq!(ids(&first), ids(&again));
    assert_eq!(world.row(message).await?, row, "a repeat changes nothing");

    let reason = "select passport -> 0 ->> 'reason' from millrace.messages";
    assert_eq!(world.one(reason).await?, "gate could not handle it: a test");
    Ok(())
}

#[tokio::test]
async fn a_message_that_died_after_its_admission_gives_its_reservation_back() -> anyhow::Result<()>
{
    let world = Letters::begin().await?;
    for (n, stage) in (1..).zip(STORED) {
        let message = world.stored(n, MessageState::Queued).await?;
        world.hold_reservations().await?;
        let outcomes = world.read(vec![world.letter(stage, message, 1)]).await?;
        assert_eq!(said(&outcomes), ["message.failed"], "{stage:?}");

        let spent = "select sum(used)::bigint from millrace.counters where kind = 'spend_month'";
        assert_eq!(world.number(spent).await?, -7_900 * i64::from(n), "{stage:?}");

        world.read(vec![world.letter(stage, message, 1)]).await?;
        assert_eq!(world.number(spent).await?, -7_900 * i64::from(n), "given back once");
    }

    let kept = "select count(*) from millrace.standings where last_promo_at is not null";
    assert_eq!(world.number(kept).await?, 0, "nobody was sent anything");
    let reserved = "select count(*) from millrace.messages where reserved_at is not null";
    assert_eq!(world.number(reserved).await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_message_that_has_moved_on_is_left_alone() -> anyhow::Result<()> {
    let world = Letters::begin().await?;
    let moved = |stage, state| match stage {
        StageName::Gate => !matches!(state, MessageState::Accepted | MessageState::Queued),
        _ => state != MessageState::Queued,
    };

    for (hundred, state) in (1..).zip(MessageState::ALL) {
        for (n, stage) in (100 * hundred..).zip(STORED) {
            let message = world.stored(n, state).await?;
            let before = world.row(message).await?;

            let outcomes = world.read(vec![world.letter(stage, message, 1)]).await?;
            let left = world.row(message).await? == before;
            assert_eq!(left, moved(stage, state), "{stage:?} {state:?}");
            assert_eq!(said(&outcomes).is_empty(), moved(stage, state), "{stage:?} {state:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_message_that_a_carrier_may_have_is_left_alone() -> anyhow::Result<()> {
    let world = Letters::begin().await?;
    let message = world.stored(1, MessageState::Queued).await?;
    world.run("update millrace.messages set claim_owner = message_id, call_by = now()").await?;

    let outcomes = world.read(vec![world.letter(StageName::Send, message, 1)]).await?;
    assert_eq!(said(&outcomes).len(), 0);
    assert_eq!(world.row(message).await?.state, MessageState::Queued);
    Ok(())
}

/// The claim commits between the look and the write: the write waits for the row, and then sees it.
#[tokio::test]
async fn a_claim_that_comes_between_the_look_and_the_write_wins() -> anyhow::Result<()> {
    let world = Letters::begin().await?;
    let message = world.stored(1, MessageState::Queued).await?;

    let claim = "update millrace.messages set claim_owner = message_id, call_by = now()";
    let claiming = world.begin_statement(claim).await?;

    let letter = world.letter(StageName::Send, message, 1);
    let (outcomes, committed) = tokio::join!(world.read(vec![letter]), async {
        world.waiting(1).await?;
        claiming.commit().await?;
        anyhow::Ok(())
    });
    committed?;

    assert_eq!(said(&outcomes?).len(), 0);
    assert_eq!(world.row(message).await?.state, MessageState::Queued);
    Ok(())
}

#[tokio::test]
async fn a_letter_of_an_earlier_or_a_later_turn_says_nothing() -> anyhow::Result<()> {
    let world = Letters::begin().await?;
    let message = world.stored(1, MessageState::Accepted).await?;
    world.run("update millrace.messages set turn = 2").await?;

    for turn in [1, 3] {
        let outcomes = world.read(vec![world.letter(StageName::Gate, message, turn)]).await?;
        assert_eq!(said(&outcomes).len(), 0, "turn {turn}");
    }
    assert_eq!(world.row(message).await?.state, MessageState::Accepted);
    Ok(())
}

#[tokio::test]
async fn a_message_without_a_row_gets_one_without_its_text() -> anyhow::Result<()> {
    let world = Letters::begin().await?;
    let submitted = world.submitted(1, "a secret");
    let letter = world.of_submitted(&submitted);

    let outcomes = world.read(vec![letter.clone()]).await?;
    assert_eq!(said(&outcomes), ["message.failed"]);
    assert_eq!(ids(&outcomes), ids(&world.read(vec![letter]).await?));

    let row = world.row(submitted.head.id).await?;
    assert_eq!((row.state, row.code.as_deref()), (MessageState::Failed, Some("internal")));
    assert_eq!(row.version, 1);

    let same = "select number || ' ' || class || ' ' || (body = '')::text || ' ' || segments
                from millrace.messages";
    assert_eq!(world.one(same).await?, "+12125550001 transactional true 0");
    let hash = "select encode(body_hash, 'hex') from millrace.messages";
    assert_eq!(world.one(hash).await?, submitted.body_hash);

    let whole = "select count(*) from millrace.messages m where m::text like '%secret%'";
    assert_eq!(world.number(whole).await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_message_that_was_withdrawn_before_it_died_is_cancelled() -> anyhow::Result<()> {
    let world = Letters::begin().await?;
    let submitted = world.submitted(1, "hello");
    let store = world.database.store(store::Role::Api).await?;
    store::messages::cancel::mark(&store, &world.tenant, submitted.head.id, now()).await?;

    let letter = world.of_submitted(&submitted);
    let first = world.read(vec![letter.clone()]).await?;
    assert_eq!(said(&first), ["message.cancelled"]);
    assert_eq!(ids(&first), ids(&world.read(vec![letter]).await?), "also when it is said again");
    assert_eq!(world.number("select count(*) from millrace.cancel_marks").await?, 0);
    Ok(())
}

#[tokio::test]
async fn bytes_that_decode_to_no_more_than_an_id_still_end_their_message() -> anyhow::Result<()> {
    let world = Letters::begin().await?;
    let message = MessageId(Uuid::from_u128(5));
    let odd = format!(r#"{{"head": {{"id": "{message}", "tenant": "acme", "to": 5}}}}"#);

    let outcomes = world.read(vec![world.sealed(StageName::Enrich, message, 1, &odd)]).await?;
    assert_eq!(said(&outcomes), ["message.failed"]);
    assert_eq!(world.row(message).await?.state, MessageState::Failed);

    let unsealed = world.letter_that_no_key_opens(MessageId(Uuid::from_u128(6)));
    assert_eq!(said(&world.read(vec![unsealed]).await?), ["message.failed"]);
    Ok(())
}

#[tokio::test]
async fn a_letter_about_a_second_body_leaves_the_first_alone() -> anyhow::Result<()> {
    let world = Letters::begin().await?;
    let submitted = world.submitted(1, "the first");
    let message = world.stored_as(&submitted).await?;

    let second = world.of_submitted(&world.submitted(1, "the second"));
    assert_eq!(said(&world.read(vec![second]).await?).len(), 0);
    assert_eq!(world.row(message).await?.state, MessageState::Accepted);

    let own = world.of_submitted(&submitted);
    assert_eq!(said(&world.read(vec![own]).await?), ["message.failed"]);
    Ok(())
}

#[tokio::test]
async fn a_letter_that_names_no_message_or_no_tenant_of_ours_changes_nothing() -> anyhow::Result<()>
{
    let world = Letters::begin().await?;
    let mut of_event = world.letter(StageName::Rollup, MessageId(Uuid::nil()), 1);
    of_event.message = None;

    let mut foreign = world.of_submitted(&world.submitted(1, "hello"));
    foreign.tenant = "umbrella".parse()?;

    let mut nobody = world.letter(StageName::Enrich, MessageId(Uuid::from_u128(2)), 1);
    nobody.stage = "a-later-stage".into();

    let outcomes = world.read(vec![of_event, foreign, nobody]).await?;
    assert_eq!(outcomes.len(), 3);
    assert!(outcomes.iter().all(|one| matches!(one, Outcome::Emit(say) if say.is_empty())));
    assert_eq!(world.number("select count(*) from millrace.messages").await?, 0);
    Ok(())
}

#[tokio::test]
async fn letters_of_one_message_in_one_batch_make_one_version_and_one_event() -> anyhow::Result<()>
{
    let world = Letters::begin().await?;
    let message = world.stored(1, MessageState::Queued).await?;
    let other = world.stored(2, MessageState::Delivered).await?;

    let outcomes = world
        .read(vec![
            world.letter(StageName::Throttle, message, 1),
            world.letter(StageName::Send, other, 1),
            world.letter(StageName::Send, message, 1),
        ])
        .await?;

    assert_eq!(said(&outcomes), ["message.failed"]);
    assert_eq!(world.row(message).await?.version, 4);
    assert_eq!(world.row(other).await?.state, MessageState::Delivered);
    Ok(())
}

#[tokio::test]
async fn two_readers_of_the_same_letters_write_once_and_say_the_same() -> anyhow::Result<()> {
    let world = Letters::begin().await?;
    let mut letters = Vec::new();
    for n in 1..40 {
        let message = world.stored(n, MessageState::Queued).await?;
        letters.push(world.letter(StageName::Send, message, 1));
        letters.push(world.of_submitted(&world.submitted(1_000 + n, "hello")));
    }
    world.hold_reservations().await?;

    let mut other_order = letters.clone();
    other_order.reverse();
    let (one, two) = (world.stage().await?, world.stage().await?);
    let both = tokio::join!(hand_over(&one, now(), letters), hand_over(&two, now(), other_order));

    let (one, mut two) = (ids(&both.0?), ids(&both.1?));
    two.reverse();
    assert_eq!((one.len(), one), (78, two));

    let spent = "select sum(used)::bigint from millrace.counters where kind = 'spend_month'";
    assert_eq!(world.number(spent).await?, -7_900 * 39, "each reservation is given back once");
    Ok(())
}
