//! Tables level off: after as many days as things are kept, as much goes as comes.

use std::{collections::BTreeMap, time::Instant};

use anyhow::ensure;
use jiff::{SignedDuration, Timestamp};
use schedule::RetentionSource;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use stage::Cx;
use store::retention::Keep;

use crate::world::{World, now};

/// How many messages a day brings. `make level` has 50,000.
const PER_DAY: Option<&str> = option_env!("LEVEL_MESSAGES");

/// What is smaller than this may change by a quarter: a few pages. Bytes.
const SMALL: i64 = 1 << 20;

/// How many days pass.
const DAYS: i64 = 30;

/// What one day leaves: messages that have ended, every second of them of a campaign, texts that
/// came in, and what is kept beside them.
const DAY: &str = "
    with c as (
        insert into millrace.campaigns (tenant_id, campaign_id, name, class, template_id, pool_id,
            audience, state, created_at, completed_at)
        select 'acme', gen_random_uuid(), '', 'promo', gen_random_uuid(), gen_random_uuid(), '{}',
            'completed', {start}, {start}
        returning campaign_id
    ), m as (
        insert into millrace.messages (tenant_id, message_id, state, class, channel, contact_id,
            number, campaign_id, body, segments, cost_micros, body_hash, submitted_at, version,
            changed_at, passport, carrier_sid)
        select 'acme', gen_random_uuid(), 22, 'promo', 'sms', md5('c' || n % 20000)::uuid,
            '+12125550100', case when n % 2 = 0 then c.campaign_id end, repeat('Hello ', 20), 1,
            7900, decode(md5(n::text), 'hex'), {start} + n * {apart}, 4,
            {start} + n * {apart} + interval '20 seconds',
            '[{\"stage\": \"gate\", \"verdict\": \"admit\"}, {\"stage\": \"send\"}]',
            'SM' || md5(n::text)
        from generate_series(0, {messages} - 1) n, c
        returning *
    ), recipients as (
        insert into millrace.campaign_recipients (tenant_id, campaign_id, seq, contact_id,
            message_id)
        select tenant_id, campaign_id, row_number() over () - 1, contact_id, message_id
        from m where campaign_id is not null
    ), texts as (
        insert into millrace.inbound_texts (tenant_id, inbound_id, conversation_id, contact_id,
            sender_id, body, meaning, epoch, received_at)
        select 'acme', gen_random_uuid(), contact_id, contact_id, contact_id, 'Yes please', 'text',
            1, submitted_at
        from m where campaign_id is null
    ), events as (
        insert into millrace.counted_events (tenant_id, event_id, counted_at)
        select 'acme', gen_random_uuid(), submitted_at from m where campaign_id is null
    ), keys as (
        insert into millrace.idempotency_keys (tenant_id, key, body_hash, status, response,
            created_at)
        select 'acme', message_id::text, '', 200, '{}', submitted_at from m
        where campaign_id is null
    ), sids as (
        insert into millrace.taken_sids (tenant_id, account, sid, message_id, taken_at)
        select 'acme', 'main', message_id::text, message_id, submitted_at from m
        where campaign_id is null
    )
    insert into millrace.counters (tenant_id, kind, key, window_start, used)
    select 'acme', 'quota_minute', '', {start} + n * interval '1 minute', 35
    from generate_series(0, 1439) n";

/// As rollup does with what the day has moved.
const FOLD: &str = "delete from millrace.moved_counts";

const VACUUM: &str =
    "vacuum (analyze) millrace.messages, millrace.moved_counts, millrace.gone_counts,
    millrace.campaign_recipients, millrace.inbound_texts, millrace.counted_events,
    millrace.idempotency_keys, millrace.taken_sids, millrace.counters, millrace.retention_waits,
    millrace.campaigns";

