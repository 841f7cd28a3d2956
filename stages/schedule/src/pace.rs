//! How fast a tenant's parked messages come back: as fast as its senders carry them, so that a
//! morning's opening waits in rows and not in the pipe.

use std::collections::HashMap;

use domain::{
    gcra::{Gcra, Slot, time_of},
    ids::TenantId,
};
use jiff::{SignedDuration, Timestamp};
use store::parked::release::DueRow;

/// How far ahead of its senders' pace a tenant may have messages released.
const AHEAD: SignedDuration = SignedDuration::from_secs(10);

/// The slowest pace, in messages a second. It holds for a tenant without senders too: the gates
/// decide what becomes of its messages.
const SLOWEST: u32 = 20;

/// How long a tenant that has used up its pace is left alone.
const REST: SignedDuration = SignedDuration::from_millis(200);

/// The pace of every tenant that had paced rows. Machine time, which the caller reads.
#[derive(Default)]
pub(crate) struct TenantPaces {
    tenants: HashMap<TenantId, TenantPace>,
}

struct TenantPace {
    per_second: u32,
    /// Where the messages released so far end.
    released: Gcra,
    /// Until then the tenant's paced rows are left alone.
    rests_until: Timestamp,
}

impl TenantPaces {
    /// Tenants whose paced rows need not be looked at yet.
    pub(crate) fn resting(&self, now: Timestamp) -> Vec<TenantId> {
        let resting = self.tenants.iter().filter(|(_, pace)| now < pace.rests_until);
        resting.map(|(tenant, _)| tenant.clone()).collect()
    }

    /// Leaves out the paced rows that are ahead of their tenant's pace, given in messages a second.
    pub(crate) fn admit(
        &mut self,
        now: Timestamp,
        mut found: Vec<DueRow>,
        paces: Vec<(TenantId, i64)>,
    ) -> Vec<DueRow> {
        self.take_over(now, paces);
        for pace in self.tenants.values_mut() {
            pace.released = Gcra::resume(pace.released.next_free(), now);
        }

        let rests_until = now.saturating_add(REST).unwrap_or(Timestamp::MAX);
        found.retain(|row| {
            let Some(pace) = self.tenants.get_mut(&row.tenant).filter(|_| row.paced) else {
                return true;
            };

            let slot = pace.released.ask(now, time_of(1, pace.per_second), AHEAD);
            if slot != Slot::Now {
                pace.rests_until = rests_until;
            }
            slot == Slot::Now
        });
        found
    }

    /// Takes over the paces that the senders have now. A changed one holds at once: what was
    /// released at the old one is forgotten.
    fn take_over(&mut self, now: Timestamp, paces: Vec<(TenantId, i64)>) {
        for (tenant, per_second) in paces {
            let per_second = u32::try_from(per_second).unwrap_or(u32::MAX).max(SLOWEST);
            let known = self.tenants.get(&tenant).map(|pace| pace.per_second);
            if known != Some(per_second) {
                let (released, rests_until) = (Gcra::resume(now, now), Timestamp::MIN);
                self.tenants.insert(tenant, TenantPace { per_second, released, rests_until });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::ids::MessageId;

    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_second(1_000_000).expect("an instant")
    }

    fn rows(tenant: &str, paced: bool, count: u128) -> Vec<DueRow> {
        let tenant: TenantId = tenant.parse().expect("a tenant");
        let row = |n| DueRow {
            tenant: tenant.clone(),
            message: MessageId(uuid::Uuid::from_u128(n)),
            turn: 1,
            paced,
        };
        (0..count).map(row).collect()
    }

    #[test]
    fn a_tenant_is_released_ten_seconds_ahead_and_then_waits_while_others_go_on() {
        let mut paces = TenantPaces::default();
        let (slow, fast): (TenantId, TenantId) =
            ("slow".parse().expect("a key"), "fast".parse().expect("a key"));
        let speeds = vec![(slow.clone(), 30), (fast, 1_000)];
        let mut both = rows("slow", true, 500);
        both.extend(rows("fast", true, 500));

        let admitted = paces.admit(now(), both, speeds);

        let of = |tenant: &TenantId| admitted.iter().filter(|row| row.tenant == *tenant).count();
        assert!((300..310).contains(&of(&slow)), "{}", of(&slow));
        assert_eq!(admitted.len() - of(&slow), 500);
        assert_eq!(paces.resting(now()), [slow]);
    }

    #[test]
    fn what_somebody_waits_for_and_what_is_to_be_ended_has_no_pace() {
        let mut paces = TenantPaces::default();
        let tenant: TenantId = "slow".parse().expect("a key");
        paces.admit(now(), rows("slow", true, 500), vec![(tenant, 1)]);

        let admitted = paces.admit(now(), rows("slow", false, 500), Vec::new());
        assert_eq!(admitted.len(), 500);
    }

    #[test]
    fn a_changed_pace_holds_at_once() {
        let mut paces = TenantPaces::default();
        let tenant: TenantId = "acme".parse().expect("a key");
        paces.admit(now(), rows("acme", true, 500), vec![(tenant.clone(), 20)]);

        let admitted = paces.admit(now(), rows("acme", true, 500), vec![(tenant, 50)]);
        assert!(admitted.len() >= 500, "{}", admitted.len());
    }
}
