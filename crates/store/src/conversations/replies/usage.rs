//! What models have cost, by the settings that they went by and the company's day.

use std::collections::HashMap;

use domain::ids::TenantId;
use sqlx::types::Uuid;
use stage::Fault;

use super::{Generation, ReplyDecision};
use crate::{Scoped, core::keyed::in_lock_order, fault};

/// Counts what the model has cost, also for what is thrown away: it is paid for.
pub(super) async fn use_up(tx: &mut Scoped, decisions: &[ReplyDecision]) -> Result<(), Fault> {
    let made = decisions.iter().filter_map(|one| {
        let made = one.generation.as_ref()?;
        Some((&one.ask.tenant, made, one.body.is_some()))
    });
    count_all(tx, made).await
}

/// Counts what a model has cost that gave no answer in the end.
pub async fn count(tx: &mut Scoped, tenant: &TenantId, made: &Generation) -> Result<(), Fault> {
    count_all(tx, [(tenant, made, false)]).await
}

/// What was used under settings: the day, answers, tokens, cost and calls of tools.
type UsedSums = (jiff::civil::Date, i64, i64, i64, i64);

/// Counts what models have cost, each with whether it has become an answer.
async fn count_all<'a>(
    tx: &mut Scoped,
    all: impl IntoIterator<Item = (&'a TenantId, &'a Generation, bool)>,
) -> Result<(), Fault> {
    let mut sums: HashMap<(&TenantId, &str, Uuid), UsedSums> = HashMap::new();
    for (tenant, made, is_answer) in all {
        let key = (tenant, made.scope.as_str(), made.target);
        let sum = sums.entry(key).or_insert((made.day, 0, 0, 0, 0));
        sum.1 += i64::from(is_answer);
        sum.2 = sum.2.saturating_add(made.input_tokens).saturating_add(made.output_tokens);
        sum.3 = sum.3.saturating_add(made.cost.0);
        sum.4 += i64::from(made.tool_calls);
    }
    if sums.is_empty() {
        return Ok(());
    }

    let sums: Vec<_> = sums.into_iter().collect();
    let sorted = in_lock_order(&sums, |(key, _)| *key);
    sqlx::query!(
        "insert into assistant_usage as u (tenant_id, scope, target, day, answers, tokens,
                                           cost_micros, tool_calls)
         select tenant_id, scope, target, day::date, answers, tokens, cost_micros, tool_calls
         from unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::bigint[], $6::bigint[],
                     $7::bigint[], $8::bigint[])
              as k (tenant_id, scope, target, day, answers, tokens, cost_micros, tool_calls)
         on conflict (tenant_id, scope, target) do update
         set day = greatest(u.day, excluded.day),
             answers = excluded.answers + case when u.day >= excluded.day then u.answers else 0 end,
             tokens = excluded.tokens + case when u.day >= excluded.day then u.tokens else 0 end,
             cost_micros = excluded.cost_micros
                 + case when u.day >= excluded.day then u.cost_micros else 0 end,
             tool_calls = excluded.tool_calls
                 + case when u.day >= excluded.day then u.tool_calls else 0 end",
        &sorted.iter().map(|(key, _)| key.0.as_str()).collect::<Vec<_>>() as _,
        &sorted.iter().map(|(key, _)| key.1).collect::<Vec<_>>() as _,
        &sorted.iter().map(|(key, _)| key.2).collect::<Vec<_>>(),
        &sorted.iter().map(|(_, sum)| sum.0.to_string()).collect::<Vec<String>>(),
        &sorted.iter().map(|(_, sum)| sum.1).collect::<Vec<_>>(),
        &sorted.iter().map(|(_, sum)| sum.2).collect::<Vec<_>>(),
        &sorted.iter().map(|(_, sum)| sum.3).collect::<Vec<_>>(),
        &sorted.iter().map(|(_, sum)| sum.4).collect::<Vec<_>>(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}
