//! How fast a tenant's parked messages come back: as fast as its senders carry them, so that a
//! morning's opening waits in rows and not in the pipe.

use std::{collections::HashMap, num::NonZeroU32, time::Duration};

use domain::ids::TenantId;
use governor::{
    DefaultDirectRateLimiter, Quota, RateLimiter,
    clock::{Clock, QuantaClock, QuantaInstant},
};
use store::parked::release::Found;

/// Seconds of its senders' pace that a tenant may have released at once.
const SECONDS_AHEAD: u32 = 10;

/// Messages a second of a tenant whose senders are slower, or who has none: the gates say so.
const SLOWEST: u32 = 20;

/// How long a tenant that has used up its pace is left alone.
const REST: Duration = Duration::from_millis(200);

/// The pace of every tenant that had paced rows.
#[derive(Default)]
pub(crate) struct Paces {
    clock: QuantaClock,
    tenants: HashMap<TenantId, Pace>,
}

struct Pace {
    per_second: u32,
    limiter: DefaultDirectRateLimiter,
    rests_until: Option<QuantaInstant>,
}

impl Pace {
    fn new(per_second: u32) -> Self {
        let rate = NonZeroU32::new(per_second).unwrap_or(NonZeroU32::MIN);
        let burst = rate.saturating_mul(NonZeroU32::MIN.saturating_add(SECONDS_AHEAD - 1));
        let limiter = RateLimiter::direct(Quota::per_second(rate).allow_burst(burst));
        Self { per_second, limiter, rests_until: None }
    }
}

impl Paces {
    /// Tenants whose paced rows need not be looked at yet.
    pub(crate) fn waiting(&self) -> Vec<TenantId> {
        let now = self.clock.now();
        let rests = |pace: &Pace| pace.rests_until.is_some_and(|until| now < until);
        let waiting = self.tenants.iter().filter(|(_, pace)| rests(pace));
        waiting.map(|(tenant, _)| tenant.clone()).collect()
    }

    /// Leaves out the paced rows that are ahead of their tenant's pace, given in messages a second.
    pub(crate) fn admit(&mut self, found: Vec<Found>, paces: Vec<(TenantId, i64)>) -> Vec<Found> {
        for (tenant, pace) in paces {
            let pace = u32::try_from(pace).unwrap_or(u32::MAX).max(SLOWEST);
            match self.tenants.get(&tenant) {
                Some(known) if known.per_second == pace => {}
                _ => drop(self.tenants.insert(tenant, Pace::new(pace))),
            }
        }
        let rests_until = self.clock.now() + REST.into();
        let mut admitted = found;
        admitted.retain(|row| {
            let Some(pace) = self.tenants.get_mut(&row.tenant).filter(|_| row.paced) else {
                return true;
            };
            let free = pace.limiter.check().is_ok();
            if !free {
                pace.rests_until = Some(rests_until);
            }
            free
        });
        admitted
    }
}

#[cfg(test)]
mod tests {
    use domain::ids::MessageId;

    use super::*;

    fn rows(tenant: &str, paced: bool, count: u128) -> Vec<Found> {
        let tenant: TenantId = tenant.parse().expect("a tenant");
        let row = |n| Found {
            tenant: tenant.clone(),
            message: MessageId(uuid::Uuid::from_u128(n)),
            turn: 1,
            paced,
        };
        (0..count).map(row).collect()
    }

    #[test]
    fn a_tenant_is_released_ten_seconds_ahead_and_then_waits_while_others_go_on() {
        let mut paces = Paces::default();
        let (slow, fast): (TenantId, TenantId) =
            ("slow".parse().expect("a key"), ("fast").parse().expect("a key"));
        let speeds = || vec![(slow.clone(), 30), (fast.clone(), 1_000)];
        let mut both = rows("slow", true, 500);
        both.extend(rows("fast", true, 500));
        let admitted = paces.admit(both, speeds());
        let of = |tenant: &TenantId| admitted.iter().filter(|row| row.tenant == *tenant).count();
        assert!((300..310).contains(&of(&slow)), "{}", of(&slow));
        assert_eq!(of(&fast), 500);
        assert_eq!(paces.waiting(), [slow]);
    }

    #[test]
    fn what_somebody_waits_for_and_what_is_to_be_ended_has_no_pace() {
        let mut paces = Paces::default();
        let tenant: TenantId = "slow".parse().expect("a key");
        paces.admit(rows("slow", true, 500), vec![(tenant, 1)]);
        assert_eq!(paces.admit(rows("slow", false, 500), Vec::new()).len(), 500);
    }

    #[test]
    fn a_changed_pace_holds_at_once() {
        let mut paces = Paces::default();
        let tenant: TenantId = "acme".parse().expect("a key");
        paces.admit(rows("acme", true, 500), vec![(tenant.clone(), 20)]);
        let admitted = paces.admit(rows("acme", true, 500), vec![(tenant, 50)]);
        assert!(admitted.len() >= 500, "{}", admitted.len());
    }
}
