//! Messages that died before they had a text, and were redriven: rendered for the first time, in
//! the turn that the redrive gave them.

use domain::gates::OnLate;
use testkit::{hand_over, said};
use wire::Submitted;

use crate::world::{World, now, subjects};

/// The row that a letter left and a redrive reopened.
async fn reopened(world: &World, message: &Submitted) -> anyhow::Result<Submitted> {
    let hash = wire::unhex(&message.body_hash).expect("a hash");
    sqlx::query(
        "insert into millrace.messages (tenant_id, message_id, turn, state, class, channel,
             contact_id, number, body, segments, cost_micros, body_hash, submitted_at, version,
             changed_at, passport)
         values ('acme', $1, 2, 0, 'promo', 'sms', gen_random_uuid(), '', '', 0, 0, $2, now(), 2,
                 now(), '[{\"stage\": \"redrive\", \"at\": \"2026-03-02T16:00:00Z\",
                           \"verdict\": \"accept\"}]')",
    )
    .bind(message.head.id.0)
    .bind(hash)
    .execute(&mut world.database.superuser().await?)
    .await?;

    let mut message = message.clone();
    (message.head.turn, message.head.on_late) = (2, Some(OnLate::Drop));
    Ok(message)
}

#[tokio::test]
async fn a_row_without_a_text_gets_one_and_a_repeat_says_the_same() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let message = reopened(&world, &world.message(200, "Hi")).await?;

    let first = said(hand_over(&world.stage().await?, now(), vec![message.clone()]).await?);
    assert_eq!(first.len(), 2);
    assert_eq!(first[0].0, "msg.enriched.urgent");
    assert!(first[0].1.contains(r#""turn":2"#) && first[0].1.contains(r#""text":"Hi""#));
    assert_eq!(first[1].0, "events.acme.message.accepted");

    let stored = "select count(*) from millrace.messages
                  where body = 'Hi' and segments = 1 and number = '+12125550200' and version = 3
                    and class = 'transactional' and on_late = 'drop'
                    and passport -> -1 ->> 'stage' = 'enrich'";
    assert_eq!(world.number(stored).await?, 1);

    // Whoever stored it died before saying it.
    let again = said(hand_over(&world.stage().await?, now(), vec![message]).await?);
    assert_eq!(first, again);
    Ok(())
}

#[tokio::test]
async fn the_first_copy_says_nothing_about_a_later_turn_nor_the_second_after_the_gates()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let first = world.message(200, "Hi");
    let second = reopened(&world, &first).await?;

    let stage = world.stage().await?;
    assert!(subjects(hand_over(&stage, now(), vec![first]).await?).is_empty());

    hand_over(&stage, now(), vec![second.clone()]).await?;
    world
        .run(
            "update millrace.messages set state = 3, version = version + 1,
                    passport = passport || '[{\"stage\": \"gate\", \
                        \"at\": \"2026-03-02T17:00:00Z\", \"verdict\": \"admit\"}]'",
        )
        .await?;

    assert!(subjects(hand_over(&stage, now(), vec![second]).await?).is_empty());
    Ok(())
}

#[tokio::test]
async fn a_row_whose_text_cannot_be_made_fails_and_a_repeat_says_the_same() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let message = reopened(&world, &world.message(200, " ")).await?;

    let stage = world.stage().await?;
    let first = said(hand_over(&stage, now(), vec![message.clone()]).await?);
    assert_eq!(first.len(), 1);
    assert!(first[0].1.contains("empty_text"), "{first:?}");

    assert_eq!(first, said(hand_over(&stage, now(), vec![message]).await?));
    Ok(())
}

#[tokio::test]
async fn two_workers_with_the_same_reopened_message_store_one_text_and_say_the_same()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let message = reopened(&world, &world.message(200, "Hi")).await?;
    let (one, two) = (world.stage().await?, world.stage().await?);

    let both = tokio::join!(
        hand_over(&one, now(), vec![message.clone()]),
        hand_over(&two, now(), vec![message])
    );

    assert_eq!(said(both.0?), said(both.1?));
    assert_eq!(world.number("select max(version) from millrace.messages").await?, 3);
    Ok(())
}
