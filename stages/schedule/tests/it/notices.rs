//! What is to be said to people who sign in: texts become messages, the rest goes.

use domain::message::class::MessageClass;
use jiff::SignedDuration;
use schedule::{MailNotices, Mailer, TextNotices};
use serde_json::Value;
use stage::{Cx, Source};
use store::{
    Role, Store,
    core::seal::Sealer,
    people::{
        codes::GOOD_FOR,
        notices::{self, Notice, NoticeChannel, NoticeText},
    },
};
use uuid::Uuid;
use wire::Submitted;

use crate::world::{World, now, publish};

fn sealer() -> Sealer {
    Sealer::new(&[[1; 32]])
}

/// A notice that was inserted now, by the clock of the tests.
async fn insert(world: &World, n: u128, channel: NoticeChannel, to: &str) -> anyhow::Result<()> {
    let said = NoticeText { to: to.into(), subject: "A code".into(), text: "417305".into() };
    let sealed = said.seal(&sealer());
    let ends_at = now() + GOOD_FOR;
    let notice = Notice { id: Uuid::from_u128(n), sealed, tries: 0, ends_at };
    let api: Store = world.database.store(Role::Api).await?;
    let mut tx = api.scoped([&world.tenant]).await?;
    assert!(notices::insert(&mut tx, channel, &notice, now()).await?);
    Ok(tx.commit().await?)
}

async fn left(world: &World) -> anyhow::Result<String> {
    let sql =
        "select coalesce(string_agg(channel, ' ' order by channel), '') from millrace.notices";
    world.one(sql).await
}

#[tokio::test]
async fn a_code_becomes_one_message_of_the_platform_s_tenant_and_what_is_for_nobody_goes()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    insert(&world, 1, NoticeChannel::Text, "+12125550123").await?;
    insert(&world, 2, NoticeChannel::Nobody, "+12125550124").await?;
    insert(&world, 3, NoticeChannel::Mail, "ana@example.com").await?;
    let source = TextNotices::new(world.pipeline().await?, sealer(), Some(world.tenant.clone()));

    // A process that dies here is followed by one that says the same, under the same id.
    let at = |seconds| Cx::at(now(), now() + SignedDuration::from_secs(seconds));
    let first = source.tick(&at(0)).await?;
    assert!(source.tick(&at(1)).await?.say.is_empty(), "somebody has it");
    let again = publish(source.tick(&at(21)).await?).await?;
    assert_eq!(first.say[0].key, again[0].key);

    let message: Submitted = serde_json::from_slice(&again[0].json)?;
    assert_eq!(again[0].subject.to_string(), "msg.submitted.urgent");
    assert_eq!(message.head.class, MessageClass::Transactional);
    assert_eq!(message.head.to.as_str(), "+12125550123");
    let json: Value = serde_json::from_slice(&again[0].json)?;
    assert!(json["content"].to_string().contains("417305"), "{json}");
    assert_eq!(message.head.expires_at, Some(now() + SignedDuration::from_secs(600 - 21)));
    assert_eq!(left(&world).await?, "mail");
    Ok(())
}

#[tokio::test]
async fn what_is_late_is_not_said_and_no_tenant_says_nothing() -> anyhow::Result<()> {
    let world = World::begin().await?;
    insert(&world, 1, NoticeChannel::Text, "+12125550123").await?;
    let source = TextNotices::new(world.pipeline().await?, sealer(), Some(world.tenant.clone()));
    let late = source.tick(&Cx::at(now(), now() + GOOD_FOR)).await?;
    assert!(publish(late).await?.is_empty());
    assert_eq!(left(&world).await?, "");

    insert(&world, 2, NoticeChannel::Text, "+12125550123").await?;
    let nobodys = TextNotices::new(world.pipeline().await?, sealer(), None);
    assert!(publish(nobodys.tick(&Cx::at(now(), now())).await?).await?.is_empty());
    assert_eq!(left(&world).await?, "", "and it does not wait for ever");
    Ok(())
}

#[tokio::test]
async fn a_mail_server_that_is_away_is_tried_again_while_the_code_is_good() -> anyhow::Result<()> {
    let world = World::begin().await?;
    insert(&world, 1, NoticeChannel::Mail, "ana@example.com").await?;
    let away = Mailer::new(&"smtp://127.0.0.1:1".into(), "Millrace <codes@example.com>")?;
    let source = MailNotices::new(world.pipeline().await?, sealer(), Some(away));
    let at = |seconds| Cx::at(now(), now() + SignedDuration::from_secs(seconds));

    source.tick(&at(0)).await?;
    assert_eq!(world.one("select tries::text from millrace.notices").await?, "1");
    source.tick(&at(19)).await?;
    assert_eq!(world.one("select tries::text from millrace.notices").await?, "1");
    source.tick(&at(20)).await?;
    assert_eq!(world.one("select tries::text from millrace.notices").await?, "2");
    source.tick(&at(600)).await?;
    assert_eq!(left(&world).await?, "");
    Ok(())
}
