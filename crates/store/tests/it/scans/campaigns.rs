//! A look at a campaign, of which one message is open, among many others.

use std::time::Instant;

use domain::{
    ids::{CampaignId, PoolId},
    message::class::{Channel, MessageClass},
};
use store::campaigns::{CampaignState, audience::RunningCampaign, flight};
use testkit::Database;
use uuid::Uuid;

use super::measure::{fill, pipeline, run, size};

/// What has moved of other campaigns of the same tenant, while rollup was away.
const OTHERS: &str =
    "insert into millrace.moved_counts (tenant_id, minute_start, as_of, campaign_id,
        new_state, messages, released, segments, cost_micros)
    select 'acme', now(), now(), gen_random_uuid(), 22, $3, 0, 0, 0
    from generate_series($1::bigint, $2::bigint) n";

/// The campaign's own counts: some are in its totals, some have moved since.
const OWN: &str = "insert into millrace.totals (tenant_id, scope, scope_id, name, value)
    select 'acme', 'campaign', '00000000-0000-0000-0000-000000000007', name, value
    from (values ('delivered', 199000), ('sent', 1000)) as v (name, value);
    insert into millrace.moved_counts (tenant_id, minute_start, as_of, campaign_id, old_state,
        new_state, messages, released, segments, cost_micros)
    select 'acme', now(), now(), '00000000-0000-0000-0000-000000000007', 20, 22, 9, 0, 0, 0
    from generate_series(1, 111)";

/// How long a look may take, in milliseconds: one at the rows would take seconds.
const LONGEST: f64 = 50.0;

#[tokio::test]
async fn a_look_at_a_campaign_costs_the_same_however_many_messages_there_are() -> anyhow::Result<()>
{
    let database = Database::start().await?;
    let tenant = database.tenant("acme").await?;
    let store = pipeline(&database).await?;
    let others = size(200_000, 5_000);
    fill(&database, OTHERS, others, 1).await?;
    run(&database, OWN).await?;

    let campaign = RunningCampaign {
        tenant: tenant.clone(),
        id: CampaignId(Uuid::from_u128(7)),
        state: CampaignState::Running,
        class: MessageClass::Promo,
        channel: Channel::Sms,
        pool: PoolId(Uuid::nil()),
        tags: Vec::new(),
        validity_seconds: None,
        audience_size: 200_000,
        frozen_through: None,
        cursor: 200_000,
    };
    let mut shortest = f64::INFINITY;
    for _ in 0..5 {
        let begun = Instant::now();
        let mut tx = store.scoped([&tenant]).await?;
        let flight = flight::in_flight(&mut tx, &campaign).await?;
        shortest = shortest.min(begun.elapsed().as_secs_f64() * 1_000.0);
        assert_eq!((flight.messages, flight.is_open), (0, true));
    }

    println!("| a look at a campaign | 200,000 recipients, {others} unfolded | {shortest:.2} ms |");
    assert!(shortest < LONGEST, "{shortest:.2} ms");
    Ok(())
}
