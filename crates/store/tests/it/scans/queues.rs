//! What the sources look for before a tenant is known: it costs what it finds, however many rows
//! of however many tenants are not due.

use sqlx::Row;
use store::Store;
use testkit::Database;

use super::measure::{Cost, cost, fill, pipeline, print, run, size};

/// How rows of a table are made and how the due ones of them are found.
struct Lookup {
    name: &'static str,
    /// Rows that are not due, from `$1` to `$2`, over `$3` tenants.
    rest: &'static str,
    /// Ten that are due, of ten tenants.
    due: &'static str,
    find: &'static str,
    /// How many rows are found of ten that are due.
    found: i64,
}

const TOTALS: Lookup = Lookup {
    name: "`unpublished_totals`",
    rest: "insert into millrace.total_heads
            (tenant_id, scope, scope_id, as_of, watermark, version, published)
        select 't' || n % $3, 'campaign', gen_random_uuid(), now(), 1, 1, 1
        from generate_series($1::bigint, $2::bigint) n",
    due: "insert into millrace.total_heads
            (tenant_id, scope, scope_id, as_of, watermark, version, published)
        select 't' || n, 'dashboard', gen_random_uuid(), now(), 2, 2, 1
        from generate_series(0, 9) n",
    find: "select * from unpublished_totals(256)",
    found: 10,
};

const CAMPAIGNS: Lookup = Lookup {
    name: "`active_campaigns`",
    rest: "insert into millrace.campaigns (tenant_id, campaign_id, name, state, class, template_id,
            pool_id, audience, created_at)
        select 't' || n % $3, gen_random_uuid(), 'spring', 'completed', 'promo',
            '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002', '{}',
            now()
        from generate_series($1::bigint, $2::bigint) n",
    due: "insert into millrace.campaigns (tenant_id, campaign_id, name, state, class, template_id,
            pool_id, audience, created_at)
        select 't' || n, gen_random_uuid(), 'spring', 'running', 'promo',
            '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002', '{}',
            now()
        from generate_series(0, 9) n",
    find: "select * from active_campaigns()",
    found: 10,
};

const PARKED: Lookup = Lookup {
    name: "`due_parked`",
    rest:
        "insert into millrace.parked (tenant_id, message_id, turn, due, cause, lane, payload, rank,
            parked_at)
        select 't' || n % $3, gen_random_uuid(), 1, now() + interval '1 day', 'quiet_hours:window',
            'bulk', '{}', 2, now()
        from generate_series($1::bigint, $2::bigint) n",
    due:
        "insert into millrace.parked (tenant_id, message_id, turn, due, cause, lane, payload, rank,
            parked_at)
        select 't' || n, gen_random_uuid(), 1, now(), 'quiet_hours:window', 'bulk', '{}', 2, now()
        from generate_series(0, 9) n",
    find: "select * from due_parked(now(), 128, 512, '{}')",
    found: 10,
};

const PARKED_COUNT: Lookup =
    Lookup { name: "`parked_count`", find: "select * from parked_count()", found: 1, ..PARKED };

const DOUBTS: Lookup = Lookup {
    name: "`due_doubts`",
    rest: "insert into millrace.doubts (tenant_id, message_id, account, raised_at, next_look)
        select 't' || n % $3, gen_random_uuid(), 'main', now(), now() + interval '1 day'
        from generate_series($1::bigint, $2::bigint) n",
    due: "insert into millrace.doubts (tenant_id, message_id, account, raised_at, next_look)
        select 't' || n, gen_random_uuid(), 'main', now(), now() from generate_series(0, 9) n",
    find: "select * from due_doubts(24, 64)",
    found: 10,
};

const LATE_DOUBTS: Lookup = Lookup {
    name: "`late_doubts`",
    find: "select * from late_doubts(64, now() - interval '1 day', 60)",
    found: 0,
    ..DOUBTS
};

#[tokio::test]
async fn totals_to_publish_are_found_among_many() -> anyhow::Result<()> {
    costs_the_same(&[TOTALS]).await
}

#[tokio::test]
async fn campaigns_to_feed_are_found_among_many() -> anyhow::Result<()> {
    costs_the_same(&[CAMPAIGNS]).await
}

#[tokio::test]
async fn parked_rows_are_found_and_counted_among_many() -> anyhow::Result<()> {
    costs_the_same(&[PARKED, PARKED_COUNT]).await
}

#[tokio::test]
async fn doubts_are_found_among_many() -> anyhow::Result<()> {
    costs_the_same(&[DOUBTS, LATE_DOUBTS]).await
}

/// Compares look-ups of one table with ten rows and with many.
async fn costs_the_same(lookups: &[Lookup]) -> anyhow::Result<()> {
    let database = Database::start().await?;
    let table = &lookups[0];
    tenants(&database, 10).await?;
    run(&database, table.due).await?;
    let few = costs(&database, lookups, 10, 10).await?;

    let (rows, of) = (size(10_000_000, 20_000), size(10_000, 500));
    tenants(&database, of).await?;
    fill(&database, table.rest, rows, of).await?;
    let many = costs(&database, lookups, rows, of).await?;

    for ((lookup, few), many) in lookups.iter().zip(few).zip(many) {
        many.is_like(few, lookup.name);
    }
    Ok(())
}

/// What the look-ups cost once all changes are folded.
async fn costs(
    database: &Database,
    lookups: &[Lookup],
    rows: i64,
    of: i64,
) -> anyhow::Result<Vec<Cost>> {
    let store = pipeline(database).await?;
    fold(database, &store).await?;

    let mut costs = Vec::new();
    for lookup in lookups {
        let mut tx = store.scoped::<domain::ids::TenantId>([]).await?;
        let found = sqlx::query(lookup.find).fetch_all(&mut *tx).await?;
        tx.commit().await?;
        assert_eq!(found.len() as i64, lookup.found, "{}", lookup.name);

        let cost = cost(&store, &[], lookup.find).await?;
        print(lookup.name, rows, of, cost);
        costs.push(cost);
    }
    Ok(costs)
}

/// Lets the look-ups fold what has been changed.
async fn fold(database: &Database, store: &Store) -> anyhow::Result<()> {
    let mut superuser = database.superuser().await?;
    loop {
        let count = "select exists (select from millrace.waiting_changes)";
        if !sqlx::query(count).fetch_one(&mut superuser).await?.get::<bool, _>(0) {
            break;
        }
        let mut tx = store.scoped::<domain::ids::TenantId>([]).await?;
        sqlx::query("select from due_parked(now(), 1, 1, '{}')").execute(&mut *tx).await?;
        tx.commit().await?;
    }
    let settle = "vacuum analyze millrace.waiting_changes, millrace.waiting_heads";
    sqlx::raw_sql(settle).execute(&mut superuser).await?;
    Ok(())
}

/// Makes tenants `t0` and so on.
async fn tenants(database: &Database, count: i64) -> anyhow::Result<()> {
    let insert = "insert into millrace.tenants (tenant_id, name, created_at)
        select 't' || n - 1, 'A tenant', now()
        from generate_series($1::bigint, $2::bigint) n where $3::bigint > 0 on conflict do nothing";
    fill(database, insert, count, count).await
}
