//! Totals by time are downsampled as they age, and lose nothing.

use jiff::{SignedDuration, Timestamp};
use schedule::RetentionSource;
use serde_json::json;
use stage::Cx;
use store::retention::Keep;
use uuid::Uuid;

use crate::world::{World, after, now};

/// Steps until nothing is due at an instant. The machine's clock goes as business time does.
async fn settle(world: &World, now: Timestamp) -> anyhow::Result<()> {
    let source = RetentionSource::new(world.pipeline().await?, Keep::default());
    while source.step(&Cx::at(now, now)).await? {}
    Ok(())
}

#[tokio::test]
async fn minutes_become_hours_and_hours_days() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let minute = |hours: i64, minutes: i64, delivered: i64| {
        let starts_at = now() - SignedDuration::from_mins(60 * hours - minutes);
        json!({
            "tenant_id": world.tenant, "scope": "dashboard", "scope_id": Uuid::nil(),
            "grain": "minute", "starts_at": starts_at,
            "counts": { "delivered": delivered, "segments": 2 },
        })
    };
    // Two minutes of an old hour, one of the next, one of a very old hour, and a young one.
    let rows = [
        minute(8 * 24, 0, 1),
        minute(8 * 24, 1, 10),
        minute(8 * 24 - 1, 0, 100),
        minute(91 * 24, 5, 1_000),
        minute(6 * 24, 0, 10_000),
    ];
    world.insert("timed_totals", &rows).await?;
    let by_grain = "select string_agg(line, ', ' order by line) from (
                        select grain || ' ' || count(*) || ' ' || sum((counts->>'delivered')::int)
                        as line from millrace.timed_totals group by grain) l";
    assert_eq!(world.one(by_grain).await?, "minute 5 11111");

    settle(&world, now()).await?;
    assert_eq!(world.one(by_grain).await?, "day 1 1000, hour 2 111, minute 1 10000");
    let hour = "select counts::text from millrace.timed_totals
                where grain = 'hour' order by starts_at limit 1";
    assert_eq!(world.one(hour).await?, r#"{"segments": 4, "delivered": 11}"#);

    // A minute that comes late joins its hour, and at last all are days.
    world.insert("timed_totals", &[minute(8 * 24, 2, 5)]).await?;
    settle(&world, after(60)).await?;
    assert_eq!(world.one(by_grain).await?, "day 1 1000, hour 2 116, minute 1 10000");
    settle(&world, after(91 * 86_400)).await?;
    assert_eq!(world.one(by_grain).await?, "day 3 11116");
    Ok(())
}
