//! Meters: the pace of senders as the gates see it. Database time, as spans from now.

use domain::{
    gates::{ByLane, Meter, SenderFacts},
    ids::{SenderId, TenantId},
};
use jiff::SignedDuration;
use stage::Fault;

use crate::{Scoped, capacity::pace::key_of, core::keyed, fault};

/// The meters of senders. What a tenant has of an account's pace is shared equally among its
/// senders that have texts in line there: each by itself would be admitted for all of it. Whoever
/// decides by them has locked the senders' counters: what others admit is counted by then, and what
/// `send` claims meanwhile only makes room.
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
                  coalesce(extract(epoch from greatest(p.next_free, a.next_free, t.next_free)
                                              - clock_timestamp())::float8, 0) as "rests!",
                  1 / least(k.pace, case when o.pace is not null or a.seen_rate is not null
                                         then account_rate(k.account, k.tenant_id, k.weight)
                                              / greatest(1, w.in_line)
                                    end) as "segment!",
                  exists (select from parked q where q.tenant_id = k.tenant_id
                             and q.cause_key = 'line:admitted_urgent:' || k.sender_id)
                      as "urgent_awaited!",
                  exists (select from parked q where q.tenant_id = k.tenant_id
                             and q.cause_key = 'line:admitted_bulk:' || k.sender_id)
                      as "bulk_awaited!"
           from unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::float8[], $6::int[])
                as k (tenant_id, sender_id, key, account, pace, weight)
           left join pace p on p.tenant_id = k.tenant_id and p.key = k.key
           left join account_pace a on a.account = k.account
           left join account_turns t on t.account = k.account and t.tenant_id = k.tenant_id
           left join platform_accounts o on o.account = k.account
           left join (
               select s.tenant_id, s.account, count(distinct s.sender_id) as in_line
               from (select distinct g.tenant_id, g.account
                     from unnest($1::text[], $4::text[]) as g (tenant_id, account)
                     where exists (select from platform_accounts x
                                    where x.account = g.account and x.pace is not null)
                        or exists (select from account_pace x
                                    where x.account = g.account and x.seen_rate is not null)) g
               join senders s on s.tenant_id = g.tenant_id and s.account = g.account
               join lines l on l.tenant_id = s.tenant_id
                            and l.key in ('admitted_urgent:' || s.sender_id,
                                      'admitted_bulk:' || s.sender_id)
               group by s.tenant_id, s.account
           ) w on w.tenant_id = k.tenant_id and w.account = k.account"#,
        &senders.iter().map(|(tenant, _)| tenant.as_str()).collect::<Vec<_>>() as _,
        &senders.iter().map(|(_, of)| of.id.0).collect::<Vec<_>>(),
        &senders.iter().map(|(_, of)| key_of(of.id)).collect::<Vec<_>>(),
        &senders.iter().map(|(_, of)| of.account.as_str()).collect::<Vec<_>>() as _,
        &paces.collect::<Vec<_>>(),
        &weights.collect::<Vec<_>>(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let meter = rows.into_iter().map(|row| {
        let meter = Meter {
            segment: span(row.segment),
            claimed: ByLane { urgent: row.urgent, bulk: row.bulk },
            rests: span(row.rests),
            is_awaited: ByLane { urgent: row.urgent_awaited, bulk: row.bulk_awaited },
        };
        (keyed::tenant(&row.tenant_id), SenderId(row.sender_id), meter)
    });
    Ok(meter.collect())
}

fn span(seconds: f64) -> SignedDuration {
    SignedDuration::try_from_secs_f64(seconds).unwrap_or(SignedDuration::MAX)
}
