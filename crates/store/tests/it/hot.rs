//! Messages are updated in place: no index holds a column that an update touches.

use sqlx::Row;
use testkit::Database;

#[tokio::test]
async fn every_update_of_a_message_is_hot() -> anyhow::Result<()> {
    let database = Database::start().await?;
    let mut connection = database.superuser().await?;

    let insert = "insert into millrace.messages (tenant_id, message_id, state, class, channel,
            contact_id, number, body, segments, cost_micros, body_hash, submitted_at, changed_at,
            passport)
        select 'acme', gen_random_uuid(), 0, 'promo', 'sms', gen_random_uuid(), '+12125550100',
            'hello', 1, 7900, '', now(), now(), '[]'
        from generate_series(1, 5)";
    sqlx::raw_sql(insert).execute(&mut connection).await?;
    sqlx::raw_sql("begin").execute(&mut connection).await?;

    // Everything that a stage ever changes, retention among them.
    let update = "update millrace.messages
        set turn = turn + 1, state = 3, segments = 2, cost_micros = 15800, version = version + 1,
            changed_at = now(), passport = '[{}]', gate = 'rate', code = 'x', due = now(),
            sender_id = gen_random_uuid(), policy_version = 1, sendable_until = now(),
            reserved_at = now(), claim_owner = gen_random_uuid(), attempt = 1, call_by = now(),
            carrier_sid = 'SM1', body = '', text_expired_at = now()";
    sqlx::raw_sql(update).execute(&mut connection).await?;

    let row = sqlx::query(
        "select n_tup_upd, n_tup_hot_upd from pg_stat_xact_user_tables where relname = 'messages'",
    )
    .fetch_one(&mut connection)
    .await?;
    assert_eq!((row.get::<i64, _>(0), row.get::<i64, _>(1)), (5, 5));
    Ok(())
}
