//! Machine time and business time. For a date, the platform reads the machine's clock here and in
//! `stage::machine` alone.
//!
//! Business time is what gates, schedules, budgets and events go by. It is machine time, unless
//! the sandbox clock is allowed (`MILLRACE_SANDBOX=1`) and set: then every process follows the one
//! value under the key `business` of the key-value bucket `CLOCK`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use async_nats::jetstream::{
    Context,
    kv::{self, Operation, Store, UpdateErrorKind},
};
use domain::clock::{BusinessClock, MAX_RATE};
use futures::StreamExt;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use wire::json;

/// The machine's time, to the microsecond, as the database stores it.
#[expect(clippy::disallowed_methods, reason = "the home of the machine's clock")]
pub fn machine_now() -> Timestamp {
    to_micros(Timestamp::now())
}

/// Business time. Clones share it.
///
/// Once a clock is set, business time never goes back, in this process or in any other:
/// [`set_sandbox_clock`] refuses a clock that would lead back, and where somebody sets the
/// machine's clock back, business time waits. Only the first clock may name an instant before
/// machine time, so that a system without data can begin on any day.
#[derive(Debug, Clone, Default)]
pub struct BusinessTime(Arc<State>);

#[derive(Debug)]
struct State {
    clock: ArcSwapOption<BusinessClock>,
    /// The latest instant that was read since the first clock was set, microseconds.
    latest: AtomicI64,
}

impl Default for State {
    fn default() -> Self {
        Self { clock: ArcSwapOption::empty(), latest: AtomicI64::new(i64::MIN) }
    }
}

impl BusinessTime {
    /// Business time that is machine time, until a clock is set here.
    pub fn machine() -> Self {
        Self::default()
    }

    /// Business time now, to the microsecond.
    pub fn now(&self) -> Timestamp {
        self.read(machine_now())
    }

    /// The clock that business time goes by; none while it is machine time.
    pub fn clock(&self) -> Option<BusinessClock> {
        self.0.clock.load().as_deref().copied()
    }

    /// Goes by this clock from now on.
    pub fn set(&self, clock: BusinessClock) {
        self.0.clock.store(Some(Arc::new(clock)));
    }

    /// Business time at this instant of machine time, and never before what was read already.
    fn read(&self, machine: Timestamp) -> Timestamp {
        let Some(clock) = self.clock() else { return machine };
        let read = to_micros(clock.at(machine)).as_microsecond();
        let latest = self.0.latest.fetch_max(read, Ordering::AcqRel).max(read);

        Timestamp::from_microsecond(latest).unwrap_or(Timestamp::MAX)
    }
}

/// The bucket of the sandbox clock.
pub const BUCKET: &str = "CLOCK";
/// The only key of the bucket.
pub const KEY: &str = "business";
/// How long to wait before the broker is asked again.
const RETRY: Duration = Duration::from_millis(500);
/// How often a process that sets the clock tries, where others set it at the same time.
const ATTEMPTS: usize = 5;

/// The sandbox clock could not be read or set.
#[derive(Debug, thiserror::Error)]
pub enum ClockError {
    /// Business time only moves forward.
    #[error("business time only moves forward: it is {now}")]
    Backward {
        /// Business time when it was refused.
        now: Timestamp,
    },
    /// The rate is not one that a clock may have.
    #[error("the rate must be between 0 and {MAX_RATE} business seconds per second")]
    Rate,
    /// The broker could not be asked.
    #[error("the sandbox clock could not be {0}")]
    Broker(String),
}

/// Business time of a process whose sandbox clock is allowed. It goes by the present clock when
/// this returns, and follows changes within milliseconds until `stop` is cancelled. While the
/// broker is away it goes by the last clock it knows.
///
/// # Errors
/// [`ClockError::Broker`] when the present value cannot be read.
pub async fn follow_sandbox_clock(
    jetstream: &Context,
    stop: CancellationToken,
) -> Result<BusinessTime, ClockError> {
    let store = bucket(jetstream).await?;
    let time = BusinessTime::machine();
    if let (Some(clock), _) = stored(&store).await? {
        time.set(clock);
    }

    let followed = time.clone();
    tokio::spawn(async move {
        let following = async {
            loop {
                if let Err(error) = follow(&store, &followed).await {
                    tracing::warn!(%error, "the sandbox clock cannot be followed, trying again");
                }
                tokio::time::sleep(RETRY).await;
            }
        };
        stop.run_until_cancelled(following).await;
    });

    Ok(time)
}

/// Makes the place where the sandbox clock is kept, unless it is there: whoever only follows it may
/// not.
///
/// # Errors
/// The broker cannot be asked, or refuses.
pub async fn make_sandbox_clock(jetstream: &Context) -> Result<(), ClockError> {
    bucket(jetstream).await.map(drop)
}

