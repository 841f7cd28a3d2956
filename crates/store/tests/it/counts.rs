//! Counts on a real database: every statement that moves messages is counted by the triggers, and
//! what an older version had counted goes on.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use domain::message::state::MessageState;
use serde_json::{Value, json};
use sqlx::{Connection, Row};
use store::analytics::recount;
use testkit::world::{TestWorld, enriched, message_row, with};

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src");

/// The statements that write messages: how many of a file, and what they do.
const WRITERS: [(&str, usize, &str); 16] = [
    ("contacts/erase.rs", 1, "a person's texts go"),
    ("messages/cancel.rs", 1, "the tenant withdraws them"),
    ("messages/claim.rs", 2, "send claims them, and gives back what it did not call"),
    ("messages/conclude.rs", 1, "how their calls ended"),
    ("messages/dead_letter.rs", 2, "they die, with or without a row"),
    ("messages/dead_letter/redrive.rs", 2, "they come back, and get their text"),
    ("messages/enrich.rs", 1, "they are stored"),
    ("messages/gate.rs", 1, "what the gates decided"),
    ("messages/in_doubt/raise.rs", 1, "nobody said how their call ended"),
    ("messages/in_doubt/settle.rs", 1, "evidence says how"),
    ("messages/receipt.rs", 1, "receipts raise them"),
    ("messages/sent.rs", 1, "no receipt came"),
    ("parked/aside.rs", 1, "a parked row cannot be read"),
    ("parked/release.rs", 1, "what was put aside goes back to the gates"),
    ("retention/messages.rs", 2, "texts go, and messages go"),
    ("statistics.rs", 1, "they become old, for whoever measures a purge"),
];

#[test]
fn every_statement_that_writes_messages_is_known() {
    let mut found = BTreeMap::new();
    for file in rust_files(Path::new(SOURCES)) {
        let text = fs::read_to_string(&file).expect("a source file");
        let writes = ["insert into messages ", "update messages", "delete from messages"];
        let count: usize = writes.iter().map(|write| text.matches(write).count()).sum();
        if count > 0 {
            let name = file.strip_prefix(SOURCES).expect("below the sources");
            found.insert(name.to_str().expect("a path").to_owned(), count);
        }
    }

    let known = WRITERS.map(|(file, count, _)| (file.to_owned(), count));
    assert_eq!(
        found,
        BTreeMap::from(known),
        "the triggers count it; name it here with what it does"
    );
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).expect("a folder").flatten();
    let files = entries.flat_map(|entry| match entry.path() {
        path if path.is_dir() => rust_files(&path),
        path => vec![path],
    });
    files.filter(|path| path.extension().is_some_and(|it| it == "rs")).collect()
}

#[tokio::test]
async fn whatever_writes_messages_is_counted_and_nobody_can_leave_it_out() -> anyhow::Result<()> {
    let world = TestWorld::start().await?;
    let triggers = "select tgname::text, tgenabled::text from pg_trigger
                    where tgrelid = 'millrace.messages'::regclass and not tgisinternal";
    let rows = sqlx::query(triggers).fetch_all(&mut world.database.superuser().await?).await?;
    let triggers: BTreeSet<(String, String)> =
        rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let enabled = |name: &str| (name.to_owned(), "O".to_owned());
    let known = ["count_gone", "count_made", "count_moved", "keep_counts_limit"];
    assert_eq!(triggers, known.map(enabled).into());

    // No role of a process may do without them.
    let mut tx = world.scoped().await?;
    let without = sqlx::query("set local session_replication_role = replica");
    let refused = without.execute(&mut *tx).await.expect_err("a superuser's setting");
    assert!(refused.to_string().contains("permission denied"), "{refused}");
    Ok(())
}

/// Eight times as many messages take some eight times as long, not sixty-four times.
#[tokio::test]
async fn what_a_statement_moves_is_looked_at_once() -> anyhow::Result<()> {
    let world = TestWorld::start().await?;
    let rows: Vec<Value> = (0..4_000).map(|n| message_row(&enriched(&world.tenant, n))).collect();
    world.insert("messages", &rows).await?;

    let (few, many) = (counted_in(&world, 500).await?, counted_in(&world, 4_000).await?);
    assert!(many < 30.0 * few, "500 messages: {few} ms, 4,000: {many} ms");
    Ok(())
}

