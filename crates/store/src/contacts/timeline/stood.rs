//! Where a person stood: the changes of their consent, and the campaigns that took them in.

use domain::ids::{CampaignId, TenantId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use super::{
    entry::{CampaignEntry, ConsentEntry, TimelineEntry, TimelineFact},
    person::Person,
};
use crate::{
    Scoped,
    core::words::{optional, word},
    fault,
};

/// Of how many campaigns of a person those of a page are picked, at most.
const MOST_CAMPAIGNS: i64 = 10_000;

/// Lines of a person's ledger of consent before a position, the newest first.
pub(super) async fn consents(
    tx: &mut Scoped,
    tenant: &TenantId,
    person: &Person,
    before: (Timestamp, Uuid),
    limit: i64,
) -> Result<Vec<TimelineEntry>, Fault> {
    let rows = sqlx::query!(
        "select c.consent_id, c.channel, c.action, c.method, c.program, c.basis, c.source,
                c.recorded_by, c.at
         from unnest($2::text[]) as k (number)
         cross join lateral (
             select * from consents n
             where n.tenant_id = $1 and n.number = k.number and (n.at, n.consent_id) < ($3, $4)
             order by n.at desc, n.consent_id desc limit $5
         ) c
         order by c.at desc, c.consent_id desc limit $5",
        tenant.as_str(),
        &person.addresses,
        before.0.to_sqlx() as _,
        before.1,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let entries = rows.into_iter().map(|row| {
        let consent = ConsentEntry {
            channel: word(&row.channel)?,
            action: word(&row.action)?,
            method: word(&row.method)?,
            program: row.program,
            basis: optional(row.basis.as_deref())?,
            source: row.source,
            by: row.recorded_by,
        };
        Ok(TimelineEntry {
            id: row.consent_id,
            at: row.at.to_jiff(),
            what: TimelineFact::Consent(consent),
        })
    });
    entries.collect()
}

/// Campaigns that had a person in their audience and started before a position, the newest first.
pub(super) async fn campaigns(
    tx: &mut Scoped,
    tenant: &TenantId,
    person: &Person,
    before: (Timestamp, Uuid),
    limit: i64,
) -> Result<Vec<TimelineEntry>, Fault> {
    let rows = sqlx::query!(
        r#"select distinct c.started_at as "at!", c.campaign_id, c.name, c.state
           from unnest($2::uuid[]) as k (contact_id)
           cross join lateral (
               select * from campaign_recipients a where a.contact_id = k.contact_id limit $6
           ) r
           join campaigns c on c.tenant_id = $1 and c.campaign_id = r.campaign_id
           where r.tenant_id = $1 and (c.started_at, c.campaign_id) < ($3, $4)
           order by 1 desc, c.campaign_id desc limit $5"#,
        tenant.as_str(),
        &person.ids(),
        before.0.to_sqlx() as _,
        before.1,
        limit,
        MOST_CAMPAIGNS,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let entries = rows.into_iter().map(|row| {
        let id = CampaignId(row.campaign_id);
        let campaign = CampaignEntry { id, name: row.name, state: word(&row.state)? };
        Ok(TimelineEntry {
            id: row.campaign_id,
            at: row.at.to_jiff(),
            what: TimelineFact::Campaign(campaign),
        })
    });
    entries.collect()
}
