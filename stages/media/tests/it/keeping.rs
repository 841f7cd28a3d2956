//! What goes, and when: objects first, then their rows.

use anyhow::Context;
use domain::ids::ContactId;
use jiff::SignedDuration;
use store::contacts::erase;
use testkit::world::now;
use uuid::Uuid;

use crate::world::{SID, World};

#[tokio::test]
async fn what_is_erased_or_old_goes_with_its_object() -> anyhow::Result<()> {
    let world = World::start(Vec::new()).await?;
    let url = format!("https://api.twilio.com/2010-04-01/Accounts/{SID}/Messages/MM01/Media/ME01");
    let erased = world.received(1, &[&url]).await?[0];
    world.fetch().await?;
    let days = |days: i64| now() + SignedDuration::from_hours(24 * days);
    world.keep(days(89)).await?;
    assert!(world.object(erased).await?.is_some(), "it is kept for 90 days");

    let mut tx = world.inner.scoped().await?;
    let contact = ContactId(Uuid::from_u128(1));
    assert_eq!(erase::media(&mut tx, world.tenant(), contact).await?, 1);
    tx.commit().await?;
    assert!(world.row(erased).await?.is_none(), "nobody sees it any more");
    world.keep(now()).await?;
    assert!(world.object(erased).await?.is_none());

    let old = world.received(2, &[&url]).await?[0];
    world.fetch().await?;
    world.keep(days(90)).await?;
    assert!(world.object(old).await?.is_none());
    assert_eq!(world.inner.number("select count(*) from millrace.media").await?, 0);
    Ok(())
}

#[tokio::test]
async fn what_goes_while_it_is_fetched_leaves_no_object() -> anyhow::Result<()> {
    let world = World::start(Vec::new()).await?;
    let url = format!("https://api.twilio.com/2010-04-01/Accounts/{SID}/Messages/MM01/Media/ME01");
    let id = world.received(1, &[&url]).await?[0];
    let store = world.inner.pipeline().await?;
    let (mut taken, _) = store::media::fetch::take(&store, stage::machine::now(), 4, 4).await?;
    let taken = taken.pop().context("it is taken")?;

    world.inner.run("delete from millrace.media").await?;
    let refused = store::media::fetch::Fetched::Refused(domain::media::MediaRefusal::Gone);
    let gone = store::media::fetch::record(&store, &[(taken, refused)]).await?;
    assert_eq!(gone, [(world.tenant().clone(), id)]);
    Ok(())
}
