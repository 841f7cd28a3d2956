//! A look at a campaign of which one message is open.

use domain::{
    ids::{CampaignId, PoolId},
    message::class::MessageClass,
};
use std::time::Instant;
use store::campaigns::{CampaignState, audience::RunningCampaign, flight, settled::SettledChunks};
use testkit::Database;
use uuid::Uuid;

use super::measure::{fill, pipeline, size};

/// Recipients of a campaign, whose messages are delivered, but for the first, which is sent.
const RECIPIENTS: &str = "with fed as (
        insert into millrace.campaign_recipients (tenant_id, campaign_id, seq, contact_id,
            message_id)
        select 'acme', '00000000-0000-0000-0000-000000000007', n - $3, gen_random_uuid(),
            gen_random_uuid()
        from generate_series($1::bigint, $2::bigint) n
        returning *
    )
    insert into millrace.messages (tenant_id, message_id, state, class, channel, contact_id, number,
        body, segments, cost_micros, body_hash, submitted_at, changed_at, passport)
    select tenant_id, message_id, case seq when 0 then 20 else 22 end, 'promo', 'sms', contact_id,
        '+12125550100', 'hello', 1, 7900, '', now(), now(), '[]'
    from fed";

#[tokio::test]
async fn a_look_at_a_campaign_reads_the_chunk_that_is_open_alone() -> anyhow::Result<()> {
    let database = Database::start().await?;
    let tenant = database.tenant("acme").await?;
    let store = pipeline(&database).await?;
    let rows = size(200_000, 5_000);
    fill(&database, RECIPIENTS, rows, 1).await?;

    let mut campaign = RunningCampaign {
        tenant: tenant.clone(),
        id: CampaignId(Uuid::from_u128(7)),
        state: CampaignState::Running,
        class: MessageClass::Promo,
        pool: PoolId(Uuid::nil()),
        tags: Vec::new(),
        validity_seconds: None,
        audience_size: rows,
        frozen_through: None,
        cursor: rows,
        settled_below: 0,
        settled: SettledChunks::none(),
        version: 2,
    };
    for looked_at in [rows, 1_000, 1_000] {
        let begun = Instant::now();
        let mut tx = store.scoped([&tenant]).await?;
        let flight = flight::in_flight(&mut tx, &campaign).await?;
        let millis = begun.elapsed().as_secs_f64() * 1_000.0;

        println!("| a look at a campaign | {rows} | 1 | {looked_at} recipients | {millis:.2} ms |");
        assert_eq!((flight.looked_at, flight.is_open, flight.lowest_open), (looked_at, true, 0));
        campaign.settled = flight.settled;
    }
    Ok(())
}
