//! Meters: the pace of senders as the gates see it. Database time, as spans from now.

use domain::{
    gates::{ByLane, CounterKind, LineKey, Meter, SenderFacts, Wake},
    ids::{SenderId, TenantId},
    message::class::Lane,
};
use jiff::SignedDuration;
use stage::Fault;

use crate::{Scoped, capacity::pace::key_of, core::keyed, fault};

/// The meters of senders. What a tenant has of an account's pace is shared equally among its
/// senders that have texts in line there, and the tenant's own pace among all that have: each by
/// itself would be admitted for all of it. Whoever
/// decides by them reads the senders' counters under their locks: what others have admitted is
/// counted by then, and what `send` claims meanwhile only makes room. A gate does so before, so
/// that nobody comes to stand in a line unseen.
pub async fn of(
    tx: &mut Scoped,
    senders: &[(&TenantId, &SenderFacts)],
) -> Result<Vec<(TenantId, SenderId, Meter)>, Fault> {
    if senders.is_empty() {
        return Ok(Vec::new());
    }
    let paces = senders.iter().map(|(_, of)| f64::from(of.pace.max(1)));
    let weights = senders.iter().map(|(_, of)| i32::try_from(of.weight).unwrap_or(i32::MAX));

    let rows = sqlx::query!(
        r#"select k.tenant_id as "tenant_id!", k.sender_id as "sender_id!",
                  coalesce(p.claimed_urgent, 0) as "urgent!",
                  coalesce(p.claimed_bulk, 0) as "bulk!",
                  coalesce(extract(epoch from greatest(p.next_free, a.next_free, t.next_free,
                                                       e.next_free)
                                              - clock_timestamp())::float8, 0) as "rests!",
                  1 / least(k.pace, r.rate / greatest(1, w.urgent),
                            n.pace::float8 / greatest(1, v.urgent)) as "urgent_segment!",
                  1 / least(k.pace, r.rate / greatest(1, w.either),
                            n.pace::float8 / greatest(1, v.either)) as "bulk_segment!",
                  (select true from parked q
                   where q.tenant_id = k.tenant_id and q.cause_key = k.urgent_line
                   order by q.parked_at, q.message_id limit 1) is not null as "urgent_awaited!",
                  (select true from parked q
                   where q.tenant_id = k.tenant_id and q.cause_key = k.bulk_line
                   order by q.parked_at, q.message_id limit 1) is not null as "bulk_awaited!"
           from unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::float8[], $6::int[],
                       $7::text[], $8::text[])
                as k (tenant_id, sender_id, key, account, pace, weight, urgent_line, bulk_line)
           left join pace p on p.tenant_id = k.tenant_id and p.key = k.key
           left join account_pace a on a.account = k.account
           left join account_turns t on t.account = k.account and t.tenant_id = k.tenant_id
           left join account_turns e on e.account = '' and e.tenant_id = k.tenant_id
           left join tenants n on n.tenant_id = k.tenant_id
           left join platform_accounts o on o.account = k.account
           cross join lateral (
               select case when o.pace is not null or a.seen_rate is not null
                           then account_rate(k.account, k.tenant_id, k.weight) end as rate) r
           left join senders_in_line($1::text[], $4::text[]) w on r.rate is not null
                                      and w.tenant_id = k.tenant_id and w.account = k.account
           left join senders_in_line_of($1::text[]) v on n.pace is not null
                                      and v.tenant_id = k.tenant_id"#,
        &senders.iter().map(|(tenant, _)| tenant.as_str()).collect::<Vec<_>>() as _,
        &senders.iter().map(|(_, of)| of.id.0).collect::<Vec<_>>(),
        &senders.iter().map(|(_, of)| key_of(of.id)).collect::<Vec<_>>(),
        &senders.iter().map(|(_, of)| of.account.as_str()).collect::<Vec<_>>() as _,
        &paces.collect::<Vec<_>>(),
        &weights.collect::<Vec<_>>(),
        &lines_of(senders, Lane::Urgent) as _,
        &lines_of(senders, Lane::Bulk) as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let meter = rows.into_iter().map(|row| {
        let meter = Meter {
            segment: ByLane { urgent: span(row.urgent_segment), bulk: span(row.bulk_segment) },
            claimed: ByLane { urgent: row.urgent, bulk: row.bulk },
            rests: span(row.rests),
            is_awaited: ByLane { urgent: row.urgent_awaited, bulk: row.bulk_awaited },
        };
        (keyed::tenant(&row.tenant_id), SenderId(row.sender_id), meter)
    });
    Ok(meter.collect())
}

/// The causes under which messages wait for these senders. They are made here: an index of a table
/// under row-level security takes no value that the statement puts together from other rows.
fn lines_of(senders: &[(&TenantId, &SenderFacts)], lane: Lane) -> Vec<String> {
    let key =
        |sender: SenderId| LineKey { kind: CounterKind::admitted(lane), target: Some(sender.0) };
    senders.iter().map(|(_, of)| Wake::Line(key(of.id)).to_string()).collect()
}

fn span(seconds: f64) -> SignedDuration {
    SignedDuration::try_from_secs_f64(seconds).unwrap_or(SignedDuration::MAX)
}
