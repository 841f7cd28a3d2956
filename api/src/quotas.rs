//! How much somebody may do through this process in a time: whoever floods gets a 429 of their own
//! long before there is no room for everybody.

use std::{hash::Hash, num::NonZeroU32, time::Duration};

use axum::{
    http::{HeaderName, HeaderValue},
    response::{IntoResponse, Response},
};
use governor::{
    DefaultDirectRateLimiter, Quota, RateLimiter,
    clock::{Clock, QuantaClock},
    middleware::StateInformationMiddleware,
    state::keyed::HashMapStateStore,
};

use crate::http::problem::Problem;

/// How many are remembered before those are forgotten whose quota is full again.
const MANY: usize = 10_000;

type Limiter<K> = RateLimiter<K, HashMapStateStore<K>, QuantaClock, StateInformationMiddleware>;

/// The quotas of everybody, each by their key: a tenant, a caller, an address.
pub struct Quotas<K: Hash + Eq + Clone> {
    limiter: Limiter<K>,
    clock: QuantaClock,
    burst: u32,
    refill: Duration,
    refusal: &'static str,
    /// How often those are forgotten whose quota is full again.
    forgetting: DefaultDirectRateLimiter,
}

/// What is left to somebody, for the `RateLimit-*` headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Left {
    limit: u32,
    remaining: u32,
    reset_seconds: u64,
}

impl<K: Hash + Eq + Clone> Quotas<K> {
    /// So many a second, averaged, and so many at once after a while of none. `refusal` tells
    /// whoever is over it.
    pub(crate) fn new((per_second, burst): (u32, u32), refusal: &'static str) -> Self {
        let per_second = NonZeroU32::new(per_second).unwrap_or(NonZeroU32::MIN);
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);

        let clock = QuantaClock::default();
        let quota = Quota::per_second(per_second).allow_burst(burst);
        Self {
            limiter: Limiter::new(quota, HashMapStateStore::default(), clock.clone()),
            clock,
            burst: burst.get(),
            refill: Duration::from_secs(1) / per_second.get(),
            refusal,
            forgetting: RateLimiter::direct(Quota::per_second(NonZeroU32::MIN)),
        }
    }

    /// Takes `count` of somebody's quota.
    pub(crate) fn take(&self, whose: &K, count: u32) -> Result<Left, (Problem, Left)> {
        let Some(count) = NonZeroU32::new(count) else { return Ok(self.left(self.burst)) };
        self.forget();

        match self.limiter.check_key_n(whose, count) {
            Ok(Ok(state)) => Ok(self.left(state.remaining_burst_capacity())),
            Ok(Err(until)) => {
                let wait = until.wait_time_from(self.clock.now()).as_secs_f64().ceil().max(1.0);
                Err(self.refused(wait as u64))
            }
            Err(_) => {
                let detail = format!("{}: {} at once at most", self.refusal, self.burst);
                Err((Problem::too_many(detail, 1), self.left(0)))
            }
        }
    }

    /// Forgets those whose quota is full again, once a second at most: with many at once each call
    /// would look at all of them.
    fn forget(&self) {
        if self.limiter.len() > MANY && self.forgetting.check().is_ok() {
            self.limiter.retain_recent();
        }
    }

    /// What somebody is told who is over their quota: to come again after `wait` seconds.
    fn refused(&self, wait: u64) -> (Problem, Left) {
        let left = Left { limit: self.burst, remaining: 0, reset_seconds: wait };
        (Problem::too_many(self.refusal, wait), left)
    }

    fn left(&self, remaining: u32) -> Left {
        let missing = self.burst.saturating_sub(remaining);
        let reset = self.refill.saturating_mul(missing).as_secs_f64().ceil();
        Left { limit: self.burst, remaining, reset_seconds: reset as u64 }
    }
}

impl Left {
    /// An answer with the `RateLimit-*` headers, where it has none of its own.
    pub(crate) fn with(self, answer: impl IntoResponse) -> Response {
        let mut response = answer.into_response();
        for (name, value) in [
            ("ratelimit-limit", u64::from(self.limit)),
            ("ratelimit-remaining", u64::from(self.remaining)),
            ("ratelimit-reset", self.reset_seconds),
        ] {
            let name = HeaderName::from_static(name);
            response.headers_mut().entry(name).or_insert(HeaderValue::from(value));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_over_their_quota_waits_and_a_neighbour_does_not() {
        let (quotas, a, b) = (Quotas::new((10, 20), "too fast"), "a", "b");

        assert_eq!(quotas.take(&a, 20).map(|left| left.remaining).ok(), Some(0));
        let (_, left) = quotas.take(&a, 5).expect_err("used up");
        assert_eq!((left.remaining, left.reset_seconds), (0, 1));

        assert!(quotas.take(&b, 1).is_ok());
        assert!(quotas.take(&b, 21).is_err(), "more than can ever be had at once");
    }
}
