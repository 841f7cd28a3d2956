//! How many messages a tenant may submit through this process: a flooding tenant gets its own 429
//! long before a stream is full for everybody.

use std::{num::NonZeroU32, time::Duration};

use axum::{
    http::{HeaderName, HeaderValue},
    response::{IntoResponse, Response},
};
use domain::ids::TenantId;
use governor::{
    Quota, RateLimiter,
    clock::{Clock, QuantaClock},
    middleware::StateInformationMiddleware,
    state::keyed::HashMapStateStore,
};

use crate::http::problem::{Kind, Problem};

type Limiter =
    RateLimiter<TenantId, HashMapStateStore<TenantId>, QuantaClock, StateInformationMiddleware>;

/// The quotas of all tenants.
pub struct Quotas {
    limiter: Limiter,
    clock: QuantaClock,
    burst: u32,
    refill: Duration,
}

/// What is left to a tenant, for the `RateLimit-*` headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Left {
    limit: u32,
    remaining: u32,
    reset_seconds: u64,
}

impl Quotas {
    pub(crate) fn new(per_second: u32, burst: u32) -> Self {
        let per_second = NonZeroU32::new(per_second).unwrap_or(NonZeroU32::MIN);
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);

        let clock = QuantaClock::default();
        let quota = Quota::per_second(per_second).allow_burst(burst);
        Self {
            limiter: Limiter::new(quota, HashMapStateStore::default(), clock.clone()),
            clock,
            burst: burst.get(),
            refill: Duration::from_secs(1) / per_second.get(),
        }
    }

    /// Takes `count` messages from a tenant's quota.
    pub(crate) fn take(&self, tenant: &TenantId, count: u32) -> Result<Left, (Problem, Left)> {
        let Some(count) = NonZeroU32::new(count) else { return Ok(self.left(self.burst)) };

        match self.limiter.check_key_n(tenant, count) {
            Ok(Ok(state)) => Ok(self.left(state.remaining_burst_capacity())),
            Ok(Err(until)) => {
                let wait = until.wait_time_from(self.clock.now()).as_secs_f64().ceil().max(1.0);
                Err(self.refused(wait as u64))
            }
            Err(_) => {
                let detail = format!("more than {} messages at once", self.burst);
                Err((Problem::new(Kind::TooMany, detail).retry_after(1), self.left(0)))
            }
        }
    }

    /// What a tenant is told that is over its quota: to come again after `wait` seconds.
    fn refused(&self, wait: u64) -> (Problem, Left) {
        let detail = "the tenant submits faster than its quota";
        let left = Left { limit: self.burst, remaining: 0, reset_seconds: wait };
        (Problem::new(Kind::TooMany, detail).retry_after(wait), left)
    }

    fn left(&self, remaining: u32) -> Left {
        let missing = self.burst.saturating_sub(remaining);
        let reset = self.refill.saturating_mul(missing).as_secs_f64().ceil();
        Left { limit: self.burst, remaining, reset_seconds: reset as u64 }
    }
}

impl Left {
    /// An answer with the `RateLimit-*` headers.
    pub(crate) fn with(self, answer: impl IntoResponse) -> Response {
        let mut response = answer.into_response();
        for (name, value) in [
            ("ratelimit-limit", u64::from(self.limit)),
            ("ratelimit-remaining", u64::from(self.remaining)),
            ("ratelimit-reset", self.reset_seconds),
        ] {
            response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from(value));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_over_its_quota_waits_and_its_neighbour_does_not() {
        let quotas = Quotas::new(10, 20);
        let (a, b): (TenantId, TenantId) =
            ("aa".parse().expect("valid"), "bb".parse().expect("valid"));

        assert_eq!(quotas.take(&a, 20).map(|left| left.remaining).ok(), Some(0));
        let (_, left) = quotas.take(&a, 5).expect_err("used up");
        assert_eq!((left.remaining, left.reset_seconds), (0, 1));

        assert!(quotas.take(&b, 1).is_ok());
        assert!(quotas.take(&b, 21).is_err(), "more than can ever be had at once");
    }
}
