//! What the assistant goes by in threads: read once for each settings, however many threads are
//! under them.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use domain::{
    assistant::{AssistantScope, AssistantSettings, Cues},
    ids::{ConversationId, TenantId},
    money::Micros,
    zones::Zone,
};
use sqlx::types::Uuid;
use stage::Fault;

use super::{Ask, AssistantFacts, Used};
use crate::{
    Scoped,
    core::words::{word, words},
    fault,
};

words! { AssistantScope = "scope of the assistant's settings" }

/// What the assistant goes by in the threads of these texts: the settings of the inbox, else of the
/// brand, else of the company, else the defaults.
pub(super) async fn of_threads(
    tx: &mut Scoped,
    asks: &[Ask],
) -> Result<HashMap<ConversationId, Arc<AssistantFacts>>, Fault> {
    let threads: BTreeSet<(&TenantId, ConversationId)> =
        asks.iter().map(|ask| (&ask.tenant, ask.conversation)).collect();
    let rows = sqlx::query!(
        r#"select g.threads as "threads!", g.scope as "scope!", g.target as "target!", t.name,
                  t.time_zone, a.body::text as body, u.day::text as "day?", u.tokens as "tokens?",
                  u.cost_micros as "cost_micros?"
           from (
               select k.tenant_id, coalesce(s.scope, 'company') as scope,
                      coalesce(s.target, '00000000-0000-0000-0000-000000000000') as target,
                      array_agg(k.conversation_id) as threads
               from unnest($1::text[], $2::uuid[]) as k (tenant_id, conversation_id)
               join conversations v
                 on v.tenant_id = k.tenant_id and v.conversation_id = k.conversation_id
               left join lateral (
                   select o.scope, o.target from assistant_settings o
                   where o.tenant_id = v.tenant_id
                     and (o.scope = 'company'
                          or o.scope = 'brand' and o.target = v.brand_id
                          or o.scope = 'inbox' and o.target = v.inbox_id)
                   order by o.scope = 'inbox' desc, o.scope = 'brand' desc limit 1
               ) s on true
               group by 1, 2, 3
           ) g
           join tenants t on t.tenant_id = g.tenant_id
           left join assistant_settings a
             on a.tenant_id = g.tenant_id and a.scope = g.scope and a.target = g.target
           left join assistant_usage u
             on u.tenant_id = g.tenant_id and u.scope = g.scope and u.target = g.target"#,
        &threads.iter().map(|thread| thread.0.to_string()).collect::<Vec<_>>(),
        &threads.iter().map(|thread| thread.1.0).collect::<Vec<_>>(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut found = HashMap::new();
    for row in rows {
        let settings = match row.body {
            Some(body) => AssistantSettings::read(&body),
            None => Some(AssistantSettings::default()),
        };
        let used = Used {
            tokens: row.tokens.unwrap_or_default(),
            cost: Micros(row.cost_micros.unwrap_or_default()),
        };
        let facts = Arc::new(AssistantFacts {
            scope: word(&row.scope)?,
            target: row.target,
            cues: settings.as_ref().map(Cues::of).unwrap_or_default(),
            settings,
            zone: Zone::parse(&row.time_zone).ok(),
            company: row.name,
            used_on: row.day.and_then(|day| day.parse().ok()),
            used,
        });
        let of_each = row.threads.into_iter().map(|thread: Uuid| ConversationId(thread));
        found.extend(of_each.map(|thread| (thread, Arc::clone(&facts))));
    }
    Ok(found)
}