#[tokio::test]
async fn tables_level_off_once_as_much_goes_as_comes() -> anyhow::Result<()> {
    let messages: i64 = PER_DAY.map_or(Ok(500), str::parse)?;
    let world = World::begin().await?;
    let mut connection = world.database.superuser().await?;
    let days = |days: i64| SignedDuration::from_hours(24 * days);
    let keep = Keep { texts: days(3), messages: days(14), import_rows: days(3) };
    let source = RetentionSource::new(world.pipeline().await?, keep);

    let (mut steps, mut at_twenty, mut at_thirty) = (0.0, BTreeMap::new(), BTreeMap::new());
    for day in 0..DAYS {
        let start = now() + days(day);
        let apart = 86_400_000_000 / messages;
        let sql = DAY
            .replace("{start}", &format!("timestamptz '{start}'"))
            .replace("{apart}", &format!("interval '{apart} microseconds'"))
            .replace("{messages}", &messages.to_string());
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
        sqlx::raw_sql(FOLD).execute(&mut connection).await?;

        let begun = Instant::now();
        settle(&source, start + days(1)).await?;
        steps += begun.elapsed().as_secs_f64();
        // Once a day at least, as autovacuum does.
        sqlx::raw_sql(VACUUM).execute(&mut connection).await?;
        match day + 1 {
            18..=20 => raise(&mut at_twenty, sizes(&mut connection).await?),
            28..=30 => raise(&mut at_thirty, sizes(&mut connection).await?),
            _ => {}
        }
    }

    let gone = gone(&mut connection, messages).await?;
    let rate = gone as f64 / steps;
    println!("{messages} messages a day: {gone} rows gone in {steps:.1} s, {rate:.0} a second");
    // A day of 500 messages is removed in a few steps: what these take is no rate.
    ensure!(PER_DAY.is_none() || rate >= 500.0, "{rate:.0} rows a second are removed");
    compare(&at_twenty, &at_thirty)
}

/// Steps until nothing is due. The machine's clock goes as business time does.
async fn settle(source: &RetentionSource, now: Timestamp) -> anyhow::Result<()> {
    while source.step(&Cx::at(now, now)).await? {}
    Ok(())
}

/// How many rows of messages and recipients were removed so far.
async fn gone(connection: &mut PgConnection, messages: i64) -> anyhow::Result<i64> {
    let mut gone = 0;
    for (table, made) in
        [("messages", messages * DAYS), ("campaign_recipients", (messages + 1) / 2 * DAYS)]
    {
        let count = format!("select count(*) from millrace.{table}");
        let row = sqlx::query(AssertSqlSafe(count)).fetch_one(&mut *connection).await?;
        gone += made - row.get::<i64, _>(0);
    }
    Ok(gone)
}

/// Bytes of each table and of each index.
async fn sizes(connection: &mut PgConnection) -> anyhow::Result<BTreeMap<String, i64>> {
    let sizes = "select relname::text, pg_relation_size(oid) from pg_class
                 where relnamespace = 'millrace'::regnamespace and relkind in ('r', 'i')";
    let rows = sqlx::query(sizes).fetch_all(connection).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// Keeps the largest size of each: a vacuum gives empty pages at the end of a table back, and the
/// next day takes them again.
fn raise(largest: &mut BTreeMap<String, i64>, sizes: BTreeMap<String, i64>) {
    for (name, size) in sizes {
        let kept = largest.entry(name).or_default();
        *kept = size.max(*kept);
    }
}

/// Prints the sizes, and fails where the whole, or something of a size, has grown by a tenth.
fn compare(before: &BTreeMap<String, i64>, after: &BTreeMap<String, i64>) -> anyhow::Result<()> {
    println!("{:40} {:>12} {:>12} {:>8}", "bytes", "day 20", "day 30", "growth");
    let mut grown = Vec::new();
    let mut look = |name: &str, before: i64, after: i64| {
        let growth = (after - before) as f64 / before.max(1) as f64;
        println!("{name:40} {before:>12} {after:>12} {:>7.1}%", growth * 100.0);
        let most = if after >= SMALL { 0.1 } else { 0.25 };
        if growth >= most {
            grown.push(name.to_owned());
        }
    };
    for (name, after) in after.iter().filter(|(_, after)| **after >= SMALL / 8) {
        look(name, before.get(name).copied().unwrap_or_default(), *after);
    }

    let total = |sizes: &BTreeMap<String, i64>| sizes.values().sum::<i64>();
    look("all", total(before), total(after));
    ensure!(after["messages"] >= SMALL, "{} bytes of messages are too few", after["messages"]);
    ensure!(grown.is_empty(), "these go on growing: {grown:?}");
    Ok(())
}
