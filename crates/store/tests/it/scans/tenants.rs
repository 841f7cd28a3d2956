//! Row-level security compares each row with the tenants of a batch.

use domain::ids::TenantId;
use testkit::Database;

use super::measure::{cost, fill, pipeline, print, size};

/// Messages of `$3` tenants, in turn.
const MESSAGES: &str =
    "insert into millrace.messages (tenant_id, message_id, state, class, channel,
        contact_id, number, body, segments, cost_micros, body_hash, submitted_at, changed_at,
        passport)
    select 't' || n % $3, ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, 0, 'promo',
        'sms', gen_random_uuid(), '+12125550100', 'hello', 1, 7900, '', now(), now(), '[]'
    from generate_series($1::bigint, $2::bigint) n";

/// A batch as the stages look it up: 256 messages of as many tenants as the scope has.
fn batch(tenants: i64) -> String {
    format!(
        "select m.state, m.version from generate_series(0, 255) n
         cross join lateral (
             select 't' || n % {tenants} as tenant_id,
                    ('00000000-0000-0000-0000-' || lpad(
                        (256 + n / {tenants} * 256 + n % {tenants})::text, 12, '0'))::uuid
                        as message_id
             offset 0
         ) k
         cross join lateral (
             select * from messages r
             where r.tenant_id = k.tenant_id and r.message_id = k.message_id limit 1
         ) m"
    )
}

#[tokio::test]
async fn a_batch_of_256_tenants_reads_no_more_than_one_of_a_single_tenant() -> anyhow::Result<()> {
    let database = Database::start().await?;
    let rows = size(1_000_000, 70_000);
    fill(&database, MESSAGES, rows, 256).await?;
    let store = pipeline(&database).await?;

    let tenants =
        (0..256).map(|n| format!("t{n}").parse()).collect::<Result<Vec<TenantId>, _>>()?;
    let one = cost(&store, &tenants[..1], &batch(1)).await?;
    print("256 messages by their keys", rows, 1, one);
    let many = cost(&store, &tenants, &batch(256)).await?;
    print("256 messages by their keys", rows, 256, many);

    assert!(one.pages > 256, "each message is read: {one:?}");
    assert!(many.pages < one.pages * 2, "{many:?} of 256 tenants, {one:?} of one");
    Ok(())
}
