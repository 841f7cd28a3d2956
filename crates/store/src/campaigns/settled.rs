//! Recipients that `audience` does not look at again, in whole chunks of 1,000.

use sqlx::types::Uuid;
use stage::Fault;

use crate::{Scoped, fault};

/// How many recipients are settled together.
pub const CHUNK: i64 = 1_000;

/// A campaign's settled chunks, each set as Postgres writes ranges of recipients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettledChunks {
    /// Those whose messages are all final.
    pub ended: String,
    /// Those in which the others are at the carrier, whose receipts may come.
    pub handed_over: String,
    /// How often messages of the campaign were reopened.
    pub reopened: i64,
}

impl SettledChunks {
    /// Those of a campaign of which nothing is settled.
    pub fn none() -> Self {
        Self { ended: "{}".to_owned(), handed_over: "{}".to_owned(), reopened: 0 }
    }
}

/// Has `audience` look again at the recipients of messages that are open again. Each is named by
/// its tenant, campaign, contact and id.
pub(crate) async fn reopen(
    tx: &mut Scoped,
    tenants: &[&str],
    campaigns: &[Uuid],
    contacts: &[Uuid],
    messages: &[Uuid],
) -> Result<(), Fault> {
    sqlx::query!(
        "with fed as (
             select r.tenant_id, r.campaign_id, min(r.seq) as seq,
                    range_agg(int8range(r.seq / $5 * $5, (r.seq / $5 + 1) * $5)) as chunks
             from unnest($1::text[], $2::uuid[], $3::uuid[], $4::uuid[])
                  as k (tenant_id, campaign_id, contact_id, message_id)
             join campaign_recipients r on r.tenant_id = k.tenant_id and r.contact_id = k.contact_id
                                       and r.campaign_id = k.campaign_id
                                       and r.message_id = k.message_id
             group by r.tenant_id, r.campaign_id order by 1, 2
         )
         update campaigns c
         set settled_below = least(c.settled_below, fed.seq), ended = c.ended - fed.chunks,
             handed_over = c.handed_over - fed.chunks, reopened = c.reopened + 1
         from fed
         where c.tenant_id = fed.tenant_id and c.campaign_id = fed.campaign_id",
        tenants as _,
        campaigns,
        contacts,
        messages,
        CHUNK,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}
