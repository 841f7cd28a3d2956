//! What the totals must be, by the rows of messages.

use std::ops::Sub;

use domain::{ids::TenantId, message::state::MessageState};
use sqlx::types::Uuid;
use stage::Fault;
use wire::totals::{COST_NAME, RELEASED_NAME, SEGMENTS_NAME};

use crate::{Scoped, core::words, fault};

/// What the messages come to that are counted alike.
pub(super) struct CountedRows {
    pub(super) campaign: Option<Uuid>,
    pub(super) variant: Option<String>,
    pub(super) state: MessageState,
    pub(super) detail: Option<String>,
    pub(super) sums: CountedSums,
}

/// Sums over messages that are counted alike.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct CountedSums {
    pub(super) messages: i64,
    pub(super) released: i64,
    pub(super) segments: i64,
    pub(super) cost_micros: i64,
}

impl CountedSums {
    /// The sums that have a total of their own, by its name.
    pub(super) fn named(&self) -> [(&'static str, i64); 3] {
        [
            (RELEASED_NAME, self.released),
            (SEGMENTS_NAME, self.segments),
            (COST_NAME, self.cost_micros),
        ]
    }
}

impl Sub for CountedSums {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            messages: self.messages - other.messages,
            released: self.released - other.released,
            segments: self.segments - other.segments,
            cost_micros: self.cost_micros - other.cost_micros,
        }
    }
}

/// Counts the messages of a tenant: the rows with what is no longer kept, without what has not been
/// folded.
pub(super) async fn count(tx: &mut Scoped, tenant: &TenantId) -> Result<Vec<CountedRows>, Fault> {
    let rows = sqlx::query!(
        r#"with counted as (
               select m.campaign_id, m.variant, m.state,
                      state_detail(m.state, m.gate, m.code) as detail, count(*) as messages,
                      count(*) filter (where m.turn > 1) as released,
                      coalesce(sum(m.segments) filter (where m.carrier_sid is not null), 0)
                          as segments,
                      coalesce(sum(m.cost_micros) filter (where m.carrier_sid is not null), 0)
                          as cost_micros
               from messages m where m.tenant_id = $1 group by 1, 2, 3, 4
               union all
               select nullif(g.campaign_id, $2), nullif(g.variant, ''), g.state,
                      nullif(g.detail, ''), g.messages, g.released, g.segments, g.cost_micros
               from gone_counts g where g.tenant_id = $1
               union all
               select u.campaign_id, u.variant, u.new_state, u.new_detail, -u.messages, -u.released,
                      -u.segments, -u.cost_micros
               from moved_counts u where u.tenant_id = $1
               union all
               select u.campaign_id, u.variant, u.old_state, u.old_detail, u.messages, 0, 0, 0
               from moved_counts u where u.tenant_id = $1 and u.old_state is not null
           )
           select c.campaign_id, c.variant, c.state as "state!", c.detail,
                  sum(c.messages)::bigint as "messages!", sum(c.released)::bigint as "released!",
                  sum(c.segments)::bigint as "segments!",
                  sum(c.cost_micros)::bigint as "cost_micros!"
           from counted c group by 1, 2, 3, 4"#,
        tenant.as_str(),
        Uuid::nil(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let counted = rows.into_iter().map(|row| {
        let sums = CountedSums {
            messages: row.messages,
            released: row.released,
            segments: row.segments,
            cost_micros: row.cost_micros,
        };
        Ok(CountedRows {
            campaign: row.campaign_id,
            variant: row.variant,
            state: words::state(row.state)?,
            detail: row.detail,
            sums,
        })
    });
    counted.collect()
}