/// Sets the sandbox clock of every process: business time is `now` at this moment and runs on at
/// `rate` business seconds per second.
///
/// # Errors
/// [`ClockError::Backward`], [`ClockError::Rate`], or the broker cannot be reached.
pub async fn set_sandbox_clock(
    jetstream: &Context,
    now: Timestamp,
    rate: f64,
) -> Result<BusinessClock, ClockError> {
    if !(0.0..=MAX_RATE).contains(&rate) {
        return Err(ClockError::Rate);
    }

    let store = bucket(jetstream).await?;
    for _ in 0..ATTEMPTS {
        let (known, revision) = stored(&store).await?;
        let set_at = machine_now();
        if let Some(known) = known
            && known.at(set_at) > now
        {
            return Err(ClockError::Backward { now: known.at(set_at) });
        }

        let clock = BusinessClock { now, set_at, rate };
        let text = json::to_vec(&clock);
        // Only over the value that was compared: somebody else may have moved the clock meanwhile.
        match store.update(KEY, text.into(), revision).await {
            Ok(_) => return Ok(clock),
            Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => {}
            Err(error) => return Err(cannot("written")(&error)),
        }
    }

    Err(ClockError::Broker("set: somebody else sets it all the time".to_owned()))
}

/// Takes over the present value and each new one, until the watch breaks.
async fn follow(store: &Store, time: &BusinessTime) -> Result<(), ClockError> {
    let mut changes = store.watch_with_history(KEY).await.map_err(|e| cannot("watched")(&e))?;
    while let Some(change) = changes.next().await {
        let entry = change.map_err(|e| cannot("watched")(&e))?;
        match decode(&entry) {
            Ok(Some(clock)) => time.set(clock),
            Ok(None) => tracing::warn!("the sandbox clock was deleted: it runs on as it was"),
            Err(error) => tracing::error!(%error, "the sandbox clock runs on as it was"),
        }
    }
    Ok(())
}

/// The bucket, made if it is not there.
async fn bucket(jetstream: &Context) -> Result<Store, ClockError> {
    // An error is not shown: whatever is wrong, making the bucket says so too, and clearer.
    if let Ok(store) = jetstream.get_key_value(BUCKET).await {
        return Ok(store);
    }

    let config = kv::Config {
        bucket: BUCKET.to_owned(),
        description: "business time, in the sandbox".to_owned(),
        max_value_size: 1024,
        history: 1,
        max_bytes: 64 * 1024,
        ..kv::Config::default()
    };
    jetstream.create_key_value(config).await.map_err(|e| cannot("stored")(&e))
}

/// The present value, and the revision that a new one replaces.
async fn stored(store: &Store) -> Result<(Option<BusinessClock>, u64), ClockError> {
    match store.entry(KEY).await.map_err(|e| cannot("read")(&e))? {
        Some(entry) => Ok((decode(&entry)?, entry.revision)),
        None => Ok((None, 0)),
    }
}

/// The clock of an entry; none when the value was deleted.
fn decode(entry: &kv::Entry) -> Result<Option<BusinessClock>, ClockError> {
    match entry.operation {
        Operation::Put => match serde_json::from_slice(&entry.value) {
            Ok(clock) => Ok(Some(clock)),
            Err(error) => Err(cannot("read")(&error)),
        },
        Operation::Delete | Operation::Purge => Ok(None),
    }
}

/// An error that says what could not be done to the clock, as a participle: `read`, `written`.
fn cannot(be: &'static str) -> impl Fn(&dyn std::error::Error) -> ClockError {
    move |error| ClockError::Broker(format!("{be}: {error}"))
}

fn to_micros(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(now: &str, set_at: &str, rate: f64) -> BusinessClock {
        BusinessClock { now: time(now), set_at: time(set_at), rate }
    }

    fn time(text: &str) -> Timestamp {
        text.parse().expect("a timestamp")
    }

    #[test]
    fn without_a_clock_business_time_is_machine_time() {
        let business = BusinessTime::machine();
        let machine = time("2026-03-08T10:00:00Z");

        assert_eq!(business.read(machine), machine);
        assert!(business.now() <= machine_now());
    }

    #[test]
    fn a_clock_runs_at_its_rate_from_where_it_was_set() {
        let business = BusinessTime::machine();
        business.set(clock("2026-03-08T06:55:00Z", "2026-11-20T10:00:00Z", 60.0));

        assert_eq!(business.read(time("2026-11-20T10:00:10Z")), time("2026-03-08T07:05:00Z"));
    }

    #[test]
    fn business_time_never_goes_back_once_a_clock_is_set() {
        let business = BusinessTime::machine();
        business.set(clock("2026-03-08T06:00:00Z", "2026-11-20T10:00:00Z", 1.0));
        let read = business.read(time("2026-11-20T10:00:30Z"));

        // The machine's clock is set back.
        assert_eq!(business.read(time("2026-11-20T10:00:01Z")), read);

        // A clock that leads back comes in.
        business.set(clock("2026-03-08T05:00:00Z", "2026-11-20T10:00:30Z", 0.0));
        assert_eq!(business.read(time("2026-11-20T10:00:40Z")), read);
        assert_eq!(read, time("2026-03-08T06:00:30Z"));
    }
}
