//! The health of senders: who does badly is taken out of traffic, rests, is probed, and comes back
//! (docs/adr/0025). The rule is [`domain::health::judge`].

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use domain::{
    gates::Policy,
    health::{HealthChange, HealthState, Outcomes, SenderHealth, judge},
    ids::{SenderId, TenantId},
};
use jiff::{SignedDuration, Timestamp};
use stage::{Cx, Fault, Source, StageName, Tick};
use store::{
    Scoped, Store,
    analytics::outcomes,
    outbox,
    settings::{
        health::{self, JudgedSender, NewHealth},
        policies,
    },
};
use wire::{Event, EventKind, event::SenderData};

/// How many senders one tick looks at, at most; the next one goes on behind them.
const AT_MOST: i64 = 500;

/// A sender is looked at for so long after something was told of it.
const TOLD_LATELY: SignedDuration = SignedDuration::from_mins(15);

/// How many rows of old outcomes one tick removes, at most: more than the senders that it looks at
/// can have made since the last one, each with a dozen codes a minute.
const OLD_ROWS: i64 = 2_000;

/// The source that judges senders. Any number of processes may run it.
pub struct SenderJudge {
    store: Store,
    /// The last sender that was looked at, where more are left.
    last: Mutex<Option<(TenantId, SenderId)>>,
}

/// A sender, what becomes of it, and what that rests on.
struct Judged {
    sender: JudgedSender,
    seen: Outcomes,
    change: HealthChange,
}

impl SenderJudge {
    /// A judge over this store.
    pub fn new(store: Store) -> Self {
        Self { store, last: Mutex::default() }
    }

    /// The next senders to look at; none of them where all were.
    async fn next(&self, now: Timestamp) -> Result<Vec<(TenantId, SenderId)>, Fault> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).take();
        let found =
            health::to_judge(&self.store, now - TOLD_LATELY, last.as_ref(), AT_MOST).await?;
        let are_more = found.len() as i64 == AT_MOST;
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) =
            found.last().filter(|_| are_more).cloned();
        Ok(found)
    }
}

impl Source for SenderJudge {
    const NAME: StageName = StageName::Rollup;

    async fn tick(&self, cx: &Cx) -> Result<Tick, Fault> {
        outcomes::remove(&self.store, cx.now - outcomes::KEPT, OLD_ROWS).await?;
        let keys = self.next(cx.now).await?;
        if keys.is_empty() {
            return Ok(Tick::default());
        }

        // load
        let mut tx = self.store.scoped(keys.iter().map(|key| &key.0)).await?;
        let senders = health::lock(&mut tx, &keys).await?;
        let seen = load(&mut tx, senders, cx.now).await?;

        // decide
        let judged: Vec<Judged> = seen.into_iter().filter_map(|one| decide(one, cx.now)).collect();

        // record, and say by way of the outbox
        if !judged.is_empty() {
            record(&mut tx, &judged, cx.now).await?;
            tx.commit().await.map_err(store::fault)?;
            judged.iter().for_each(tell);
        }
        Ok(Tick { more: keys.len() as i64 == AT_MOST, ..Tick::default() })
    }
}

/// The senders whose tenants' policies can be read, with these, and what became of the
/// texts of each.
async fn load(
    tx: &mut Scoped,
    senders: Vec<JudgedSender>,
    now: Timestamp,
) -> Result<Vec<(JudgedSender, Policy, Outcomes)>, Fault> {
    let mut tenants: Vec<&TenantId> = senders.iter().map(|sender| &sender.tenant).collect();
    tenants.dedup();
    let policies: HashMap<TenantId, Option<Policy>> = policies::in_force(tx, &tenants).await?;

    let known = senders.into_iter().filter_map(|sender| {
        let policy = policies.get(&sender.tenant)?.clone()?;
        Some((sender, policy))
    });
    let known: Vec<(JudgedSender, Policy)> = known.collect();
    let keys: Vec<_> = known
        .iter()
        .map(|(sender, policy)| (&sender.tenant, sender.id, looks_from(sender, policy, now)))
        .collect();
    let seen = outcomes::since(tx, &keys).await?;

    let seen = known.into_iter().zip(seen).map(|((sender, policy), by_code)| {
        let seen = carriers::outcomes(&by_code, &sender.carrier);
        (sender, policy, seen)
    });
    Ok(seen.collect())
}