/// How long the trigger takes when so many messages move in a session of a process, in
/// milliseconds: the least of a few times.
async fn counted_in(world: &TestWorld, messages: i64) -> anyhow::Result<f64> {
    let mut least = f64::MAX;
    for _ in 0..3 {
        let mut tx = world.scoped().await?;
        let plan: Value = sqlx::query_scalar(
            "explain (analyze, format json)
             update messages set turn = 2
             where message_id in (select message_id from messages limit $1)",
        )
        .bind(messages)
        .fetch_one(&mut *tx)
        .await?;
        let triggers = plan[0]["Triggers"].as_array().into_iter().flatten();
        let took = triggers.filter_map(|one| one["Time"].as_f64()).sum::<f64>();
        anyhow::ensure!(took > 0.0, "no trigger has counted: {plan}");
        least = least.min(took);
    }
    Ok(least)
}

/// Takes back what migration 0033 made, and what 0044 has added to it.
const BEFORE: &str = "
    drop trigger count_made on messages;
    drop trigger count_moved on messages;
    drop trigger count_gone on messages;
    drop trigger count_nothing on counted_messages;
    drop function count_made, count_moved, count_gone, count_nothing, unfolded_counts;
    drop table moved_counts, gone_counts, variant_totals;
    drop function count_folded;
    drop function state_detail;
    alter table messages drop column country, drop column variant;";

/// What an older rollup does with the first event of each message.
const COUNT_FIRST: &str = "
    with first as (
        insert into millrace.counted_messages
            (tenant_id, message_id, version, state, gate, campaign_id, segments, cost_micros)
        select tenant_id, message_id, version, state, case state when 10 then gate end,
               campaign_id,
               case when carrier_sid is null then 0 else segments end,
               case when carrier_sid is null then 0 else cost_micros end
        from millrace.messages on conflict do nothing
        returning *
    ), totals as (
        insert into millrace.totals as t (tenant_id, scope, scope_id, name, value)
        select tenant_id, 'dashboard', '00000000-0000-0000-0000-000000000000', name, sum(by)
        from first cross join lateral (values
            (case state when 0 then 'accepted' when 10 then 'blocked'
                        when 20 then 'sent' when 22 then 'delivered' end, 1),
            (case when gate is not null then 'blocked.' || gate end, 1),
            ('segments', segments), ('cost_micros', cost_micros)) v (name, by)
        where name is not null group by 1, 4
        on conflict (tenant_id, scope, scope_id, name) do update
        set value = t.value + excluded.value
    )
    select count(*) from first";

#[tokio::test]
async fn what_an_older_version_has_counted_goes_on_and_it_counts_no_more() -> anyhow::Result<()> {
    let world = TestWorld::start().await?;
    let mut connection = world.database.superuser().await?;
    let as_owner = "set role millrace_owner; set search_path = millrace";
    sqlx::raw_sql(as_owner).execute(&mut connection).await?;
    sqlx::raw_sql(BEFORE).execute(&mut connection).await?;

    // The older rollup has read one event of each, but of the two last ones.
    let sent = json!({ "state": MessageState::Sent.code(), "carrier_sid": "SM1" });
    let row = |n: u32, columns: &Value| with(message_row(&enriched(&world.tenant, n)), columns);
    let plain = json!({ "state": 0, "carrier_sid": null });
    world.insert("messages", &[1, 2, 3].map(|n| row(n, &plain))).await?;
    world.insert("messages", &[4, 5].map(|n| row(n, &sent))).await?;
    assert_eq!(world.number(COUNT_FIRST).await?, 5);
    world.insert("messages", &[6, 7].map(|n| row(n, &sent))).await?;
    world
        .run(
            "update millrace.messages set state = 10, gate = 'dnc', code = 'dnc'
             where number like '%1';
             update millrace.messages set state = 1, code = 'pace', turn = 2 where number like '%2';
             update millrace.messages set code = 'no_receipt' where number like '%4';
             update millrace.messages set state = 22 where number like '%5'",
        )
        .await?;

    let mut tx = connection.begin().await?;
    for migration in [
        include_str!("../../../../migrations/0033_counts.sql"),
        include_str!("../../../../migrations/0044_variants.sql"),
    ] {
        sqlx::raw_sql(migration).execute(&mut *tx).await?;
    }
    tx.commit().await?;

    let store = world.pipeline().await?;
    let found = recount::compare(&store, &world.tenant).await?;
    assert_eq!(found.differences, []);
    assert!(found.compared >= 10, "{}", found.compared);

    // It runs on beside the new one, and what it does moves no total.
    assert_eq!(world.number(COUNT_FIRST).await?, 0);
    world.run("update millrace.messages set state = 22 where number like '%6'").await?;
    assert_eq!(world.number(COUNT_FIRST).await?, 0);
    assert_eq!(recount::compare(&store, &world.tenant).await?.differences, []);
    Ok(())
}