/// From when on a sender's texts are looked at: in its window, and never before it came into its
/// state, so that what it was quarantined for counts once.
fn looks_from(sender: &JudgedSender, policy: &Policy, now: Timestamp) -> Timestamp {
    let window = now - policy.health.window();
    let since = sender.since.unwrap_or(window);
    match sender.health.state {
        HealthState::Healthy => since.max(window),
        HealthState::Quarantined | HealthState::Probing => since,
    }
}

fn decide(
    (sender, policy, seen): (JudgedSender, Policy, Outcomes),
    now: Timestamp,
) -> Option<Judged> {
    let change = judge(&sender.health, sender.quarantines, &seen, &policy.health, now)?;
    Some(Judged { sender, seen, change })
}

async fn record(tx: &mut Scoped, judged: &[Judged], now: Timestamp) -> Result<(), Fault> {
    let new: Vec<NewHealth<'_>> = judged.iter().map(Judged::new_health).collect();
    let versions = health::save(tx, &new, now).await?;

    // They are in key order, each tenant's together.
    let recovered = judged.iter().filter(|one| one.change == HealthChange::Recover);
    let recovered: Vec<&Judged> = recovered.collect();
    for of_tenant in recovered.chunk_by(|a, b| a.sender.tenant == b.sender.tenant) {
        let senders: Vec<SenderId> = of_tenant.iter().map(|one| one.sender.id).collect();
        health::wake(tx, &of_tenant[0].sender.tenant, &senders).await?;
    }

    let events = judged.iter().zip(versions);
    let events: Vec<Event> = events.filter_map(|(one, version)| one.event(version, now)).collect();
    outbox::insert(tx, &events).await
}

/// Counts a change, for dashboards and alerts.
fn tell(one: &Judged) {
    let (to, cause) = match one.change {
        HealthChange::Quarantine { cause, .. } => (HealthState::Quarantined, cause.as_str()),
        HealthChange::Probe => (HealthState::Probing, "rested"),
        HealthChange::Recover => (HealthState::Healthy, "probed"),
    };
    let (to, tenant, sender) = (to.as_str(), &one.sender.tenant, one.sender.id);
    tracing::info!(%tenant, %sender, to, cause, "a sender's health has changed");
    metrics::counter!("millrace_sender_health_changes_total", "to" => to, "cause" => cause)
        .increment(1);
}

// === impl Judged ===

impl Judged {
    fn new_health(&self) -> NewHealth<'_> {
        let JudgedSender { tenant, id, quarantines, .. } = &self.sender;
        let (state, rests_until, cause, quarantines) = match self.change {
            HealthChange::Quarantine { cause, until } => {
                (HealthState::Quarantined, Some(until), Some(cause), quarantines + 1)
            }
            HealthChange::Probe => (HealthState::Probing, None, self.sender.cause, *quarantines),
            HealthChange::Recover => (HealthState::Healthy, None, None, 0),
        };
        let health = SenderHealth { state, rests_until };
        NewHealth { tenant, id: *id, health, cause, quarantines }
    }

    /// What subscribers are told; nothing of the beginning of a probe.
    fn event(&self, version: i64, now: Timestamp) -> Option<Event> {
        let (kind, cause, until) = match self.change {
            HealthChange::Quarantine { cause, until } => {
                (EventKind::SenderQuarantined, Some(cause), Some(until))
            }
            HealthChange::Recover => (EventKind::SenderRecovered, None, None),
            HealthChange::Probe => return None,
        };

        let (sender, Outcomes { delivered, failed, complaints }) = (self.sender.id, self.seen);
        let data = SenderData { sender, cause, until, delivered, failed, complaints };
        Some(Event::new(kind, &self.sender.tenant, sender.0, version, now, &data))
    }
}
